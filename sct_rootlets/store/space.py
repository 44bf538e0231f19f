"""Say plainly why a folder of the store cannot be written."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from sct_rootlets.errors import OutputError, StoreError

__all__ = ["bytes_text", "require_space", "writing"]

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)
_ANOTHER_STORE = "set SCT_ROOTLETS_HOME to a folder"


@contextlib.contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn a failed write of `path` within the block into a `StoreError`.

    It names `path`, the cause (disk or quota full, not writable, other) and the remedy.
    """
    try:
        yield
    except BrokenPipeError:  # of a terminal that a progress bar wrote to; never of a file
        raise
    except (OSError, OutputError) as failed:
        error = failed.error if isinstance(failed, OutputError) else failed
        if error.errno in _FULL:
            problem = "cannot be written: the disk or your quota is full"
            remedy = f"Free some space, or {_ANOTHER_STORE} on a larger disk"
        elif error.errno in _FORBIDDEN:
            problem = f"cannot be written ({error.strerror})"
            remedy = f"Ask for write access, or {_ANOTHER_STORE} that you can write"
        else:
            problem = f"cannot be written ({error.strerror or error})"
            remedy = f"Check the disk, or {_ANOTHER_STORE} elsewhere"
        raise StoreError(problem, path=path, remedy=remedy) from error


def require_space(folder: Path, needed_bytes: int, what: str) -> None:
    """Raise a `StoreError` if the file system of `folder` has less than `needed_bytes` free.

    A quota does not show in what a file system says is free; that is found when writing.
    `what` completes "there is no room for ...".
    """
    try:
        free_bytes = shutil.disk_usage(folder).free
    except OSError as error:
        raise StoreError(f"cannot be used ({error.strerror})", path=folder) from error
    if free_bytes < needed_bytes:
        raise StoreError(
            f"there is no room for {what}: {bytes_text(needed_bytes)} are needed and "
            f"{bytes_text(free_bytes)} are free",
            path=folder,
            remedy=f"Free some space, or {_ANOTHER_STORE} on a larger disk",
        )


def bytes_text(count: int) -> str:
    """Return a number of bytes as a person reads it.

    Examples
    --------
    >>> bytes_text(999), bytes_text(1_500), bytes_text(123_456_789)
    ('999 B', '1.5 kB', '123.5 MB')
    """
    if count < 1000:
        return f"{count} B"
    power = 1
    while power < 3 and round(count / 1000**power, 1) >= 1000:
        power += 1
    return f"{count / 1000**power:.1f} {('kB', 'MB', 'GB')[power - 1]}"
