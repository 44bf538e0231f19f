"""What there is to choose from: every model of the manifests and of the stores, as data."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sct_rootlets.errors import IntegrityError, ModelError, StoreError
from sct_rootlets.manifest import InstalledModel, Manifest, ModelEntry, load_manifests
from sct_rootlets.store import trust
from sct_rootlets.store.condition import WHOLE, Condition, Depth, condition_of
from sct_rootlets.store.folder import BUNDLED_FOLDER
from sct_rootlets.store.home import Place, home, stores
from sct_rootlets.store.installed import conditions
from sct_rootlets.store.requested import is_url
from sct_rootlets.store.sct_copy import find_sct_copy, source_url

__all__ = [
    "all_places",
    "closed_stores",
    "list_models",
    "model_url",
    "places_of",
    "show_model",
    "verify_place",
]

logger = logging.getLogger(__name__)


def list_models(manifest: str | os.PathLike[str] | None = None) -> list[dict[str, Any]]:
    """Return one row for each model that a manifest lists or that lies in a store.

    What lies there damaged, or cannot be read, has a row of its own beside a whole one that is
    used. Content is hashed of files only that were written after the receipt. A store that
    cannot be looked into is warned of.

    Parameters
    ----------
    manifest : path-like, optional
        The user's own manifest.

    Returns
    -------
    list of dict
        With name, version, title, contrasts, levels, size_bytes, installed (``"yes"``,
        ``"bundled"``, ``"by SCT"``, ``"damaged"``, ``"unreadable"`` or ``"no"``), folder, sha256
        of the archive, is_default (whether its name alone means it), and of what is damaged or
        cannot be read problems (a list) and remedy.
    """
    for error in closed_stores():
        logger.warning("%s", error)
    models = load_manifests(manifest)
    by_reference: dict[str, list[Condition]] = {}
    for place in _places(models):
        found = condition_of(place, Depth.CHANGED)
        if found is not None:
            by_reference.setdefault(place.reference, []).append(found)
    rows = []
    for entry in models.entries:
        first, *others = _rows(entry, by_reference.pop(entry.reference, []))
        rows.append({**first, "is_default": models.find(entry.name) is entry})
        rows += [{**row, "is_default": False} for row in others]
    for unlisted in by_reference.values():
        rows += [{**row, "is_default": False} for row in _rows(None, unlisted)]
    return rows


def all_places(manifest: str | os.PathLike[str] | None = None) -> list[Place]:
    """Return where something lies in the stores, whole or not, listed in a manifest or not."""
    return _places(load_manifests(manifest))


def closed_stores() -> list[StoreError]:
    """Return which folders of the stores cannot be looked into, and why."""
    return [error for store in stores() for error in store.survey()[1]]


def show_model(name: str, manifest: str | os.PathLike[str] | None = None) -> dict[str, Any]:
    """Return all that is known of a model: the entry of the manifest and the installation.

    `name` is ``name`` or ``name@version``; a `ModelError` says that nothing is known of it.
    """
    entry = load_manifests(manifest).find(name)
    there = _named(name if entry is None else entry.reference)
    if entry is None and not there:
        raise ModelError(f"no model is named {name!r}", remedy="See: sct_rootlets models list")
    content: dict[str, Any] = {} if entry is None else dict(entry.details)
    if there:
        first = there[0]
        content = content or {"name": first.place.name, "version": first.place.version}
        content["installation"] = _installation_details(first)
    elif entry is not None:
        row = _rows(entry, [])[0]
        content["installation"] = (
            {"folder": row["folder"], "by": row["installed"]} if row["folder"] else "none"
        )
    return content


def places_of(name: str, manifest: str | os.PathLike[str] | None = None) -> list[Place]:
    """Return where ``name@version`` lies in the stores, whole or not; the one that is used first.

    A name alone means a manifest's default, else every version, the last one installed first.

    Raises
    ------
    ModelError
        If it is in no store, or is the one inside this package.
    """
    entry = load_manifests(manifest).find(name)
    if entry is not None and entry.is_bundled:
        raise ModelError(
            f"{entry.reference} is part of this package, not of a store",
            remedy="It is installed, updated and removed with the package",
        )
    reference = name if entry is None else entry.reference
    found = _named(reference)
    if found:
        return [each.place for each in found]
    remedy = "See what is: sct_rootlets models list"
    if Path(name).expanduser().is_dir():
        remedy = "It is a folder: pack it as a zip, and install that: sct_rootlets models install"
    raise ModelError(f"{reference} is not installed", remedy=remedy)


def model_url(model: InstalledModel, manifest: str | os.PathLike[str] | None = None) -> str | None:
    """Return the address that a model came from; None where it never had one."""
    entry = load_manifests(manifest).find(model.reference)
    if entry is not None:
        return next((url for asset in entry.assets for url in asset.urls), None)
    for found in conditions(model.name, model.version):
        if found.receipt is not None and found.place.folder in model.folder.parents:
            source = found.receipt.source
            return source if is_url(source) else None
    return source_url(model.folder)


def verify_place(place: Place, manifest: str | os.PathLike[str] | None = None) -> list[str]:
    """Return what is wrong with a model in a store; its files are hashed."""
    found = condition_of(place, Depth.ALL)
    if found is None or found.receipt is None or found.problems:
        return ["is not installed"] if found is None else list(found.problems)
    entry = load_manifests(manifest).find(place.reference)
    published = entry.assets[0].sha256 if entry is not None else None
    try:
        trust.require_trusted(
            found.receipt, published=published, records=trust.records_path(home())
        )
    except (IntegrityError, StoreError) as error:
        return [error.problem]
    return []


def _places(models: Manifest) -> list[Place]:
    found = [each.place for each in conditions()]
    for entry in models.entries:  # even where a folder does not say what is in it
        if not entry.is_bundled:
            found += [each.place for each in conditions(entry.name, entry.version)]
    return list(dict.fromkeys(found))


def _named(reference: str) -> list[Condition]:
    """Return what lies in the stores under a name: what is used first, then the other."""
    name, _, version = reference.partition("@")
    found = list(conditions(name, version or None, depth=Depth.CHANGED))
    if not version:
        found.sort(key=lambda each: each.receipt.time_utc if each.receipt else "", reverse=True)
    return sorted(found, key=lambda each: each.state != WHOLE)


def _rows(entry: ModelEntry | None, found: Sequence[Condition]) -> list[dict[str, Any]]:
    """Return the row of a version, and rows of what else lies in the stores and is not whole."""
    whole = [each for each in found if each.state == WHOLE][:1]
    broken = [each for each in found if each.state != WHOLE]
    if entry is None:
        return [{**_unlisted(each), **_installation(each)} for each in (*whole, *broken)]
    listed = {
        "name": entry.name,
        "version": entry.version,
        "title": entry.title,
        "contrasts": list(entry.contrasts),
        "levels": entry.levels_text,
    }
    rows = [{**listed, **_installation(each)} for each in (*whole, *broken)]
    if whole or (broken and find_sct_copy(entry) is None):
        return rows
    return [{**listed, **_elsewhere(entry)}, *rows]


def _unlisted(found: Condition) -> dict[str, Any]:
    receipt = found.receipt
    return {
        "name": found.place.name,
        "version": found.place.version,
        "title": "without a receipt" if receipt is None else f"from {receipt.source}",
        "contrasts": [],
        "levels": "in no manifest",
    }


def _elsewhere(entry: ModelEntry) -> dict[str, Any]:
    """Return what a row says of a version that is in no store."""
    folder: Path | None = BUNDLED_FOLDER if entry.is_bundled else find_sct_copy(entry)
    if folder is not None and not folder.is_dir():
        folder = None
    asset = entry.assets[0]
    size = asset.size_bytes
    if size is None and entry.is_bundled and folder is not None:
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    by = "bundled" if entry.is_bundled else "by SCT"
    return {
        "size_bytes": size,
        "installed": "no" if folder is None else by,
        "folder": None if folder is None else str(folder),
        "sha256": asset.sha256,
        "problems": [],
        "remedy": "",
    }


def _installation(found: Condition) -> dict[str, Any]:
    receipt = found.receipt
    return {
        "size_bytes": None if receipt is None else receipt.size_bytes,
        "installed": "yes" if found.state == WHOLE else found.state,
        "folder": str(found.place.folder),
        "sha256": None if receipt is None else receipt.archive_sha256,
        "problems": list(found.problems),
        "remedy": found.remedy,
    }


def _installation_details(found: Condition) -> dict[str, Any]:
    details: dict[str, Any] = {"folder": str(found.place.folder), "state": found.state}
    if found.problems:
        details.update(problems=list(found.problems), remedy=found.remedy)
    if (receipt := found.receipt) is not None:
        details.update(
            archive_sha256=receipt.archive_sha256,
            source=receipt.source,
            time_utc=receipt.time_utc,
            tool_version=receipt.tool_version,
            trusted_code=receipt.trusted_code,
            size_bytes=receipt.size_bytes,
        )
    return details
