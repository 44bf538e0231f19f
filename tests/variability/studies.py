"""Small studies for the tests: positions in, tables and scans out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.levels.spine.column import VertebralColumn
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable
from sct_rootlets.levels.table.text import to_json, to_tsv
from sct_rootlets.variability.study import Scan, Study

C5, C6 = SpinalLevel.C5, SpinalLevel.C6
HALF_MM = 4.0
#: Discs of a neck, mm from the PMJ, by label.
DISCS = {3: 60.0, 4: 78.0, 5: 96.0, 6: 112.0, 7: 128.0}


def table_of(
    midpoints: Mapping[SpinalLevel, float],
    *,
    pmj_mm: float | None = 0.0,
    discs: Mapping[int, float] | None = None,
    definition: str = "extent",
    status: str = "measured",
    flags: tuple[str, ...] = (),
) -> LevelTable:
    """Return a table of levels of 8 mm with these midpoints, mm from the PMJ."""
    zero = pmj_mm or 0.0
    column = None if discs is None else VertebralColumn({k: s + zero for k, s in discs.items()})
    rows = []
    for level, middle in midpoints.items():
        ends = (middle - HALF_MM + zero, middle + HALF_MM + zero)
        relation = None
        if column is not None:
            relation = column.relation(ends[0], middle + zero, ends[1])
        rows.append(LevelRow(level, status, *ends, flags=flags, vertebral=relation))
    return LevelTable(tuple(rows), definition, 1.5, pmj_mm=pmj_mm)


def study_of(
    positions: Sequence[tuple[str, Mapping[str, str], float]],
    factors: Sequence[str] = (),
    level: SpinalLevel = C5,
) -> Study:
    """Return a study of (subject, factors, midpoint of `level`)."""
    scans = [
        Scan(f"{subject}-{number}", subject, table_of({level: middle}), groups)
        for number, (subject, groups, middle) in enumerate(positions)
    ]
    return Study(tuple(scans), tuple(factors))


def write_table(path: Path, table: LevelTable, *, beside: bool = True) -> Path:
    """Write a table, with its JSON, as the package does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_tsv(table), encoding="utf-8")
    if beside:
        path.with_suffix(".json").write_text(json.dumps(to_json(table)), encoding="utf-8")
    return path
