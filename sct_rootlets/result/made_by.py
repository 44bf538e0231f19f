"""What made a result, in words: for the foot of a picture and the facts of a page."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from sct_rootlets import __version__
from sct_rootlets.image import Image
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.sidecar import split_nifti

__all__ = ["facts_of", "made_by", "stem_of"]


def facts_of(model: InstalledModel | None, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a page says about how it was made."""
    return {
        "Model": "" if model is None else f"{model.name} {model.version}",
        "Model sha256": "" if model is None else model.sha256,
        "sct_rootlets": __version__,
        **{key: value for key, value in parameters.items() if value is not None},
    }


def made_by(model: InstalledModel | None) -> str:
    """Return what made a picture, for its foot."""
    ours = f"sct_rootlets {__version__}"
    return ours if model is None else f"{model.name} {model.version}  \N{MIDDLE DOT}  {ours}"


def stem_of(image: Image) -> str:
    """Return the name of the image's file without its extension, ``image`` without a file."""
    return split_nifti(image.path)[1] if os.path.exists(image.path) else "image"
