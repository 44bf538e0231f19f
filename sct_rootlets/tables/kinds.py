"""What a cell may hold: nothing, a number, a word; and the error about one that holds another."""

from __future__ import annotations

import math
import os
import re

from sct_rootlets.errors import InputError
from sct_rootlets.texts import shown

__all__ = ["LARGEST", "CellError", "is_unknown", "number_in"]

#: Cells of what is not known: ours, and what spreadsheets, pandas, R and C make of it.
_UNKNOWN = frozenset({"", "-", "n/a", "na", "nan", "-nan", "+nan", "#n/a", "<na>"})
#: A number as tables have it. Python reads more, such as 1_000 and digits of other scripts.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.ASCII | re.IGNORECASE)
#: Numbers beyond single precision, which images have, are no measures.
LARGEST = 3.4e38


class CellError(InputError):
    """A cell that holds what its column may not.

    Parameters
    ----------
    path : path-like
    place : int
        Line of the file, from 1.
    column : str
    cell : str
        What is in the file.
    problem : str
        What is wrong with it, after the cell in a sentence.
    allowed : str, optional
        What may stand there.
    remedy : str, optional
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        place: int,
        column: str,
        cell: str,
        problem: str,
        *,
        allowed: str = "",
        remedy: str = "",
    ) -> None:
        self.place, self.column, self.cell, self.allowed = place, column, cell, allowed
        more = f" (allowed: {allowed})" if allowed else ""
        problem = f"line {place}, column {column}: {shown(cell)} {problem}{more}"
        super().__init__(problem, path=path, remedy=remedy)


def is_unknown(cell: str) -> bool:
    """Say whether a cell says that nothing is known."""
    return cell.strip().lower() in _UNKNOWN


def number_in(text: str) -> float | None:
    """Return the number that a text is, None if it is none; infinite where it is too large.

    Examples
    --------
    >>> number_in(" -1.5e2 "), number_in("1e400"), number_in("-inf"), number_in("1_000")
    (-150.0, inf, -inf, None)
    """
    text = text.strip()
    if _INFINITE.fullmatch(text):
        return math.copysign(math.inf, -1 if text.startswith("-") else 1)
    return float(text) if _NUMBER.fullmatch(text) else None
