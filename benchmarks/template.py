"""Levels of the PAM50 template against its own map of spinal levels."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.published import published_levels, slice_faces
from benchmarks.report import markdown
from sct_rootlets.anatomy import ROOTLET_LEVELS, SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.image import LabelImage, load_labels
from sct_rootlets.levels import DEFINITIONS, LevelOptions, derive

__all__ = ["measure"]

Slices = dict[SpinalLevel, tuple[int, int]]


def measure(data: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the borders of both methods against the atlas, and the published table."""
    rootlets, cord, atlas = (
        load_labels(data / "pam50" / f"PAM50_{name}.nii.gz")
        for name in ("rootlets", "cord", "spinal_levels")
    )
    curve = Centerline.fit(cord)
    regions = _slices(atlas)
    faces = slice_faces(atlas.grid, regions, curve.s_mm, curve.xyz_world)
    values: dict[str, Any] = {}
    rows = []
    for definition in DEFINITIONS:
        table = derive(
            rootlets, cord, options=LevelOptions(definition), has_level_identity=True
        ).table
        away: dict[str, float] = {}
        for level in ROOTLET_LEVELS:
            row = table.row(level)
            if row is not None and row.caudal_world is not None:
                own = float(curve.project(row.caudal_world).s_mm[0])
                away[str(level)] = own - faces[level][1]
        values[definition] = away
        rows.append([f"`{definition}`, caudal borders", *_cells(away)])
        print(f"  {definition}: {away}", flush=True)
    tables = {}
    for voxels in (1, 2, 3):
        slices = published_levels(rootlets, cord, voxels)
        found = _published(slices, atlas, cord)
        values[f"published, {voxels}"] = found
        tables[f"pam50-published-{voxels}"] = _published_table(found)
        ends = slice_faces(atlas.grid, slices, curve.s_mm, curve.xyz_world)
        away = {str(lv): ends[lv][1] - faces[lv][1] for lv in ends}
        rows.append([f"published, {voxels} voxels, caudal ends", *_cells(away)])
    head = ["mm, caudal-positive", *(str(level) for level in ROOTLET_LEVELS)]
    return values, {"pam50": markdown(head, rows), **tables}


def _cells(away: dict[str, float]) -> list[str]:
    return [f"{away[str(lv)]:+.1f}" if str(lv) in away else "lost" for lv in ROOTLET_LEVELS]


def _slices(levels: LabelImage) -> Slices:
    """Return the first and last slice, from below, of every level of an atlas stored as LAS."""
    if levels.grid.orientation_sct != "RPI":
        raise ValueError(f"PAM50 is stored as RPI, not {levels.grid.orientation_sct}")
    answer = {}
    for value in levels.labels:
        if value <= SpinalLevel.S5.value:
            at = np.flatnonzero((np.asarray(levels.data) == value).any(axis=(0, 1)))
            answer[SpinalLevel(value)] = (int(at.min()), int(at.max()))
    return answer


def _published(slices: Slices, atlas: LabelImage, cord: LabelImage) -> dict[str, dict[str, float]]:
    """Return the rows of the published table, by name and level."""
    height = float(atlas.grid.spacing_mm[2])
    regions, own = _slices(atlas), np.asarray(atlas.data)
    body = np.asarray(cord.data) > 0
    rows: dict[str, dict[str, float]] = {
        name: {}
        for name in (
            "shared / atlas voxels, %",
            "atlas minus rootlet caudal border (up), mm",
            "entry-zone length, mm",
            "gap to the level above, mm",
            "caudal-to-caudal length, mm",
        )
    }
    for level, (first, last) in slices.items():
        region = own == level.value
        shared = (region & body)[:, :, first : last + 1].sum()
        cells = [100 * shared / region.sum(), (regions[level][0] - first) * height]
        cells.append((last - first + 1) * height)
        for name, value in zip(rows, cells, strict=False):
            rows[name][str(level)] = float(value)
    for above, below in pairwise(sorted(slices)):
        if above.shifted(1) is below:
            gap = (slices[above][0] - slices[below][1] - 1) * height
            rows["gap to the level above, mm"][str(below)] = gap
            length = (slices[above][0] - slices[below][0]) * height
            rows["caudal-to-caudal length, mm"][str(below)] = length
    return rows


def _published_table(rows: dict[str, dict[str, float]]) -> str:
    levels = [str(level) for level in ROOTLET_LEVELS]
    return markdown(
        ["", *levels],
        [
            [name, *(f"{found[lv]:.1f}" if lv in found else "-" for lv in levels)]
            for name, found in rows.items()
        ],
    )
