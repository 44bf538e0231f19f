"""The surface of an elliptic cylinder, of which only a mask is given."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.fmri.borders_on_cord import BordersOnCord
from sct_rootlets.fmri.surface import cord_surface
from sct_rootlets.image import Grid
from tests.levels.cylinder import cylinder

Floats = NDArray[np.float64]

LR_MM, AP_MM, LENGTH_MM = 6.0, 4.0, 60.0
#: Labelled parts, mm below the rostral end: two levels that touch, a gap, and a short one.
PARTS_MM = ((0.0, 15.0), (15.0, 32.0), (40.0, 43.0))
TURNS = {
    "straight": np.eye(3),
    "turned": Rotation.from_euler("xy", [12, 7], degrees=True).as_matrix(),
}
SPACINGS = [(0.8, 0.8, 0.8), (1.0, 1.0, 1.0), (0.7, 0.7, 2.0)]


def labelled(
    spacing: tuple[float, float, float], turn: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], Grid, BordersOnCord]:
    cord = cylinder(spacing, turn, lr_mm=LR_MM, ap_mm=AP_MM, length_mm=LENGTH_MM)
    line = np.linspace(LENGTH_MM / 2, -LENGTH_MM / 2, 61)
    centerline = Centerline.from_points(np.stack([0 * line, 0 * line, line], axis=1))
    levels = tuple(SpinalLevel(n) for n in (3, 4, 5))
    borders = BordersOnCord(centerline, levels, np.array(PARTS_MM), np.full((3, 2), np.nan))
    ijk = np.indices(cord.grid.shape).reshape(3, -1).T
    named = borders.at(cord.grid.world_from_ijk(ijk)).reshape(cord.grid.shape) > 0
    return (cord.data > 0) & named, cord.grid, borders


def misplaced_mm(
    surface: NDArray[np.float32], grid: Grid, parts_mm: tuple[tuple[float, float], ...]
) -> float:
    """Return the volume between the true surface and the found one, over the true one's area."""
    step = 0.2
    x, y = np.meshgrid(np.arange(-8, 8, step), np.arange(-6, 6, step))
    true = (x / LR_MM) ** 2 + (y / AP_MM) ** 2 < 1
    rim = 2 * np.pi * np.sqrt((LR_MM**2 + AP_MM**2) / 2)
    wrong, planes = 0, 0
    for low, high in parts_mm:
        for below in np.arange(low + step / 2, high, step):
            z = np.full(x.size, LENGTH_MM / 2 - below)
            ijk = grid.ijk_from_world(np.stack([x.ravel(), y.ravel(), z], axis=1))
            inside = ndimage.map_coordinates(surface, ijk.T, order=1, cval=-1) > 0
            wrong += int((inside.reshape(x.shape) != true).sum())
            planes += 1
    return wrong * step**2 / planes / rim


@pytest.mark.parametrize("spacing", SPACINGS, ids=str)
@pytest.mark.parametrize("turn", TURNS)
def test_the_surface_is_known_much_better_than_the_voxels(
    spacing: tuple[float, float, float], turn: str
) -> None:
    mask, grid, borders = labelled(spacing, TURNS[turn])
    found = misplaced_mm(cord_surface(mask, grid, borders), grid, PARTS_MM)
    plain = misplaced_mm(cord_surface(mask, grid), grid, PARTS_MM)
    # Every slice of a cord along an axis leaves the same open.
    assert found < {"straight": 0.16, "turned": 0.12}[turn] * max(spacing[:2])
    assert found < 0.75 * plain


@pytest.mark.parametrize("spacing", SPACINGS, ids=str)
def test_labelled_parts_are_not_rounded_at_their_ends(
    spacing: tuple[float, float, float],
) -> None:
    """Also not that of 3 mm, which the smoothing alone would thin from both sides."""
    mask, grid, borders = labelled(spacing, TURNS["turned"])
    last_mm = tuple((edge, edge + 1.0) for edge in (0.0, 31.0, 40.0, 42.0))
    found = misplaced_mm(cord_surface(mask, grid, borders), grid, last_mm)
    assert found < 0.2 * max(spacing[:2])
    assert found < 0.5 * misplaced_mm(cord_surface(mask, grid), grid, last_mm)


def test_the_volume_is_that_of_the_mask() -> None:
    mask, grid, borders = labelled((0.8, 0.8, 0.8), TURNS["turned"])
    fine = cord_surface(mask, grid, borders)
    step = 0.2
    axes = [np.arange(-8, 8, step), np.arange(-6, 6, step), np.arange(-2.0, 30.0, step)]
    xyz = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = ndimage.map_coordinates(fine, grid.ijk_from_world(xyz).T, order=1, cval=-1) > 0
    volume = (inside & (borders.at(xyz) > 0)).sum() * step**3
    voxels = (borders.at(grid.world_from_ijk(np.argwhere(mask))) < 3).sum()
    assert volume == pytest.approx(voxels * grid.voxel_volume_mm3, rel=0.01)
