"""Tables: what their columns mean, and the way to text, to JSON, to the terminal and back.

Tables are tab-separated as BIDS has them: a header line, ``n/a`` for what is not known, and
beside them a JSON that describes the columns. A tab, a line break or another character that would
break a line, as file names may hold, is written as in Python's strings (``\\t``, ``\\n``, and
``\\\\`` for a backslash), so that every line has one cell a column.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from typing import Any

from sct_rootlets.errors import InputError

__all__ = [
    "Column",
    "Line",
    "TextTable",
    "aligned",
    "cells",
    "column",
    "columns",
    "columns_of",
    "decimals",
    "describe",
    "read_sheet",
    "to_text",
    "unescaped",
]

#: Cells of what is not known: ours, and what spreadsheets and pandas make of it.
UNKNOWN = ("n/a", "", "nan")
#: What breaks a line for us or for other readers, and what cannot be written as UTF-8; a quote
#: at the start is taken for that of a quoted cell.
_BREAKS = re.compile('[\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|^"')
_ESCAPED = re.compile(r"\\(?:([\\tnr])|x([0-9a-f]{2})|u([0-9a-f]{4}))")
_SHORT = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
    text : str
        What it is: a sentence without its final stop.
    unit : str
        Empty where there is none.
    values : mapping of str to str
        What the fixed words mean that it may hold.
    number : callable
        Makes text of a finite float; six digits by default.
    """

    name: str
    text: str = ""
    unit: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    number: Callable[[float], str] = "{:.6g}".format


def decimals(count: int) -> Callable[[float], str]:
    """Return what writes numbers with so many decimals, and no minus before a zero.

    Examples
    --------
    >>> decimals(2)(-0.001), decimals(2)(2.5)
    ('0.00', '2.50')
    """
    return lambda number: f"{round(number, count) + 0.0:.{count}f}"


def column(text: str, unit: str = "", values: Mapping[str, str] | None = None) -> Any:
    """Return a field of a dataclass that is a column; its name is that of the field."""
    return field(metadata={"text": text, "unit": unit, "values": values or {}})


def columns_of(row_type: type, number: Callable[[float], str]) -> tuple[Column, ...]:
    """Return the columns that the fields of a dataclass are, made by :func:`column`."""
    return tuple(Column(one.name, **one.metadata, number=number) for one in fields(row_type))


def columns(
    texts: Mapping[str, str], number: Callable[[float], str] = Column.number
) -> tuple[Column, ...]:
    """Return columns by name and text; the end of a name (``_mm``, ``_mm3``) tells the unit.

    Examples
    --------
    >>> columns({"error_mm": "Found less truth"})[0].unit
    'mm'
    """
    units = {"mm": "mm", "mm3": "mm^3"}
    return tuple(
        Column(name, text, units.get(name.rpartition("_")[2], ""), number=number)
        for name, text in texts.items()
    )


def describe(columns: Iterable[Column]) -> dict[str, dict[str, Any]]:
    """Return what the columns mean, as BIDS has it in JSON files beside tables.

    Source: https://bids-specification.readthedocs.io/en/stable/common-principles.html
    """
    described: dict[str, dict[str, Any]] = {}
    for one in columns:
        entry: dict[str, Any] = {"Description": one.text}
        if one.unit:
            entry["Units"] = one.unit
        if one.values:
            entry["Levels"] = dict(one.values)
        described[one.name] = entry
    return described


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
    >>> to_text([Column("a"), Column("b", number=decimals(1))], [{"a": "x\ty", "b": 2.0}])
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
        return None if cell.strip().lower() in UNKNOWN else cell

    def number(self, name: str) -> float | None:
        """Return the number in a cell, None likewise.

        Raises
        ------
        InputError
            If there is something else, or an infinite number.
        """
        cell = self.text(name)
        if cell is None:
            return None
        try:
            value = float(cell.replace(",", ".") if self.has_decimal_comma else cell)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.refused(name, f"'{cell}' is no number")
        return value

    def integer(self, name: str) -> int | None:
        """Return the whole number in a cell, None and errors likewise."""
        value = self.number(name)
        if value is not None and value != int(value):
            raise self.refused(name, f"'{self.cells[name]}' is no whole number")
        return None if value is None else int(value)

    def refused(self, name: str, problem: str) -> InputError:
        """Return the error of a cell, which names file, line and column."""
        return InputError(f"line {self.place}, column {name}: {problem}", path=self.path)


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


def read_sheet(path: str | os.PathLike[str], delimiters: str = "\t") -> TextTable:
    """Read a table of text: UTF-8 with or without a byte order mark, any line ends.

    Parameters
    ----------
    path : path-like
    delimiters : str
        What may divide cells; of these it is the first that is in the header. Where it is a
        semicolon, numbers may have a decimal comma. Cells may be quoted, as spreadsheets do.

    Returns
    -------
    TextTable
        Empty lines, and columns without a name such as the index of pandas, are left out.

    Raises
    ------
    InputError
        If the file cannot be read or is no such text, has a column twice, or a line has not as
        many cells as the header.
    """
    name, text = os.fspath(path), _read_text(path)
    first = text.lstrip("\r\n").splitlines()[0] if text.strip() else ""
    delimiter = next((one for one in delimiters if one in first), delimiters[0])
    header: list[str] = []
    lines = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            while cells and len(cells) > len(header) and not cells[-1].strip():
                cells.pop()
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = [cell.strip() for cell in cells]
                twice = next((one for one in header if one and header.count(one) > 1), None)
                if twice is not None:
                    raise InputError(
                        f"line {reader.line_num}: the column {twice} stands there twice", path=path
                    )
                continue
            if len(cells) != len(header):
                raise InputError(
                    f"line {reader.line_num} has {len(cells)} cells, and the header {len(header)}",
                    path=path,
                )
            named = {one: cell for one, cell in zip(header, cells, strict=True) if one}
            lines.append(Line(name, reader.line_num, named, delimiter == ";"))
    except csv.Error as error:
        raise _no_text(path) from error
    return TextTable(name, tuple(one for one in header if one), tuple(lines), delimiter)


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


def _read_text(path: str | os.PathLike[str]) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", path=path) from error
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(
            "is text in UTF-16, which no table here may be", path=path, remedy="Save it as UTF-8"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _no_text(path) from error


def _no_text(path: str | os.PathLike[str]) -> InputError:
    return InputError("is no table of text in UTF-8", path=path, remedy="Save it as UTF-8")
