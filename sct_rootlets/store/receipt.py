"""The receipt of an installed model: what was installed, from where, and every file of it.

It is written last, inside the staging folder, so that it appears together with the model.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath

from sct_rootlets import __version__
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import IntegrityError
from sct_rootlets.files.hashing import file_sha256
from sct_rootlets.store.reading import FORMAT, is_word, read_versioned, record_of
from sct_rootlets.texts import shown

__all__ = [
    "RECEIPT",
    "Archive",
    "FileRecord",
    "Receipt",
    "combined_sha256",
    "now_utc",
    "read_receipt",
    "take_stock",
    "write_receipt",
]

#: Name of the receipt in the folder of a version.
RECEIPT = "receipt.json"


@dataclass(frozen=True)
class FileRecord:
    """One file of an installed model."""

    sha256: str
    size_bytes: int
    #: At the installation (the converted weights), rather than unpacked from the archive.
    made: bool = False


@dataclass(frozen=True)
class Archive:
    """An archive that a model came from."""

    sha256: str
    size_bytes: int
    #: URL it came from, or name of the file.
    source: str


@dataclass(frozen=True)
class _Facts:
    name: str
    version: str
    archive_sha256: str
    archive_bytes: int
    source: str
    time_utc: str
    tool_version: str
    trusted_code: bool


@dataclass(frozen=True)
class Receipt(_Facts):
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
    levels : mapping of int to SpinalLevel
        What the manifest said of the values of the output, by which it was installed.
    """

    files: dict[str, FileRecord]
    levels: Mapping[int, SpinalLevel] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """Name and version in one word."""
        return f"{self.name}@{self.version}"

    @property
    def archive(self) -> Archive:
        """The archive that it came from."""
        return Archive(self.archive_sha256, self.archive_bytes, self.source)

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
    archive: Archive,
    *,
    name: str,
    version: str,
    trusted_code: bool = False,
    made: Collection[Path] = (),
    levels: Mapping[int, SpinalLevel] | None = None,
) -> Receipt:
    """Hash the files of a complete model folder and write its receipt into it."""
    facts = _Facts(
        name=name,
        version=version,
        archive_sha256=archive.sha256,
        archive_bytes=archive.size_bytes,
        source=archive.source,
        time_utc=now_utc(),
        tool_version=__version__,
        trusted_code=trusted_code,
    )
    receipt = Receipt(**vars(facts), files=take_stock(folder, made), levels=levels or {})
    content = {
        "format": FORMAT,
        **asdict(facts),
        "levels": {str(value): level.name for value, level in receipt.levels.items()},
        "files": {file: asdict(record) for file, record in receipt.files.items()},
    }
    (folder / RECEIPT).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return receipt


def read_receipt(folder: Path) -> Receipt | None:
    """Return the receipt of a folder, None where it has none.

    Raises
    ------
    StoreError
        If it cannot be read, or a newer version wrote it.
    IntegrityError
        If it is damaged.
    """
    path = folder / RECEIPT
    content = read_versioned(path)
    if content is None:
        return None
    try:
        records, levels = content.pop("files", None), content.pop("levels", {})
        for name, each in (("files", records), ("levels", levels)):
            if not isinstance(each, Mapping):
                raise ValueError(f'"{name}" is not an object')
        facts = record_of(_Facts, content)
        if not (is_word(facts.name) and is_word(facts.version)):
            raise ValueError('"name" or "version" is no word')
        files = {_inside(name): record_of(FileRecord, each) for name, each in records.items()}
        level_of = {_value(value): _level(name) for value, name in levels.items()}
    except ValueError as error:
        raise IntegrityError(f"is not complete ({error})", path=path) from error
    return Receipt(**vars(facts), files=files, levels=level_of)


def _value(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise ValueError('"levels" has a value that is no label')
    return int(text)


def _level(name: object) -> SpinalLevel:
    if not isinstance(name, str) or name not in SpinalLevel.__members__:
        raise ValueError('"levels" has a name that is no spinal level')
    return SpinalLevel[name]


def _inside(name: str) -> str:
    """Return the name of a file of the model, or raise a ValueError if it leads elsewhere."""
    path = PurePosixPath(name)
    os.fsencode(name)  # raises one as well
    is_outside = path.is_absolute() or ".." in path.parts or path.as_posix() != name
    if is_outside or name == "." or "\0" in name:
        raise ValueError(f"it lists {shown(name)}, which is no file of a model")
    return name
