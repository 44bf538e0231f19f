"""Tables of several subjects as one: every subject has the levels that its images covered.

Several tables of one subject, as of its sessions, count once, with their mean.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import UsageError
from sct_rootlets.files.bids import entities_of
from sct_rootlets.files.identity import require_each_once
from sct_rootlets.fmri.identity import map_of_all, unit_of
from sct_rootlets.fmri.parcels import COLUMNS as NAMES
from sct_rootlets.fmri.series_tables import Row
from sct_rootlets.fmri.subject_table import (
    OF_VOXELS,
    SubjectTable,
    key_of,
    measures_of,
    read_table,
)
from sct_rootlets.tables import Column, columns, describe, to_text

__all__ = ["GROUP_COLUMNS", "Grouped", "group", "group_tsv"]

GROUP_COLUMNS = (
    Column(
        "map",
        "File of the statistic map, without the entities sub and ses, so that those of several "
        "subjects are one; n/a for a table of a time series",
    ),
    *NAMES,
    *columns(
        {
            "measure": "Column of the subjects' tables",
            "n": "Subjects (with -unit session, sessions) that have a value",
            "n_missing": "Subjects that have none: the level lies outside their images, no voxel "
            "of it entered, or the cell is n/a or empty. They do not count as 0",
            "mean": "Mean over the subjects that have one; of a subject with several tables, their "
            "mean counts",
            "sd": "Standard deviation over them; n/a for fewer than two",
            "min": "Smallest value",
            "max": "Largest value",
        }
    ),
)
_NAMES = tuple(column.name for column in NAMES)
#: Entities by which tables of one subject may differ and be measures of the same.
_OF_REPEATS = {"sub", "ses", "run"}
#: So many cells without a number are named in a warning.
_MOST_NAMED = 3

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Grouped:
    """Tables of several subjects as one.

    Attributes
    ----------
    rows : tuple of dict
    units : tuple of str
        The subjects, or sessions, that were counted.
    warnings : tuple of str
    """

    rows: tuple[Row, ...]
    units: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def n_levels(self) -> int:
        """How many levels and regions there are, of all maps."""
        return len({(row["map"], row["name"]) for row in self.rows})


def group(tables: Sequence[SubjectTable], unit: str = "subject") -> Grouped:
    """Return mean, standard deviation and number of subjects for every level and measure.

    Parameters
    ----------
    tables : sequence of SubjectTable
        As of :func:`read_table`, all with the same columns. A subject without a row, without a
        voxel, or with ``n/a`` in a column does not count in it. Whose a row is
        :func:`sct_rootlets.fmri.identity.unit_of` says.
    unit : {"subject", "session"}
        What is counted; the tables of one enter with their mean.

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
    found: dict[tuple[str, str], list[_Line]] = {}
    for table in tables:
        for place, row in zip(table.places, table.rows, strict=True):
            of_map, name = key_of(row)
            line = _Line(table.path, place, unit_of(table.path, of_map, unit), row)
            found.setdefault((map_of_all(of_map), name), []).append(line)
    units = tuple(dict.fromkeys(line.unit for lines in found.values() for line in lines))
    order = sorted(
        found, key=lambda key: (key[0], "_" in key[1], SpinalLevel[found[key][0].row["level"]])
    )
    answer, holes = [], []
    for key in order:
        seen = [line for line in found[key] if line.row[OF_VOXELS] != 0]
        for measure in measures_of(tables[0].columns):
            numbers: dict[str, list[float]] = {}
            for line in seen:
                if line.row[measure] is not None:
                    numbers.setdefault(line.unit, []).append(line.row[measure])
            values = np.array([np.mean(own) for own in numbers.values()], dtype=float)
            if numbers:
                lacking = [line for line in seen if line.row[measure] is None]
                holes += [f"{line.path}, line {line.place}, column {measure}" for line in lacking]
            answer.append(
                {
                    "map": key[0],
                    **{name: found[key][0].row[name] for name in _NAMES},
                    "measure": measure,
                    "n": len(values),
                    "n_missing": len(units) - len(values),
                    "mean": values.mean() if len(values) else None,
                    "sd": values.std(ddof=1) if len(values) > 1 else None,
                    "min": values.min() if len(values) else None,
                    "max": values.max() if len(values) else None,
                }
            )
    warnings = [*_said(holes), *_joined(tables, found), *_alone(tables, units, unit)]
    return Grouped(tuple(answer), units, tuple(warnings))


@dataclass(frozen=True)
class _Line:
    """A row of a table: where it stands, and whose it is."""

    path: str
    place: int
    unit: str
    row: Row


def _joined(
    tables: Sequence[SubjectTable], found: Mapping[tuple[str, str], Sequence[_Line]]
) -> list[str]:
    """Say which tables of one subject are joined although they differ by more than the session."""
    entities = {table.path: entities_of(table.path) for table in tables}
    differing: dict[str, set[str]] = {}
    for lines in found.values():
        by_unit: dict[str, list[dict[str, str]]] = {}
        for line in lines:
            by_unit.setdefault(line.unit, []).append(entities[line.path])
        for unit, some in by_unit.items():
            known = {name for one in some for name in one} - _OF_REPEATS
            unlike = {name for name in known if len({one.get(name) for one in some}) > 1}
            if unlike:
                differing.setdefault(unit, set()).update(unlike)
    if not differing:
        return []
    names = ", ".join(sorted(set().union(*differing.values())))
    return [
        f"tables of one subject that differ by {names} enter with their mean "
        f"({', '.join(differing)}): group them apart if that is not meant"
    ]


def _alone(tables: Sequence[SubjectTable], units: Sequence[str], unit: str) -> list[str]:
    """Say that several tables are all of one subject."""
    if len(tables) < 2 or len(units) > 1:
        return []
    remedy = ": -unit session counts its sessions" if unit == "subject" else ""
    return [f"all {len(tables)} tables are of one {unit}, {units[0]}{remedy}"]


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
    unit: str = "subject",
    overwrite: bool = False,
) -> Grouped:
    """Write the group table of files; return what it holds.

    `overwrite` also replaces files that are not as an earlier run wrote them.

    Raises
    ------
    InputError, UsageError
        As :func:`read_table` and :func:`group`, and if `target` is one of the files, or without
        `overwrite` such a file, or if one of them is given twice.
    """
    from sct_rootlets.files.guards import require_free
    from sct_rootlets.files.results import ResultSet
    from sct_rootlets.files.sidecar import relative, sidecar

    table, beside = Path(target), Path(target).with_suffix(".json")
    if table == beside:
        raise UsageError("ends in .json, as what describes it", path=table, remedy="Name X.tsv")
    require_each_once(paths)
    require_free([table, beside], paths, overwrite=overwrite)
    grouped = group([read_table(path) for path in paths], unit)
    folder = table.parent
    about = sidecar(
        beside=folder,
        sources=paths,
        spatial_reference=None,
        description="Tables by spinal level of several subjects as one.",
        parameters={"unit": unit},
        extra={
            "Units": [relative(k, folder) if os.path.exists(k) else k for k in grouped.units],
            "warnings": list(grouped.warnings),
            **describe(GROUP_COLUMNS),
        },
    )
    for warning in grouped.warnings:
        logger.warning(warning)
    with ResultSet(overwrite=overwrite) as outputs:
        outputs.write(table, to_text(GROUP_COLUMNS, grouped.rows))
        outputs.record(beside, about, [table])
    return grouped
