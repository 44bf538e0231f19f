"""What a user wants installed: under which name, from where, and with which bytes."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import IntegrityError, ModelError, UsageError
from sct_rootlets.files.hashing import file_sha256
from sct_rootlets.manifest import Asset, ModelEntry
from sct_rootlets.store.home import OFFLINE
from sct_rootlets.store.reading import is_word

__all__ = [
    "RequestedModel",
    "is_url",
    "missing_offline",
    "no_archive",
    "other_bytes",
    "require_sha256",
    "requested_model",
    "requested_model_at",
    "requested_reference",
]


@dataclass(frozen=True)
class RequestedModel:
    """What is to be installed, under which name, and where it can come from.

    Attributes
    ----------
    name, version : str
    urls : tuple of str
        Mirrors; empty for a file.
    file : Path or None
        An archive on this disk, used in place of the mirrors.
    published : str or None
        sha256 of the archive by the manifest.
    pinned : str or None
        sha256 of the archive by the user.
    size_bytes, unpacked_bytes : int or None
        Of the archive at `urls`, by the manifest.
    is_listed : bool
        Whether it is a version of a manifest.
    is_named : bool
        Whether it is asked for by the reference under which it is, or was, installed.
    is_recorded : bool
        Whether its bytes are recorded where they are first seen, and must never change. Those
        of what is named by its own hash cannot.
    levels : mapping of int to SpinalLevel
        What a manifest says of the values of its output.
    """

    name: str
    version: str
    urls: tuple[str, ...] = ()
    file: Path | None = None
    published: str | None = None
    pinned: str | None = None
    size_bytes: int | None = None
    unpacked_bytes: int | None = None
    is_listed: bool = True
    is_recorded: bool = True
    is_named: bool = True
    levels: Mapping[int, SpinalLevel] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """Name and version in one word."""
        return f"{self.name}@{self.version}"

    @property
    def may_be_exported(self) -> bool:
        """Whether its file may be a zip of ``models export``, which carries a receipt."""
        return self.file is not None and self.is_named


def requested_model(
    what: ModelEntry | str | os.PathLike[str],
    *,
    file: Path | None = None,
    sha256: str | None = None,
) -> RequestedModel:
    """Say under which name an entry, a URL or a file is installed, and from where.

    Parameters
    ----------
    what : ModelEntry, str or path-like
        An entry of a manifest; a URL, which needs `sha256`; or the path of an archive.
    file : Path, optional
        Archive to take in place of the URLs of an entry.
    sha256 : str, optional
        What the archive must have.

    Raises
    ------
    UsageError
        If a URL comes without a hash, or the hash is none.
    ModelError, IntegrityError
        If a file cannot be read or has another hash, or an entry has no archive.

    Examples
    --------
    >>> requested_model("https://example.org/my%20model.zip", sha256="ab" * 32).reference
    'url-my-model@abababababab'
    """
    pinned = None if sha256 is None else require_sha256(sha256)
    if isinstance(what, ModelEntry):
        asset = _archive_of(what)
        return RequestedModel(
            what.name,
            what.version,
            asset.urls,
            None if file is None else file.expanduser(),
            asset.sha256,
            pinned,
            asset.size_bytes,
            asset.unpacked_bytes,
            levels=what.level_of,
        )
    text = os.fspath(what)
    if is_url(text):
        if pinned is None:
            raise UsageError(
                f"a model given by its address needs its hash: {text}",
                remedy="Give what its authors state with -sha256 HEX",
            )
        stem = _stem_of_url(text)
        return _unlisted(f"url-{stem}", pinned, urls=(text,))
    path = Path(text).expanduser()
    try:
        found = file_sha256(path)
    except OSError as error:
        raise ModelError(f"cannot be read ({error.strerror})", path=path) from error
    if pinned is not None and found != pinned:
        raise other_bytes(str(path), found, f"{pinned} that you gave")
    return _unlisted(f"file-{_stem(path.name)}", found, file=path)


def requested_model_at(url: str) -> RequestedModel:
    """Say under which name a URL is installed whose hash nobody has stated.

    The version stands for the address. What comes from it first is recorded, and nothing
    else is accepted from it later.

    Examples
    --------
    >>> requested_model_at("https://example.org/my%20model.zip").reference
    'url-my-model@at-1b7570514b53'
    """
    version = f"at-{hashlib.sha256(url.encode()).hexdigest()[:12]}"
    name = f"url-{_stem_of_url(url)}"
    return RequestedModel(name, version, (url,), is_listed=False, is_named=False)


def is_url(text: str) -> bool:
    """Return whether a reference to a model is the address of an archive."""
    return "://" in text


def requested_reference(
    reference: str, *, file: Path | None = None, sha256: str | None = None
) -> RequestedModel:
    """Say what ``name@version`` is that no manifest lists: installed from a file, or there.

    Raises
    ------
    UsageError
        If the hash, or the reference, is none.

    Examples
    --------
    >>> requested_reference("file-mine@abababababab").is_recorded
    False
    """
    name, _, version = reference.partition("@")
    if not (is_word(name) and is_word(version)):
        raise UsageError(
            f"no manifest lists {reference!r}, and it is no NAME@VERSION",
            remedy="Type NAME@VERSION of 'models list', or the path of an archive",
        )
    named_by_hash = re.fullmatch(r"(?:file|url)-.+@[0-9a-f]{12}", reference) is not None
    return RequestedModel(
        name,
        version,
        file=None if file is None else file.expanduser(),
        pinned=None if sha256 is None else require_sha256(sha256),
        is_listed=False,
        is_recorded=not named_by_hash,
    )


def no_archive(requested: RequestedModel, damage: str = "") -> ModelError:
    """Return the error that a model is in no manifest, and nobody knows where it comes from.

    `damage` says what is wrong with the one that is there.
    """
    return ModelError(
        f"{requested.reference} {damage or 'is not installed'}, and no manifest says where it "
        "comes from",
        remedy="Bring its archive, or a zip of 'models export', and type: sct_rootlets models "
        f"install {requested.reference} -from-file FILE.zip",
    )


def missing_offline(requested: RequestedModel, damage: str = "") -> ModelError:
    """Return the error that a model may not be downloaded that is missing, or has a `damage`."""
    if not requested.is_named:
        remedy = "Download it elsewhere, bring it, and give its path"
    else:
        urls = requested.urls
        address = f"Download {urls[0]} elsewhere" if urls else "Bring its archive"
        remedy = (
            f"{address} (or make a zip with 'sct_rootlets models export' where it is installed), "
            f"bring it, and type: sct_rootlets models install {requested.reference} "
            "-from-file FILE.zip"
        )
    return ModelError(
        f"the model {requested.reference} {damage or 'is not installed'}, and the network is not "
        f"to be used (-offline or {OFFLINE})",
        remedy=remedy,
    )


def require_sha256(text: str) -> str:
    """Return a sha256 in lower case, or raise a `UsageError`."""
    if not re.fullmatch(r"[0-9a-f]{64}", text.strip().lower()):
        raise UsageError(f"{text!r} is not a sha256", remedy="It has 64 hex digits")
    return text.strip().lower()


def other_bytes(what: str, found: str, expected: str) -> IntegrityError:
    """Return the error that an archive has another hash than it should have."""
    return IntegrityError(
        f"{what} has the sha256 {found}, not {expected}",
        remedy="It is another file, or was damaged on the way: bring it again",
    )


def _archive_of(entry: ModelEntry) -> Asset:
    for asset in entry.assets:
        if asset.format != "bundled":
            return asset
    raise ModelError(
        f"{entry.reference} ships with this package",
        remedy="There is nothing to install: it is used as -model bundled",
    )


def _unlisted(
    name: str, sha256: str, *, urls: tuple[str, ...] = (), file: Path | None = None
) -> RequestedModel:
    """Return what is in no manifest and is named by its own hash."""
    return RequestedModel(
        name,
        sha256[:12],
        urls,
        file,
        pinned=sha256,
        is_listed=False,
        is_recorded=False,
        is_named=False,
    )


def _stem_of_url(url: str) -> str:
    return _stem(unquote(urlsplit(url).path.rpartition("/")[2]))


def _stem(name: str) -> str:
    """Return the stem of a file's name, fit for the name of a model."""
    stem = re.sub(r"(\.tar)?\.(zip|tar|gz|tgz)$", "", name, flags=re.IGNORECASE)
    return re.sub(r"[^A-Za-z0-9_]+", "-", stem).strip("-_")[:60].strip("-_") or "model"
