"""A model folder of nnU-Net v2, read in one place: the store accepts by it, the engines load by it.

``reading`` reads the whole; ``folds`` says which checkpoints are used, ``labels`` what the values
of the output mean, ``plan`` what plans.json asks of an engine, and which engines can do it.
"""

from sct_rootlets.model_folder.folds import Folds, read_folds
from sct_rootlets.model_folder.labels import (
    LabelMeanings,
    Labels,
    meanings_of,
    read_labels,
    require_orientation,
)
from sct_rootlets.model_folder.model_json import EXPECTED, read_json, shown
from sct_rootlets.model_folder.plan import Normalisation, Plan
from sct_rootlets.model_folder.reading import ModelFolder, read_model_folder
from sct_rootlets.model_folder.resampling import ANISOTROPY, Resampling
from sct_rootlets.model_folder.stated import UnsupportedPlan

__all__ = [
    "ANISOTROPY",
    "EXPECTED",
    "Folds",
    "LabelMeanings",
    "Labels",
    "ModelFolder",
    "Normalisation",
    "Plan",
    "Resampling",
    "UnsupportedPlan",
    "meanings_of",
    "read_folds",
    "read_json",
    "read_labels",
    "read_model_folder",
    "require_orientation",
    "shown",
]
