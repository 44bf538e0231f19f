"""A label image of levels beside its table, border by border: where they differ the image counts.

The table has the borders more finely than voxels do, and how certain they are; but it is the
image that people correct in a viewer. What a corrected image says is taken from it, and
everything else from the table.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.files.names import level_files, levels_image_of
from sct_rootlets.files.standing import Standing, standing
from sct_rootlets.image import LabelImage, load_labels
from sct_rootlets.levels.axial_slices import axis_along
from sct_rootlets.levels.painted import Seen, seen_of_both
from sct_rootlets.levels.table.columns import DECIMALS
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable, Point
from sct_rootlets.levels.table.reading import (
    OtherTableError,
    read_levels_table,
    read_table_beside,
)

__all__ = ["FROM_IMAGE", "overruled", "table_of_image", "table_with_image"]


#: Flag of a border that is the image's, by the end of the level.
FROM_IMAGE = {"rostral": "rostral_from_image", "caudal": "caudal_from_image"}

#: The published voxel method, whose borders are the middles of slices.
_PUBLISHED = "valosek2024"
#: Borders of image and table that differ by less, in voxels along the cord, are the same: whole
#: voxels are painted, each by its middle.
_SAME_VOXELS = 0.6
#: The same for the published method.
_SAME_VOXELS_OF_SLICES = 1.1
#: The same where the labelled cord ends: an oblique cut leaves its course uncertain there.
_SAME_VOXELS_AT_END = 1.5
#: Farther from the cord than this, mm, a border belongs to another cord or another world.
_FARTHEST_MM = 10.0
#: Borders of two neighbours that were moved alike, to within this, are one.
_ONE_MM = 0.05
#: More borders than this are counted and not named.
_NAMED = 6


def table_of_image(labels: LabelImage) -> tuple[LevelTable | None, tuple[str, ...]]:
    """Return the table beside a label image of levels, as far as the image does not overrule it.

    Returns
    -------
    LevelTable or None, tuple of str
        None where there is no table of levels; and what has to be said.

    Raises
    ------
    InputError
        If the table cannot be read.
    """
    beside = level_files(Path(labels.path))["table"]
    try:
        table = read_table_beside(beside)
    except OtherTableError as error:
        said = f"the table beside the levels is not used: {error.path} {error.problem}"
        return None, (said,)
    if table is None:
        return None, ()
    if standing(labels.path) is standing(beside) is Standing.OURS:
        return table, ()
    try:
        return overruled(table, labels)
    except InputError as error:
        return None, (f"the table of the levels is not used: {error}",)


def table_with_image(path: str | os.PathLike[str]) -> tuple[LevelTable, tuple[str, ...]]:
    """Return a table of levels, as far as the label image beside it does not overrule it.

    The image is read unless both are as we wrote them.

    Returns
    -------
    LevelTable, tuple of str
        And what has to be said.

    Raises
    ------
    InputError
        If the table cannot be read.
    """
    table = read_levels_table(path)
    image = levels_image_of(path)
    if image is None or standing(image) is standing(path) is Standing.OURS:
        return table, ()
    try:
        return overruled(table, load_labels(image, "spinal levels beside their table"))
    except InputError as error:
        return table, (f"the table is not compared with the image beside it: {error}",)


def overruled(table: LevelTable, labels: LabelImage) -> tuple[LevelTable, tuple[str, ...]]:
    """Return the table of a label image with the borders that the image has otherwise.

    Both are seen with the same eyes: the levels of the table are painted on the voxels in the
    core of the cord, and their borders there compared with those of the image. A border that
    agrees to within the voxels stays as the table has it, with its uncertainty. Another one is
    that of the image, flagged `FROM_IMAGE`, and its standard deviation is half a voxel along the
    cord. A level that the image has in addition is measured; one that it no longer has is unseen.

    Parameters
    ----------
    table : LevelTable
    labels : LabelImage
        Values of spinal levels, in the world of the table; other values are passed over.

    Returns
    -------
    LevelTable, tuple of str
        The table itself where nothing differs, or where it has no borders in the world; and what
        has to be said.

    Raises
    ------
    InputError
        If the labelled cord is too short to have a course.
    """
    known = [row for row in table.rows if row.rostral_world and row.caudal_world]
    if not known or not labels.labels:
        return table, ()
    curve = Centerline.fit(labels)
    on_curve = _on_curve(known, curve, labels)
    voxel_mm = float(labels.grid.spacing_mm[axis_along(labels.grid, curve)])
    painted = {row.level: _within_mask(row, table, on_curve[row.level]) for row in known}
    of_image, of_table = seen_of_both(labels, curve, painted, voxel_mm)
    if table.definition == _PUBLISHED:
        of_table.pop(SpinalLevel.C1, None)  # it is in the table, and not painted
    moved = _moved(of_image, of_table, table.definition, voxel_mm)
    added = sorted({*of_image} - {*of_table})
    removed = sorted({*of_table} - {*of_image})
    if not moved and not added and not removed:
        return table, ()
    axis, sd_mm = _Axis(known, on_curve), round(voxel_mm / 2, DECIMALS)
    rows = {row.level: row for row in table.rows}
    rows |= {level: LevelRow(level, "unseen") for level in removed}
    for level, seen in of_image.items():
        ends = {
            end: getattr(seen, end) for end in FROM_IMAGE if level in added or (level, end) in moved
        }
        if ends:
            row = rows.get(level, LevelRow(level, "unseen"))
            rows[level] = _as_painted(row, ends, curve, axis, sd_mm)
    remark = (
        f"{Path(labels.path).name} has other borders than the table beside it, and the image "
        f"counts there, with an uncertainty of half a voxel ({voxel_mm / 2:.2g} mm): "
        f"{_said(moved, added, removed)}"
    )
    return replace(table, rows=tuple(rows[level] for level in sorted(rows))), (remark,)


def _on_curve(
    rows: list[LevelRow], curve: Centerline, labels: LabelImage
) -> dict[SpinalLevel, tuple[float, float]]:
    """Return the borders of rows along the curve through the labels, mm."""
    points = np.array([[row.rostral_world, row.caudal_world] for row in rows])
    at = curve.project(points.reshape(-1, 3))
    # Beyond the levels the curve goes straight on, and the cord may not.
    beyond = np.maximum(curve.start_mm - at.s_mm, at.s_mm - curve.end_mm)
    away = float((at.radius_mm - np.maximum(beyond, 0)).max())
    if away > _FARTHEST_MM:
        raise InputError(f"lies {away:.0f} mm away from a border of its table", path=labels.path)
    pairs = at.s_mm.reshape(-1, 2)
    return {row.level: (float(a), float(b)) for row, (a, b) in zip(rows, pairs, strict=True)}


def _moved(
    of_image: dict[SpinalLevel, Seen],
    of_table: dict[SpinalLevel, Seen],
    definition: str,
    voxel_mm: float,
) -> dict[tuple[SpinalLevel, str], float]:
    """Return the borders that the image has elsewhere, and by how many mm caudally."""
    inner = _SAME_VOXELS_OF_SLICES if definition == _PUBLISHED else _SAME_VOXELS
    found = {}
    for level in sorted({*of_image} & {*of_table}):
        for end in FROM_IMAGE:
            outermost = level == (min if end == "rostral" else max)(of_table)
            same = _SAME_VOXELS_AT_END if outermost else inner
            by_mm = getattr(of_image[level], end) - getattr(of_table[level], end)
            if abs(by_mm) > same * voxel_mm:
                found[level, end] = by_mm
    return found


class _Axis:
    """Positions on the axis of a table, of positions along another curve of the same cord."""

    def __init__(
        self, rows: list[LevelRow], on_curve: dict[SpinalLevel, tuple[float, float]]
    ) -> None:
        pairs = [
            (s, mm)
            for row in rows
            for s, mm in zip(on_curve[row.level], (row.rostral_mm, row.caudal_mm), strict=True)
            if mm is not None
        ]
        self._s, self._mm = np.array(pairs).reshape(-1, 2).T

    def mm(self, s: float) -> float | None:
        """Return the position by the border of the table that lies nearest."""
        if len(self._s) == 0:
            return None
        nearest = int(np.abs(self._s - s).argmin())
        return float(self._mm[nearest] + s - self._s[nearest])


def _within_mask(row: LevelRow, table: LevelTable, at: tuple[float, float]) -> tuple[float, float]:
    """Return the part of a level that was painted: not what lies beyond the cord mask."""
    rostral, caudal = at
    if row.rostral_mm is not None:
        rostral += max(-row.rostral_mm, 0.0)
    length = table.details.get("cord_length_mm")
    if row.caudal_mm is not None and isinstance(length, int | float):
        caudal -= max(row.caudal_mm - length, 0.0)
    return rostral, caudal


def _as_painted(
    row: LevelRow, ends: dict[str, float], curve: Centerline, axis: _Axis, sd_mm: float
) -> LevelRow:
    """Return a row with ends, mm along `curve`, as the image has them."""
    before = row.midpoint_mm
    gone = {"contradicted", *(f"cut_{end}" for end in ends), *(f"{end}_estimated" for end in ends)}
    flags = tuple(flag for flag in row.flags if flag not in gone)
    # Whoever painted both borders has seen the level.
    status = "measured" if row.status == "unseen" or len(ends) == 2 else row.status
    new = replace(row, status=status, flags=flags, slices=None)
    for end, s in ends.items():
        changed = {f"{end}_mm": axis.mm(s), f"{end}_world": _point(curve, s), f"{end}_sd_mm": sd_mm}
        new = replace(new, **changed, flags=(*new.flags, FROM_IMAGE[end]))  # type: ignore[arg-type]
    if new.rostral_world is not None and new.caudal_world is not None:
        both = curve.project(np.array([new.rostral_world, new.caudal_world])).s_mm
        new = replace(new, midpoint_world=_point(curve, float(both.mean())))
    length_sd = None
    if new.rostral_sd_mm is not None and new.caudal_sd_mm is not None:
        length_sd = float(np.hypot(new.rostral_sd_mm, new.caudal_sd_mm))
    new = replace(
        new, length_sd_mm=length_sd, midpoint_sd_mm=None if length_sd is None else length_sd / 2
    )
    relation = row.vertebral
    if relation is None or before is None or new.midpoint_mm is None:
        return replace(new, vertebral=None)
    by_mm = new.midpoint_mm - before
    discs = {disc: away + by_mm for disc, away in relation.from_disc_mm.items()}
    kept = dict.fromkeys(("midpoint", *ends))
    return replace(new, vertebral=replace(relation, **kept, from_disc_mm=discs))


def _point(curve: Centerline, s_mm: float) -> Point:
    x, y, z = (float(v) for v in curve.point(s_mm))
    return (x, y, z)


def _said(
    moved: dict[tuple[SpinalLevel, str], float],
    added: list[SpinalLevel],
    removed: list[SpinalLevel],
) -> str:
    """Say in words what differs; a border that two levels share is one."""
    by = {(level.value, end): mm for (level, end), mm in moved.items()}
    words = []
    for (value, end), by_mm in by.items():
        level = SpinalLevel(value)
        way = f"{abs(by_mm):.1f} mm {'caudally' if by_mm > 0 else 'rostrally'}"
        if end == "rostral" and abs(by.get((value - 1, "caudal"), np.inf) - by_mm) < _ONE_MM:
            continue
        if end == "caudal" and abs(by.get((value + 1, "rostral"), np.inf) - by_mm) < _ONE_MM:
            words.append(f"{level}/{SpinalLevel(value + 1)} {way}")
        else:
            words.append(f"{end} border of {level} {way}")
    if len(words) > _NAMED:
        words = [f"{len(words)} borders by up to {max(map(abs, moved.values())):.1f} mm"]
    words += [f"{level} is in the image only" for level in added]
    words += [f"{level} is not in the image" for level in removed]
    return ", ".join(words)
