"""The models there are: their versions, what their labels mean, where they come from.

``models_manifest.json`` is the one source of truth, with one immutable entry per
version of a model; ``models_manifest.schema.json`` says what an entry states. A user's
own manifest of the same form adds entries to it. What the values of an nnU-Net
``dataset.json`` mean is here as well, because the store and the engines both need it.
"""

from sct_rootlets.manifest.entry import (
    BUNDLED,
    Asset,
    InstalledModel,
    LabelMeaning,
    Manifest,
    ModelEntry,
)
from sct_rootlets.manifest.meanings import (
    DEFAULT_ORIENTATION_SCT,
    LabelMeanings,
    read_meanings,
    require_orientation,
)
from sct_rootlets.manifest.model_json import EXPECTED, read_json
from sct_rootlets.manifest.reading import MANIFEST_VARIABLE, load_manifest, load_manifests

__all__ = [
    "BUNDLED",
    "DEFAULT_ORIENTATION_SCT",
    "EXPECTED",
    "MANIFEST_VARIABLE",
    "Asset",
    "InstalledModel",
    "LabelMeaning",
    "LabelMeanings",
    "Manifest",
    "ModelEntry",
    "load_manifest",
    "load_manifests",
    "read_json",
    "read_meanings",
    "require_orientation",
]
