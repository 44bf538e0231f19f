"""Levels as label images: on the cord, in axial slices, and as single voxels.

All images are uint8 on the grid of the cord mask, with the values of the Spinal Cord
Toolbox's PAM50: C1-C8 are 1-8, T1 is 9, S5 is 30.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import PLACES, SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.image import LabelImage
from sct_rootlets.levels.axial_slices import axis_along, slice_positions
from sct_rootlets.levels.table.level_table import LevelTable

__all__ = ["UNPAINTED", "Points", "paint_levels", "paint_points", "unpainted"]

Floats = NDArray[np.float64]

#: In every warning about points that were left out.
UNPAINTED = "not painted as points"


@dataclass(frozen=True, eq=False)
class Points:
    """One voxel a level, and what could not be painted.

    Attributes
    ----------
    labels : LabelImage
    outside : tuple of SpinalLevel
        Their point lies beyond the cord mask or outside the field of view.
    taken : tuple of SpinalLevel
        Their point lies in the voxel of a level rostral of them.
    """

    labels: LabelImage
    outside: tuple[SpinalLevel, ...] = ()
    taken: tuple[SpinalLevel, ...] = ()


def paint_levels(
    cord: LabelImage, centerline: Centerline, table: LevelTable, *, axial: bool = False
) -> LabelImage:
    """Paint every voxel of the cord with the value of its spinal level.

    Parameters
    ----------
    cord : LabelImage
        Every value above 0 counts.
    centerline : Centerline
        The one the table counts mm along.
    table : LevelTable
    axial : bool
        By default a voxel takes the level of the point of the centerline that lies nearest,
        so that borders are perpendicular to the cord. Where True, all voxels of a slice take
        the level of the point where the centerline crosses the middle of the slice; slices
        are those across the axis of the grid that runs along the cord.

    Returns
    -------
    LabelImage
        0 outside the cord and between levels. A border belongs to the level caudal of it.
    """
    mask = np.asarray(cord.data) > 0
    painted = np.zeros(mask.shape, dtype=np.uint8)
    if axial:
        axis = axis_along(cord.grid, centerline)
        of_slice = _values(slice_positions(cord.grid, centerline, axis), table)
        painted[mask] = of_slice[np.nonzero(mask)[axis]]
    else:
        xyz_world = cord.grid.world_from_ijk(np.argwhere(mask))
        painted[mask] = _values(centerline.project(xyz_world).s_mm, table)
    return LabelImage(painted, cord.grid, cord.header, cord.path)


def paint_points(cord: LabelImage, centerline: Centerline, table: LevelTable, place: str) -> Points:
    """Paint one voxel a level, with its value, where the centerline passes a place of it.

    Midpoints can be given to SCT as ``-lspinal``. It moves a label that lies beyond the cord mask
    to the end of the mask, and registers to it there, so that such points are not painted.
    Rostral and caudal borders are two images,
    because the caudal border of one level may be the rostral border of the next.

    Parameters
    ----------
    cord : LabelImage
        Gives the grid.
    centerline : Centerline
    table : LevelTable
    place : str
        ``"midpoint"``, ``"rostral"`` or ``"caudal"``.

    Returns
    -------
    Points
        A point beyond the mask or outside the field of view is not painted, nor is the more
        caudal one of two levels that meet in one voxel.
    """
    painted = np.zeros(cord.grid.shape, dtype=np.uint8)
    outside, taken = [], []
    last = np.array(cord.grid.shape) - 1
    half = float(cord.grid.spacing_mm[axis_along(cord.grid, centerline)]) / 2
    for row in table.rows:
        s_mm = getattr(row, f"{place}_mm")
        if s_mm is None:
            continue
        point = centerline.point(s_mm)
        i, j, k = np.rint(cord.grid.ijk_from_world(point)).astype(int).clip(0, last)
        beyond = not centerline.start_mm - half <= s_mm <= centerline.end_mm + half
        if beyond or not cord.grid.contains(point):
            outside.append(row.level)
        elif painted[i, j, k]:
            taken.append(row.level)
        else:
            painted[i, j, k] = row.level.value
    labels = LabelImage(painted, cord.grid, cord.header, cord.path)
    return Points(labels, tuple(outside), tuple(taken))


def unpainted(points: Mapping[str, Points]) -> list[str]:
    """Say in words what was not painted.

    Parameters
    ----------
    points : mapping of str to Points
        By their place.
    """
    warnings = []
    for what, why in (
        ("outside", f"beyond the cord mask or the image, {UNPAINTED}"),
        ("taken", f"in the voxel of another level, {UNPAINTED}"),
    ):
        places: dict[SpinalLevel, list[str]] = {}
        for place, found in points.items():
            for level in getattr(found, what):
                places.setdefault(level, []).append(place)
        if places:
            levels = (
                f"{level}" if len(places[level]) == len(PLACES)
                else f"{level} ({', '.join(places[level])})"
                for level in sorted(places)
            )  # fmt: skip
            warnings.append(f"{why}: {', '.join(levels)}")
    return warnings


def _values(s_mm: Floats, table: LevelTable) -> NDArray[np.uint8]:
    """Return the value of the level at every position (N,), 0 where there is none."""
    values = np.zeros(len(s_mm), dtype=np.uint8)
    for row in table.rows:
        if row.rostral_mm is not None and row.caudal_mm is not None:
            values[(s_mm >= row.rostral_mm) & (s_mm < row.caudal_mm)] = row.level.value
    return values
