"""Agreement of rootlets and of level borders with a reference.

Pure arithmetic on arrays and tables, with the formula of each figure in its docstring and
a documented value where one side, or both, is empty; docs/evaluate.md has them all.
"""

from sct_rootlets.metrics.border_errors import BorderError, BorderErrors, border_errors, truth_on
from sct_rootlets.metrics.conformity import conformity
from sct_rootlets.metrics.level_accuracy import level_accuracy, level_confusion
from sct_rootlets.metrics.overlap import dice, dice_at_tolerance, precision, recall
from sct_rootlets.metrics.pair import LevelAgreement, compare
from sct_rootlets.metrics.reliability import Calibration, Reliability, calibration
from sct_rootlets.metrics.slice_agreement import (
    SliceCounts,
    SliceLabels,
    f1_slice,
    slice_counts,
    slice_labels,
)
from sct_rootlets.metrics.surfaces import (
    SurfaceDistances,
    centre_distance,
    surface,
    surface_distances,
)

__all__ = [
    "BorderError",
    "BorderErrors",
    "Calibration",
    "LevelAgreement",
    "Reliability",
    "SliceCounts",
    "SliceLabels",
    "SurfaceDistances",
    "border_errors",
    "calibration",
    "centre_distance",
    "compare",
    "conformity",
    "dice",
    "dice_at_tolerance",
    "f1_slice",
    "level_accuracy",
    "level_confusion",
    "precision",
    "recall",
    "slice_counts",
    "slice_labels",
    "surface",
    "surface_distances",
    "truth_on",
]
