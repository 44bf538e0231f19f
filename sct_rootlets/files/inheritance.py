"""JSON files that describe an image: the one beside it, and those that BIDS lets it inherit.

Source: https://bids-specification.readthedocs.io/en/stable/common-principles.html,
"The inheritance principle".
"""

from __future__ import annotations

import os
from pathlib import Path

from sct_rootlets.files.bids import applies_to, entities_of, split_suffix
from sct_rootlets.files.sidecar import sidecar_path, split_nifti

__all__ = ["sidecars_of"]


def sidecars_of(path: str | os.PathLike[str]) -> list[Path]:
    """Return the JSON files that apply to a NIfTI file, the one that has precedence first.

    Of an image without a name of BIDS it is the file beside it. Otherwise it is every JSON file
    with the same suffix and none but the image's own entities, in its folder and in those above
    as far as the one that holds its subject. In one folder the file with more entities goes first.
    """
    own = sidecar_path(os.path.abspath(path))
    found = [own] if own.is_file() else []
    stem = split_nifti(path)[1]
    if split_suffix(stem) is None:
        return found
    for folder in _folders(own.parent, entities_of(own.name)["sub"]):
        others = [
            file for file in folder.glob("*.json") if file != own and applies_to(file.stem, stem)
        ]
        found += sorted(others, key=lambda file: (-len(entities_of(file.name)), file.name))
    return found


def _folders(folder: Path, subject: str) -> list[Path]:
    """Return the folder of an image, and those above it within its dataset."""
    upwards = [folder, *folder.parents]
    for n, one in enumerate(upwards):
        if one.name == f"sub-{subject}":
            return upwards[: n + 2]
    return [folder]
