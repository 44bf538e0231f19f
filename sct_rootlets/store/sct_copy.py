"""The models that the Spinal Cord Toolbox (SCT) has installed itself, used where they lie.

SCT keeps each model in a folder of ``$SCT_DIR/data/deepseg_models`` with a ``source.json``
that names the URL it came from, by which it is recognised here. Nothing is changed there.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sct_rootlets.errors import ModelError
from sct_rootlets.files.json_files import object_if_readable
from sct_rootlets.manifest import ModelEntry
from sct_rootlets.model_folder import read_model_folder
from sct_rootlets.store.folder import model_folder

__all__ = ["find_sct_copy", "other_of_sct", "source_url", "why_no_sct_copy"]


def find_sct_copy(entry: ModelEntry, sct_dir: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the model folder of SCT's own copy of a version, None where it has none whole.

    `sct_dir` is the folder of SCT where ``SCT_DIR`` does not name it.
    """
    for folder in _copies(entry, sct_dir):
        with contextlib.suppress(OSError, ModelError):
            return _whole(folder)
    return None


def why_no_sct_copy(entry: ModelEntry) -> Exception | None:
    """Return what is wrong with SCT's copy of a version that :func:`find_sct_copy` does not find.

    SCT leaves an incomplete folder where its installation was cut. None where it has no copy.
    """
    for folder in _copies(entry, None):
        try:
            _whole(folder)
        except (OSError, ModelError) as error:
            return error
    return None


def other_of_sct(entry: ModelEntry, releases: Iterable[ModelEntry]) -> tuple[Path, str] | None:
    """Return another model that SCT uses for its own task of that name, and its address, or None.

    ``sct_deepseg TASK -install -custom-url URL`` installs one, which SCT keeps.

    Parameters
    ----------
    entry : ModelEntry
        Its name is in that of SCT's folder.
    releases : iterable of ModelEntry
        An older one of these is not mentioned, unless the user chose it: SCT replaces it.
    """
    known = {url for each in releases for url in _addresses(each)}
    for folder, source in _installed_by_sct(None):
        urls = set(_texts(source.get("model_urls")))
        if not urls or entry.name not in folder.name or urls & _addresses(entry):
            continue
        if source.get("custom") is True or urls.isdisjoint(known):
            return folder, min(urls)
    return None


def source_url(folder: Path) -> str | None:
    """Return the address that SCT had a model folder from, None where SCT did not install it."""
    source = object_if_readable(folder.parent / "source.json")
    return next(_texts(source.get("model_urls")), None)


def _installed_by_sct(
    sct_dir: str | os.PathLike[str] | None,
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the folder of each model that SCT has installed, and its source.json."""
    root = os.environ.get("SCT_DIR", "").strip() or os.fspath(sct_dir or "")
    if root:
        folder = Path(root).expanduser() / "data" / "deepseg_models"
        for source in sorted(folder.glob("*/source.json")):
            yield source.parent, object_if_readable(source)


def _copies(entry: ModelEntry, sct_dir: str | os.PathLike[str] | None) -> Iterator[Path]:
    """Yield SCT's folders of a version."""
    for folder, source in _installed_by_sct(sct_dir):
        if not _addresses(entry).isdisjoint(_texts(source.get("model_urls"))):
            yield folder


def _whole(folder: Path) -> Path:
    """Return the model folder in one of SCT's folders, or raise if something of it lacks."""
    copy = model_folder(folder)
    read_model_folder(copy).files()
    return copy


def _addresses(entry: ModelEntry) -> set[str]:
    return {url for asset in entry.assets for url in asset.urls}


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in what SCT writes: one URL, a list, or a dict of these."""
    left = [value]
    while left:
        each = left.pop(0)
        if isinstance(each, str):
            yield each
        elif isinstance(each, (list, dict)):
            left[:0] = each.values() if isinstance(each, dict) else each
