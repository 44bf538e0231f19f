"""Unpack an archive that nobody vouches for into a folder of its own, or not at all."""

from __future__ import annotations

import gzip
import os
import shutil
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sct_rootlets.errors import ArchiveError, StoreError
from sct_rootlets.store.archives.bounded import Members
from sct_rootlets.store.archives.tar_members import tar_members
from sct_rootlets.store.archives.zip_members import zip_members
from sct_rootlets.store.space import writing

__all__ = ["UnpackLimits", "unpack"]

_REMEDY = (
    "Nothing of it was kept. Get the archive again from where its makers publish it; if it is "
    "the same, tell them"
)

#: What the readers raise for an archive that is damaged.
_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    OverflowError,
    NotImplementedError,
    RecursionError,
)


@dataclass(frozen=True)
class UnpackLimits:
    """How much an archive may become.

    Parameters
    ----------
    members : int
        Files and folders.
    total_bytes : int
        All that is unpacked.
    ratio : float
        Unpacked bytes for each byte of the archive. Weights shrink hardly at all, and text
        to a tenth.
    unrated_bytes : int
        Up to so many unpacked bytes the ratio is not looked at.
    """

    members: int = 10_000
    total_bytes: int = 32 * 1024**3
    ratio: float = 50.0
    unrated_bytes: int = 64 * 1024**2

    def most_bytes(self, archive_bytes: int) -> int:
        """Return what an archive of `archive_bytes` may become."""
        return min(self.total_bytes, max(self.unrated_bytes, int(self.ratio * archive_bytes)))


def unpack(archive: Path, into: Path, *, limits: UnpackLimits | None = None) -> list[Path]:
    """Unpack a zip, tar or tar.gz file, told apart by their content.

    Parameters
    ----------
    archive : Path
    into : Path
        An empty folder. On any error it is empty again. Nothing is written outside of it.
    limits : UnpackLimits, optional

    Returns
    -------
    list of Path
        The files written, in the order of the archive. Whatever the archive asks for, they
        have the modes of the user's umask, and their folders too.

    Raises
    ------
    ArchiveError
        If the archive is damaged, or holds anything but files and folders that stay in
        their place on every system, within `limits`; said plainly, with the name.
    StoreError
        If `into` is not an empty folder, or cannot be written.
    """
    limits = limits or UnpackLimits()
    if into.is_symlink() or not into.is_dir() or any(into.iterdir()):
        raise StoreError("is not an empty folder to unpack into", path=into)
    try:
        return _unpack(archive, into, limits)
    except BaseException as error:
        _empty(into)
        if not isinstance(error, ArchiveError):
            raise
        problem = f"is not unpacked: {error.problem}"
        raise ArchiveError(problem, path=archive, remedy=_REMEDY) from error


def _unpack(archive: Path, into: Path, limits: UnpackLimits) -> list[Path]:
    files = []
    try:
        with archive.open("rb") as stream:
            for parts, content in _members(stream, into, limits):
                path = into.joinpath(*parts)
                folder = path if content is None else path.parent
                with writing(folder):
                    folder.mkdir(parents=True, exist_ok=True)
                if content is not None:
                    # Never through a link and never over a file, whatever else has gone wrong.
                    with writing(path), path.open("xb") as target:
                        shutil.copyfileobj(content, target)
                    files.append(path)
    except _DAMAGED as error:
        raise ArchiveError(f"it is damaged or cut off ({error})") from error
    except OSError as error:
        raise ArchiveError(f"it cannot be read ({error.strerror or error})") from error
    if not files:
        raise ArchiveError("it holds no file")
    return files


def _members(stream: IO[bytes], into: Path, limits: UnpackLimits) -> Members:
    most_bytes = limits.most_bytes(stream.seek(0, os.SEEK_END))
    stream.seek(0)
    head = stream.read(512)
    stream.seek(0)
    if head.startswith(b"PK\x03\x04"):
        yield from zip_members(stream, into, limits.members, most_bytes)
    elif head.startswith(b"\x1f\x8b"):
        with gzip.GzipFile(fileobj=stream) as inflated:
            yield from tar_members(inflated, into, limits.members, most_bytes)
    elif head[257:262] == b"ustar":
        yield from tar_members(stream, into, limits.members, most_bytes)
    else:
        raise ArchiveError("it is no zip, tar or tar.gz file")


def _empty(folder: Path) -> None:
    for child in folder.iterdir():
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child, ignore_errors=True)
        else:
            child.unlink(missing_ok=True)
