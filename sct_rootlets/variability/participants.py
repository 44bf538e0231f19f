"""participants.tsv: which row is about an image, and what its columns say of it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from sct_rootlets.errors import InputError
from sct_rootlets.tables import Line, number_in, read_sheet

__all__ = ["COLUMNS", "Participants", "read_participants"]

#: Columns that may say what a factor is, by the factor; the first that is there counts. Those
#: after the first are what data sets of the field call it (spine-generic's participants.tsv).
COLUMNS: dict[str, tuple[str, ...]] = {
    "vendor": ("vendor", "manufacturer"),
    "site": ("site", "institution_id", "institution"),
    "session": ("session", "session_id"),
}
_REMEDY = "Give a table as BIDS has it: a header line with participant_id, and a row a participant"


@dataclass(frozen=True)
class Participants:
    """The rows of a participants.tsv.

    Attributes
    ----------
    rows : tuple of Line
        The names of their columns are in lower case.
    columns : tuple of str
        Likewise.
    path : str
    """

    rows: tuple[Line, ...]
    columns: tuple[str, ...]
    path: str

    def column_of(self, factor: str) -> str | None:
        """Return the column that says what `factor` is, None if there is none."""
        names = COLUMNS.get(factor.lower(), (factor.lower(),))
        return next((name for name in names if name in self.columns), None)

    def rows_of(self, subject: str | None, session: str | None, names: Iterable[str]) -> list[Line]:
        """Return the rows about an image.

        Parameters
        ----------
        subject, session : str or None
            Labels, without ``sub-`` and ``ses-``.
        names : iterable of str
            Paths of the image and of its table. A row that names another file in its column
            ``filename`` is about another image.

        Returns
        -------
        list of Line
            Several where participants.tsv has several rows that fit.
        """
        endings = [PurePath(name) for name in names]
        found = []
        for row in self.rows:
            filename = row.word("filename")
            if filename is not None and not any(_ends(path, filename) for path in endings):
                continue
            label = _label(row.word("participant_id"), "sub-")
            if subject is not None and label != subject:
                continue
            if subject is None and filename is None:
                continue
            of_session = _label(row.word("session_id"), "ses-")
            if session is not None and of_session not in (None, session):
                continue
            found.append(row)
        return found

    def value(self, rows: Sequence[Line], column: str) -> str | None:
        """Return what `rows` say in a column; None for ``n/a``.

        Raises
        ------
        InputError
            If they differ, or say a number that is infinite in a column of numbers.
        """
        for row in rows:
            number = _number(row, column)
            if number is not None and math.isinf(number) and self._has_numbers(column):
                raise row.refused(column, "is no finite number", allowed="a number, or n/a")
        values = {_simple(row.word(column)) for row in rows}
        if len(values) > 1:
            label, places = rows[0].word("participant_id"), [str(row.place) for row in rows]
            raise InputError(
                f"has several rows for {label} (lines {', '.join(places)}), which differ in the "
                f"column {column}",
                path=self.path,
                remedy="Add a column session_id or filename that tells them apart",
            )
        return values.pop()

    def _has_numbers(self, column: str) -> bool:
        """Say whether all that a column says is numbers, and some are finite."""
        known = [_number(row, column) for row in self.rows if row.word(column) is not None]
        return None not in known and any(n is not None and math.isfinite(n) for n in known)


def read_participants(path: str | os.PathLike[str]) -> Participants:
    """Read a participants.tsv.

    Raises
    ------
    InputError
        If it is missing or no such table, or a row does not say whose it is.
    """
    try:
        sheet = read_sheet(path, _needed)
    except InputError as error:
        error.remedy = error.remedy or _REMEDY
        raise
    columns = tuple(name.lower() for name in sheet.header)
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"has two columns of the same name, {twice}, in two spellings", path=path)
    rows = tuple(
        replace(line, cells={name.lower(): cell for name, cell in line.cells.items()})
        for line in sheet.lines
    )
    for row in rows:
        if row.word("filename") is None:
            row.given("participant_id", row.word("participant_id"))
    return Participants(rows, columns, os.fspath(path))


def _needed(header: Sequence[str]) -> tuple[str, ...]:
    """Return the column that has to be there, in the spelling of the table."""
    name = "participant_id"
    return (next((one for one in header if one.lower() == name), name),)


def _number(row: Line, column: str) -> float | None:
    """Return the number in a cell, which may be infinite; None if there is none."""
    word = row.word(column) or ""
    return number_in(word.replace(",", ".") if row.has_decimal_comma else word)


def _simple(word: str | None) -> str | None:
    """Return a word with one space for several."""
    return None if word is None else " ".join(word.split())


def _label(cell: str | None, prefix: str) -> str | None:
    return None if cell is None else cell.removeprefix(prefix)


def _ends(path: PurePath, filename: str) -> bool:
    """Say whether a path ends as `filename` does, extensions and what is added apart."""
    wanted = PurePath(filename)
    stem = wanted.name.split(".")[0]
    folders = wanted.parts[:-1]
    return (
        path.name == wanted.name
        or path.name.split(".")[0] == stem
        or path.name.startswith(f"{stem}_")
    ) and (not folders or path.parts[:-1][-len(folders) :] == folders)
