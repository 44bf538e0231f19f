"""Tables as text, for files and for the terminal."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from sct_rootlets.tables.columns import Column

__all__ = ["aligned", "cells", "to_text", "unescaped"]

#: What breaks a line for us or for other readers, and what cannot be written as UTF-8; a quote
#: at the start is taken for that of a quoted cell.
_BREAKS = re.compile('[\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|^"')
_ESCAPED = re.compile(r"\\(?:([\\tnr])|x([0-9a-f]{2})|u([0-9a-f]{4}))")
_SHORT = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def to_text(
    columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], delimiter: str = "\t"
) -> str:
    r"""Return a table as text: a header, and a line a row with the cells in order of the columns.

    Parameters
    ----------
    columns : sequence of Column
    rows : iterable of mapping
        Values by the name of their column: str, int, float, None. What else they hold is left out.
    delimiter : str
        A tab; or a comma, for a CSV: its cells are quoted where they need it, and empty where
        nothing is known.

    Examples
    --------
    >>> to_text([Column("a"), Column("b", number="{:.1f}".format)], [{"a": "x\ty", "b": 2.0}])
    'a\tb\nx\\ty\t2.0\n'
    """
    lines = cells(columns, rows, "n/a" if delimiter == "\t" else "")
    if delimiter == "\t":
        return "".join("\t".join(map(_escaped, line)) + "\n" for line in lines)
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator="\n").writerows(lines)
    return stream.getvalue()


def cells(
    columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], unknown: str = "n/a"
) -> list[list[str]]:
    """Return the names of the columns, and then the cells of every row."""
    lines = [[_cell(row[one.name], one, unknown) for one in columns] for row in rows]
    return [[one.name for one in columns], *lines]


def aligned(lines: Sequence[Sequence[str]], left: Iterable[int] = (0,)) -> list[str]:
    """Return the lines of a table for the terminal; columns that are not `left` end aligned."""
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    to_left = set(left)
    return [
        "  ".join(
            cell.ljust(width) if k in to_left else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def unescaped(cell: str) -> str:
    r"""Return the text that a cell of a TSV of this package stands for.

    Examples
    --------
    >>> unescaped("x\\ty"), unescaped("x")
    ('x\ty', 'x')
    """
    short = {escape[1]: character for character, escape in _SHORT.items()}
    return _ESCAPED.sub(lambda m: short[m[1]] if m[1] else chr(int(m[2] or m[3], 16)), cell)


def _escaped(cell: str) -> str:
    return _BREAKS.sub(lambda m: _SHORT.get(m[0]) or _coded(m[0]), cell)


def _coded(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def _cell(value: Any, one: Column, unknown: str) -> str:
    if value is None or value == "":
        return unknown
    if isinstance(value, Real) and not isinstance(value, Integral):
        return one.number(float(value)) if math.isfinite(value) else unknown
    return str(value)
