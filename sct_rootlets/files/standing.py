"""Whose a file is that has the name of an output: as we wrote it, or somebody's work by now."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Sequence
from enum import Enum
from pathlib import Path

from sct_rootlets.files.leftovers import new_contents
from sct_rootlets.files.places import IS_POSIX
from sct_rootlets.files.record import GROWS, Record, content_sha256, is_record, read_record
from sct_rootlets.files.sidecar import split_nifti

__all__ = ["Standing", "not_ours", "place_of", "standing"]


class Standing(Enum):
    """Whose a file is, as far as its record tells; the values follow its name in a sentence."""

    OURS = "is as sct_rootlets wrote it"
    CHANGED = "was changed since sct_rootlets wrote it"
    FOREIGN = "was not made by sct_rootlets"
    OTHER = "belongs to another result of sct_rootlets"
    GROWN = "has lines that several runs have added"
    UNKNOWN = "was made by an earlier version of sct_rootlets, which kept no record of it"
    PROTECTED = "is write-protected"
    UNREADABLE = "cannot be read"


def standing(path: str | os.PathLike[str]) -> Standing | None:
    """Say whose the file at the name of an output is, None where there is none.

    By the record beside it: for ``t2_seg.nii.gz`` that is ``t2_seg.json``.
    """
    return _Records([Path(path)]).standing(Path(path)) if os.path.lexists(path) else None


def not_ours(files: Iterable[Path], planned: Iterable[Path] = ()) -> dict[Path, Standing]:
    """Return those of `files` that are there and not as we wrote them, with what they are.

    They are known by the records among `files`, and by those that have their names. `planned`
    are further files that may be written with them.
    """
    files = list(files)
    together = {place_of(path) for path in (*files, *planned)}
    records = _Records(files)
    kept: dict[Path, Standing] = {}
    for path in filter(os.path.lexists, files):
        found = records.standing(path)
        if found is Standing.OURS and records.is_of_another_result(path, together):
            found = Standing.OTHER
        if found is not Standing.OURS:
            kept[path] = found
    return kept


def place_of(path: str | os.PathLike[str]) -> Path:
    """Return the one name of a file, whichever way leads there; a link stays the link it is."""
    folder, name = os.path.split(os.path.abspath(path))
    return Path(os.path.realpath(folder), name)


class _Records:
    """What the records among files say of them, and what those say that have their names."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._read: dict[Path, Record | None] = {}
        self._listed: dict[Path, set[str]] = {}
        self._folders = dict.fromkeys(path.parent for path in files)
        for path in filter(is_record, files):
            self._add(path)

    def standing(self, path: Path) -> Standing:
        here = os.lstat(path)
        if IS_POSIX and not stat.S_ISLNK(here.st_mode) and not here.st_mode & stat.S_IWUSR:
            return Standing.PROTECTED
        for record in _named_alike(path):
            self._add(record)
        listed = self._listed.get(place_of(path), set())
        try:
            content = content_sha256(path)
        except OSError:
            return Standing.UNREADABLE
        if content in listed or content in self._about_to_be_listed(path):
            return Standing.OURS
        if listed:
            return Standing.GROWN if GROWS in listed else Standing.CHANGED
        return Standing.UNKNOWN if self._is_of_earlier_version(path) else Standing.FOREIGN

    def is_of_another_result(self, path: Path, together: Collection[Path]) -> bool:
        """Say whether a record belongs to a file of its own name that is not among `together`."""
        record = self._read.get(path)
        if record is None:
            return False
        listed = [path.parent / name for name in record.files]
        return any(
            _stem(one) == _stem(path) and one.exists() and place_of(one) not in together
            for one in listed
        )

    def _add(self, path: Path) -> None:
        """Read a record, unless it was read already."""
        if path in self._read:
            return
        self._read[path] = record = read_record(path)
        for name, sha256 in record.files.items() if record is not None else ():
            self._listed.setdefault(place_of(path.parent / name), set()).add(sha256)

    def _about_to_be_listed(self, path: Path) -> set[str]:
        """Return what the records of a run say that was killed before it could move them in."""
        found = set()
        for folder in self._folders:
            for hidden, name in new_contents(folder).items():
                record = read_record(hidden, name) if is_record(Path(name)) else None
                if record is not None and (sha256 := record.sha256_of(path)) is not None:
                    found.add(sha256)
        return found

    def _is_of_earlier_version(self, path: Path) -> bool:
        return any(
            one is not None
            and one.is_ours
            and not one.files
            and path.name.startswith(one.path.stem.removesuffix("_dseg"))
            for one in self._read.values()
        )


def _named_alike(path: Path) -> list[Path]:
    """Return the records that may list a file, by its name alone."""
    stems = dict.fromkeys((_stem(path), _stem(path).removesuffix("_dseg")))
    beside = [path.with_name(f"{one}{end}.json") for one in stems for end in ("", "_dseg")]
    return [path, *beside] if is_record(path) else beside


def _stem(path: Path) -> str:
    """Return a name without its extension, of NIfTI or any other."""
    _, stem, extension = split_nifti(path)
    return stem if extension else path.stem
