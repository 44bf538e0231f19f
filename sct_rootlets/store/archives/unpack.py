"""Unpack an archive that nobody vouches for into a folder of its own, or not at all."""

from __future__ import annotations

import gzip
import logging
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sct_rootlets.errors import ArchiveError, StoreError
from sct_rootlets.store.archives.tar_members import read_tar
from sct_rootlets.store.archives.zip_members import check_zip, read_zip_member
from sct_rootlets.store.space import bytes_text, require_space, writing

__all__ = ["Limits", "unpack"]

logger = logging.getLogger(__name__)

_FILE_MODE = 0o644
_FOLDER_MODE = 0o755

#: Where Finder keeps what belongs to macOS; a folder of it looks like a second model.
_NOT_CONTENT = "__MACOSX"

_REMEDY = (
    "Nothing of it was kept. Get the archive again from where its makers publish it; if it is "
    "the same, tell them"
)

_Members = Iterator[tuple[tuple[str, ...], "Iterator[bytes] | None"]]


@dataclass(frozen=True)
class Limits:
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


def unpack(archive: Path, into: Path, *, limits: Limits | None = None) -> list[Path]:
    """Unpack a zip, tar or tar.gz file, told apart by their content.

    Parameters
    ----------
    archive : Path
    into : Path
        An empty folder. On any error it is empty again. Nothing is written outside of it.
    limits : Limits, optional

    Returns
    -------
    list of Path
        The files written, in the order of the archive. Whatever the archive asks for, they
        have the mode 0644 and their folders 0755, less the umask.

    Raises
    ------
    ArchiveError
        If the archive is damaged, or holds anything but files and folders that stay in
        their place on every system, within `limits`; said plainly, with the name.
    StoreError
        If `into` is not an empty folder, or cannot be written.
    """
    limits = limits or Limits()
    if into.is_symlink() or not into.is_dir() or any(into.iterdir()):
        raise StoreError("is not an empty folder to unpack into", path=into)
    try:
        return _unpack(archive, into, limits)
    except ArchiveError as error:
        _empty(into)
        problem = f"is not unpacked: {error.problem}"
        raise ArchiveError(problem, path=archive, remedy=_REMEDY) from error
    except BaseException:
        _empty(into)
        raise


def _unpack(archive: Path, into: Path, limits: Limits) -> list[Path]:
    files = []
    try:
        with archive.open("rb") as stream:
            for parts, content in _members(stream, into, limits):
                path = into.joinpath(*parts)
                if parts[:1] == (_NOT_CONTENT,):
                    logger.debug("%s: %s is left out", archive, "/".join(parts))
                    for _ in content or ():
                        pass  # its bytes come before those of the next member
                elif content is None:
                    _make_folder(path)
                else:
                    _make_folder(path.parent)
                    _write(path, content)
                    files.append(path)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ArchiveError(f"it is damaged or cut off ({error})") from error
    except OSError as error:
        raise ArchiveError(f"it cannot be read ({error.strerror or error})") from error
    if not files:
        raise ArchiveError("it holds no file")
    return files


def _members(stream: IO[bytes], into: Path, limits: Limits) -> _Members:
    """Yield (parts of the name, content or None for a folder) of every member."""
    archive_bytes = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    head = stream.read(512)
    stream.seek(0)
    most_bytes = limits.most_bytes(archive_bytes)
    spend = _counter(most_bytes)
    if head.startswith(b"PK\x03\x04"):
        return _zip_members(stream, into, limits, most_bytes, spend)
    if head.startswith(b"\x1f\x8b"):
        return _gzip_members(stream, limits, spend)
    if head[257:262] == b"ustar":
        return read_tar(stream, limits.members, spend)
    raise ArchiveError("it is no zip, tar or tar.gz file")


def _counter(most_bytes: int) -> Callable[[int], None]:
    """Return a function to be told of bytes, which raises once they are too many."""
    left = most_bytes

    def spend(count: int) -> None:
        nonlocal left
        left -= count
        if left < 0:
            raise _too_large(most_bytes)

    return spend


def _too_large(most_bytes: int) -> ArchiveError:
    return ArchiveError(f"it becomes larger than {bytes_text(most_bytes)}, too much for its size")


def _zip_members(
    stream: IO[bytes], into: Path, limits: Limits, most_bytes: int, spend: Callable[[int], None]
) -> _Members:
    entries = check_zip(stream, limits.members)
    total_bytes = sum(entry.file_size for _, entry, _ in entries)
    if total_bytes > most_bytes:
        raise _too_large(most_bytes)
    require_space(into, total_bytes, "what the archive holds")
    for parts, entry, start in entries:
        if entry.orig_filename.endswith("/"):
            yield parts, None
        else:
            yield parts, _spent(read_zip_member(stream, entry, start), spend)


def _spent(content: Iterator[bytes], spend: Callable[[int], None]) -> Iterator[bytes]:
    for block in content:
        spend(len(block))
        yield block


def _gzip_members(stream: IO[bytes], limits: Limits, spend: Callable[[int], None]) -> _Members:
    with gzip.GzipFile(fileobj=stream) as inflated:
        yield from read_tar(inflated, limits.members, spend)


def _make_folder(path: Path) -> None:
    with writing(path):
        path.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)


def _write(path: Path, content: Iterator[bytes]) -> None:
    with writing(path):
        # Never through a link and never over a file, whatever else has gone wrong.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(path, flags, _FILE_MODE)
    try:
        for block in content:
            with writing(path):
                rest = memoryview(block)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
    finally:
        with writing(path):
            os.close(descriptor)


def _empty(folder: Path) -> None:
    for child in folder.iterdir():
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child, ignore_errors=True)
        else:
            child.unlink(missing_ok=True)
