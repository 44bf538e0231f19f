"""The receipt of an installed model: what was installed, from where, and every file of it.

A folder counts as installed only with a receipt that matches its files. The receipt is
written last, inside the staging folder, so that it appears together with the model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sct_rootlets import __version__
from sct_rootlets.errors import ModelError
from sct_rootlets.files.hashing import file_sha256

__all__ = [
    "RECEIPT",
    "FileRecord",
    "Receipt",
    "combined_sha256",
    "is_installed",
    "now_utc",
    "read_receipt",
    "take_stock",
    "verify",
    "write_receipt",
]

#: Name of the receipt in the folder of a version.
RECEIPT = "receipt.json"

_FORMAT = 1

#: What file managers and network file systems leave in folders.
_LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class FileRecord:
    """One file of an installed model."""

    sha256: str
    size_bytes: int
    #: At the installation (the converted weights), rather than unpacked from the archive.
    made: bool = False


@dataclass(frozen=True)
class Receipt:
    """What was installed, from where, and when.

    Attributes
    ----------
    name, version : str
    archive_sha256 : str
    archive_bytes : int
    source : str
        URL the archive came from, or the name of the file it was installed from.
    time_utc : str
        ISO 8601.
    tool_version : str
        Version of this package.
    trusted_code : bool
        Whether it was installed with ``-trust-code``.
    files : dict of str to FileRecord
        By path below the folder, with forward slashes.
    """

    name: str
    version: str
    archive_sha256: str
    archive_bytes: int
    source: str
    time_utc: str
    tool_version: str
    trusted_code: bool
    files: dict[str, FileRecord]

    @property
    def reference(self) -> str:
        """Name and version in one word."""
        return f"{self.name}@{self.version}"

    @property
    def size_bytes(self) -> int:
        """Sum of the sizes of all files."""
        return sum(record.size_bytes for record in self.files.values())

    @property
    def content_sha256(self) -> str:
        """Combined hash of the files that came out of the archive.

        Unlike the hash of the archive, it is the same after the model was packed anew.
        """
        return combined_sha256(
            {name: record.sha256 for name, record in self.files.items() if not record.made}
        )


def now_utc() -> str:
    """Return the time in UTC, as ISO 8601 with seconds."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def combined_sha256(hashes: Mapping[str, str]) -> str:
    r"""Combine the hashes of several files into one.

    It is the sha256 of the text that ``sha256sum`` prints for the files sorted by name:
    one line ``<sha256>  <name>\n`` for each.

    Parameters
    ----------
    hashes : mapping of str to str
        Name, with forward slashes, to sha256.
    """
    lines = [f"{sha256}  {name}\n" for name, sha256 in sorted(hashes.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def take_stock(folder: Path, made: Collection[Path] = ()) -> dict[str, FileRecord]:
    """Hash every file below `folder`, but the receipt; `made` were made at the installation."""
    files = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != RECEIPT:
            files[name] = FileRecord(file_sha256(path), path.stat().st_size, path in made)
    return files


def write_receipt(
    folder: Path,
    *,
    name: str,
    version: str,
    archive_sha256: str,
    archive_bytes: int,
    source: str,
    trusted_code: bool,
    made: Collection[Path],
) -> Receipt:
    """Hash the files of a complete model folder and write its receipt into it."""
    receipt = Receipt(
        name=name,
        version=version,
        archive_sha256=archive_sha256,
        archive_bytes=archive_bytes,
        source=source,
        time_utc=now_utc(),
        tool_version=__version__,
        trusted_code=trusted_code,
        files=take_stock(folder, made),
    )
    content = {"format": _FORMAT, **asdict(receipt)}
    (folder / RECEIPT).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return receipt


def read_receipt(folder: Path) -> Receipt | None:
    """Return the receipt of a folder, or None; raise a `ModelError` if it cannot be used."""
    path = folder / RECEIPT
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ModelError(f"the receipt cannot be read ({error.strerror})", path=path) from error
    except ValueError as error:
        raise _damaged(path, str(error)) from error
    try:
        if content.pop("format") != _FORMAT:
            raise ModelError(
                "the receipt is of another format",
                path=path,
                remedy="A newer version of sct_rootlets wrote it; update this one",
            )
        records = content.pop("files")
        files = {str(name): FileRecord(**record) for name, record in records.items()}
        return Receipt(files=files, **content)
    except (AttributeError, KeyError, TypeError) as error:
        raise _damaged(path, repr(error)) from error


def is_installed(folder: Path) -> bool:
    """Return whether a folder has a receipt, of what its path says, that matches its files.

    Their names and sizes are compared; the hashes are left to :func:`verify`, so that this
    takes no time.
    """
    try:
        receipt = read_receipt(folder)
    except ModelError:
        return False
    if receipt is None or (receipt.name, receipt.version) != (folder.parent.name, folder.name):
        return False
    return not any(_size_problem(folder / name, file) for name, file in receipt.files.items())


def verify(folder: Path) -> list[str]:
    """Hash every file of an installed model; return what does not match its receipt, in words."""
    try:
        receipt = read_receipt(folder)
    except ModelError as error:
        return [error.problem]
    if receipt is None:
        return [f"has no {RECEIPT}"]
    problems = []
    if (receipt.name, receipt.version) != (folder.parent.name, folder.name):
        problems.append(f"its receipt is of {receipt.reference}")
    for name, record in receipt.files.items():
        problem = _size_problem(folder / name, record)
        if not problem and file_sha256(folder / name) != record.sha256:
            problem = "has other bytes"
        if problem:
            problems.append(f"{name} {problem}")
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        strange = path.is_file() and name != RECEIPT and name not in receipt.files
        if strange and path.name not in _LITTER and not path.name.startswith((".nfs", "._")):
            problems.append(f"{name} was added")
    return problems


def _size_problem(path: Path, record: FileRecord) -> str:
    try:
        size = path.stat().st_size
    except OSError:
        return "is missing"
    return "" if size == record.size_bytes else f"has {size} bytes, not {record.size_bytes}"


def _damaged(path: Path, why: str) -> ModelError:
    return ModelError(
        f"the receipt is damaged ({why})", path=path, remedy="Install the model again"
    )
