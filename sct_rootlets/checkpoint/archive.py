"""The archive of a checkpoint, looked through before anything else reads it.

A file of ``torch.save`` is a zip of a pickle and of one record a storage. ``torch.load`` is
not called on it: its releases differ in what they run, and it has read TorchScript and tar
archives (CVE-2025-32434) and storages shorter than the pickle says (CVE-2026-24747) even with
``weights_only``. The tensors are made of the very bytes that were looked at here, so that no
second reader of zips or pickles can see other ones.
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sct_rootlets.checkpoint.program import HoldsMore, run
from sct_rootlets.errors import ModelError

__all__ = [
    "MAX_PICKLE_BYTES",
    "TRUST_REMEDY",
    "damaged",
    "look_through",
]

_T = TypeVar("_T")

#: A pickle of nnU-Net takes 1 to 2 MB, most of it the log of 2000 epochs.
MAX_PICKLE_BYTES = 16 << 20

#: Of the table of contents: a checkpoint has some thousand records, each with its name.
_MAX_TABLE_BYTES = 4 << 20

#: What to do about a checkpoint that holds more than weights.
TRUST_REMEDY = (
    "Use a checkpoint as nnU-Net saves it; or, if you trust whoever made this one as you would "
    "a program of theirs, install the model with -trust-code"
)

_SHOWN = 8


def look_through(path: Path, take: Callable[[Any, Callable[[str], bytes]], _T]) -> _T:
    """Look through the archive of a checkpoint, and return what `take` takes of it.

    Parameters
    ----------
    path : Path
        A file that ``torch.save`` wrote in its zip format (its default since 1.6).
    take : callable
        Is given what the pickle builds, with stand-ins for tensors
        (:class:`sct_rootlets.checkpoint.stand_ins.StoredTensor`), and a function that returns
        the bytes of a record, compared with its checksum.

    Raises
    ------
    ModelError
        If it is damaged, of another format, or holds anything but tensors and numbers;
        what it holds is named.
    """
    try:
        if not path.is_file():  # a pipe would be waited for
            raise FileNotFoundError(2, "there is no such file", str(path))
        return _looked_through(path, take)
    except OSError as error:
        raise ModelError(f"the checkpoint cannot be read ({error.strerror})", path=path) from error
    except (ModelError, MemoryError):
        raise
    except Exception as error:  # zipfile and pickle raise many kinds for hostile bytes
        raise damaged(path, f"{type(error).__name__}: {error}") from error


def damaged(path: Path, why: str) -> ModelError:
    """Return the error of a file that is no checkpoint, or was one."""
    return ModelError(
        f"the checkpoint is damaged or no checkpoint ({why})",
        path=path,
        remedy="Copy or unzip the model again",
    )


def _could_run(path: Path, what: str, remedy: str = TRUST_REMEDY) -> ModelError:
    return ModelError(
        f"the checkpoint {what}, and is not loaded because that could run code",
        path=path,
        remedy=remedy,
    )


def _looked_through(path: Path, take: Callable[[Any, Callable[[str], bytes]], _T]) -> _T:
    with path.open("rb") as stream:
        start = stream.read(512)
    if not start.startswith(b"PK\x03\x04"):
        if start[:1] == b"\x80" or start[257:262] == b"ustar":
            raise _could_run(path, "is in an old format of PyTorch (a bare pickle or a tar file)")
        raise damaged(path, f"it starts with {start[:16]!r}")
    with _Bounded(path.open("rb", buffering=0)) as bounded, zipfile.ZipFile(bounded) as archive:
        bounded.most = sys.maxsize
        records = _records(archive, path)
        sizes = {name: info.file_size for name, info in records.items()}
        try:
            content = run(archive.read(records["data.pkl"]), sizes)
        except HoldsMore as more:
            raise _could_run(path, f"holds more than weights ({_listed(more.names)})") from more
        return take(content, lambda name: archive.read(records[name]))


class _Bounded(io.BufferedReader):
    """A file of which no piece is read that has more than `most` bytes.

    ``zipfile`` reads a table of contents of any length, and makes ten times as much of it.
    """

    most = _MAX_TABLE_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        size = self.most if size is None or size < 0 else size
        if size > self.most:
            raise ValueError(f"its table of contents has more than {self.most >> 20} MiB")
        return super().read(size)


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name[:100])[1:-1] for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def _records(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the records by their name below the one top folder."""
    infos = archive.infolist()
    tops = {info.filename.partition("/")[0] for info in infos}
    records = {info.filename.partition("/")[2]: info for info in infos}
    if {"constants.pkl", "code"} & {name.partition("/")[0] for name in records}:
        remedy = "Use the checkpoint that nnU-Net saved, not an exported network"
        raise _could_run(path, "is a TorchScript program", remedy)
    if len(tops) != 1 or len(records) != len(infos) or "data.pkl" not in records:
        raise damaged(path, "it is not one archive of torch.save")
    if any(info.compress_type != zipfile.ZIP_STORED for info in infos):
        raise damaged(path, "it is compressed, which torch.save never does")
    if sum(info.file_size for info in infos) > path.stat().st_size:
        raise damaged(path, "its records overlap")
    if records["data.pkl"].file_size > MAX_PICKLE_BYTES:
        raise damaged(path, f"its pickle is larger than {MAX_PICKLE_BYTES >> 20} MiB")
    if "byteorder" in records and archive.read(records["byteorder"]) != sys.byteorder.encode():
        raise damaged(path, f"its numbers are not in {sys.byteorder}-endian order")
    return records
