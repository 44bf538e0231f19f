"""Names of files that are not yet, or no longer, what they will be, and what a kill leaves of them.

A file is written under a hidden name beside its own, and what it replaces has one until all are in
place. The name says which process made it, so that the next run can sweep up after one that died.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import re
import secrets
from functools import cache
from pathlib import Path

from sct_rootlets.files.sidecar import split_nifti

__all__ = ["hidden", "new_contents", "sweep"]

logger = logging.getLogger(__name__)

_NAME = re.compile(r"\.([0-9a-f]{6})-(\d+)-[0-9a-f]{8}-(new|old)-(.+)")
#: How much of a name is kept: file systems have names of up to 255 bytes, 4 for a letter.
_LETTERS = 50
#: No other extension than NIfTI's makes anybody read what is hidden.
_END = ".part"


def hidden(path: Path, *, replaced: bool = False) -> Path:
    """Return a new hidden name beside `path`, for its new content or for what is `replaced`."""
    folder, stem, extension = split_nifti(path)
    kind = "old" if replaced else "new"
    head = f".{_machine()}-{os.getpid()}-{secrets.token_hex(4)}-{kind}-"
    return folder / f"{head}{stem[-_LETTERS:]}{extension or _END}"


def new_contents(folder: Path) -> dict[Path, str]:
    """Return the hidden files of a folder that were about to be moved in, and their own names.

    Names that are long have lost their beginning.
    """
    return {
        path: found[4].removesuffix(_END) for path, found in _hidden(folder) if found[3] == "new"
    }


def sweep(folder: Path) -> None:
    """Remove what processes of this machine that died have left in a folder.

    What they had replaced, and nothing has taken its place, is put back.
    """
    for path, found in _hidden(folder):
        if found[1] != _machine() or _is_alive(int(found[2])):
            continue
        original = path.with_name(found[4].removesuffix(_END))
        try:
            if found[3] == "new" or os.path.lexists(original):
                path.unlink()
            elif len(split_nifti(original)[1]) < _LETTERS:  # its name is whole
                path.rename(original)
        except OSError as error:
            logger.debug("%s stays (%s)", path, error.strerror)


def _hidden(folder: Path) -> list[tuple[Path, re.Match[str]]]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [(folder / name, found) for name in names if (found := _NAME.fullmatch(name))]


def _is_alive(process: int) -> bool:
    if os.name != "posix":  # elsewhere to ask is to end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


@cache
def _machine() -> str:
    """Return what tells processes of the same number apart: the machine, and the container."""
    try:
        space = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        space = 0
    return hashlib.sha256(f"{platform.node()} {space}".encode()).hexdigest()[:6]
