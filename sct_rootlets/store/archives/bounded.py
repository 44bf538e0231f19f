"""A file from which ``zipfile`` and ``tarfile`` cannot read more than is good for us."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from typing import IO, Any

from sct_rootlets.errors import ArchiveError
from sct_rootlets.store.space import bytes_text

__all__ = ["BoundedFile", "Members", "too_large"]

#: Of every member the parts of its name, and the content of a file, to be read to its end before
#: the next member is asked for, or None for a folder.
Members = Iterator["tuple[tuple[str, ...], IO[bytes] | None]"]


def too_large(most_bytes: float) -> ArchiveError:
    """Return the error of an archive that becomes larger than `most_bytes`."""
    limit = bytes_text(int(most_bytes))
    return ArchiveError(f"it becomes larger than {limit}, too much for its size")


class BoundedFile(io.BufferedReader):
    """A binary file with bounds on what is read from it.

    A table of contents or an extended header is read into memory whatever length it claims, and
    neither ``zipfile`` nor ``tarfile`` has an option against that.

    Parameters
    ----------
    raw : binary file
    room : int
        Bytes that may be read; an attribute, to be set again.
    excess : str
        What the archive has if more is read, for the message.
    end : float
        Place in the file that nothing leads beyond.
    """

    def __init__(self, raw: Any, room: float, excess: str, end: float = math.inf) -> None:
        super().__init__(raw)
        self.room, self._excess, self._end = room, excess, end
        #: What was read last.
        self.last = b""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return at most `size` bytes, or what there is room for."""
        size = int(self.room) if size is None or size < 0 else size
        if size > self.room:
            raise ArchiveError(f"it has {self._excess}")
        try:
            self.last = super().read(size)
        except OSError as error:  # said here, so that it is not taken for one of the file written
            raise ArchiveError(f"it is damaged or cannot be read ({error})") from error
        self.room -= len(self.last)
        if self.tell() > self._end:
            raise too_large(self._end)
        return self.last

    def seek(self, place: int, whence: int = 0, /) -> int:
        """Go to a place in the file, and return it."""
        if whence == 0 and place < 0:
            raise ArchiveError("it is damaged: a part of it is not where it says")
        if whence == 0 and place > self._end:
            raise too_large(self._end)
        return super().seek(place, whence)
