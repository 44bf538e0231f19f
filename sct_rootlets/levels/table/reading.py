"""Tables of levels back from files: ours with the JSON beside them, and the published CSV.

This is the one reader of such tables. What any table may look like is said in
:mod:`sct_rootlets.tables`; here is what the columns of these mean.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from sct_rootlets.anatomy import SpinalLevel, VertebralLevel
from sct_rootlets.errors import InputError
from sct_rootlets.levels.table.columns import (
    DECIMALS,
    FORMER_COLUMNS,
    PUBLISHED_COLUMNS,
    STATUSES,
)
from sct_rootlets.levels.table.json_beside import FARTHEST_MM, LABELS, completed
from sct_rootlets.levels.table.level_table import (
    AxialSlices,
    LevelRow,
    LevelTable,
    Point,
    VertebralPlace,
    VertebralRelation,
)
from sct_rootlets.tables import Line, TextTable, read_header, read_sheet, unescaped

__all__ = ["OtherTableError", "is_levels_table", "read_levels_table", "read_table_beside"]

_REMEDY = (
    "Give tables as sct_rootlets run and sct_rootlets levels write them "
    "(X_spinal_levels.tsv), or CSV files in the layout of the published script"
)


class OtherTableError(InputError):
    """A table that can be read, and is none of levels."""


def read_levels_table(path: str | os.PathLike[str]) -> LevelTable:
    """Read the table of levels of one image.

    Parameters
    ----------
    path : path-like
        Either ``X_spinal_levels.tsv`` of this package, of this version or an earlier one, with
        what the JSON beside it (``X_spinal_levels.json``, if it is there) has besides: the
        definition and its reach, the distances to all discs, the height of C3 to C7, counts,
        notes and warnings. Or a CSV in the layout of the script of Valosek et al. (2024), as
        ``levels -ocsv`` and that script write it. Further columns are ignored.

    Returns
    -------
    LevelTable
        Of a CSV: positions are those of the middles of the end slices, from the PMJ, so that
        `length_mm` is its ``height``; every row counts as measured, and the definition is
        ``"unknown"``, since the CSV says neither. Without a JSON the definition is
        ``"unknown"`` too.

    Raises
    ------
    OtherTableError
        If the file is a table of something else.
    InputError
        If it cannot be read, lacks a column, has a level twice or a cell that makes no sense; if
        the JSON is damaged.
    """
    try:
        sheet = read_sheet(path, _columns_of)
        if _columns_of(sheet.header) is PUBLISHED_COLUMNS:
            return _of_script(sheet)
        return _of_ours(sheet, Path(path))
    except OtherTableError as error:
        raise OtherTableError(error.problem, path=path, remedy=_REMEDY) from error
    except InputError as error:
        error.remedy = error.remedy or _REMEDY
        raise


def read_table_beside(path: str | os.PathLike[str]) -> LevelTable | None:
    """Read the table that belongs to a label image of levels, None where there is none.

    Raises
    ------
    OtherTableError, InputError
        As :func:`read_levels_table`; the remedy says how to do without the table.
    """
    if not os.path.lexists(path):
        return None
    try:
        return read_levels_table(path)
    except OtherTableError:
        raise
    except InputError as error:
        first = "" if error.remedy == _REMEDY else f"{error.remedy}. "
        raise InputError(
            f"{error.problem} (table beside the image of levels)",
            path=error.path,
            remedy=f"{first}Save {Path(path).name} as sct_rootlets wrote it, or remove or rename "
            "it: the image is used alone then",
        ) from error


def is_levels_table(path: str | os.PathLike[str]) -> bool:
    """Say whether a file begins as a table of levels of this package does, whatever its name."""
    try:
        return read_header(path)[0][:3] == FORMER_COLUMNS[:3]
    except InputError:
        return False


def _columns_of(header: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that a table has to have: ours, or those of the published script."""
    if "spinal_level" in header:
        return FORMER_COLUMNS if {"level", "status"} & {*header} else PUBLISHED_COLUMNS
    if {"level", "status"} <= {*header}:
        return FORMER_COLUMNS
    raise OtherTableError("is no table of levels")


def _of_ours(sheet: TextTable, path: Path) -> LevelTable:
    rows = _rows(sheet, _row, "level")
    fname = _fname(sheet)
    table = LevelTable(
        rows,
        definition="unknown",
        reach_mm=None,
        pmj_mm=next((mm for line in sheet.lines if (mm := _pmj_mm(line)) is not None), None),
        fname=None if fname is None else unescaped(fname),
    )
    return completed(table, path)


def _rows(
    sheet: TextTable, row_of: Callable[[Line], LevelRow], column: str
) -> tuple[LevelRow, ...]:
    """Return the rows of all lines, rostral to caudal; a level may have one only."""
    rows: dict[SpinalLevel, tuple[LevelRow, int]] = {}
    for line in sheet.lines:
        row = row_of(line)
        if row.level in rows:
            raise line.refused(column, f"is in line {rows[row.level][1]} too")
        rows[row.level] = (row, line.place)
    return tuple(rows[level][0] for level in sorted(rows))


def _fname(sheet: TextTable) -> str | None:
    return next((name for line in sheet.lines if (name := line.text("fname"))), None)


def _mm(line: Line, name: str) -> float | None:
    return line.number(name, -FARTHEST_MM, FARTHEST_MM)


def _sd_mm(line: Line, name: str) -> float | None:
    return line.number(f"{name}_sd_mm", 0, FARTHEST_MM)


def _pmj_mm(line: Line) -> float | None:
    """Return where the PMJ lies, None where the line does not tell."""
    s_mm, away = _mm(line, "rostral_mm"), _mm(line, "rostral_from_pmj_mm")
    return None if s_mm is None or away is None else round(s_mm - away, DECIMALS)


def _row(line: Line) -> LevelRow:
    for derived in ("midpoint_mm", "length_mm"):
        _mm(line, derived)  # not used, and no reason to let anything stand there
    flags = line.word("flags")
    return LevelRow(
        _level(line),
        line.given("status", line.one_of("status", {one: one for one in STATUSES}, "status")),
        _mm(line, "rostral_mm"),
        _mm(line, "caudal_mm"),
        _point(line, "rostral"),
        _point(line, "caudal"),
        rostral_sd_mm=_sd_mm(line, "rostral"),
        caudal_sd_mm=_sd_mm(line, "caudal"),
        midpoint_sd_mm=_sd_mm(line, "midpoint"),
        length_sd_mm=_sd_mm(line, "length"),
        midpoint_world=_point(line, "midpoint"),
        flags=tuple(flags.split(",")) if flags else (),
        vertebral=_vertebral(line),
        slices=_slices(line),
    )


def _level(line: Line) -> SpinalLevel:
    """Return the level of a line, by its name where there is one, else by its value."""
    by_value = {level.value: level for level in SpinalLevel}
    value = line.given("spinal_level", line.integer("spinal_level"))
    if "level" in line.cells:
        named = line.one_of("level", SpinalLevel.__members__, "spinal level")
        level = line.given("level", named)
        if value != level.value:
            raise line.refused("spinal_level", f"is not the value of {level}", f"{level.value}")
        return level
    if value not in by_value:
        raise line.refused("spinal_level", "is no spinal level", f"1 to {max(by_value)}")
    return by_value[value]


def _point(line: Line, place: str) -> Point | None:
    x, y, z = (_mm(line, f"{place}_{axis}") for axis in "xyz")
    return None if x is None or y is None or z is None else (x, y, z)


def _vertebral(line: Line) -> VertebralRelation | None:
    places = {}
    for place in ("rostral", "midpoint", "caudal"):
        level = line.one_of(f"{place}_vertebra", VertebralLevel.__members__, "vertebral level")
        fraction = line.number(f"{place}_fraction")
        if level is not None and fraction is not None:
            places[place] = VertebralPlace(level, fraction)
    label, away = line.one_of("nearest_disc", LABELS, "disc"), _mm(line, "midpoint_from_disc_mm")
    discs = {} if label is None or away is None else {label: away}
    return VertebralRelation(**places, from_disc_mm=discs) if places or discs else None


def _slices(line: Line) -> AxialSlices | None:
    start, end = line.integer("slice_start"), line.integer("slice_end")
    distances = [
        _mm(line, name) for name in ("distance_from_pmj_start", "distance_from_pmj_end", "height")
    ]
    return None if start is None or end is None else AxialSlices(start, end, *distances)


def _of_script(sheet: TextTable) -> LevelTable:
    """Read the layout of the published script; its distances are from the PMJ."""

    def row_of(line: Line) -> LevelRow:
        # slice_start is the caudal end: SCT's slices count from the inferior end.
        start, end = _mm(line, "distance_from_pmj_start"), _mm(line, "distance_from_pmj_end")
        return LevelRow(_level(line), "measured", end, start, slices=_slices(line))

    rows = _rows(sheet, row_of, "spinal_level")
    known = any(row.rostral_mm is not None for row in rows)
    return LevelTable(
        rows,
        definition="unknown",
        reach_mm=None,
        origin="pontomedullary junction",
        pmj_mm=0.0 if known else None,
        fname=_fname(sheet),
    )
