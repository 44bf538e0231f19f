"""The models there are: their versions, what their labels mean, where they come from.

``models_manifest.json`` is the one source of truth, with one immutable entry per
version of a model; ``models_manifest.schema.json`` says what an entry states. A user's
own manifest of the same form adds entries to it.
"""

from sct_rootlets.manifest.entry import (
    BUNDLED,
    Asset,
    InstalledModel,
    LabelMeaning,
    Manifest,
    ModelEntry,
)
from sct_rootlets.manifest.reading import MANIFEST_VARIABLE, load_manifest, load_manifests

__all__ = [
    "BUNDLED",
    "MANIFEST_VARIABLE",
    "Asset",
    "InstalledModel",
    "LabelMeaning",
    "Manifest",
    "ModelEntry",
    "load_manifest",
    "load_manifests",
]
