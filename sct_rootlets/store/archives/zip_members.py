"""Read a zip file that may be hostile.

The table of contents is read by ``zipfile``; the data are read here, because the bytes that a
member truly has, where it begins and where it ends shall not be the header's word.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from sct_rootlets.errors import ArchiveError
from sct_rootlets.store.archives.member_names import MemberNames

__all__ = ["check_zip", "read_zip_member"]

_BLOCK_BYTES = 1 << 18

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_END = struct.Struct("<4s4H2LH")
_END_64_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")

#: Of a member's entry in the table of contents, on average; the least is 46.
_ENTRY_BYTES = 512

#: Encrypted, patched, strongly encrypted, header masked.
_FORBIDDEN_FLAGS = 0x0001 | 0x0020 | 0x0040 | 0x2000

#: What ``zipfile`` raises for a file that is none, or damaged.
_DAMAGED = (
    zipfile.BadZipFile,
    NotImplementedError,
    ValueError,
    EOFError,
    OverflowError,
    struct.error,
)


def check_zip(
    stream: IO[bytes], most_members: int
) -> list[tuple[tuple[str, ...], zipfile.ZipInfo, int]]:
    """Check the table of contents of a zip file.

    Parameters
    ----------
    stream : binary file
    most_members : int

    Returns
    -------
    list of (tuple of str, ZipInfo, int)
        Of every member but the folder all lies in: the parts of its name, its entry, and
        the position of its data in the file.

    Raises
    ------
    ArchiveError
    """
    try:
        _check_table_size(stream, most_members)
        with zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
            table_start = archive.start_dir
    except _DAMAGED as error:
        raise ArchiveError(f"it is damaged or cut off ({error})") from error
    if len(entries) > most_members:
        raise ArchiveError(f"it holds {len(entries)} members, more than {most_members}")
    names = MemberNames()
    found = []
    occupied = []
    for entry in entries:
        # Not entry.filename: it ends at a NUL, and newer Pythons take it from an extra field.
        name = entry.orig_filename
        is_folder = name.endswith("/")
        parts = names.add(name, is_folder=is_folder)
        _check_kind(entry, name, is_folder)
        start = _data_start(stream, entry, name)
        occupied.append((entry.header_offset, start + entry.compress_size, name))
        if parts:
            found.append((parts, entry, start))
    occupied.sort()
    limits = [begin for begin, _, _ in occupied[1:]] + [table_start]
    for (_, end, name), limit in zip(occupied, limits, strict=False):
        if end > limit:
            raise ArchiveError(f"the data of {name!r} overlap with what follows")
    return found


def _check_table_size(stream: IO[bytes], most_members: int) -> None:
    """Raise if the table of contents is too large to be read into memory."""
    size = stream.seek(0, 2)
    tail_start = max(0, size - _END.size - 0xFFFF)
    stream.seek(tail_start)
    tail = stream.read()
    place = tail.rfind(b"PK\x05\x06")
    if place < 0:
        raise zipfile.BadZipFile("its table of contents is missing")
    end = _END.unpack_from(tail, place)
    table_bytes = end[5]
    locator_start = tail_start + place - _END_64_LOCATOR.size
    if locator_start >= 0:
        stream.seek(locator_start)
        locator = _END_64_LOCATOR.unpack(stream.read(_END_64_LOCATOR.size))
        if locator[0] == b"PK\x06\x07":
            stream.seek(max(0, locator_start - _END_64.size))
            end_64 = _END_64.unpack(stream.read(_END_64.size))
            if end_64[0] != b"PK\x06\x06":
                raise zipfile.BadZipFile("its table of contents is not where it says")
            table_bytes = end_64[8]
    if table_bytes > most_members * _ENTRY_BYTES:
        raise ArchiveError(f"its table of contents has {table_bytes} bytes, too many")
    stream.seek(0)


def _check_kind(entry: zipfile.ZipInfo, name: str, is_folder: bool) -> None:
    if entry.flag_bits & _FORBIDDEN_FLAGS:
        raise ArchiveError(f"{name!r} is encrypted or patched")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ArchiveError(
            f"{name!r} is compressed by method {entry.compress_type}; deflate and none are read"
        )
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise ArchiveError(f"{name!r} is a link")
    if kind not in (0, stat.S_IFDIR if is_folder else stat.S_IFREG):
        raise ArchiveError(f"{name!r} is neither a file nor a folder, or both")
    if is_folder and entry.file_size:
        raise ArchiveError(f"{name!r} is a folder with content")


def _data_start(stream: IO[bytes], entry: zipfile.ZipInfo, name: str) -> int:
    """Return where the data of a member begin, from the header in front of them."""
    header = b""
    if entry.header_offset >= 0:
        stream.seek(entry.header_offset)
        header = stream.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
        raise ArchiveError(f"it is damaged: {name!r} is not where the table of contents says")
    _, _, flags, method, *_, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(header)
    encoding = "utf-8" if entry.flag_bits & 0x800 else "cp437"
    if stream.read(name_bytes).decode(encoding, "replace") != name:
        raise ArchiveError(f"it is damaged: {name!r} has another name before its data")
    if flags & _FORBIDDEN_FLAGS or method != entry.compress_type:
        raise ArchiveError(f"it is damaged: {name!r} is of another kind before its data")
    return entry.header_offset + _LOCAL_HEADER.size + name_bytes + extra_bytes


def read_zip_member(stream: IO[bytes], entry: zipfile.ZipInfo, start: int) -> Iterator[bytes]:
    """Yield the content of a member, in blocks of a limited size.

    Raises
    ------
    ArchiveError
        If it is not as long as the header says, does not end where it should, or has
        another checksum.
    """
    name = entry.orig_filename
    checksum = 0
    count = 0
    content = _stored(stream, entry, start)
    if entry.compress_type == zipfile.ZIP_DEFLATED:
        content = _inflated(content, name)
    for block in content:
        count += len(block)
        if count > entry.file_size:
            raise ArchiveError(f"{name!r} is longer than its header says")
        checksum = zlib.crc32(block, checksum)
        yield block
    if count != entry.file_size or checksum != entry.CRC:
        raise ArchiveError(f"it is damaged: {name!r} has a wrong length or checksum")


def _stored(stream: IO[bytes], entry: zipfile.ZipInfo, start: int) -> Iterator[bytes]:
    stream.seek(start)
    left = entry.compress_size
    while left:
        block = stream.read(min(left, _BLOCK_BYTES))
        if not block:
            raise ArchiveError(f"it is cut off in {entry.orig_filename!r}")
        left -= len(block)
        yield block


def _inflated(compressed: Iterator[bytes], name: str) -> Iterator[bytes]:
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for block in compressed:
            while block:
                yield engine.decompress(block, _BLOCK_BYTES)
                block = engine.unconsumed_tail
            if engine.unused_data:
                raise ArchiveError(f"{name!r} ends before its header says")
        while not engine.eof:  # the last bytes read may still stand for many
            block = engine.decompress(b"", _BLOCK_BYTES)
            if not block and not engine.eof:
                raise ArchiveError(f"it is cut off in {name!r}")
            yield block
    except zlib.error as error:
        raise ArchiveError(f"it is damaged: {name!r} ({error})") from error
