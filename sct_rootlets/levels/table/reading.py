"""Tables of levels back from files: ours with the JSON beside them, and the published CSV.

This is the one reader of such tables. They are text in UTF-8, with or without a byte order mark;
a spreadsheet may have put semicolons or commas in place of the tabs, and with semicolons decimal
commas. What cannot be read is an error that names file, line and column.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sct_rootlets.anatomy import SpinalLevel, VertebralLevel, disc_name
from sct_rootlets.errors import InputError
from sct_rootlets.files.json_files import read_object
from sct_rootlets.levels.table.columns import (
    DECIMALS,
    FORMER_COLUMNS,
    PUBLISHED_COLUMNS,
    STATUSES,
)
from sct_rootlets.levels.table.level_table import (
    AxialSlices,
    LevelRow,
    LevelTable,
    Point,
    VertebralPlace,
    VertebralRelation,
)
from sct_rootlets.tables import Line, TextTable, read_sheet, unescaped

__all__ = ["OtherTableError", "is_levels_table", "read_levels_table", "read_table_beside"]

_DELIMITERS = "\t;,"
_LABELS = {disc_name(label): label for label in range(2, 26)}
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
        sheet = read_sheet(path, _DELIMITERS)
        columns = _columns_of(sheet)
        missing = [name for name in columns if name not in sheet.header]
        if missing:
            raise InputError(
                f"is a table of levels without the columns {', '.join(missing)} (line 1)", path=path
            )
        if not sheet.lines:
            raise InputError("is a table of levels without a row", path=path)
        if columns is PUBLISHED_COLUMNS:
            return _of_script(sheet)
        return _of_ours(sheet, Path(path))
    except OtherTableError:
        raise
    except InputError as error:
        raise InputError(
            error.problem, path=error.path or path, remedy=error.remedy or _REMEDY
        ) from error


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
        raise InputError(
            f"{error.problem} (table beside the image of levels)",
            path=error.path,
            remedy=f"Save {Path(path).name} as sct_rootlets wrote it, or remove or rename it: the "
            "image is used alone then",
        ) from error


def is_levels_table(path: str | os.PathLike[str]) -> bool:
    """Say whether a file begins as a table of levels of this package does, whatever its name."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            first = file.readline(4096).replace('"', "")
    except (OSError, UnicodeDecodeError):
        return False
    return any(first.startswith(d.join(FORMER_COLUMNS[:3]) + d) for d in _DELIMITERS)


def _columns_of(sheet: TextTable) -> tuple[str, ...]:
    """Return the columns that a table has to have: ours, or those of the published script."""
    if "spinal_level" in sheet.header:
        return FORMER_COLUMNS if {"level", "status"} & {*sheet.header} else PUBLISHED_COLUMNS
    if {"level", "status"} <= {*sheet.header}:
        return FORMER_COLUMNS
    raise OtherTableError("is no table of levels", path=sheet.path, remedy=_REMEDY)


def _of_ours(sheet: TextTable, path: Path) -> LevelTable:
    rows = _rows(sheet, _row, "level")
    fname = _fname(sheet)
    beside = _json_of(path)
    known = _read_json(beside)
    reach = known.get("reach_mm")
    table = LevelTable(
        rows,
        str(known.get("definition", "unknown")),
        None if reach is None else float(reach),
        pmj_mm=next((mm for line in sheet.lines if (mm := _pmj_mm(line)) is not None), None),
        fname=None if fname is None else unescaped(fname),
    )
    try:
        return _completed(table, known) if known else table
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            "is not as sct_rootlets writes it beside a table of levels",
            path=beside,
            remedy="Remove it, or derive the levels again",
        ) from error


def _rows(
    sheet: TextTable, row_of: Callable[[Line], LevelRow], column: str
) -> tuple[LevelRow, ...]:
    """Return the rows of all lines, rostral to caudal; a level may have one only."""
    rows: dict[SpinalLevel, tuple[LevelRow, int]] = {}
    for line in sheet.lines:
        row = row_of(line)
        if row.level in rows:
            raise line.refused(column, f"{row.level} is in line {rows[row.level][1]} too")
        rows[row.level] = (row, line.place)
    return tuple(rows[level][0] for level in sorted(rows))


def _fname(sheet: TextTable) -> str | None:
    return next((name for line in sheet.lines if (name := line.text("fname"))), None)


def _pmj_mm(line: Line) -> float | None:
    """Return where the PMJ lies, None where the line does not tell."""
    s_mm, away = line.number("rostral_mm"), line.number("rostral_from_pmj_mm")
    return None if s_mm is None or away is None else round(s_mm - away, DECIMALS)


def _row(line: Line) -> LevelRow:
    level, status = _level(line), (line.text("status") or "").strip()
    if status not in STATUSES:
        raise line.refused("status", f"'{status}' is none of {', '.join(STATUSES)}")
    flags = (line.text("flags") or "").strip()
    return LevelRow(
        level,
        status,
        line.number("rostral_mm"),
        line.number("caudal_mm"),
        _point(line, "rostral"),
        _point(line, "caudal"),
        rostral_sd_mm=line.number("rostral_sd_mm"),
        caudal_sd_mm=line.number("caudal_sd_mm"),
        midpoint_sd_mm=line.number("midpoint_sd_mm"),
        length_sd_mm=line.number("length_sd_mm"),
        midpoint_world=_point(line, "midpoint"),
        flags=tuple(flags.split(",")) if flags else (),
        vertebral=_vertebral(line),
        slices=_slices(line),
    )


def _level(line: Line) -> SpinalLevel:
    """Return the level of a line, by its name where there is one, else by its value."""
    name, value = line.text("level"), line.integer("spinal_level")
    if "level" in line.cells:
        level = SpinalLevel.__members__.get((name or "").strip())
        if level is None:
            raise line.refused("level", f"'{name}' is no spinal level")
        if value != level.value:
            raise line.refused("spinal_level", f"{value} is not the value of {level}")
        return level
    try:
        return SpinalLevel(value)
    except ValueError as error:
        raise line.refused("spinal_level", f"'{value}' is no spinal level") from error


def _point(line: Line, place: str) -> Point | None:
    x, y, z = (line.number(f"{place}_{axis}") for axis in "xyz")
    return None if x is None or y is None or z is None else (x, y, z)


def _vertebral(line: Line) -> VertebralRelation | None:
    places = {}
    for place in ("rostral", "midpoint", "caudal"):
        column = f"{place}_vertebra"
        name, fraction = line.text(column), line.number(f"{place}_fraction")
        if name is not None and fraction is not None:
            if name not in VertebralLevel.__members__:
                raise line.refused(column, f"'{name}' is no vertebral level")
            places[place] = VertebralPlace(VertebralLevel[name], fraction)
    disc, away = line.text("nearest_disc"), line.number("midpoint_from_disc_mm")
    discs = {}
    if disc is not None and away is not None:
        if disc not in _LABELS:
            raise line.refused("nearest_disc", f"'{disc}' is no disc")
        discs[_LABELS[disc]] = away
    return VertebralRelation(**places, from_disc_mm=discs) if places or discs else None


def _slices(line: Line) -> AxialSlices | None:
    start, end = line.integer("slice_start"), line.integer("slice_end")
    distances = [
        line.number(name) for name in ("distance_from_pmj_start", "distance_from_pmj_end", "height")
    ]
    return None if start is None or end is None else AxialSlices(start, end, *distances)


def _of_script(sheet: TextTable) -> LevelTable:
    """Read the layout of the published script; its distances are from the PMJ."""

    def row_of(line: Line) -> LevelRow:
        # slice_start is the caudal end: SCT's slices count from the inferior end.
        start, end = line.number("distance_from_pmj_start"), line.number("distance_from_pmj_end")
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


def _json_of(path: Path) -> Path:
    """Return the JSON of a table: that of the label image, which may end in ``_dseg``."""
    named = path.with_name(f"{path.stem}_dseg.json")
    return named if named.is_file() else path.with_suffix(".json")


def _read_json(path: Path) -> Mapping[str, Any]:
    """Return the JSON beside a table; nothing if there is none, or one of something else."""
    if not path.exists():
        return {}
    content = read_object(path, remedy="Remove it, or derive the levels again")
    return content if isinstance(content.get("levels"), list) else {}


def _completed(table: LevelTable, known: Mapping[str, Any]) -> LevelTable:
    """Add to a table of a TSV what only the JSON has; the TSV has the last word."""
    by_level = {str(row["level"]): row for row in known["levels"]}
    rows = []
    for row in table.rows:
        more = by_level.get(str(row.level), {})
        away = {_LABELS[k]: float(v) for k, v in more.get("midpoint_from_discs_mm", {}).items()}
        relation = row.vertebral
        if away:
            relation = replace(relation or VertebralRelation(), from_disc_mm=away)
        rows.append(
            replace(
                row,
                vertebral=relation,
                n_voxels=dict(more.get("n_voxels", {})),
                notes=tuple(more.get("notes", ())),
            )
        )
    pmj_mm = table.pmj_mm if table.pmj_mm is not None else known.get("pmj_mm")
    return replace(
        table,
        rows=tuple(rows),
        pmj_mm=None if pmj_mm is None else float(pmj_mm),
        c3_c7_height_mm=known.get("c3_c7_height_mm"),
        warnings=tuple(known.get("warnings", ())),
    )
