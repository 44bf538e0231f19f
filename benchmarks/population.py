"""The fourteen measured subjects: their table, and each level predicted from the others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import markdown
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.levels.population.prior import End, Prior
from sct_rootlets.levels.positions import locate_ends
from sct_rootlets.levels.zones.ends import Zone
from sct_rootlets.tables import read_sheet

__all__ = ["interpolated", "measure", "read_subjects"]

Ends = tuple[float, float]
Subject = dict[SpinalLevel, Ends]

LEFT_OUT = (SpinalLevel.C4, SpinalLevel.C5, SpinalLevel.C6, SpinalLevel.C7, SpinalLevel.C8)
#: How well the ends were read, mm: the images had slices of about half a millimetre.
READING_SD_MM = 0.5
_ENDS = ("PMJ_start", "PMJ_end")


def read_subjects(data: Path) -> dict[str, Subject]:
    """Return rostral and caudal end of every level, mm from the PMJ, by subject."""
    subjects: dict[str, Subject] = {}
    path = data / "cadotte" / "cadotte_rootlet_dist.csv"
    for line in read_sheet(path, ("sub_name", "level", *_ENDS)).lines:
        ends = sorted(abs(line.given(name, line.number(name))) for name in _ENDS)
        level = SpinalLevel(line.integer("level"))
        name = line.given("sub_name", line.word("sub_name"))
        subjects.setdefault(name, {})[level] = (ends[0], ends[1])
    return subjects


def interpolated(
    zones: Mapping[SpinalLevel, Ends], level: SpinalLevel
) -> tuple[float, float | None]:
    """Return the midpoint of a level that was not seen, and its sd where one is stated, mm."""
    measured = {lv: Zone(*ends, READING_SD_MM, READING_SD_MM) for lv, ends in zones.items()}
    positions = locate_ends(measured, Prior.floating())
    middle = {(level, end): 0.5 for end in End}
    return positions.value(middle), positions.sd(middle)


def measure(data: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the table of the population, and the errors of interpolation."""
    subjects = read_subjects(data)
    table, values = _population(subjects)
    errors: dict[str, list[float]] = {str(level): [] for level in LEFT_OUT}
    z: list[float] = []
    for zones in subjects.values():
        for level in LEFT_OUT:
            others = {lv: ends for lv, ends in zones.items() if lv is not level}
            if level in zones and min(others) < level < max(others):
                middle, sd = interpolated(others, level)
                errors[str(level)].append(middle - sum(zones[level]) / 2)
                if sd is not None:
                    z.append(errors[str(level)][-1] / sd)
    rows = []
    errors["all"] = [e for found in errors.values() for e in found]
    for name, found in errors.items():
        e = np.array(found)
        cells = (np.abs(e).mean(), e.mean(), e.std(ddof=1), np.abs(e).max())
        rows.append([name, str(len(e)), *(f"{v:.2f}" for v in cells)])
        values[f"left out {name}"] = dict(
            zip(("mean_abs", "mean", "sd", "max"), cells, strict=True)
        )
    head = ["left out", "subjects", "mean |error|", "mean error", "SD", "max |error|"]
    if z:
        inside = [f"{100 * np.mean(np.abs(z) <= limit):.0f} %" for limit in (1.0, 1.96)]
        values["within"] = inside
        coverage = f"Within 1 sd of its own: {inside[0]}; within 1.96 sd: {inside[1]}.\n"
    else:
        coverage = "Coverage of the stated uncertainty: not measured.\n"
    return _plain(values), {
        "population": table,
        "interpolation": markdown(head, rows),
        "interpolation-coverage": coverage,
    }


def _population(subjects: Mapping[str, Subject]) -> tuple[str, dict[str, Any]]:
    rows, values = [], {}
    levels = sorted({level for zones in subjects.values() for level in zones})
    for level in levels:
        below = level.shifted(1)
        here = [zones for zones in subjects.values() if level in zones]
        both = [zones for zones in here if below in zones]
        columns = {
            "top": [z[level][0] for z in here],
            "bottom": [z[level][1] for z in here],
            "mid": [sum(z[level]) / 2 for z in here],
            "length": [z[level][1] - z[level][0] for z in here],
            "gap below": [z[below][0] - z[level][1] for z in both if below],
            "caudal-to-caudal to next": [z[below][1] - z[level][1] for z in both if below],
        }
        values[str(level)] = {
            name: (np.mean(v), np.std(v, ddof=1)) if v else None for name, v in columns.items()
        }
        cells = [
            f"{np.mean(v):.1f} ± {np.std(v, ddof=1):.1f}" if v else "-" for v in columns.values()
        ]
        rows.append([str(level), str(len(here)), *cells])
    return markdown(["", "subjects", *columns], rows), values


def _plain(value: Any) -> Any:
    """Turn numpy's numbers and tuples into what JSON knows."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return float(value) if isinstance(value, np.floating) else value
