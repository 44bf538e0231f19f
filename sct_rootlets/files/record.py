"""What a result says of its own files: their sha256, by which they are known again.

The JSON of a result, or its page, lists every file that was written with it. Whoever finds such
a file later can tell whether it is ours, and whether somebody has changed it since.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path
from typing import Any

from sct_rootlets.errors import InputError
from sct_rootlets.files.hashing import file_sha256
from sct_rootlets.files.json_files import read_object
from sct_rootlets.files.sidecar import names_us, relative, to_json

__all__ = [
    "EARLIER",
    "FILES",
    "GROWS",
    "Record",
    "content_sha256",
    "is_record",
    "page_proof",
    "read_record",
    "seal_page",
    "sealed",
]

#: Key of a JSON: the sha256 of every file written with it, by its name as seen from there. That of
#: the JSON itself is of its content without this one line.
FILES = "Files"
#: Those that were written with it before, and neither written again nor removed.
EARLIER = "EarlierFiles"

#: What stands in place of a hash for a table that several runs add lines to.
GROWS = "grows"

_UNKNOWN = "0" * 64
_PAGES = (".html", ".htm")
#: Where a page has its proof, and how far into the page it may be.
_PROOF = re.compile(rb'<meta name="sct_rootlets-files" content="([^"]*)">')
_HEAD_BYTES = 1 << 16


@dataclass(frozen=True)
class Record:
    """What the JSON or the page of a result says of its files.

    Attributes
    ----------
    path : Path
    files : mapping of str to str
        sha256 by name, as seen from the folder of `path`; empty where none are listed.
    is_ours : bool
        Whether it says that this package made it.
    """

    path: Path
    files: Mapping[str, str]
    is_ours: bool

    def sha256_of(self, path: str | os.PathLike[str]) -> str | None:
        """Return the sha256 that a file had when it was written, None if it is not listed."""
        return self.files.get(relative(path, self.path.parent))


def is_record(path: Path) -> bool:
    """Say whether a file has a name by which it can list others."""
    return path.suffix.lower() in (".json", *_PAGES)


def read_record(path: Path, name: str = "") -> Record | None:
    """Read the record in a JSON or a page; None where there is no such file, or another one.

    `name` is the one that it will have, if that of the file is another.
    """
    if Path(name or path.name).suffix.lower() in _PAGES:
        found = _proof(path)
        return None if found is None else Record(path, _hashes(found[1]), True)
    try:
        content = read_object(path)
    except InputError:
        return None
    files = {**_hashes(content.get(EARLIER)), **_hashes(content.get(FILES))}
    return Record(path, files, names_us(content))


def sealed(
    path: Path,
    content: Mapping[str, Any],
    files: Mapping[str, str],
    earlier: Mapping[str, str] | None = None,
) -> str:
    """Return the text of a JSON that lists files, and itself.

    Parameters
    ----------
    path : Path
        Of the JSON.
    content : mapping
        What else it says.
    files, earlier : mapping of str to str
        sha256 of files by their names as seen from its folder: of this run, and of earlier ones.
    """
    whole: dict[str, Any] = {**content, **({EARLIER: dict(earlier)} if earlier else {})}
    whole[FILES] = dict(files)
    # As it will be read: JSON has neither tuples nor numbers as keys.
    own = _sha256_of_json(json.loads(json.dumps(whole)), path.name)
    whole[FILES] = {**files, path.name: own}
    return to_json(whole)


def page_proof(names: Iterable[str]) -> str:
    """Return the line for the head of a page in which :func:`seal_page` will list files.

    Parameters
    ----------
    names : iterable of str
        The name of the page, and those of files beside it.
    """
    listed = json.dumps(dict.fromkeys(names, _UNKNOWN))
    return f'<meta name="sct_rootlets-files" content="{escape(listed)}">'


def seal_page(path: Path, name: str, files: Mapping[str, str]) -> None:
    """Enter into the proof of a page what its files are, and what the rest of the page is.

    Parameters
    ----------
    path : Path
        The page; what has no proof is left alone.
    name : str
        Under which it is listed.
    files : mapping of str to str
        sha256 of the others, by name.
    """
    found = _proof(path)
    if found is None:
        return
    start, listed = found
    places = _places(path, start, listed)
    with open(path, "r+b") as page:
        for other, sha256 in files.items():
            if other in places:
                page.seek(places[other])
                page.write(sha256.encode())
    own = _sha256_of_page(path, places[name])
    with open(path, "r+b") as page:
        page.seek(places[name])
        page.write(own.encode())


def content_sha256(path: Path) -> str:
    """Return what a record lists for a file: its sha256; of a record, that of the rest of it.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    if path.suffix.lower() in _PAGES:
        found = _proof(path)
        if found is not None and path.name in found[1]:
            return _sha256_of_page(path, _places(path, *found)[path.name])
    elif path.suffix.lower() == ".json":
        try:
            content = read_object(path)
        except InputError:
            return file_sha256(path)
        if path.name in _hashes(content.get(FILES)):
            return _sha256_of_json(content, path.name)
    return file_sha256(path)


def _hashes(found: Any) -> dict[str, str]:
    """Return the names and hashes of a record, without what is neither."""
    if not isinstance(found, dict):
        return {}
    return {name: sha256 for name, sha256 in found.items() if isinstance(sha256, str)}


def _sha256_of_json(content: Mapping[str, Any], name: str) -> str:
    """Hash what a JSON says, however it is laid out, but for the line about itself."""
    files = {other: sha256 for other, sha256 in content[FILES].items() if other != name}
    text = json.dumps({**content, FILES: files}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _proof(path: Path) -> tuple[int, dict[str, str]] | None:
    """Return where the list in a page begins, and the list; None if the page has none."""
    try:
        with open(path, "rb") as page:
            found = _PROOF.search(page.read(_HEAD_BYTES))
    except OSError:
        return None
    if found is None:
        return None
    try:
        listed = _hashes(json.loads(unescape(found[1].decode())))
    except ValueError:
        return None
    return found.start(1), listed


def _places(path: Path, start: int, listed: Mapping[str, str]) -> dict[str, int]:
    """Return where in a page the hash of each file stands, in the order in which they do."""
    with open(path, "rb") as page:
        page.seek(start)
        text = page.read(_HEAD_BYTES)
    places, at = {}, 0
    for name, sha256 in listed.items():
        at = text.index(sha256.encode(), at)
        places[name] = start + at
        at += len(sha256)
    return places


def _sha256_of_page(path: Path, place: int) -> str:
    """Hash a page as it was before its own hash was entered at `place`."""
    digest = hashlib.sha256()
    with open(path, "rb") as page:
        digest.update(page.read(place))
        digest.update(_UNKNOWN.encode())
        page.seek(place + len(_UNKNOWN))
        while block := page.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
