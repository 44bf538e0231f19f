"""Read a zip file that may be hostile: ``zipfile`` reads it, and what it may hold is said here."""

from __future__ import annotations

import copy
import math
import stat
import struct
import zipfile
from pathlib import Path
from typing import IO

from sct_rootlets.errors import ArchiveError
from sct_rootlets.store.archives.bounded import BoundedFile, Members, too_large
from sct_rootlets.store.archives.member_names import MemberNames
from sct_rootlets.store.space import bytes_text, require_space

__all__ = ["zip_members"]

#: Of a member's entry in the table of contents, on average; the least is 46.
_ENTRY_BYTES = 512

#: What is read before the table: the end of the file, with a comment.
_TAIL_BYTES = (1 << 16) + 1024

_LOCAL_HEADER_BYTES = 30

#: Encrypted, patched, strongly encrypted, header masked.
_FORBIDDEN_FLAGS = 0x0001 | 0x0020 | 0x0040 | 0x2000


def zip_members(stream: IO[bytes], into: Path, most_members: int, most_bytes: int) -> Members:
    """Yield the members of a zip file, all of which were looked at before the first.

    Raises
    ------
    ArchiveError
        Or, where the archive is damaged, what ``zipfile`` and ``zlib`` raise.
    StoreError
        If there is no room for them in the folder `into`.
    """
    most_table_bytes = most_members * _ENTRY_BYTES
    excess = f"a table of contents of more than {bytes_text(most_table_bytes)}"
    bounded = BoundedFile(stream, most_table_bytes + _TAIL_BYTES, excess)
    with zipfile.ZipFile(bounded) as archive:
        bounded.room = math.inf
        entries = archive.infolist()
        if len(entries) > most_members:
            raise ArchiveError(f"it holds {len(entries)} members, more than {most_members}")
        # Not entry.filename: it ends at a NUL, and newer Pythons take it from an extra field.
        names = MemberNames()
        all_parts = [
            names.add(entry.orig_filename, is_folder=entry.orig_filename.endswith("/"))
            for entry in entries
        ]
        _check_places(entries, archive.start_dir)
        for entry in entries:
            _check_kind(entry, bounded)
        total_bytes = sum(entry.file_size for entry in entries)
        if total_bytes > most_bytes:
            raise too_large(most_bytes)
        require_space(into, total_bytes, "what the archive holds")
        for parts, entry in zip(all_parts, entries, strict=True):
            if parts and entry.orig_filename.endswith("/"):
                yield parts, None
            elif parts:
                # zipfile stops without a word at the length that the header says. With one byte
                # more it reads on to the end of the data, or finds another checksum.
                longer = copy.copy(entry)
                longer.file_size += 1
                with archive.open(longer) as content:
                    yield parts, content
                    _check_end(content, entry)


def _check_places(entries: list[zipfile.ZipInfo], table_start: int) -> None:
    """Raise if members overlap, which ``zipfile`` looks at since 3.10.14, 3.11.8 and 3.12.2."""
    free = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        end = entry.header_offset + _LOCAL_HEADER_BYTES + entry.compress_size
        if entry.header_offset < free or end > table_start:
            raise ArchiveError(
                f"{entry.orig_filename!r} is not where the table of contents says, or overlaps "
                "with something else"
            )
        free = end


def _check_kind(entry: zipfile.ZipInfo, bounded: BoundedFile) -> None:
    name = entry.orig_filename
    is_folder = name.endswith("/")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise ArchiveError(f"{name!r} is a link")
    if kind not in (0, stat.S_IFDIR if is_folder else stat.S_IFREG):
        raise ArchiveError(f"{name!r} is neither a file nor a folder, or both")
    if is_folder and entry.file_size:
        raise ArchiveError(f"{name!r} is a folder with content")
    method = entry.compress_type
    if method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # lzma takes what memory it likes
        raise ArchiveError(f"{name!r} is compressed by method {method}; deflate and none are read")
    # zipfile does not compare these two in the header before the data with those in the table.
    bounded.seek(entry.header_offset + 6)
    flags, local_method = struct.unpack("<2H", bounded.read(4))
    if (entry.flag_bits | flags) & _FORBIDDEN_FLAGS:
        raise ArchiveError(f"{name!r} is encrypted or patched")
    if local_method != method:
        raise ArchiveError(f"it is damaged: {name!r} is of another kind before its data")


def _check_end(content: IO[bytes], entry: zipfile.ZipInfo) -> None:
    """Raise if a member is not as long as its header says, packed or unpacked."""
    if content.tell() != entry.file_size:
        raise ArchiveError(f"{entry.orig_filename!r} is not as long as its header says")
    # zipfile says nothing of what follows the end of the compressed data, and has it here only.
    unused = getattr(getattr(content, "_decompressor", None), "unused_data", b"")
    if unused or getattr(content, "_compress_left", 0):
        raise ArchiveError(f"{entry.orig_filename!r} ends before its header says")
