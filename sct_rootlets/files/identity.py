"""Whether files are one file, by whatever names."""

from __future__ import annotations

import os
from collections.abc import Sequence

from sct_rootlets.errors import UsageError

__all__ = ["require_each_once"]


def require_each_once(paths: Sequence[str | os.PathLike[str]]) -> None:
    """Raise a `UsageError` if a file is given twice, by whatever name."""
    seen: dict[tuple[int, int] | str, str | os.PathLike[str]] = {}
    for path in paths:
        key: tuple[int, int] | str = os.path.realpath(path)
        if os.path.isfile(path):
            found = os.stat(path)
            key = found.st_dev, found.st_ino
        if key in seen:
            other = os.fspath(seen[key])
            by = "" if other == os.fspath(path) else f", as {other} too"
            raise UsageError(f"is given twice{by}", path=path, remedy="Give every file once")
        seen[key] = path
