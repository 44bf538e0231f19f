"""Tables of levels back from files: ours with the JSON beside them, and the published CSV."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sct_rootlets.anatomy import SpinalLevel, disc_name
from sct_rootlets.errors import InputError
from sct_rootlets.levels.table.columns import FORMER_COLUMNS, PUBLISHED_COLUMNS
from sct_rootlets.levels.table.level_table import (
    AxialSlices,
    LevelRow,
    LevelTable,
    VertebralRelation,
)

__all__ = ["read_levels_table"]

_LABELS = {disc_name(label): label for label in range(2, 26)}
_REMEDY = (
    "Give tables as sct_rootlets run and sct_rootlets levels write them "
    "(X_spinal_levels.tsv), or CSV files in the layout of the published script"
)


def read_levels_table(path: str | os.PathLike[str]) -> LevelTable:
    """Read the table of levels of one image.

    Parameters
    ----------
    path : path-like
        Either ``X_spinal_levels.tsv`` of this package, with what the JSON beside it
        (``X_spinal_levels.json``, if it is there) has besides: the definition and its reach,
        the distances to all discs, the height of C3 to C7, counts, notes and warnings. Or a
        CSV in the layout of the script of Valosek et al. (2024), as ``levels -ocsv`` and
        that script write it.

    Returns
    -------
    LevelTable
        Of a CSV: positions are those of the middles of the end slices, from the PMJ, so that
        `length_mm` is its ``height``; every row counts as measured, and the definition is
        ``"unknown"``, since the CSV says neither. Without a JSON the definition is
        ``"unknown"`` too.

    Raises
    ------
    InputError
        If the file is missing, no such table, or has a level twice; if the JSON is damaged.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", path=path) from error
    except UnicodeDecodeError as error:
        raise InputError("is no table of text", path=path, remedy=_REMEDY) from error
    header = text.splitlines()[0] if text.strip() else ""
    published = set(PUBLISHED_COLUMNS) <= set(header.split(","))
    if not published and not set(FORMER_COLUMNS[:5]) <= set(header.split("\t")):
        raise InputError("is no table of levels", path=path, remedy=_REMEDY)
    try:
        table = _from_csv(text) if published else _from_tsv(text, _json_of(Path(path)))
        levels = [row.level for row in table.rows]
        if not levels:
            raise InputError("a table of levels without a row")
        for level in levels:
            if levels.count(level) > 1:
                raise InputError(f"a table of levels that has {level} more than once")
    except InputError as error:
        if error.path is not None:
            raise
        raise InputError(f"is {error.problem}", path=path, remedy=error.remedy) from error
    return table


def _from_tsv(text: str, beside: Path) -> LevelTable:
    known = _read_json(beside)
    reach = known.get("reach_mm")
    table = LevelTable.from_tsv(
        text,
        definition=str(known.get("definition", "unknown")),
        reach_mm=None if reach is None else float(reach),
    )
    try:
        return _completed(table, known) if known else table
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            "is not as sct_rootlets writes it beside a table of levels",
            path=beside,
            remedy="Remove it, or derive the levels again",
        ) from error


def _json_of(path: Path) -> Path:
    """Return the JSON of a table: that of the label image, which may end in ``_dseg``."""
    named = path.with_name(f"{path.stem}_dseg.json")
    return named if named.is_file() else path.with_suffix(".json")


def _read_json(path: Path) -> Mapping[str, Any]:
    """Return the JSON beside a table; nothing if there is none, or one of something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InputError("cannot be read as JSON", path=path) from error
    ours = isinstance(content, dict) and isinstance(content.get("levels"), list)
    return content if ours else {}


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


def _from_csv(text: str) -> LevelTable:
    """Read the layout of the published script; its distances are from the PMJ."""
    rows, fname = [], None
    for number, cells in enumerate(csv.DictReader(io.StringIO(text)), 2):
        try:
            level = SpinalLevel(int(float(cells["spinal_level"])))
            start, end, height = (
                _number(cells[name])
                for name in ("distance_from_pmj_start", "distance_from_pmj_end", "height")
            )
            first, last = (_number(cells[name]) for name in ("slice_start", "slice_end"))
        except (TypeError, ValueError) as error:
            raise InputError(f"a table of levels whose line {number} is no row") from error
        fname = fname or cells["fname"] or None
        slices = None
        if first is not None and last is not None:
            slices = AxialSlices(int(first), int(last), start, end, height)
        # slice_start is the caudal end: SCT's slices count from the inferior end.
        rows.append(LevelRow(level, "measured", end, start, slices=slices))
    known = any(row.rostral_mm is not None for row in rows)
    return LevelTable(
        tuple(sorted(rows, key=lambda row: row.level.value)),
        definition="unknown",
        reach_mm=None,
        origin="pontomedullary junction",
        pmj_mm=0.0 if known else None,
        fname=fname,
    )


def _number(cell: str) -> float | None:
    """Return the number in a cell; None where it is empty or NaN."""
    if cell.strip().lower() in ("", "n/a", "nan"):
        return None
    value = float(cell)
    if not math.isfinite(value):
        raise ValueError(cell)
    return value
