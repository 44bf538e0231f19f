"""A straight cord along z with levels of known borders, and EPI grids across it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.fmri import MappedLevels, map_levels
from sct_rootlets.image import Grid, Image, LabelImage
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable

#: The cord runs through x = y = 0, this many mm wide, from TOP_MM downwards.
BORDERS = (20.0, 35.0, 48.0)
RADIUS_MM, TOP_MM, LENGTH_MM = 5.0, 100.0, 100.0


def levels_on(
    borders_mm: Sequence[float], first: SpinalLevel = SpinalLevel.C3, spacing_mm: float = 1.0
) -> LabelImage:
    """Return consecutive levels between borders, given in mm below the top."""
    shape = (int(24 / spacing_mm), int(24 / spacing_mm), int(LENGTH_MM / spacing_mm))
    affine = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = (
        -12 + spacing_mm / 2,
        -12 + spacing_mm / 2,
        TOP_MM - LENGTH_MM + spacing_mm / 2,
    )
    grid = Grid(shape, affine)
    x, y, z = np.moveaxis(grid.world_from_ijk(np.indices(shape).reshape(3, -1).T), -1, 0)
    n = np.searchsorted(borders_mm, TOP_MM - z, side="right")
    inside = (np.hypot(x, y) < RADIUS_MM) & (n > 0) & (n < len(borders_mm))
    data = np.where(inside, first.value + n - 1, 0).reshape(shape).astype(np.int32)
    return LabelImage(data, grid, None, "straight levels")


def table_of(
    borders_mm: Sequence[float],
    first: SpinalLevel = SpinalLevel.C3,
    sd_mm: Sequence[float | None] | None = None,
) -> LevelTable:
    """Return the table of `levels_on`, with a standard deviation for every border."""
    sds = list(sd_mm) if sd_mm is not None else [None] * len(borders_mm)
    rows = []
    for n, (rostral, caudal) in enumerate(pairwise(borders_mm)):
        ends = [(0.0, 0.0, TOP_MM - mm) for mm in (rostral, caudal)]
        level = SpinalLevel(first.value + n)
        spread = {"rostral_sd_mm": sds[n], "caudal_sd_mm": sds[n + 1]}
        rows.append(LevelRow(level, "measured", rostral, caudal, ends[0], ends[1], **spread))
    return LevelTable(tuple(rows), "caudal", 1.5)


def slices(
    thickness_mm: float, count: int, top_mm: float, in_plane_mm: float = 1.0, path: str = "EPI"
) -> Image:
    """Return an EPI of `count` slices, the first face `top_mm` below the top; slice 0 is caudal."""
    shape = (int(20 / in_plane_mm), int(20 / in_plane_mm), count)
    affine = np.diag([in_plane_mm, in_plane_mm, thickness_mm, 1.0])
    bottom = TOP_MM - top_mm - count * thickness_mm
    affine[:3, 3] = (-10 + in_plane_mm / 2, -10 + in_plane_mm / 2, bottom + thickness_mm / 2)
    none = np.broadcast_to(np.uint8(0), shape)
    return Image(none, Grid(shape, affine), None, path)


def mapped(folder: Path, **options: object) -> MappedLevels:
    given = {"levels": folder / "levels.nii.gz", **options}
    return map_levels(given.pop("levels"), folder / "sub-1_task-rest_bold.nii.gz", **given)  # type: ignore[arg-type]
