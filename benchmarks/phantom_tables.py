"""The tables of results on phantoms: errors by stratum, events, statuses, coverage."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.phantoms import Result, errors, methods, runs_of, strata
from benchmarks.report import NOT_MEASURED, markdown, spread
from benchmarks.scoring import BorderRecord
from sct_rootlets.levels.derive import DEFINITIONS

__all__ = ["standardised", "summary"]

OWN = "sct_rootlets"
STATUSES = ("measured", "estimated", "interpolated", "extrapolated")


def summary(results: Sequence[Result], condition: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the results in one condition as plain values, and as tables by name."""
    values: dict[str, Any] = {
        "phantoms": len(results),
        "seconds_mean": float(np.mean([r.seconds for r in results])),
    }
    tables: dict[str, str] = {}
    for definition in DEFINITIONS:
        name = f"{condition}-{definition}"
        tables[f"accuracy-{name}"] = accuracy_table(results, definition)
        tables[f"events-{name}"] = event_table(results, definition)
        tables[f"status-{name}"] = status_table(results, definition)
        tables[f"coverage-{name}"] = coverage_table(results, definition)
        values[definition] = _values(results, definition)
    if condition == "degraded":
        tables["dice"] = dice_line(results)
    crashes = [
        f"seed {r.recipe.seed}, {run.method}, {run.definition}: {run.crash}"
        for r in results
        for run in r.runs
        if run.crash
    ]
    values["crashes"] = crashes
    return values, tables


def _values(results: Sequence[Result], definition: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for stratum, group in strata(results):
        values[stratum] = {}
        for method in methods(group):
            size = np.abs(errors(group, method, definition))
            if len(size):
                values[stratum][method] = {
                    "borders": len(size),
                    "median_mm": float(np.median(size)),
                    "p95_mm": float(np.quantile(size, 0.95)),
                    "max_mm": float(size.max()),
                }
    return values


def accuracy_table(results: Sequence[Result], definition: str) -> str:
    """Return the errors of measured borders by stratum and method."""
    names = [m for m in methods(results) if runs_of(results, m, definition)]
    rows = []
    for stratum, group in strata(results):
        own = errors(group, OWN, definition)
        cells = [spread(errors(group, name, definition)) for name in names]
        rows.append([stratum, str(len(group)), str(len(own)), *cells])
    return markdown(["masks", "phantoms", "borders", *names], rows)


def event_table(results: Sequence[Result], definition: str) -> str:
    """Return what went wrong by method."""
    rows = []
    for name in methods(results):
        runs = runs_of(results, name, definition)
        if not runs:
            continue
        lost, total = sum(len(r.lost) for r in runs), sum(r.expected for r in runs)
        counts = [sum(getattr(r, e) for r in runs) for e in ("misnamed", "overlaps", "swaps")]
        counts.append(sum(bool(r.crash) for r in runs))
        share = f"{lost} ({100 * lost / max(total, 1):.1f} %)"
        rows.append([name, str(total), share, *(str(n) for n in counts)])
    head = ["method", "levels", "lost", "misnamed", "overlaps", "swaps", "crashes"]
    return markdown(head, rows)


def status_table(results: Sequence[Result], definition: str) -> str:
    """Return the package's errors by how a border is known."""
    rows = []
    for status in STATUSES:
        for what in ("rostral", "caudal", "midpoint"):
            keep = partial(_is, status=status, what=what)
            found = errors(results, OWN, definition, keep)
            if len(found):
                rows.append([status, what, str(len(found)), spread(found), f"{found.mean():+.2f}"])
    return markdown(["status", "what", "n", "median / 95 % / max", "mean"], rows)


def _is(record: BorderRecord, status: str, what: str) -> bool:
    return record.status == status and record.what == what


def standardised(
    results: Sequence[Result], definition: str, statuses: Sequence[str] = STATUSES
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return error / sd (N,) and sd (N,) of borders and midpoints that state an uncertainty."""
    pairs = [
        (record.error_mm / max(record.sd_mm, 1e-6), record.sd_mm)
        for run in runs_of(results, OWN, definition)
        for record in run.records
        if record.sd_mm is not None and record.status in statuses
    ]
    table = np.array(pairs, dtype=float).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def coverage_table(results: Sequence[Result], definition: str) -> str:
    """Return how often the truth lies within the stated uncertainty.

    Within 1 sd it should in 68.3 % of the borders and midpoints, within 1.96 sd in 95 %.
    """
    groups: list[tuple[str, Sequence[Result], Sequence[str]]] = [("all", results, STATUSES)]
    groups += [(status, results, (status,)) for status in STATUSES]
    for voxels in sorted({r.recipe.voxels for r in results}, key=lambda v: ("x" in v, v)):
        here = [r for r in results if r.recipe.voxels == voxels]
        groups.append((f"measured, {voxels} mm", here, ("measured",)))
    rows = []
    for name, group, statuses in groups:
        z, sd = standardised(group, definition, statuses)
        if len(z):
            shares = [f"{100 * np.mean(np.abs(z) <= limit):.1f}" for limit in (1.0, 1.96)]
            rows.append([name, str(len(z)), *shares, f"{np.median(sd):.2f}"])
    head = ["borders and midpoints", "n", "within 1 sd, %", "within 1.96 sd, %", "median sd, mm"]
    return markdown(head, rows) if rows else NOT_MEASURED


def dice_line(results: Sequence[Result]) -> str:
    """Say what Dice the degraded masks have."""
    means = np.array([np.mean(list(r.dice.values())) for r in results if r.dice])
    cords = np.array([r.cord_dice for r in results])
    return (
        f"Dice of the degraded masks: {means.mean():.3f} a level on average, with a standard "
        f"deviation of {means.std():.3f} between phantoms; of the cord {cords.mean():.3f}.\n"
    )
