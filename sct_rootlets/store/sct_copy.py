"""The models that the Spinal Cord Toolbox (SCT) has installed itself, used where they lie.

SCT keeps each model in a folder of ``$SCT_DIR/data/deepseg_models`` with a ``source.json``
that names the URL it came from, by which it is recognised here. Nothing is changed there.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sct_rootlets.errors import ModelError
from sct_rootlets.files.json_files import object_if_readable
from sct_rootlets.manifest import ModelEntry
from sct_rootlets.store.folder import model_folder, required_files

__all__ = ["find_sct_copy", "source_url"]


def find_sct_copy(entry: ModelEntry, sct_dir: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the model folder of SCT's own copy of a version, None where it has none whole.

    `sct_dir` is the folder of SCT where ``SCT_DIR`` does not name it.
    """
    root = os.environ.get("SCT_DIR", "").strip() or os.fspath(sct_dir or "")
    if not root:
        return None
    urls = {url for asset in entry.assets for url in asset.urls}
    folder = Path(root).expanduser() / "data" / "deepseg_models"
    for source in sorted(folder.glob("*/source.json")):
        if urls.isdisjoint(_urls(source)):
            continue
        with contextlib.suppress(OSError, ModelError):
            # SCT leaves an incomplete folder where its installation was cut.
            copy = model_folder(source.parent)
            required_files(copy)
            return copy
    return None


def source_url(folder: Path) -> str | None:
    """Return the address that SCT had a model folder from, None where SCT did not install it."""
    return next(_urls(folder.parent / "source.json"), None)


def _urls(source: Path) -> Iterator[str]:
    return _texts(object_if_readable(source).get("model_urls"))


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in what SCT writes: one URL, a list, or a dict of these."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
