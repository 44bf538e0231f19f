"""Matrices of numbers from text files, such as those of FSL."""

from __future__ import annotations

import io
import math
import os

from sct_rootlets.errors import InputError
from sct_rootlets.tables.kinds import LARGEST, CellError, number_in
from sct_rootlets.texts import read_text

__all__ = ["read_matrix"]

#: A matrix with more numbers is none of those that are read here.
_MOST_BYTES = 2**20


def read_matrix(path: str | os.PathLike[str]) -> list[list[float]]:
    """Read rows of numbers with spaces or tabs between them; ``#`` begins a comment.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, has a row of another length, or something that is
        no finite number (:class:`~sct_rootlets.tables.CellError`).
    """
    rows: list[list[float]] = []
    for place, line in enumerate(io.StringIO(read_text(path, _MOST_BYTES), newline=None), 1):
        words = line.partition("#")[0].split()
        row = []
        for column, word in enumerate(words, 1):
            value = number_in(word)
            if value is None or not (math.isfinite(value) and abs(value) <= LARGEST):
                raise CellError(
                    path, place, str(column), word, "is no finite number", allowed="a number"
                )
            row.append(value)
        if row and rows and len(row) != len(rows[0]):
            raise InputError(
                f"line {place} has {len(row)} numbers, and the first {len(rows[0])}", path=path
            )
        rows += [row] if row else []
    if not rows:
        raise InputError("is empty", path=path)
    return rows
