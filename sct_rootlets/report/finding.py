"""Results of many images, found by their names and by what their tables hold."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.files.bids import levels_stem, without_levels
from sct_rootlets.files.json_files import object_if_readable
from sct_rootlets.levels.table.reading import is_levels_table
from sct_rootlets.tables import read_header

__all__ = ["Found", "find"]

logger = logging.getLogger(__name__)

_IMAGES = ("_dseg.nii.gz", "_dseg.nii", ".nii.gz", ".nii")
_REMEDY = (
    "Give the folders that sct_rootlets run or levels wrote to, or the files X_spinal_levels.tsv "
    "in them"
)


@dataclass(frozen=True)
class Found:
    """The files of one result; any of them may be missing.

    Attributes
    ----------
    table : Path
        ``X_spinal_levels.tsv``, whether it exists or not.
    """

    table: Path

    @property
    def stem(self) -> str:
        """Name of the table without its extension."""
        return self.table.name.removesuffix(".tsv")

    @property
    def levels(self) -> Path:
        """The label image of levels; where there is none, the name it usually has."""
        names = [self.table.with_name(self.stem + ending) for ending in _IMAGES]
        return next((path for path in names if path.is_file()), names[2])

    @property
    def sidecar(self) -> Path:
        """The JSON of the label image; where there is none, the name it usually has."""
        names = [self.table.with_name(f"{self.stem}{end}.json") for end in ("_dseg", "")]
        return next((path for path in names if path.is_file()), names[1])

    @property
    def name(self) -> str:
        """What the result is about: the name without what says that it is levels."""
        return without_levels(self.stem)


def find(paths: Sequence[str | os.PathLike[str]]) -> list[Found]:
    """Find results in folders, and folders in them, and among files.

    Parameters
    ----------
    paths : sequence of path-like
        Folders; tables; label images of levels.

    Returns
    -------
    list of Found
        Each result once, sorted by its path. A result of which files are missing is found by
        those that are left. Levels that were mapped to an EPI are no result of their own.

    Raises
    ------
    UsageError
        If a path does not exist.
    InputError
        If nothing is found.
    """
    tables: dict[Path, None] = {}
    others = []
    for path in map(Path, paths):
        if not path.exists():
            raise UsageError("no such file or folder", path=path, remedy=_REMEDY)
        found = [table for file in _files(path) if (table := _table_of(file)) is not None]
        if not found and not path.is_dir():
            others.append(path)
        tables |= dict.fromkeys(found)
    unread = [error for path in others if (error := _unread(path)) is not None]
    if not tables and unread:
        raise unread[0]
    for error in unread:
        logger.warning("%s", error)
    if not tables:
        first = Path(paths[0])
        what = "holds no results" if first.is_dir() else "is no result"
        raise InputError(what, path=first, remedy=_REMEDY)
    if others:
        logger.info("%d files are no tables or images of levels", len(others))
    return [Found(table) for table in sorted(tables)]


def _unread(path: Path) -> InputError | None:
    """Return why a table cannot be read, so that nobody can tell what it is of."""
    try:
        if path.suffix.lower() in (".tsv", ".csv"):
            read_header(path)
    except InputError as error:
        return error
    return None


def _files(path: Path) -> Iterator[Path]:
    """Return the files of a folder and the folders in it, or the one file."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(names) if not name.startswith("."))


def _table_of(path: Path) -> Path | None:
    """Return the table of the result that a file belongs to; None if it belongs to none."""
    stem = levels_stem(path.name)
    if stem is None:
        return path.absolute() if path.suffix == ".tsv" and is_levels_table(path) else None
    table = path.with_name(f"{stem}.tsv")
    if path.suffix == ".tsv":
        return table.absolute()
    # Another result has this name too: levels mapped to an EPI, which have no table.
    return None if _is_of_something_else(Found(table)) else table.absolute()


def _is_of_something_else(found: Found) -> bool:
    """Say whether the JSON of a result without a table says that it never had one."""
    if found.table.exists():
        return False
    content = object_if_readable(found.sidecar)
    return bool(content) and "levels" not in content
