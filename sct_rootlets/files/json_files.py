"""JSON files: read as they should be, or for what they happen to say."""

from __future__ import annotations

import json
import math
import os
from typing import Any

from sct_rootlets.errors import InputError, RootletsError
from sct_rootlets.texts import read_text, shown

__all__ = ["object_if_readable", "read_object"]

#: A model's dataset.json that lists ten thousand images takes 2 MB, our own files less.
_MOST_BYTES = 16 << 20
#: Lists and objects in it: each takes two bytes, and a hundred of memory.
_MOST_PARTS = 250_000
#: No number of a JSON has more: 64 bits make 20.
_MOST_DIGITS = 40


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
        In UTF-8, with or without a byte order mark. A ``NaN``, which JSON has not and Python
        writes, is None; an infinite number is an error.
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
        text = read_text(path, _MOST_BYTES)
        parts = text.count("[") + text.count("{")
        if parts > _MOST_PARTS:
            raise ValueError(f"it has {parts} lists and objects, more than {_MOST_PARTS}")
        content = json.loads(text, parse_constant=_constant, parse_float=_finite, parse_int=_whole)
        if isinstance(content, dict):
            return content
        problem = "is not a JSON object"
    except InputError as failed:
        problem, remedy, cause = failed.problem, failed.remedy or remedy, failed
    except (ValueError, RecursionError) as failed:
        problem, cause = f"is not valid JSON ({failed})", failed
    raise error(f"{what} {problem}".strip(), path=path, remedy=remedy) from cause


def _constant(name: str) -> None:
    """Return what a number stands for that JSON has not: NaN is what is not known."""
    if name != "NaN":
        raise ValueError(f"the number {name}")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {shown(text)} is too large")
    return value


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"the number {shown(text)} is too large")
    return int(text)


def object_if_readable(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the JSON object of a file; an empty one where there is none, for whatever reason.

    For what is good to know and not needed; what a result depends on is read by
    :func:`read_object`.
    """
    try:
        return read_object(path)
    except InputError:
        return {}
