"""Levels in whole axial slices: which slice of the image lies where along the cord.

Slices are counted as the Spinal Cord Toolbox counts them in its orientation RPI: along the
axis of the grid that runs from inferior to superior, from 0 at the inferior end, however the
image is stored. A slice lies where the centerline crosses its middle plane.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sct_rootlets.centerline import Centerline
from sct_rootlets.image import Grid
from sct_rootlets.levels.table.level_table import AxialSlices, LevelTable

__all__ = [
    "axial_positions",
    "axis_along",
    "crossing_mm",
    "slice_positions",
    "slices_within",
    "superior_axis",
    "with_slices",
]

Floats = NDArray[np.float64]

#: Distance between the points of the centerline that are tried for a crossing, mm.
_STEP_MM = 0.25


def superior_axis(grid: Grid) -> tuple[int, bool]:
    """Return the axis of a grid that runs inferior-superior, and whether its index ascends."""
    letters = grid.orientation_nib
    ascends = "S" in letters
    return letters.index("S" if ascends else "I"), ascends


def axis_along(grid: Grid, centerline: Centerline) -> int:
    """Return the axis of a grid that runs along the cord."""
    unit = grid.affine[:3, :3] / grid.spacing_mm
    along = np.abs(centerline.frame(centerline.s_mm)[0] @ unit).mean(axis=0)
    return int(along.argmax())


def crossing_mm(grid: Grid, centerline: Centerline, axis: int, index: ArrayLike) -> Floats:
    """Return where along the cord (...), mm, the centerline crosses planes of the grid.

    Parameters
    ----------
    grid : Grid
    centerline : Centerline
        Goes on straight beyond its ends.
    axis : int
        Axis of the grid that the planes are perpendicular to in voxel space.
    index : array_like (...)
        Voxel indices along that axis, whole for the middle of a slice, halves between two.
    """
    wanted = np.asarray(index, dtype=float)
    margin = 2 * grid.shape[axis] * float(grid.spacing_mm[axis])
    low, high = centerline.start_mm - margin, centerline.end_mm + margin
    s = np.arange(low, high + _STEP_MM, _STEP_MM)
    at = grid.ijk_from_world(centerline.point(s))[:, axis]
    if at[-1] < at[0]:
        s, at = s[::-1], at[::-1]
    # A bent cord may run back along the axis for a little: its first crossing counts.
    at = np.maximum.accumulate(at)
    return np.asarray(np.interp(wanted, at, s), dtype=np.float64)


def slice_positions(grid: Grid, centerline: Centerline, axis: int) -> Floats:
    """Return where along the cord the middle of every slice lies, (K,) mm, by voxel index."""
    return crossing_mm(grid, centerline, axis, np.arange(grid.shape[axis]))


def axial_positions(grid: Grid, centerline: Centerline) -> Floats:
    """Return where along the cord the middle of every axial slice lies, (K,) mm, as SCT counts."""
    axis, ascends = superior_axis(grid)
    at = slice_positions(grid, centerline, axis)
    return at if ascends else at[::-1]  # from inferior to superior


def slices_within(at: Floats, rostral_mm: float, caudal_mm: float) -> tuple[int, int] | None:
    """Return the first and the last slice whose middle lies between two positions, if any.

    Parameters
    ----------
    at : (K,) array
        As of :func:`axial_positions`.
    rostral_mm, caudal_mm : float
        The slice at the rostral one belongs to them, that at the caudal one does not.
    """
    inside = np.flatnonzero((at >= rostral_mm) & (at < caudal_mm))
    return (int(inside[0]), int(inside[-1])) if len(inside) else None


def with_slices(table: LevelTable, grid: Grid, centerline: Centerline) -> LevelTable:
    """Return `table` with the axial slices of every level that has borders.

    A slice belongs to the level in which its middle lies along the cord; slices beyond the ends
    of the centerline belong to none, since the cord is not known there. Distances from the
    PMJ are those of the middles of the first and the last slice, as in the published script.

    Parameters
    ----------
    table : LevelTable
    grid : Grid
        Of the input.
    centerline : Centerline
        The one the table counts mm along.
    """
    at = axial_positions(grid, centerline)
    rows = []
    for row in table.rows:
        within = None
        if row.rostral_mm is not None and row.caudal_mm is not None:
            within = slices_within(
                at,
                max(row.rostral_mm, centerline.start_mm),
                min(row.caudal_mm, centerline.end_mm),
            )
        if row.slices is None and within is not None:
            start, end = within
            pmj = table.pmj_mm
            slices = AxialSlices(
                start,
                end,
                None if pmj is None else float(at[start]) - pmj,
                None if pmj is None else float(at[end]) - pmj,
                float(at[start] - at[end]),
            )
            row = replace(row, slices=slices)
        rows.append(row)
    return replace(table, rows=tuple(rows))
