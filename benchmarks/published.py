"""The published voxel rule as something to compare with, and its slices in mm."""

from __future__ import annotations

import numpy as np
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.levels import valosek2024

__all__ = ["published_levels", "slice_faces"]


Slices = dict[SpinalLevel, tuple[int, int]]


def published_levels(rootlets: LabelImage, cord: LabelImage, dilation_voxels: int = 3) -> Slices:
    """Return first and last slice (SCT's RPI) of every level by the published rule."""
    return dict(valosek2024.published_levels(rootlets, cord, dilation_voxels).slices)


def _slice_axis(grid: Grid) -> tuple[int, bool]:
    """Return which axis runs along the body, and whether it runs downwards."""
    to_rpi = ornt_transform(io_orientation(grid.affine), axcodes2ornt("LAS"))
    axis = int(np.flatnonzero(to_rpi[:, 0] == 2)[0])
    return axis, bool(to_rpi[axis, 1] < 0)


def slice_faces(
    grid: Grid,
    slices: Slices,
    axis_s_mm: NDArray[np.float64],
    axis_world: NDArray[np.float64],
) -> dict[SpinalLevel, tuple[float, float]]:
    """Return where the outer faces of the slices cut a centerline: rostral, caudal (mm).

    Parameters
    ----------
    grid : Grid
    slices : dict of SpinalLevel to (first, last)
        Numbered from below, both included.
    axis_s_mm, axis_world : (M,), (M, 3) arrays
        The centerline, rostral to caudal.
    """
    axis, flipped = _slice_axis(grid)
    at = grid.ijk_from_world(axis_world)[:, axis]
    at = grid.shape[axis] - 1 - at if flipped else at
    # The slice number falls along the cord; np.interp wants it to rise.
    order = np.argsort(at, kind="stable")

    def s_mm(place: float) -> float:
        return float(np.interp(place, at[order], axis_s_mm[order]))

    return {lv: (s_mm(last + 0.5), s_mm(first - 0.5)) for lv, (first, last) in slices.items()}
