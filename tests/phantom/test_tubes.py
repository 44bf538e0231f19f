"""Distances to filaments."""

from __future__ import annotations

import numpy as np

from sct_rootlets.image import Grid
from sct_rootlets.phantom import Anatomy
from sct_rootlets.phantom.model import Filament
from sct_rootlets.phantom.tubes import tubes


def test_tubes_measure_the_distance_to_a_straight_filament(anatomy: Anatomy) -> None:
    at = anatomy.s_mm[np.argmin(np.abs(anatomy.s_mm - 90))]
    points = np.stack([np.full(81, at), np.linspace(0, 8, 81), np.full(81, 5.0)], axis=1)
    level = anatomy.filaments[0].level
    side, sector = anatomy.filaments[0].side, anatomy.filaments[0].sector
    thread = Filament(level, side, sector, 0.6, points, np.zeros(81))
    ends = anatomy.world_from_suv(points[[0, -1]])
    affine = np.diag([0.4, 0.5, 0.6, 1.0])
    affine[:3, 3] = ends.mean(axis=0) - affine[:3, :3] @ np.array([19.5, 9.5, 9.5])
    grid = Grid((40, 20, 20), affine)
    distance, owner = tubes(anatomy, [thread], grid, np.array([0.6]))
    xyz = grid.world_from_ijk(np.indices(grid.shape).reshape(3, -1).T)
    along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    t = np.clip((xyz - ends[0]) @ along, 0, np.linalg.norm(ends[1] - ends[0]))
    exact = np.linalg.norm(xyz - ends[0] - t[:, None] * along, axis=1) - 0.6
    near = np.isfinite(distance.ravel())
    np.testing.assert_allclose(distance.ravel()[near], exact[near], atol=0.03)
    assert (near == (exact < 0.36)).mean() > 0.99
    assert (owner.ravel()[near] == 0).all()
