"""A straight cord of elliptic section, on grids of any obliquity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.image import Grid, LabelImage

Floats = NDArray[np.float64]


def cylinder_grid(
    spacing: tuple[float, float, float], turn: Floats, *, shift: Floats, half_mm: Floats
) -> Grid:
    """Return a grid of axes `turn` (3, 3) that holds a box of half widths `half_mm` (3,)."""
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(spacing)
    corners = np.array(np.meshgrid(*[(-h, h) for h in half_mm])).reshape(3, -1).T
    local = corners @ np.linalg.inv(affine[:3, :3]).T
    low = np.floor(local.min(axis=0)) + shift
    shape = np.ceil(local.max(axis=0) - low).astype(int) + 1
    affine[:3, 3] = affine[:3, :3] @ low
    return Grid((int(shape[0]), int(shape[1]), int(shape[2])), affine)


def cylinder(
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
    turn: Floats | None = None,
    *,
    lr_mm: float = 6.0,
    ap_mm: float = 4.0,
    length_mm: float = 60.0,
    shift: tuple[float, float, float] = (0.1, 0.3, 0.4),
) -> LabelImage:
    """Return the mask of a cord along z of half widths `lr_mm` and `ap_mm`.

    The world's z = length_mm / 2 is its rostral end. A voxel belongs to it by its middle.
    """
    half = np.array([lr_mm + 5, ap_mm + 5, length_mm / 2 + 3])
    axes = np.eye(3) if turn is None else turn
    grid = cylinder_grid(spacing, axes, shift=np.array(shift), half_mm=half)
    x, y, z = np.moveaxis(grid.world_from_ijk(np.indices(grid.shape).reshape(3, -1).T), -1, 0)
    inside = ((x / lr_mm) ** 2 + (y / ap_mm) ** 2 <= 1) & (np.abs(z) <= length_mm / 2)
    return LabelImage(inside.reshape(grid.shape).astype(np.int32), grid, None, "cord.nii.gz")
