"""Read a tar file that may be hostile.

Headers are decoded by ``tarfile``, one at a time. The walk from header to header is made here,
because ``tarfile`` reads extended headers into memory whatever size they claim.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from typing import Protocol

from sct_rootlets.errors import ArchiveError
from sct_rootlets.store.archives.member_names import MemberNames

__all__ = ["read_tar"]

_RECORD_BYTES = tarfile.BLOCKSIZE
_BLOCK_BYTES = 1 << 18

#: Of an extended header; a path and some dates need far less.
_MOST_EXTENDED_BYTES = 1 << 16

#: Headers for each member: its own, an extended one, a global one, a long name.
_HEADERS_PER_MEMBER = 4

_KINDS = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a link",
    tarfile.GNUTYPE_LONGLINK: "a link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_tar(
    stream: _Readable, most_members: int, spend: Callable[[int], None]
) -> Iterator[tuple[tuple[str, ...], Iterator[bytes] | None]]:
    """Yield the members of an uncompressed tar stream.

    Parameters
    ----------
    stream : readable
        Read once, from its start to its end.
    most_members : int
    spend : callable
        Called with the number of bytes before they are used; raises if they are too many.

    Yields
    ------
    tuple of (tuple of str, iterator of bytes or None)
        Parts of the name; the content of a file, to be exhausted before the next member
        is asked for, or None for a folder.

    Raises
    ------
    ArchiveError
    """
    reader = _Reader(stream, spend)
    names = MemberNames()
    members = 0
    long_name: str | None = None
    size: int | None = None
    for _ in range(most_members * _HEADERS_PER_MEMBER):
        header = reader.exactly(_RECORD_BYTES)
        if not header.strip(b"\0"):
            reader.require_only_zeros()
            return
        info = _decoded(header)
        if info.type in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME):
            found_name, found_size = _extended(reader, info)
            is_global = info.type == tarfile.XGLTYPE
            twice = long_name is not None or size is not None
            if (is_global or twice) and (found_name, found_size) != (None, None):
                raise ArchiveError("it says twice, or for all, how a member is named or how long")
            long_name = found_name if long_name is None else long_name
            size = found_size if size is None else size
            continue
        members += 1
        if members > most_members:
            break
        name = info.name if long_name is None else long_name
        size = info.size if size is None else size
        is_folder = info.type == tarfile.DIRTYPE
        if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE):
            kind = _KINDS.get(info.type, "neither a file nor a folder")
            raise ArchiveError(f"{name!r} is {kind}")
        if is_folder and size:
            raise ArchiveError(f"{name!r} is a folder with content")
        parts = names.add(name, is_folder=is_folder)
        yield parts, None if is_folder else reader.content(size)
        long_name = size = None
    raise ArchiveError(f"it holds more than {most_members} members")


def _decoded(header: bytes) -> tarfile.TarInfo:
    try:
        info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError) as error:
        raise ArchiveError(f"it is damaged ({error})") from error
    if info.size < 0:
        raise ArchiveError(f"it is damaged: {info.name!r} has a negative size")
    return info


def _extended(reader: _Reader, info: tarfile.TarInfo) -> tuple[str | None, int | None]:
    """Return the (name, size) that an extended header sets for the member after it."""
    if info.size > _MOST_EXTENDED_BYTES:
        raise ArchiveError(f"it has an extended header of {info.size} bytes")
    data = b"".join(reader.content(info.size))
    try:
        if info.type == tarfile.GNUTYPE_LONGNAME:
            return data.rstrip(b"\0").decode(), None
        fields = _pax_fields(data)
        if any(key.startswith("GNU.sparse") for key in fields):
            raise ArchiveError("it holds a sparse file")
        if "linkpath" in fields:
            raise ArchiveError(f"{fields['linkpath']!r} is the target of a link")
        if "hdrcharset" in fields:
            raise ArchiveError("it has names in another encoding than UTF-8")
        size = fields.get("size")
        if size is not None and not (size.isascii() and size.isdigit() and len(size) < 20):
            raise ArchiveError(f"it is damaged: {size!r} is no size")
        return fields.get("path"), None if size is None else int(size)
    except ValueError as error:
        raise ArchiveError("it is damaged: an extended header cannot be read") from error


def _pax_fields(data: bytes) -> dict[str, str]:
    """Return the records "LENGTH KEY=VALUE" of an extended header; raise ValueError if damaged."""
    fields: dict[str, str] = {}
    while data:
        digits, space, _ = data[:20].partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        record, data = data[:length], data[length:]
        key, equals, value = record[len(digits) + 1 :].partition(b"=")
        if not (space and equals and record.endswith(b"\n") and len(record) == length):
            raise ValueError("no record")
        if key in (b"path", b"size", b"linkpath", b"hdrcharset") or key.startswith(b"GNU."):
            if key.decode() in fields:
                raise ValueError("twice the same")
            fields[key.decode()] = value[:-1].decode()
    return fields


class _Reader:
    """Reads exactly what is asked for, and counts it."""

    def __init__(self, stream: _Readable, spend: Callable[[int], None]) -> None:
        self._stream = stream
        self._spend = spend

    def exactly(self, count: int) -> bytes:
        self._spend(count)
        data = b""
        while len(data) < count:
            block = self._stream.read(count - len(data))
            if not block:
                raise ArchiveError("it is cut off")
            data += block
        return data

    def content(self, size: int) -> Iterator[bytes]:
        """Yield the `size` bytes after a header, and skip what fills their last record."""
        left = size
        while left:
            block = self.exactly(min(left, _BLOCK_BYTES))
            left -= len(block)
            yield block
        self.exactly(-size % _RECORD_BYTES)

    def require_only_zeros(self) -> None:
        """Read to the end, so that what compressed the stream checks its checksum as well."""
        while block := self._stream.read(_BLOCK_BYTES):
            self._spend(len(block))
            if block.strip(b"\0"):
                raise ArchiveError("it goes on after its end")
