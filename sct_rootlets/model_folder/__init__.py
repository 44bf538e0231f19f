"""A model folder of nnU-Net v2, read in one place: the store accepts by it, the engines load by it.

``folds`` says which checkpoints are used, ``labels`` what the values of the output mean, and
``plan`` what plans.json asks of an engine.
"""

from sct_rootlets.model_folder.folds import checkpoint_files
from sct_rootlets.model_folder.labels import (
    DEFAULT_ORIENTATION_SCT,
    LabelMeanings,
    read_meanings,
    require_orientation,
)
from sct_rootlets.model_folder.model_json import EXPECTED, read_json
from sct_rootlets.model_folder.plan import (
    Normalisation,
    Plan,
    Resampling,
    UnsupportedPlan,
    number_of_classes,
    read_plan,
)

__all__ = [
    "DEFAULT_ORIENTATION_SCT",
    "EXPECTED",
    "LabelMeanings",
    "Normalisation",
    "Plan",
    "Resampling",
    "UnsupportedPlan",
    "checkpoint_files",
    "number_of_classes",
    "read_json",
    "read_meanings",
    "read_plan",
    "require_orientation",
]
