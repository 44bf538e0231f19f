"""What there is to choose from: every model of the manifests and of the stores, as data."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sct_rootlets.errors import IntegrityError, ModelError
from sct_rootlets.manifest import InstalledModel, ModelEntry, load_manifests
from sct_rootlets.store import trust
from sct_rootlets.store.folder import BUNDLED_FOLDER
from sct_rootlets.store.home import Place, home
from sct_rootlets.store.installed import all_installed, find, receipt_of
from sct_rootlets.store.receipt import Receipt, verify
from sct_rootlets.store.requested import is_url
from sct_rootlets.store.sct_copy import find_sct_copy, source_url
from sct_rootlets.store.space import bytes_text
from sct_rootlets.tables import aligned

__all__ = [
    "format_model",
    "format_table",
    "installed_place",
    "list_models",
    "model_url",
    "show_model",
    "verify_place",
]

_COLUMNS = ("model", "contrasts", "levels", "size", "installed", "where")


def list_models(manifest: str | os.PathLike[str] | None = None) -> list[dict[str, Any]]:
    """Return one row for each model that a manifest lists or that is installed.

    Parameters
    ----------
    manifest : path-like, optional
        The user's own manifest.

    Returns
    -------
    list of dict
        With name, version, title, contrasts, levels, size_bytes, installed (``"yes"``,
        ``"bundled"``, ``"by SCT"`` or ``"no"``), folder, sha256 of the archive, and
        is_default (whether its name alone means it).
    """
    models = load_manifests(manifest)
    installed = {place.reference: place for place in all_installed()}
    rows = []
    for entry in models.entries:
        row = _row(entry, installed.pop(entry.reference, None))
        rows.append({**row, "is_default": models.find(entry.name) is entry})
    for place in installed.values():
        receipt = receipt_of(place)
        row = {
            "name": place.name,
            "version": place.version,
            "title": f"from {receipt.source}",
            "contrasts": [],
            "levels": "in no manifest",
        }
        rows.append({**row, **_installation(place, receipt), "is_default": False})
    return rows


def show_model(name: str, manifest: str | os.PathLike[str] | None = None) -> dict[str, Any]:
    """Return all that is known of a model: the entry of the manifest and the installation.

    `name` is ``name`` or ``name@version``; a `ModelError` says that nothing is known of it.
    """
    entry = load_manifests(manifest).find(name)
    word, _, version = (name if entry is None else entry.reference).partition("@")
    place = find(word, version or None)
    if entry is None and place is None:
        raise ModelError(f"no model is named {name!r}", remedy="See: sct_rootlets models list")
    content: dict[str, Any] = {} if entry is None else dict(entry.details)
    if place is not None:
        receipt = receipt_of(place)
        content = content or {"name": receipt.name, "version": receipt.version}
        content["installation"] = {
            "folder": str(place.folder),
            "archive_sha256": receipt.archive_sha256,
            "source": receipt.source,
            "time_utc": receipt.time_utc,
            "tool_version": receipt.tool_version,
            "trusted_code": receipt.trusted_code,
            "size_bytes": receipt.size_bytes,
        }
    elif entry is not None:
        row = _row(entry, None)
        content["installation"] = (
            {"folder": row["folder"], "by": row["installed"]} if row["folder"] else "none"
        )
    return content


def installed_place(name: str, manifest: str | os.PathLike[str] | None = None) -> Place:
    """Return where ``name@version`` is installed; ``name`` alone means a manifest's default.

    Raises
    ------
    ModelError
        If it is not installed, or is the one inside this package.
    """
    entry = load_manifests(manifest).find(name)
    if entry is not None and entry.is_bundled:
        raise ModelError(
            f"{entry.reference} is part of this package, not of a store",
            remedy="It is installed, updated and removed with the package",
        )
    reference = name if entry is None else entry.reference
    word, _, version = reference.partition("@")
    place = find(word, version or None)
    if place is None:
        raise ModelError(
            f"{reference} is not installed", remedy="See what is: sct_rootlets models list"
        )
    return place


def model_url(model: InstalledModel, manifest: str | os.PathLike[str] | None = None) -> str | None:
    """Return the address that a model came from; None where it never had one."""
    entry = load_manifests(manifest).find(model.reference)
    if entry is not None:
        return next((url for asset in entry.assets for url in asset.urls), None)
    place = find(model.name, model.version)
    if place is not None and place.folder in model.folder.parents:
        source = receipt_of(place).source
        return source if is_url(source) else None
    return source_url(model.folder)


def verify_place(place: Place, manifest: str | os.PathLike[str] | None = None) -> list[str]:
    """Return what is wrong with an installed model; its files are hashed."""
    problems = verify(place.folder)
    if problems:
        return problems
    entry = load_manifests(manifest).find(place.reference)
    published = entry.assets[0].sha256 if entry is not None else None
    try:
        trust.require_trusted(
            receipt_of(place), published=published, records=trust.records_path(home())
        )
    except IntegrityError as error:
        return [error.problem]
    return []


def format_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows of :func:`list_models` as a table a person can read."""
    cells = [list(_COLUMNS)]
    for row in rows:
        size = row["size_bytes"]
        cells.append(
            [
                f"{row['name']}@{row['version']}" + ("*" if row["is_default"] else ""),
                ", ".join(row["contrasts"]) or "not published",
                row["levels"],
                "not published" if size is None else bytes_text(size),
                row["installed"],
                row["folder"] or "",
            ]
        )
    lines = aligned(cells, left=range(len(_COLUMNS)))
    return "\n".join([*lines, "", "* what the name alone means"])


def format_model(content: Mapping[str, Any]) -> str:
    """Return what :func:`show_model` returned as text, one fact a line."""
    return "\n".join(_lines(content))


def _row(entry: ModelEntry, place: Place | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": entry.name,
        "version": entry.version,
        "title": entry.title,
        "contrasts": list(entry.contrasts),
        "levels": entry.levels_text,
    }
    if place is not None:
        return {**row, **_installation(place, receipt_of(place))}
    folder: Path | None = BUNDLED_FOLDER if entry.is_bundled else find_sct_copy(entry)
    if folder is not None and not folder.is_dir():
        folder = None
    asset = entry.assets[0]
    size = asset.size_bytes
    if size is None and entry.is_bundled and folder is not None:
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    by = "bundled" if entry.is_bundled else "by SCT"
    return {
        **row,
        "size_bytes": size,
        "installed": "no" if folder is None else by,
        "folder": None if folder is None else str(folder),
        "sha256": asset.sha256,
    }


def _installation(place: Place, receipt: Receipt) -> dict[str, Any]:
    return {
        "size_bytes": receipt.size_bytes,
        "installed": "yes",
        "folder": str(place.folder),
        "sha256": receipt.archive_sha256,
    }


def _lines(value: Any, indent: str = "") -> list[str]:
    lines = []
    pairs = value.items() if isinstance(value, Mapping) else (("-", each) for each in value)
    for key, each in pairs:
        name = key if key == "-" else f"{str(key).replace('_', ' ')}:"
        if isinstance(each, (Mapping, list)) and each:
            flat = isinstance(each, list) and all(isinstance(one, str) for one in each)
            if flat and sum(map(len, each)) < 80:
                lines.append(f"{indent}{name} {', '.join(each)}")
            else:
                lines += [f"{indent}{name}", *_lines(each, f"{indent}  ")]
        elif each is None or each == [] or each == {}:
            lines.append(f"{indent}{name} not published")
        else:
            lines.append(f"{indent}{name} {each}")
    return lines
