"""The rights of a user who is not the superuser, also where the tests run as that."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

IS_SUPERUSER = getattr(os, "geteuid", lambda: 1)() == 0
_NOBODY = 65534


@contextlib.contextmanager
def unprivileged(folder: Path) -> Iterator[None]:
    """Work in `folder`, whose content becomes this user's, without the superuser's rights.

    Its files are reached by relative names only: the folders above may be closed.
    """
    before = os.getcwd()
    os.chdir(folder)
    try:
        if IS_SUPERUSER:
            for path in (Path(), *Path().rglob("*")):
                os.chown(path, _NOBODY, -1, follow_symlinks=False)
            os.setresuid(_NOBODY, _NOBODY, 0)
        yield
    finally:
        if IS_SUPERUSER:
            os.setresuid(0, 0, 0)
        os.chdir(before)
