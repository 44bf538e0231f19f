"""A table by level of one subject, as it is read to be joined with others."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError
from sct_rootlets.fmri.parcels import COLUMNS as NAMES
from sct_rootlets.fmri.series_tables import LEVEL_COLUMNS, MAP_COLUMNS, Row
from sct_rootlets.tables import Line, read_sheet, unescaped

__all__ = ["OF_VOXELS", "SubjectTable", "key_of", "measures_of", "read_table"]

_NAMES = tuple(column.name for column in NAMES)
_COORDINATES = {f"{stem}_{axis}" for stem in ("max", "max_anat") for axis in "xyz"}
#: Columns that are not averaged: names, and places that belong to one subject.
_NOT_MEASURED = {"map", *_NAMES} | _COORDINATES
#: Measures that are only of a level that was seen.
OF_VOXELS = "n_voxels"
_REMEDY = "Give files X_levels.tsv or X_stats.tsv of sct_rootlets map"


@dataclass(frozen=True)
class SubjectTable:
    """A table by level of one subject.

    Attributes
    ----------
    path : str
    columns : tuple of str
    rows : tuple of dict
        Names are text, measures float or None.
    places : tuple of int
        Lines of the rows.
    """

    path: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    places: tuple[int, ...]


def read_table(path: str | os.PathLike[str]) -> SubjectTable:
    """Read a table by level, as of ``sct_rootlets map -func`` or ``-stat``.

    Raises
    ------
    InputError
        If it is missing or another table, has a level of a map twice, or a cell that is no number.
    """
    try:
        sheet = read_sheet(path, (*_NAMES, OF_VOXELS))
    except InputError as error:
        if error.remedy:
            raise
        error.problem = f"is no table by level: {error.problem}"
        error.remedy = _REMEDY
        raise
    measures = measures_of(sheet.header)
    seen: dict[tuple[str, str], int] = {}
    rows = []
    for line in sheet.lines:
        row = _row(line, sheet.header, measures)
        first = seen.setdefault(key_of(row), line.place)
        if first != line.place:
            of_map = f" of {row['map']}" if "map" in row else ""
            raise line.refused("name", f"{of_map} is in line {first} too".strip())
        rows.append(row)
    places = tuple(line.place for line in sheet.lines)
    return SubjectTable(os.fspath(path), sheet.header, tuple(rows), places)


def _row(line: Line, header: Sequence[str], measures: Sequence[str]) -> Row:
    row: Row = {name: unescaped(line.cells[name]) for name in header if name not in measures}
    row["name"] = line.given("name", line.word("name"))
    level = line.one_of("level", SpinalLevel.__members__, "spinal level")
    row["level"] = line.given("level", level).name
    row |= {name: line.number(name) for name in measures}
    row[OF_VOXELS] = line.integer(OF_VOXELS, least=0)
    return row


def measures_of(header: Sequence[str]) -> list[str]:
    """Return the columns that are averaged."""
    known = [one.name for one in (*LEVEL_COLUMNS, *MAP_COLUMNS) if one.name in header]
    return [name for name in dict.fromkeys(known) if name not in _NOT_MEASURED]


def key_of(row: Row) -> tuple[str, str]:
    """Return what a row is about: the map, and the level or region."""
    return row.get("map", "n/a"), row["name"]
