"""Rootlet voxels in the frame of the cord, and the ends of entry zones, against known ones."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.levels.zones.entry_zones import CordSurface, measure
from tests.levels.bent_cord import AP_MM, CORD, GRIDS, LR_MM, Pair


def test_the_surface_is_where_it_is_known_to_be(pair: Pair) -> None:
    cord = pair[0]
    curve = Centerline.fit(cord)
    surface = CordSurface.fit(cord, curve)
    s, angle = np.full(4, 30.0), np.radians([0.0, 90.0, 180.0, -90.0])
    assert np.allclose(surface.radius(s, angle), [AP_MM, LR_MM, AP_MM, LR_MM], atol=0.5)
    # A point 2 mm lateral of the cord, and one inside it.
    at = curve.project(CORD.world(np.array([30.0, 30.0]), np.array([8.0, 3.0]), np.zeros(2)))
    assert np.allclose(surface.depth(at), [2.0, -2.6], atol=0.5)


@pytest.mark.parametrize("name", ["0.6 mm", "1 mm", "1x1x2 mm", "sagittal 2 mm"])
def test_depth_has_no_bias_of_half_a_voxel(name: str) -> None:
    spacing, turn, _ = GRIDS[name]
    cord = CORD.render(CORD.grid(spacing, turn))[0]
    curve = Centerline.fit(cord)
    s = np.repeat(np.linspace(10, 50, 21), 24)
    angle = np.tile(np.linspace(0, 2 * np.pi, 24, endpoint=False), 21)
    out = CORD.world(s, LR_MM * np.sin(angle), AP_MM * np.cos(angle))  # on the true surface
    depth = CordSurface.fit(cord, curve).depth(curve.project(out))
    assert abs(depth.mean()) < 0.12
    # A face along the grid is known to half a voxel, wherever it is looked for.
    assert np.abs(depth).max() < 0.25 + 0.5 * max(spacing)


def test_side_and_sector(pair: Pair) -> None:
    cord, rootlets = pair
    zones = measure(rootlets, cord, Centerline.fit(cord))
    _, left, dorsal = CORD.cord_coordinates(rootlets.grid.world_from_ijk(zones.ijk))
    assert np.array_equal(zones.side == "L", left > 0)
    right = (zones.sector == "D") == (dorsal > -0.5)
    assert right[zones.depth_mm < 2].all()
    assert right.mean() > 0.97
    assert sum(zones.counts(4).values()) == (rootlets.data == 4).sum()
    assert min(zones.counts(4).values()) > 10


def test_no_rootlets_and_no_reach_are_refused(pair: Pair) -> None:
    cord, rootlets = pair
    curve = Centerline.fit(cord)
    with pytest.raises(InputError, match="no rootlet voxel"):
        measure(rootlets.with_data(np.zeros_like(rootlets.data)), cord, curve)
    with pytest.raises(ValueError, match="reach_mm"):
        measure(rootlets, cord, curve, 0.0)
