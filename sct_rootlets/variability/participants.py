"""participants.tsv: which row is about an image, and what its columns say of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from sct_rootlets.errors import InputError
from sct_rootlets.tables import read_sheet

__all__ = ["COLUMNS", "Participants", "read_participants"]

#: Columns that may say what a factor is, by the factor; the first that is there counts. Those
#: after the first are what data sets of the field call it (spine-generic's participants.tsv).
COLUMNS: dict[str, tuple[str, ...]] = {
    "vendor": ("vendor", "manufacturer"),
    "site": ("site", "institution_id", "institution"),
    "session": ("session", "session_id"),
}
#: Cells that say nothing.
_UNKNOWN = ("", "n/a", "na", "nan", "-")


@dataclass(frozen=True)
class Participants:
    """The rows of a participants.tsv.

    Attributes
    ----------
    rows : tuple of dict of str to str
        By column, the names of columns in lower case.
    path : str
    """

    rows: tuple[Mapping[str, str], ...]
    path: str

    def column_of(self, factor: str) -> str | None:
        """Return the column that says what `factor` is, None if there is none."""
        columns = self.rows[0] if self.rows else {}
        names = COLUMNS.get(factor.lower(), (factor.lower(),))
        return next((name for name in names if name in columns), None)

    def rows_of(
        self, subject: str | None, session: str | None, names: Iterable[str]
    ) -> list[Mapping[str, str]]:
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
        list of dict
            Several where participants.tsv has several rows that fit.
        """
        endings = [PurePath(name) for name in names]
        found = []
        for row in self.rows:
            filename = _known(row.get("filename"))
            if filename is not None and not any(_ends(path, filename) for path in endings):
                continue
            label = _known(row.get("participant_id"))
            if subject is not None and _label(label, "sub-") != subject:
                continue
            if subject is None and filename is None:
                continue
            of_session = _label(_known(row.get("session_id")), "ses-")
            if session is not None and of_session not in (None, session):
                continue
            found.append(row)
        return found

    def value(self, rows: Sequence[Mapping[str, str]], column: str) -> str | None:
        """Return what `rows` say in a column; None for ``n/a``.

        Raises
        ------
        InputError
            If they differ.
        """
        values = {_known(row[column]) for row in rows}
        if len(values) > 1:
            label = rows[0].get("participant_id")
            raise InputError(
                f"has several rows for {label}, which differ in the column {column}",
                path=self.path,
                remedy="Add a column session_id or filename that tells them apart",
            )
        return values.pop()


def read_participants(path: str | os.PathLike[str]) -> Participants:
    """Read a participants.tsv.

    Raises
    ------
    InputError
        If it is missing or no such table.
    """
    sheet = read_sheet(path)
    header = [name.lower() for name in sheet.header]
    if "participant_id" not in header:
        raise InputError(
            "has no column participant_id",
            path=path,
            remedy="Give a table as BIDS has it: a header line, and cells separated by tabs",
        )
    if len(set(header)) < len(header):
        raise InputError("has two columns of the same name", path=path)
    rows = [
        {name.lower(): " ".join(cell.split()) for name, cell in line.cells.items()}
        for line in sheet.lines
    ]
    return Participants(tuple(rows), os.fspath(path))


def _known(cell: str | None) -> str | None:
    return None if cell is None or cell.lower() in _UNKNOWN else cell


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
