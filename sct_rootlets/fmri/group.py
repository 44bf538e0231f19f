"""Tables of several subjects as one: every subject has the levels that its images covered."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.fmri.parcels import COLUMNS as NAMES
from sct_rootlets.fmri.series_tables import LEVEL_COLUMNS, MAP_COLUMNS, Row
from sct_rootlets.tables import Column, Line, columns, describe, read_sheet, to_text, unescaped

__all__ = ["GROUP_COLUMNS", "SubjectTable", "group", "group_tsv", "read_table"]

GROUP_COLUMNS = (
    Column("map", "File of the statistic map; n/a for a table of a time series"),
    *NAMES,
    *columns(
        {
            "measure": "Column of the subjects' tables",
            "n": "Subjects that have a value",
            "n_missing": "Subjects that have none: the level lies outside their images, no voxel "
            "of it entered, or the cell is n/a or empty. They do not count as 0",
            "mean": "Mean over the subjects that have one",
            "sd": "Standard deviation over them; n/a for fewer than two",
            "min": "Smallest value",
            "max": "Largest value",
        }
    ),
)
_NAMES = tuple(column.name for column in NAMES)
_COORDINATES = {f"{stem}_{axis}" for stem in ("max", "max_anat") for axis in "xyz"}
#: Columns that are not averaged: names, and places that belong to one subject.
_NOT_MEASURED = {"map", *_NAMES} | _COORDINATES
#: Measures that are only of a level that was seen.
_OF_VOXELS = "n_voxels"
#: So many cells without a number are named in a warning.
_MOST_NAMED = 3
_REMEDY = "Give files X_levels.tsv or X_stats.tsv of sct_rootlets map"

logger = logging.getLogger(__name__)


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
        sheet = read_sheet(path, (*_NAMES, _OF_VOXELS))
    except InputError as error:
        if error.remedy:
            raise
        error.problem = f"is no table by level: {error.problem}"
        error.remedy = _REMEDY
        raise
    measures = _measures(sheet.header)
    seen: dict[tuple[str, str], int] = {}
    rows = []
    for line in sheet.lines:
        row = _row(line, sheet.header, measures)
        first = seen.setdefault(_key(row), line.place)
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
    row[_OF_VOXELS] = line.integer(_OF_VOXELS, least=0)
    return row


def _measures(header: Sequence[str]) -> list[str]:
    """Return the columns that are averaged."""
    known = [one.name for one in (*LEVEL_COLUMNS, *MAP_COLUMNS) if one.name in header]
    return [name for name in dict.fromkeys(known) if name not in _NOT_MEASURED]


def _key(row: Row) -> tuple[str, str]:
    """Return what a row is about: the map, and the level or region."""
    return row.get("map", "n/a"), row["name"]


def group(tables: Sequence[SubjectTable]) -> tuple[list[Row], list[str]]:
    """Return mean, standard deviation and number of subjects for every level and measure.

    Parameters
    ----------
    tables : sequence of SubjectTable
        One a subject, as of :func:`read_table`, all with the same columns. A subject without a
        row, without a voxel, or with ``n/a`` in a column does not count in it.

    Returns
    -------
    list of dict
    list of str
        What is to be said: cells of levels that were seen that have no number where others have.

    Raises
    ------
    UsageError
        If the columns differ.
    """
    for table in tables:
        differing = sorted({*table.columns} ^ {*tables[0].columns})
        if differing:
            raise UsageError(
                f"has other columns than {tables[0].path}: {', '.join(differing)}",
                path=table.path,
                remedy="Give either tables of time series (X_levels.tsv) or of maps (X_stats.tsv)",
            )
    found: dict[tuple[str, str], list[tuple[str, Row]]] = {}
    for table in tables:
        for place, row in zip(table.places, table.rows, strict=True):
            found.setdefault(_key(row), []).append((f"{table.path}, line {place}", row))
    order = sorted(
        found, key=lambda key: (key[0], "_" in key[1], SpinalLevel[found[key][0][1]["level"]].value)
    )
    answer, holes = [], []
    for key in order:
        seen = [(where, row) for where, row in found[key] if row[_OF_VOXELS] != 0]
        for measure in _measures(tables[0].columns):
            numbers = [row[measure] for _, row in seen if row[measure] is not None]
            values = np.array(numbers, dtype=float)
            if numbers:
                lacking = [where for where, row in seen if row[measure] is None]
                holes += [f"{where}, column {measure}" for where in lacking]
            answer.append(
                {
                    "map": key[0],
                    **{name: found[key][0][1][name] for name in _NAMES},
                    "measure": measure,
                    "n": len(values),
                    "n_missing": len(tables) - len(values),
                    "mean": values.mean() if len(values) else None,
                    "sd": values.std(ddof=1) if len(values) > 1 else None,
                    "min": values.min() if len(values) else None,
                    "max": values.max() if len(values) else None,
                }
            )
    return answer, _said(holes)


def _said(holes: Sequence[str]) -> list[str]:
    """Return the warning about cells without a number, none without such cells."""
    if not holes:
        return []
    more = "; ..." if len(holes) > _MOST_NAMED else ""
    return [
        f"{len(holes)} cells of levels that were seen are n/a or empty, and the means are of the "
        f"other subjects (n and n_missing count them): {'; '.join(holes[:_MOST_NAMED])}{more}"
    ]


def group_tsv(
    paths: Sequence[str | os.PathLike[str]],
    target: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> int:
    """Write the group table of files; return how many levels and regions it has.

    `overwrite` also replaces files that are not as an earlier run wrote them.

    Raises
    ------
    InputError, UsageError
        As :func:`read_table` and :func:`group`, and if `target` is one of the files, or without
        `overwrite` such a file.
    """
    from sct_rootlets.files.guards import require_free
    from sct_rootlets.files.results import ResultSet
    from sct_rootlets.files.sidecar import sidecar

    table, beside = Path(target), Path(target).with_suffix(".json")
    if table == beside:
        raise UsageError("ends in .json, as what describes it", path=table, remedy="Name X.tsv")
    require_free([table, beside], paths, overwrite=overwrite)
    rows, warnings = group([read_table(path) for path in paths])
    about = sidecar(
        beside=table.parent,
        sources=paths,
        spatial_reference=None,
        description="Tables by spinal level of several subjects as one.",
        extra={"warnings": warnings, **describe(GROUP_COLUMNS)},
    )
    for warning in warnings:
        logger.warning(warning)
    with ResultSet(overwrite=overwrite) as outputs:
        outputs.write(table, to_text(GROUP_COLUMNS, rows))
        outputs.record(beside, about, [table])
    return len({(row["map"], row["name"]) for row in rows})
