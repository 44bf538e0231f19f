"""Whether files can be written where they are to go, found out before any work."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from sct_rootlets.errors import OutputError, RootletsError, UsageError
from sct_rootlets.files.leftovers import hidden

__all__ = ["IS_POSIX", "NO_ROOM", "require_places", "try_places", "unwritable"]

IS_POSIX = os.name == "posix"
#: A full disk, or a full share of it.
NO_ROOM = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))

_MOUNTS = Path("/proc/self/mountinfo")
_REMEDY = "Choose another folder for the results"


def require_places(files: Iterable[Path]) -> None:
    """Raise unless every one of `files` can be written, or moved in, where it is to go.

    Raises
    ------
    UsageError
        If there is a folder in the place of a file.
    RootletsError
        If a folder cannot be made or written to, a name is too long, or a file that is there
        cannot be replaced by us.
    """
    for path in files:
        # By os.path: pathlib raises where a folder above may not be entered.
        if os.path.isdir(path):
            raise UsageError("is a folder, not a file to write", path=path)
        _folder_for(path)
        if os.path.lexists(path):
            _require_replaceable(path)


def try_places(files: Iterable[Path]) -> None:
    """Make an empty file where `files` are to go, and remove it at once.

    What a network drive or a quota forbids is seen in no other way. Errors are those of
    :func:`require_places`.
    """
    for folder, path in {_folder_for(path): path for path in files}.items():
        attempt = folder / hidden(path).name
        try:
            os.close(os.open(attempt, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            os.unlink(attempt)
        except OSError as error:
            raise unwritable(_absolute(folder), error) from error


def unwritable(path: Path, error: OSError, lost: Iterable[str] = ()) -> OutputError:
    """Return what to raise where a file or a folder cannot be written to.

    `lost` is what could not be put back besides, in words.
    """
    problem = f"cannot be written ({error.strerror or error})"
    remedy = "Close it where it is open, have its folder made writable, or name another output"
    if error.errno in NO_ROOM:
        remedy = "Make room there, or name another output"
    elif error.errno == errno.ENAMETOOLONG:
        remedy = "Give a shorter name"
    failed = OutputError("; ".join([problem, *lost]), path=path, remedy=remedy)
    failed.error = error
    return failed


def _absolute(folder: Path) -> Path:
    try:
        return folder.absolute()
    except FileNotFoundError:  # the current folder is gone
        return folder


def _folder_for(path: Path) -> Path:
    """Return the nearest folder above `path` that is there, if `path` can be made below it."""
    above = next(parent for parent in path.parents if os.path.lexists(parent))
    if not os.path.isdir(above):
        raise RootletsError("is not a folder", path=_absolute(above), remedy=_REMEDY)
    if not os.access(above, os.W_OK | os.X_OK):
        raise RootletsError("is not writable", path=_absolute(above), remedy=_REMEDY)
    try:
        # A name of each folder to be made may be too long, and so may all of them together.
        for missing in (path, *(above / name for name in path.relative_to(above).parts)):
            with contextlib.suppress(FileNotFoundError):
                os.lstat(missing)
    except OSError as error:
        raise unwritable(path, error) from error
    return above


def _require_replaceable(path: Path) -> None:
    """Raise if a file that is there could not be replaced, whoever wants it."""
    here, folder = os.lstat(path), os.stat(path.parent)
    problem = ""
    if IS_POSIX:
        user, is_sticky = os.geteuid(), folder.st_mode & stat.S_ISVTX
        if is_sticky and user not in (0, here.st_uid, folder.st_uid):
            problem = "belongs to another user, in a folder where only they may replace it"
    elif not os.access(path, os.W_OK):
        problem = "is read-only"
    if _is_mounted(path):
        problem = "is mounted there by itself, so that no other file can take its place"
    if problem:
        raise RootletsError(problem, path=path, remedy="Name another output")


def _is_mounted(path: Path) -> bool:
    """Say whether a file is a mount point, as one that was handed into a container."""
    # Not by the devices of a file and its folder, which differ in containers anyway.
    try:
        mounts = _MOUNTS.read_bytes()
    except OSError:  # not on Linux
        return False
    name = os.fsencode(os.path.realpath(path)).replace(b"\\", rb"\134").replace(b" ", rb"\040")
    return name in {line.split()[4] for line in mounts.splitlines()}
