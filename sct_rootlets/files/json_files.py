"""JSON files: read as they should be, or for what they happen to say."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from sct_rootlets.errors import InputError, RootletsError

__all__ = ["object_if_readable", "read_object"]


def read_object(
    path: str | os.PathLike[str],
    *,
    error: type[RootletsError] = InputError,
    what: str = "",
    remedy: str = "",
) -> dict[str, Any]:
    """Return the JSON object of a file.

    Parameters
    ----------
    path : path-like
        In UTF-8, with or without a byte order mark.
    error : type
        Of the error that is raised.
    what : str, optional
        What the file is, at the start of what is said about it.
    remedy : str, optional

    Raises
    ------
    RootletsError
        Of the type `error`, if the file cannot be read or holds something else.
    """
    cause: Exception | None = None
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
        if isinstance(content, dict):
            return content
        problem = "is not a JSON object"
    except OSError as failed:
        problem, cause = f"cannot be read ({failed.strerror})", failed
    except (ValueError, RecursionError) as failed:
        problem, cause = f"is not valid JSON ({failed})", failed
    raise error(f"{what} {problem}".strip(), path=path, remedy=remedy) from cause


def object_if_readable(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the JSON object of a file; an empty one where there is none, for whatever reason.

    For what is good to know and not needed; what a result depends on is read by
    :func:`read_object`.
    """
    try:
        return read_object(path)
    except InputError:
        return {}
