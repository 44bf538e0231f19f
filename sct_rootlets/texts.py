"""Text from files of anybody: read whole and checked, or refused for what the file is instead.

Tables, matrices and JSON come through this one door.
"""

from __future__ import annotations

import codecs
import os
from pathlib import Path

from sct_rootlets.errors import InputError
from sct_rootlets.pointers import absent, pointer_in

__all__ = ["MOST_BYTES", "read_start", "read_text", "shown"]

#: Longer files are no table, matrix or JSON of ours: 100,000 participants take less.
MOST_BYTES = 64 * 2**20
#: How much of a file tells its header.
_START_BYTES = 2**16
_SAVE = "Save it as UTF-8"
_SHEET = "Save its sheet as text with tabs or as CSV, in UTF-8; unpack an archive"
#: How files of another kind begin, what they are, and what to do.
_BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (codecs.BOM_UTF16_LE, "is text in UTF-16", _SAVE),
    (codecs.BOM_UTF16_BE, "is text in UTF-16", _SAVE),
    (b"\x1f\x8b", "is compressed by gzip", "Unpack it: gunzip FILE"),
    (b"PK\x03\x04", "is a workbook of a spreadsheet, or a ZIP archive", _SHEET),
    (b"\xd0\xcf\x11\xe0", "is a workbook of an old spreadsheet", _SHEET),
    (b"%PDF", "is a PDF", "Give the text itself"),
    (b"<!DOCTYPE html", "is a web page", "A download has failed: fetch the file itself"),
    (b"<html", "is a web page", "A download has failed: fetch the file itself"),
)


def read_text(path: str | os.PathLike[str], most_bytes: int = MOST_BYTES) -> str:
    """Return the text of a file in UTF-8, with or without a byte order mark.

    Raises
    ------
    InputError
        If the file cannot be read, has more bytes, or is no text: it says what it is.
    """
    content = _content(path, most_bytes + 1)
    if len(content) > most_bytes:
        size = max(os.stat(path).st_size, len(content))  # of a pipe the size is 0
        raise InputError(
            f"has {size / 1e6:,.0f} MB or more, and what is read here has at most "
            f"{most_bytes / 1e6:.0f} MB",
            path=path,
            remedy="Give the right file",
        )
    return _decoded(content, path)


def read_start(path: str | os.PathLike[str]) -> str:
    """Return the whole lines at the start of a text file; errors as of :func:`read_text`."""
    content = _content(path, _START_BYTES)
    if len(content) == _START_BYTES:
        content = content[: max(content.rfind(b"\n"), content.rfind(b"\r")) + 1]
    return _decoded(content, path)


def shown(text: str, most: int = 40) -> str:
    r"""Return text of a file in quotes, as a message can show it: short, and nothing invisible.

    Examples
    --------
    >>> shown("a\tb"), shown("x" * 50, most=4)
    ("'a\\tb'", "'xxx…'")
    """
    text = text if len(text) <= most else f"{text[: most - 1]}…"
    visible = "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )
    return f"'{visible}'"


def _content(path: str | os.PathLike[str], most_bytes: int) -> bytes:
    """Return the first bytes of a file."""
    try:
        with open(path, "rb") as file:
            return file.read(most_bytes)
    except OSError as error:
        raise _unreadable(Path(path), error) from error


def _unreadable(path: Path, error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        problem, remedy = absent(path)
        return InputError(problem, path=path, remedy=remedy)
    return InputError(f"cannot be read ({error.strerror})", path=path)


def _decoded(content: bytes, path: str | os.PathLike[str]) -> str:
    pointer = pointer_in(content, path)
    if pointer is not None:
        raise InputError(f"is {pointer[0]}", path=path, remedy=pointer[1])
    for beginning, what, remedy in _BEGINNINGS:
        if content.startswith(beginning):
            raise InputError(what, path=path, remedy=remedy.replace("FILE", Path(path).name))
    zero = content.find(b"\0")
    if zero >= 0:
        # In UTF-16 every second byte of plain text is 0.
        halves = content[: zero + 64][::2], content[: zero + 64][1::2]
        is_utf16 = any(not any(half) for half in halves)
        what = "is text in UTF-16" if is_utf16 else "is no text: it has a NUL byte"
        raise InputError(_in_line(what, content, zero), path=path, remedy=_SAVE)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"is no text in UTF-8: it has the byte 0x{content[error.start]:02x}"
        raise InputError(_in_line(what, content, error.start), path=path, remedy=_SAVE) from error


def _in_line(what: str, content: bytes, at: int) -> str:
    return f"{what} in line {content.count(bytes([10]), 0, at) + 1}"
