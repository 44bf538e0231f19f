"""Read a tar file that may be hostile: ``tarfile`` reads it, and what it may hold is said here."""

from __future__ import annotations

import gzip
import math
import tarfile
from pathlib import Path
from typing import IO

from sct_rootlets.errors import ArchiveError
from sct_rootlets.store.archives.bounded import BoundedFile, Members
from sct_rootlets.store.archives.member_names import MemberNames
from sct_rootlets.store.space import bytes_text

__all__ = ["tar_members"]

_BLOCK_BYTES = 1 << 18

#: Of all headers of a member; a path and some dates need far less. It bounds as well how deep
#: ``tarfile`` calls itself, once for each header that another one follows.
_MOST_HEADER_BYTES = 1 << 16

_KINDS = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}

#: Fields of extended headers that make something else of a file, by their beginnings.
_FIELDS = {
    "GNU.sparse": "a sparse file",
    "linkpath": "the target of a link",
    "hdrcharset": "named in another encoding than UTF-8",
}


def tar_members(
    stream: IO[bytes] | gzip.GzipFile, into: Path, most_members: int, most_bytes: int
) -> Members:
    """Yield the members of an uncompressed tar file, each looked at before.

    It is read to its end, so that what decompresses it checks its checksum.

    Raises
    ------
    ArchiveError
        Or, where the archive is damaged, what ``tarfile`` and ``zlib`` raise.
    """
    excess = f"extended headers of more than {bytes_text(_MOST_HEADER_BYTES)}"
    bounded = BoundedFile(stream, _MOST_HEADER_BYTES, excess, most_bytes)
    names = MemberNames()
    with tarfile.TarFile(fileobj=bounded, encoding="utf-8", errors="surrogateescape") as archive:
        for count, member in enumerate(archive, 1):
            if count > most_members:
                raise ArchiveError(f"it holds more than {most_members} members")
            if not archive.pax_headers.keys().isdisjoint(("path", "size")):
                raise ArchiveError("it says for all members how they are named or how long")
            _check_kind(member)
            parts = names.add(member.name, is_folder=member.isdir())
            # What tarfile itself holds for safe, since 3.10.12, 3.11.4 and 3.12; we ask for more.
            getattr(tarfile, "data_filter", lambda member, path: member)(member, str(into))
            if parts:
                bounded.room = member.size
                yield parts, archive.extractfile(member)
            bounded.room = _MOST_HEADER_BYTES
        # tarfile takes every damaged header but the first, and a cut, for the end.
        if bounded.last != bytes(tarfile.BLOCKSIZE):
            raise ArchiveError("it is damaged or cut off")
        bounded.room = math.inf
        while block := bounded.read(_BLOCK_BYTES):
            if block.strip(b"\0"):
                raise ArchiveError("it goes on after its end")


def _check_kind(member: tarfile.TarInfo) -> None:
    kind = None
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE):
        kind = _KINDS.get(member.type, "neither a file nor a folder")
    for field in member.pax_headers:
        kind = next((_FIELDS[start] for start in _FIELDS if field.startswith(start)), kind)
    if kind is not None:
        raise ArchiveError(f"{member.name!r} is {kind}")
    if member.size < 0:
        raise ArchiveError(f"it is damaged: {member.name!r} has a negative size")
    if member.isdir() and member.size:
        raise ArchiveError(f"{member.name!r} is a folder with content")
