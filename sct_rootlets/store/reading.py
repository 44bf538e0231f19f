"""Read what the store itself wrote, and tell what is damaged from what cannot be read.

The receipt of a model, the lock file and the record of custom models are JSON objects with the
number of their format, in which flat records stand.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from sct_rootlets.errors import IntegrityError, StoreError
from sct_rootlets.files.json_files import read_object

__all__ = ["FORMAT", "file_problem", "is_word", "read_models", "read_versioned", "record_of"]

#: Format of the files that this version writes.
FORMAT = 1

#: What names and versions consist of, so that they are safe as names of folders everywhere.
_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,98}[A-Za-z0-9_+-])?")

_Kind = TypeVar("_Kind")

_TYPES = {str: "text", int: "a whole number", bool: "true or false"}


def is_word(text: str) -> bool:
    """Return whether a text can be the name or version of a model in a store."""
    return _WORD.fullmatch(text) is not None


def file_problem(path: Path) -> tuple[str, bool]:
    """Return what is wrong with a file before it is opened, and whether it can be looked at.

    The first is empty for a file that can be read. The second is False where nobody can say
    whether the file is as it should be, as without the right to read it.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return ("is a link that leads nowhere" if os.path.islink(path) else "is missing"), True
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "is a link that leads nowhere", True
        return f"cannot be read ({error.strerror})", False
    if stat.S_ISDIR(status.st_mode):
        return "is a folder, not a file", True
    if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait for ever
        return "is no ordinary file", True
    if not os.access(path, os.R_OK):
        return "cannot be read (Permission denied)", False
    return "", True


def read_versioned(path: Path) -> dict[str, Any] | None:
    """Return what a file of the store says beside its format, None where there is no file.

    Raises
    ------
    StoreError
        If it cannot be read, or a newer version wrote it.
    IntegrityError
        If it is damaged.
    """
    problem, can_be_read = file_problem(path)
    if problem == "is missing":
        return None
    if problem:
        raise (IntegrityError if can_be_read else StoreError)(problem, path=path)
    content = read_object(path, error=IntegrityError)
    written = content.pop("format", None)
    if type(written) is not int or written < FORMAT:
        raise IntegrityError('states no "format"', path=path)
    if written > FORMAT:
        raise StoreError(
            f"is of the format {written}, which only a newer version of sct_rootlets reads",
            path=path,
            remedy="Update sct_rootlets",
        )
    return content


def read_models(path: Path, kind: type[_Kind], *, what: str, remedy: str) -> dict[str, _Kind]:
    """Return the records of a file of the store by the model they are of; none without a file.

    Raises
    ------
    StoreError
        If there is one that cannot be used: `what` says what it is, `remedy` what to do.
    """
    try:
        content = read_versioned(path)
        models = {} if content is None else content.get("models")
        if not isinstance(models, Mapping):
            raise ValueError('"models" is not an object')
        return {str(model): record_of(kind, found) for model, found in models.items()}
    except (IntegrityError, ValueError) as error:
        why = error.problem if isinstance(error, IntegrityError) else str(error)
        raise StoreError(f"{what} is damaged ({why})", path=path, remedy=remedy) from error


def record_of(kind: type[_Kind], content: object) -> _Kind:
    """Return a dataclass of texts and numbers from a JSON object.

    Raises
    ------
    ValueError
        If a field is missing, unknown or of another type; it is named.
    """
    if not isinstance(content, Mapping):
        raise ValueError("a record is not an object")
    types = get_type_hints(kind)
    for field in fields(kind):  # type: ignore[arg-type]
        if field.name not in content:
            if field.default is MISSING:
                raise ValueError(f'"{field.name}" is missing')
        elif type(content[field.name]) is not types[field.name]:
            raise ValueError(f'"{field.name}" is not {_TYPES[types[field.name]]}')
        elif isinstance(content[field.name], str):
            content[field.name].encode()  # raises one where it cannot be printed
    if strange := sorted(map(str, content.keys() - types.keys())):
        raise ValueError(f'"{strange[0]}" is not a field that it has')
    return kind(**content)
