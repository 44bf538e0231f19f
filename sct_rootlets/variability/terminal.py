"""The main figures of a study for the terminal."""

from __future__ import annotations

from sct_rootlets.tables import aligned
from sct_rootlets.variability.analysis import Variability
from sct_rootlets.variability.spread import MEAN_LEVEL, SpreadRow

__all__ = ["summary"]

_SCOPES = {
    "between_subjects": "between subjects",
    "between_groups": "between groups",
    "between_groups_net": "between groups, net",
    "within_subject_rms": "within subjects",
}
#: Most lines of one factor.
_MOST = 8


def summary(found: Variability) -> str:
    """Return the coefficients of variation of the midpoints, as aligned plain text."""
    rows = [row for row in found.spread if row.measure == "midpoint" and row.scope in _SCOPES]
    levels = [str(level) for level in found.distances.levels]
    heads = dict.fromkeys((row.scope, row.factor, row.group) for row in rows)
    by_key = {(row.scope, row.factor, row.group, row.level): row for row in rows}
    lines = [["CoV of midpoints, %", "n", *levels, "mean"]]
    count: dict[tuple[str, str], int] = {}
    for scope, factor, group in heads:
        count[scope, factor] = count.get((scope, factor), 0) + 1
        if count[scope, factor] > _MOST:
            continue
        cells = [by_key.get((scope, factor, group, level)) for level in [*levels, MEAN_LEVEL]]
        known = [row for row in cells if row is not None]
        n = max((row.n_subjects or 0 for row in known), default=0)
        name = _SCOPES[scope]
        if factor != "all":
            name += f", {factor}" + (f" {group}" if group != "all" else "")
        lines.append([name, str(n), *map(_cell, cells)])
    text = aligned(lines)
    more = {f"{f} ({n - _MOST} more)" for (_, f), n in count.items() if n > _MOST}
    if more:
        text.append(f"... and, in the table: {', '.join(sorted(more))}")
    return "\n".join(text)


def _cell(row: SpreadRow | None) -> str:
    return "n/a" if row is None or row.cov_percent is None else f"{row.cov_percent:.2f}"
