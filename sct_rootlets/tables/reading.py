"""Tables of anybody, read by one policy."""

from __future__ import annotations

import csv
import io
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sct_rootlets.errors import InputError
from sct_rootlets.tables.kinds import LARGEST, CellError, is_unknown, number_in
from sct_rootlets.texts import read_start, read_text, shown

__all__ = ["Line", "TextTable", "read_header", "read_sheet"]

_Word = TypeVar("_Word")
Needed = Sequence[str] | Callable[[Sequence[str]], Sequence[str]]

#: What may divide cells, and how messages call it.
_DELIMITERS = {"\t": "tabs", ";": "semicolons", ",": "commas"}
#: By this first line spreadsheets are told what divides the cells.
_SEP = re.compile(r'"?sep=(.)"?[\t;,]*', re.IGNORECASE)
_MOST_COLUMNS = 10_000
_LONGEST_CELL = 100_000
#: Words that a message lists.
_MOST_WORDS = 12


@dataclass(frozen=True)
class Line:
    """One line of a table that was read.

    Attributes
    ----------
    path : str
    place : int
        Its number in the file, from 1.
    cells : mapping of str to str
        By column; as they are in the file.
    has_decimal_comma : bool
        Whether numbers may have a comma for their point.
    """

    path: str
    place: int
    cells: Mapping[str, str]
    has_decimal_comma: bool = False

    def text(self, name: str) -> str | None:
        """Return the text of a cell; None for what is not known, and without such a column."""
        cell = self.cells.get(name, "")
        return None if is_unknown(cell) else cell

    def word(self, name: str) -> str | None:
        """Return the text of a cell without the spaces around it, None likewise."""
        cell = self.text(name)
        return None if cell is None else cell.strip()

    def one_of(self, name: str, words: Mapping[str, _Word], what: str) -> _Word | None:
        """Return what the word in a cell stands for, None likewise.

        Raises
        ------
        CellError
            If it is none of the `words`, which are `what` the column holds.
        """
        word = self.word(name)
        if word is None:
            return None
        if word not in words:
            every = list(words)
            some = [every[0], "...", every[-1]] if len(every) > _MOST_WORDS else every
            raise self.refused(name, f"is no {what}", allowed=", ".join(some))
        return words[word]

    def number(self, name: str, least: float = -LARGEST, most: float = LARGEST) -> float | None:
        """Return the number in a cell, None likewise; NaN is what is not known.

        Raises
        ------
        CellError
            If there is something else, an infinite number, or one out of these bounds.
        """
        cell = self.text(name)
        if cell is None:
            return None
        value = number_in(cell.replace(",", ".") if self.has_decimal_comma else cell)
        if value is not None and least <= value <= most:
            return value
        bounds = f" from {least:g} to {most:g}"
        if most == LARGEST:
            bounds = " of 0 or more" if least == 0 else ""
        if value is None:
            has_comma = not self.has_decimal_comma and number_in(cell.replace(",", ".")) is not None
            why = "is no number" + (": it has a comma for its decimal point" if has_comma else "")
        elif math.isinf(value) or abs(value) > LARGEST:
            why = "is no finite number"
        else:
            why = "is out of range"
        raise self.refused(name, why, allowed=f"a number{bounds}")

    def integer(self, name: str, least: int = -(2**31), most: int = 2**31 - 1) -> int | None:
        """Return the whole number in a cell, None and errors likewise."""
        value = self.number(name, least, most)
        if value is not None and value != int(value):
            raise self.refused(name, "is no whole number", allowed="a whole number")
        return None if value is None else int(value)

    def given(self, name: str, value: _Word | None) -> _Word:
        """Return the `value` that a cell was read as; it has to say something.

        Raises
        ------
        CellError
            If it is None.
        """
        if value is None:
            raise self.refused(name, "says nothing, and has to")
        return value

    def refused(self, name: str, problem: str, allowed: str = "") -> CellError:
        """Return the error of a cell, which names file, line, column and content."""
        cell = self.cells.get(name, "")
        return CellError(self.path, self.place, name, cell, problem, allowed=allowed)


@dataclass(frozen=True)
class TextTable:
    """A table that was read: its columns in their order, and its lines.

    Attributes
    ----------
    path : str
    header : tuple of str
    lines : tuple of Line
    delimiter : str
    """

    path: str
    header: tuple[str, ...]
    lines: tuple[Line, ...]
    delimiter: str


def read_sheet(path: str | os.PathLike[str], needed: Needed = ()) -> TextTable:
    """Read a table of text: UTF-8 with or without a byte order mark, any line ends.

    Parameters
    ----------
    path : path-like
        Tabs, semicolons or commas divide its cells; where it is semicolons, numbers may have a
        decimal comma. Cells may be quoted, as spreadsheets do, and hold no line break.
    needed : sequence of str, or callable
        Columns that the table has to have; or what says them for the columns that it has.

    Returns
    -------
    TextTable
        Of one line or more. Empty lines, the line ``sep=;`` of spreadsheets, and columns without
        a name such as the index of pandas, are left out.

    Raises
    ------
    InputError
        If the file cannot be read or is no such text, lacks a column or has one twice, a line has
        not as many cells as the header, or there is none.
    """
    name = os.fspath(path)
    lines, delimiter = _divided(read_text(path), () if callable(needed) else needed, name)
    top, header = _header(lines, name)
    needed = needed(header) if callable(needed) else needed
    missing = [column for column in needed if column not in header]
    if missing:
        some = ", ".join(shown(column) for column in header[:_MOST_WORDS])
        more = ", ..." if len(header) > _MOST_WORDS else ""
        raise InputError(
            f"has no column {', '.join(missing)} in line {top}, only {some}{more}", path=path
        )
    read = []
    for place, cells in lines[1:]:
        cells = _fitting(cells, header, place, name)
        named = {one: cell for one, cell in zip(header, cells, strict=True) if one}
        read.append(Line(name, place, named, delimiter == ";"))
    if not read:
        raise InputError(f"has columns (line {top}) and not one row", path=path)
    return TextTable(name, tuple(one for one in header if one), tuple(read), delimiter)


def read_header(
    path: str | os.PathLike[str], likely: Sequence[str] = ()
) -> tuple[tuple[str, ...], str]:
    """Return the columns of a table, and what divides its cells, from its first lines alone.

    Columns that it is `likely` to have tell what divides them, where several things may.

    Raises
    ------
    InputError
        As :func:`read_sheet`.
    """
    name = os.fspath(path)
    lines, delimiter = _divided(read_start(path), likely, name)
    return tuple(one for one in _header(lines, name)[1] if one), delimiter


def _divided(
    text: str, needed: Sequence[str], path: str
) -> tuple[list[tuple[int, list[str]]], str]:
    """Return the lines that say something, each with its place and its cells, and the delimiter."""
    numbered = enumerate(io.StringIO(text, newline=None), 1)
    lines = [(place, line.rstrip("\n")) for place, line in numbered if line.strip()]
    first = lines[0][1] if lines else ""
    sep = _SEP.fullmatch(first.rstrip(" "))
    if sep is not None:
        delimiter = sep[1]
        if delimiter not in _DELIMITERS:
            raise InputError(
                f"line {lines[0][0]} says that {shown(delimiter)} divides the cells",
                path=path,
                remedy=f"Save it with {' or '.join(_DELIMITERS.values())}",
            )
        del lines[0]
    else:
        # A tab is in no name of a column; a comma or a semicolon may be, once or twice.
        by_count = sorted(_DELIMITERS, key=lambda one: (one != "\t", -first.count(one)))
        known = [one for one in by_count if one in first] or ["\t"]
        fit = (one for one in known if set(needed) <= {*map(str.strip, _cells(first, one) or ())})
        delimiter = next(fit, known[0])
    rows = []
    for place, line in lines:
        cells = _cells(line, delimiter)
        if cells is None:
            raise InputError(
                f"line {place} opens a quote and does not close it",
                path=path,
                remedy="A cell may have no line break; remove the quote, or double it",
            )
        if any(cell.strip() for cell in cells):
            rows.append((place, cells))
    return rows, delimiter


def _cells(line: str, delimiter: str) -> list[str] | None:
    """Return the cells of a line, None if a quote is not closed in it."""
    if '"' not in line:
        return line.split(delimiter)
    try:
        # A quote that is not closed swallows what is added.
        *cells, last = next(csv.reader([f"{line}{delimiter}."], delimiter=delimiter))
    except csv.Error:  # a cell that is too long for it
        return None
    return cells if last == "." else None


def _header(lines: Sequence[tuple[int, list[str]]], path: str) -> tuple[int, list[str]]:
    """Return the line of the header and the names in it, empty ones between them as well."""
    if not lines:
        raise InputError("is empty", path=path, remedy="A table has a line with its columns")
    place, cells = lines[0]
    header = [cell.strip() for cell in cells]
    while not header[-1]:
        header.pop()
    if len(header) > _MOST_COLUMNS:
        raise InputError(
            f"line {place} has {len(header)} columns, and a table here at most {_MOST_COLUMNS}",
            path=path,
        )
    counts = Counter(header)
    twice = next((one for one in header if one and counts[one] > 1), None)
    if twice is not None:
        raise InputError(f"line {place}: the column {shown(twice)} stands there twice", path=path)
    return place, header


def _fitting(cells: list[str], header: Sequence[str], place: int, path: str) -> list[str]:
    """Return a cell a column; empty ones beyond the header are left out."""
    while len(cells) > len(header) and not cells[-1].strip():
        cells.pop()
    if len(cells) != len(header):
        raise InputError(
            f"line {place} has {len(cells)} cells, and the header {len(header)}", path=path
        )
    if [cell.strip() for cell in cells] == list(header):
        raise InputError(f"line {place} is the header again: these are two tables", path=path)
    long = next((k for k, cell in enumerate(cells) if len(cell) > _LONGEST_CELL), None)
    if long is not None:
        raise CellError(path, place, header[long], cells[long], "goes on, and is too long")
    return cells
