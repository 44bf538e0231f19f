"""Tables as markdown, and their places in a document."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["NOT_MEASURED", "filled", "markdown", "spread"]

NOT_MEASURED = "not measured\n"
_PLACE = re.compile(r"(<!-- table: ([\w-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def spread(errors_mm: ArrayLike) -> str:
    """Return median, 95th percentile and largest absolute error as one cell of a table."""
    size = np.abs(np.asarray(errors_mm, dtype=float))
    if size.size == 0:
        return "-"
    return " / ".join(f"{v:.2f}" for v in (*np.quantile(size, (0.5, 0.95)), size.max()))


def filled(text: str, tables: Mapping[str, str]) -> str:
    """Return a document with its tables replaced.

    A table stands between ``<!-- table: NAME -->`` and ``<!-- end -->``; one that `tables`
    does not have stays as it is.
    """

    def replace(match: re.Match[str]) -> str:
        table = tables.get(match[2])
        return match[0] if table is None else f"{match[1]}\n{table.strip()}\n\n{match[4]}"

    return _PLACE.sub(replace, text)
