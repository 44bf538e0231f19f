"""The table of levels as text: TSV, the published CSV, JSON, and the terminal."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import Any

from sct_rootlets.anatomy import disc_name
from sct_rootlets.levels.table.columns import COLUMNS, DECIMALS, FLAGS, PUBLISHED, TABLE
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable
from sct_rootlets.tables import aligned, decimals, describe, to_text

__all__ = ["format_table", "to_csv", "to_json", "to_tsv"]

#: Widest line on the terminal.
_WIDTH = 100
_HEAD: tuple[str, ...] = (
    "level", "status", "rostral mm", "caudal mm", "middle", "length", "vertebra", "flags",
)  # fmt: skip
_PLACES = ("rostral", "midpoint", "caudal")
_tenths = decimals(1)


def to_tsv(table: LevelTable) -> str:
    """Return tab-separated text; ``n/a`` for what is not known.

    The columns are those of :mod:`sct_rootlets.levels.table.columns`.
    """
    table = _rounded(table)
    return to_text(TABLE, (_values(row, table) for row in table.rows))


def to_csv(table: LevelTable) -> str:
    """Return the layout of the published script; empty for what is not known.

    A level without slices has no line.
    """
    rows = (_values(row, table) for row in table.rows if row.slices is not None)
    return to_text(PUBLISHED, rows, ",")


def to_json(table: LevelTable) -> dict[str, Any]:
    """Return everything known about the levels, as plain values for a JSON file."""
    return {
        "definition": table.definition,
        "reach_mm": table.reach_mm,
        "origin": f"s = 0 mm is the {table.origin}; s grows caudally along the centerline",
        "frame": "world coordinates are RAS+ mm (NIfTI), on the centerline",
        "pmj_mm": _round(table.pmj_mm),
        "c3_c7_height_mm": _round(table.c3_c7_height_mm),
        "levels": [_row_to_json(row, table) for row in table.rows],
        "warnings": list(table.warnings),
        "Columns": describe(TABLE),
        **table.details,
    }


def format_table(table: LevelTable) -> str:
    """Return aligned plain text of at most 100 columns for the terminal.

    Under it stand the meanings of the flags it has, and what else is noted of a row.
    """
    cells = [_HEAD, *(_shown(row) for row in table.rows)]
    kept = [k for k in range(len(_HEAD)) if k < 6 or any(line[k] for line in cells[1:])]
    head, *lines = aligned([[line[k] for k in kept] for line in cells], left=(0, 1, 6, 7))
    flags = _flags(table)
    indent = " " * (len(head) - len(_HEAD[-1]) if flags else len(head) + 2)
    answer = [head]
    for line in lines:
        answer += textwrap.wrap(line, _WIDTH, subsequent_indent=indent, break_long_words=False)
    remarks = [f"{flag}: {FLAGS[flag]}" for flag in flags if flag in FLAGS]
    for row in table.rows:
        for note in row.notes:
            if not any(note in warning for warning in table.warnings):
                remarks.append(f"{row.level}: {note}")
    for remark in remarks:
        answer += textwrap.wrap(remark, _WIDTH, subsequent_indent="  ")
    return "\n".join(answer)


def _values(row: LevelRow, table: LevelTable) -> dict[str, Any]:
    """Return what the columns of the table hold of a row."""
    values: dict[str, Any] = {
        "level": row.level.name,
        "spinal_level": row.level.value,
        "status": row.status,
        "flags": ",".join(row.flags) or None,
        "length_per_c3_c7": None,
        "fname": table.fname,
        **dict.fromkeys(("nearest_disc", "midpoint_from_disc_mm")),
    }
    for place in (*_PLACES, "length"):
        values[f"{place}_mm"] = getattr(row, f"{place}_mm")
        values[f"{place}_sd_mm"] = getattr(row, f"{place}_sd_mm")
    for place in _PLACES:
        point = getattr(row, f"{place}_world") or (None,) * 3
        values |= {f"{place}_{axis}": mm for axis, mm in zip("xyz", point, strict=True)}
        found = getattr(row.vertebral, place, None)
        values[f"{place}_vertebra"] = found and found.vertebra.name
        values[f"{place}_fraction"] = found and found.fraction
        s_mm = values[f"{place}_mm"]
        known = s_mm is not None and table.pmj_mm is not None
        values[f"{place}_from_pmj_mm"] = s_mm - table.pmj_mm if known else None
    if row.length_mm is not None and table.c3_c7_height_mm:
        values["length_per_c3_c7"] = row.length_mm / table.c3_c7_height_mm
    away = {} if row.vertebral is None else row.vertebral.from_disc_mm
    if away:
        nearest = min(away, key=lambda label: abs(away[label]))
        values |= {"nearest_disc": disc_name(nearest), "midpoint_from_disc_mm": away[nearest]}
    for column, name in {
        "slice_start": "start",
        "slice_end": "end",
        "distance_from_pmj_start": "start_from_pmj_mm",
        "distance_from_pmj_end": "end_from_pmj_mm",
        "height": "height_mm",
    }.items():
        values[column] = getattr(row.slices, name, None)
    return values


def _row_to_json(row: LevelRow, table: LevelTable) -> dict[str, Any]:
    """Return what the TSV has of a row, with points as lists, and what it has not."""
    values = _values(row, table)
    plain = {
        name: _round(values[name]) if isinstance(values[name], float) else values[name]
        for name in COLUMNS
        if name[-2:] not in ("_x", "_y", "_z") and name != "fname"
    }
    for place in ("rostral", "caudal", "midpoint"):
        point = getattr(row, f"{place}_world")
        plain[f"{place}_world"] = point and [_round(v) for v in point]
    away = {} if row.vertebral is None else row.vertebral.from_disc_mm
    return {
        **plain,
        "flags": list(row.flags),
        "midpoint_from_discs_mm": {disc_name(k): _round(v) for k, v in sorted(away.items())},
        "n_voxels": dict(row.n_voxels),
        "notes": list(row.notes),
    }


def _rounded(table: LevelTable) -> LevelTable:
    """Return the table with positions and spreads as a TSV holds them.

    Whatever is computed of these is then the same before the TSV and after it.
    """
    names = ("rostral", "caudal", "rostral_sd", "caudal_sd", "midpoint_sd", "length_sd")
    rows = []
    for row in table.rows:
        numbers: dict[str, Any] = {
            f"{name}_mm": _round(getattr(row, f"{name}_mm")) for name in names
        }
        rows.append(replace(row, **numbers))
    return replace(table, rows=tuple(rows), pmj_mm=_round(table.pmj_mm))


def _flags(table: LevelTable) -> list[str]:
    """Return the flags of all rows, each once, in the order of `FLAGS`."""
    found = dict.fromkeys(flag for row in table.rows for flag in row.flags)
    return sorted(found, key=lambda flag: [*FLAGS, flag].index(flag))


def _shown(row: LevelRow) -> tuple[str, ...]:
    """Return the cells of a row for the terminal."""
    place = None if row.vertebral is None else row.vertebral.midpoint
    return (
        str(row.level),
        row.status,
        _with_sd(row.rostral_mm, row.rostral_sd_mm),
        _with_sd(row.caudal_mm, row.caudal_sd_mm),
        _with_sd(row.midpoint_mm, None),
        _with_sd(row.length_mm, None),
        "" if place is None else f"{place.vertebra} {place.fraction:.0%}",
        ", ".join(row.flags),
    )


def _with_sd(number: float | None, sd: float | None) -> str:
    if number is None:
        return "n/a"
    return _tenths(number) if sd is None else f"{_tenths(number)} ± {sd:.1f}"


def _round(number: float | None) -> float | None:
    return None if number is None else round(float(number), DECIMALS)
