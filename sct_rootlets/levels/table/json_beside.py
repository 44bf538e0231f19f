"""What the JSON beside a table of levels has besides: the definition, all discs, counts, notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sct_rootlets.anatomy import disc_name
from sct_rootlets.errors import InputError
from sct_rootlets.files.json_files import read_object
from sct_rootlets.levels.table.level_table import LevelTable, VertebralRelation

__all__ = ["FARTHEST_MM", "LABELS", "completed"]

#: Discs by their name in tables.
LABELS = {disc_name(label): label for label in range(2, 26)}
#: No position, mm, lies farther from where a table or a scanner counts from.
FARTHEST_MM = 10_000.0
_REMEDY = "Remove it, or derive the levels again"


def completed(table: LevelTable, path: Path) -> LevelTable:
    """Add to the table of a TSV at `path` what only the JSON has; the TSV has the last word.

    Raises
    ------
    InputError
        If the JSON is damaged.
    """
    beside = _json_of(path)
    try:
        known = _read_json(beside)
        return _with(table, known) if known else table
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise InputError(
            "is not as sct_rootlets writes it beside a table of levels",
            path=beside,
            remedy=_REMEDY,
        ) from error


def _json_of(path: Path) -> Path:
    """Return the JSON of a table: that of the label image, which may end in ``_dseg``."""
    named = path.with_name(f"{path.stem}_dseg.json")
    return named if named.is_file() else path.with_suffix(".json")


def _read_json(path: Path) -> Mapping[str, Any]:
    """Return the JSON beside a table; nothing if there is none, or one of something else."""
    if not path.exists():
        return {}
    content = read_object(path, remedy=_REMEDY)
    return content if isinstance(content.get("levels"), list) else {}


def _with(table: LevelTable, known: Mapping[str, Any]) -> LevelTable:
    """Add to a table of a TSV what only the JSON has; the TSV has the last word."""
    by_level = {str(row["level"]): row for row in known["levels"]}
    rows = []
    for row in table.rows:
        more = by_level.get(str(row.level), {})
        away = {LABELS[k]: _known_mm(v) for k, v in more.get("midpoint_from_discs_mm", {}).items()}
        relation = row.vertebral
        if away:
            relation = replace(relation or VertebralRelation(), from_disc_mm=away)
        rows.append(
            replace(
                row,
                vertebral=relation,
                n_voxels={str(k): int(v) for k, v in more.get("n_voxels", {}).items()},
                notes=_texts(more.get("notes", [])),
            )
        )
    reach, pmj, height = (known.get(key) for key in ("reach_mm", "pmj_mm", "c3_c7_height_mm"))
    pmj = pmj if table.pmj_mm is None else table.pmj_mm
    return replace(
        table,
        rows=tuple(rows),
        definition=str(known.get("definition", "unknown")),
        reach_mm=None if reach is None else _known_mm(reach),
        pmj_mm=None if pmj is None else _known_mm(pmj),
        c3_c7_height_mm=None if height is None else _known_mm(height),
        warnings=_texts(known.get("warnings", [])),
    )


def _known_mm(value: Any) -> float:
    """Return a position of a JSON; a `ValueError` or `TypeError` says that it is none."""
    mm = float(value)
    if not abs(mm) <= FARTHEST_MM:
        raise ValueError(value)
    return mm


def _texts(value: Any) -> tuple[str, ...]:
    """Return texts of a JSON; a `TypeError` says that these are none."""
    if not isinstance(value, list):
        raise TypeError(value)
    return tuple(map(str, value))
