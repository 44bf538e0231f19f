"""Whether a version in a store is whole, damaged, or cannot be read, and what is wrong with it.

Where there is nothing at its place, it is absent, and has no condition.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from sct_rootlets.errors import IntegrityError, RootletsError, StoreError
from sct_rootlets.files.hashing import file_sha256
from sct_rootlets.store.home import Place
from sct_rootlets.store.reading import file_problem
from sct_rootlets.store.receipt import RECEIPT, FileRecord, Receipt, read_receipt

__all__ = [
    "DAMAGED",
    "UNREADABLE",
    "WHOLE",
    "Condition",
    "Depth",
    "condition_of",
    "is_ours",
    "is_whole",
    "repair",
]

WHOLE = "whole"
DAMAGED = "damaged"
#: Nobody can say whether it is whole: for want of rights, or because a newer version wrote it.
UNREADABLE = "unreadable"

#: How many problems a message has.
_SHOWN = 3

#: What file managers and network file systems leave in folders.
_LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")

_RIGHTS = "Give yourself the right to read it, or ask whoever owns it"
_NOT_OURS = "Move it away to install this version there"


class Depth(Enum):
    """How thoroughly the files of a model are compared with its receipt."""

    #: Names, sizes and rights, which takes no time.
    SIZES = 0
    #: The content as well of what was written after the receipt, which nothing should be.
    CHANGED = 1
    #: The content of every file, and which files were added.
    ALL = 2


@dataclass(frozen=True)
class Condition:
    """In which condition a version is that lies in a store.

    Attributes
    ----------
    place : Place
    state : str
        ``"whole"``, ``"damaged"`` or ``"unreadable"``.
    problems : tuple of str
        What is wrong, in words; none where it is whole.
    receipt : Receipt or None
        None where it has none that can be used.
    remedy : str
        What to do about the problems.
    is_ours : bool
        Whether it may be replaced and removed: see :func:`is_ours`.
    """

    place: Place
    state: str
    problems: tuple[str, ...] = ()
    receipt: Receipt | None = None
    remedy: str = ""
    is_ours: bool = True

    @property
    def text(self) -> str:
        """The condition in words, to follow the name of the model."""
        if not self.problems:
            return "is whole"
        shown = "; ".join(self.problems[:_SHOWN])
        more = len(self.problems) - _SHOWN
        return f"is {self.state}: {shown}" + (f"; and {more} more" if more > 0 else "")

    def error(self) -> RootletsError:
        """Return the error that the model cannot be used."""
        is_damage = self.state == DAMAGED and self.is_ours
        kind = IntegrityError if is_damage else StoreError
        return kind(
            f"{self.place.reference} {self.text}", path=self.place.folder, remedy=self.remedy
        )


def condition_of(place: Place, depth: Depth = Depth.SIZES) -> Condition | None:
    """Return in which condition a version is; None where there is nothing at its place."""
    folder = place.folder
    try:
        names = os.listdir(folder)
    except OSError as error:
        if os.path.islink(folder) and not isinstance(error, PermissionError):
            return _damaged(place, ["a link that leads nowhere"])
        if isinstance(error, FileNotFoundError):
            return None
        if not isinstance(error, NotADirectoryError):
            return _unreadable(place, [error.strerror or str(error)])
        # Otherwise the folder of its name is a file, and nothing is in that.
        return _damaged(place, ["a file, not a folder"]) if os.path.lexists(folder) else None
    try:
        receipt = read_receipt(folder)
    except IntegrityError as error:
        return _damaged(place, [f"{RECEIPT} {error.problem}"])
    except StoreError as error:
        return _unreadable(place, [f"{RECEIPT} {error.problem}"], remedy=error.remedy)
    if receipt is None:
        return _damaged(place, [f"no {RECEIPT}" if names else "an empty folder"])
    damage, closed = _compare(folder, receipt, depth)
    if receipt.reference != place.reference:
        damage.insert(0, f"the receipt is of {receipt.reference}")
    if depth is Depth.ALL:
        damage += _added(folder, receipt)
    if damage:
        return _damaged(place, [*damage, *closed], receipt)
    if closed:
        return _unreadable(place, closed, receipt)
    return Condition(place, WHOLE, receipt=receipt)


def is_whole(place: Place) -> bool:
    """Return whether a version is installed and whole, as far as names and sizes tell."""
    found = condition_of(place)
    return found is not None and found.state == WHOLE


def is_ours(folder: Path) -> bool:
    """Return whether a folder of a version, damaged or not, may be replaced and removed.

    It may where an install made it, which its receipt or the converted weights show, and
    where nothing is lost: an empty folder, or a link that leads nowhere. What somebody put
    there is not ours.

    Raises
    ------
    OSError
        If it cannot be looked into.
    """
    if not os.path.isdir(folder):
        return os.path.islink(folder)
    names = os.listdir(folder)
    converted = any(True for _ in folder.glob("*/fold_*/checkpoint_*.safetensors"))
    return not names or RECEIPT in names or converted


def repair(place: Place) -> str:
    """Return what to do about a damaged model that an install made."""
    if place.store.writable:
        return f"Install it again: {place.install_command}"
    return f"Tell whoever owns that store, or have one of your own: {place.install_command}"


def _damaged(place: Place, problems: list[str], receipt: Receipt | None = None) -> Condition:
    ours = is_ours(place.folder)
    remedy = repair(place) if ours or not place.store.writable else _NOT_OURS
    if not ours and os.path.isdir(place.folder):
        problems = [*problems, "nothing shows that an install made it"]
        remedy = f"Use it by its path, with -model. {remedy}"
    return Condition(place, DAMAGED, tuple(problems), receipt, remedy, ours)


def _unreadable(
    place: Place, problems: list[str], receipt: Receipt | None = None, remedy: str = ""
) -> Condition:
    try:
        ours = is_ours(place.folder)
    except OSError:
        ours = False
    return Condition(place, UNREADABLE, tuple(problems), receipt, remedy or _RIGHTS, ours)


def _compare(folder: Path, receipt: Receipt, depth: Depth) -> tuple[list[str], list[str]]:
    """Return what is damaged among the files of a receipt, and what cannot be read."""
    damage: list[str] = []
    closed: list[str] = []
    try:
        written_ns = (folder / RECEIPT).stat().st_mtime_ns
    except OSError:  # another process removes it right now
        written_ns = 0
    for name, record in receipt.files.items():
        path = folder / name
        problem, can_be_read = file_problem(path)
        if not problem:
            try:
                problem = _difference(path, record, written_ns, depth)
            except OSError as error:
                problem, can_be_read = f"cannot be read ({error.strerror})", False
        if problem:
            (damage if can_be_read else closed).append(f"{name} {problem}")
    return damage, closed


def _difference(path: Path, record: FileRecord, written_ns: int, depth: Depth) -> str:
    found = path.stat()
    if found.st_size != record.size_bytes:
        return f"has {found.st_size} bytes, not {record.size_bytes}"
    changed = depth is Depth.CHANGED and found.st_mtime_ns > written_ns
    if (depth is Depth.ALL or changed) and file_sha256(path) != record.sha256:
        return "has other bytes"
    return ""


def _added(folder: Path, receipt: Receipt) -> list[str]:
    added = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        strange = path.is_file() and name != RECEIPT and name not in receipt.files
        if strange and path.name not in _LITTER and not path.name.startswith((".nfs", "._")):
            added.append(f"{name} was added")
    return added
