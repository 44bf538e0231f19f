"""Tables as tab-separated text, as BIDS has them: a header, and ``n/a`` for what is not known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["describe", "number", "to_tsv"]


def number(value: Any) -> str:
    """Return a number as the cell of a table, ``n/a`` for None and for what is no number.

    Examples
    --------
    >>> number(1 / 3), number(None), number(float("nan")), number(250)
    ('0.333333', 'n/a', 'n/a', '250')
    """
    return "n/a" if value is None or not math.isfinite(value) else f"{float(value):.6g}"


def to_tsv(rows: Sequence[Mapping[str, str]], columns: Mapping[str, str]) -> str:
    """Return rows as tab-separated text, with the cells in the order of `columns`."""
    lines = ["\t".join(columns)]
    lines += ["\t".join(row[name] for name in columns) for row in rows]
    return "\n".join(lines) + "\n"


def describe(columns: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return what the columns mean, as BIDS has it in JSON files beside tables."""
    return {name: {"Description": meaning} for name, meaning in columns.items()}
