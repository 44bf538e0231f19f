"""Tables of several subjects as one: every subject has the levels that its images covered."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.fmri.parcels import COLUMNS as NAMES
from sct_rootlets.fmri.series_tables import LEVEL_COLUMNS, MAP_COLUMNS, Row
from sct_rootlets.tables import Column, columns, describe, read_sheet, to_text, unescaped

__all__ = ["GROUP_COLUMNS", "group", "group_tsv", "read_table"]

GROUP_COLUMNS = (
    Column("map", "File of the statistic map; n/a for a table of a time series"),
    *NAMES,
    *columns(
        {
            "measure": "Column of the subjects' tables",
            "n": "Subjects that have a value",
            "n_missing": "Subjects that have none: the level lies outside their images, or no "
            "voxel of it entered. They do not count as 0",
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


def read_table(path: str | os.PathLike[str]) -> list[Row]:
    """Read a table by level, as of ``sct_rootlets map -func`` or ``-stat``.

    Raises
    ------
    InputError
        If it is missing or another table.
    """
    lines = read_sheet(path).lines
    rows = [{name: unescaped(cell) for name, cell in line.cells.items()} for line in lines]
    needed = {*_NAMES, "n_voxels"}
    levels = set(SpinalLevel.__members__)
    known = bool(rows) and needed <= set(rows[0]) and {row["level"] for row in rows} <= levels
    if not known:
        raise InputError(
            "is no table by level",
            path=path,
            remedy="Give files X_levels.tsv or X_stats.tsv of sct_rootlets map",
        )
    return rows


def group(tables: Sequence[Sequence[Row]]) -> list[Row]:
    """Return mean, standard deviation and number of subjects for every level and measure.

    Parameters
    ----------
    tables : sequence of tables
        One a subject, as of :func:`read_table`, all with the same columns. A subject without a
        row, without a voxel, or with ``n/a`` in a column does not count in it.

    Raises
    ------
    UsageError
        If the columns differ.
    """
    columns = list(tables[0][0])
    if any(list(table[0]) != columns for table in tables):
        raise UsageError(
            "the tables have different columns",
            remedy="Give either tables of time series (X_levels.tsv) or of maps (X_stats.tsv)",
        )
    known = [one.name for one in (*LEVEL_COLUMNS, *MAP_COLUMNS) if one.name in columns]
    measures = [name for name in dict.fromkeys(known) if name not in _NOT_MEASURED]
    found: dict[tuple[str, str], tuple[Row, list[Row]]] = {}
    for table in tables:
        for row in table:
            key = (row.get("map", "n/a"), row["name"])
            found.setdefault(key, (row, []))[1].append(row)
    order = sorted(
        found, key=lambda key: (key[0], "_" in key[1], SpinalLevel[found[key][0]["level"]].value)
    )
    answer = []
    for key in order:
        first, rows = found[key]
        for measure in measures:
            values = np.array([v for v in (_value(row, measure) for row in rows) if v is not None])
            answer.append(
                {
                    "map": key[0],
                    **{name: first[name] for name in _NAMES},
                    "measure": measure,
                    "n": len(values),
                    "n_missing": len(tables) - len(values),
                    "mean": values.mean() if len(values) else None,
                    "sd": values.std(ddof=1) if len(values) > 1 else None,
                    "min": values.min() if len(values) else None,
                    "max": values.max() if len(values) else None,
                }
            )
    return answer


def group_tsv(paths: Sequence[str | os.PathLike[str]], target: str | os.PathLike[str]) -> int:
    """Write the group table of files; return how many levels and regions it has.

    Raises
    ------
    InputError, UsageError
        As :func:`read_table` and :func:`group`, and if `target` is one of the files.
    """
    from sct_rootlets.files.guards import require_no_input
    from sct_rootlets.files.outputs import OutputSet
    from sct_rootlets.files.sidecar import relative, to_json

    folder, beside = Path(target).parent, Path(target).with_suffix(".json")
    require_no_input((target, beside), paths)
    rows = group([read_table(path) for path in paths])
    about = {"Sources": [relative(path, folder) for path in paths], **describe(GROUP_COLUMNS)}
    with OutputSet() as outputs:
        outputs.write(target, to_text(GROUP_COLUMNS, rows))
        outputs.write(beside, to_json(about))
    return len({(row["map"], row["name"]) for row in rows})


def _value(row: Row, measure: str) -> float | None:
    """Return a number of a row; None where there is none, or nothing of the level was seen."""
    if row[measure] == "n/a" or row[_OF_VOXELS] == "0":
        return None
    try:
        return float(row[measure])
    except ValueError:
        word = row[measure]
        raise InputError(f"the column {measure} holds '{word}', which is no number") from None
