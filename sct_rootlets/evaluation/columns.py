"""The columns of the tables of an evaluation, and what they mean: for files and for docs."""

from __future__ import annotations

from collections.abc import Mapping

from sct_rootlets.tables import columns

__all__ = [
    "BORDERS",
    "CONFUSION",
    "CALIBRATION",
    "EMPTY_CASES",
    "FIGURES",
    "IMAGES",
    "METRICS",
    "SUMMARY",
    "SUMMARY_METRICS",
]

_IMAGE = "Prediction: its file name, with as much of its path as tells it apart"
_LEVEL = "Spinal level; all: every level together, as one structure whatever the names in it"

#: The figures of agreement, in the order of the table.
FIGURES: Mapping[str, str] = {
    "dice": "Dice coefficient of voxels, 2 TP / (2 TP + FP + FN)",
    "f1_slice": "F1 of axial slices: a slice is positive on a side that has at least one voxel of "
    "the level in it",
    "precision": "Share of the predicted voxels that are right, TP / (TP + FP)",
    "recall": "Share of the reference's voxels that were found, TP / (TP + FN)",
    "hd95_mm": "Hausdorff distance at the 95th percentile: the larger one of the two percentiles "
    "of the distances from either surface to the other",
    "assd_mm": "Average symmetric surface distance: mean of the distances of all surface voxels of "
    "both sides to the surface of the other",
    "nsd_1vox": "Normalised surface Dice at 1 voxel: share of the surface voxels of both sides "
    "that lie within one step among the 26 neighbours of the other surface",
    "nsd_1mm": "Normalised surface Dice at 1 mm: likewise, within 1 mm",
    "centre_distance_mm": "Distance between the centres of mass",
}
METRICS = columns(
    {
        "image": _IMAGE,
        "level": _LEVEL,
        **FIGURES,
        "n_pred": "Voxels of the prediction",
        "n_ref": "Voxels of the reference",
    }
)
#: Columns of the table of images that the summary has too.
_OF_BORDERS = {
    "border_error_mm": "Mean absolute error of rostral and caudal borders along the centerline, of "
    "those that the reference measured",
    "midpoint_error_mm": "The same of midpoints",
}
SUMMARY_METRICS = (*FIGURES, *_OF_BORDERS)
SUMMARY = columns(
    {
        "level": f"{_LEVEL}; levels: the values of all images and levels pooled",
        "metric": "Column of the other tables",
        "n": "Images that have a value (for 'levels': images and levels)",
        "mean": "Mean over them",
        "sd": "Standard deviation (n - 1); n/a for fewer than two",
        "median": "Median",
        "n_missed": "Images whose reference has the level and whose prediction does not",
        "n_invented": "Images whose prediction has the level and whose reference does not",
    }
)
IMAGES = columns(
    {
        "image": _IMAGE,
        "prediction": "File of the prediction, as seen from the folder of this table",
        "reference": "File of the reference, likewise",
        "n_levels_ref": "Levels that the reference has; n/a without level identity, as the next "
        "ones",
        "levels_missed": "Levels that the reference has and the prediction does not",
        "levels_invented": "Levels that the prediction has and the reference does not",
        "slices_both": "Axial slices with rootlets on both sides",
        "slices_wrong": "Those wrongly labelled: the two sides have no level in common",
        "slices_partly": "Those with a level in common, and another one on one side only",
        "level_accuracy": "Share of the reference's voxels found within one voxel whose nearest "
        "predicted voxel has their level",
        **_OF_BORDERS,
        "border_bias_mm": "Mean signed error of the same borders: positive where they were found "
        "too far caudal",
        "borders_missing": "Borders that the reference measured and the prediction has not",
        "brier": "Brier score of a probabilistic prediction: mean squared error, within 5 mm "
        "around the rootlets of both sides; n/a for others, as the next ones",
        "brier_skill": "1 less the Brier score over that of knowing nothing but the share of "
        "rootlet voxels",
        "ece": "Expected calibration error, of 10 bins of equal width",
        "n_calibration": "Voxels that entered",
    }
)
CONFUSION = columns(
    {
        "image": f"{_IMAGE}; all: sum over the images",
        "reference": "Level in the reference; none: background",
        "none": "Voxels that the prediction gives to the background; the further columns, one a "
        "level, those that it gives to it",
    }
)
BORDERS = columns(
    {
        "image": _IMAGE,
        "level": "Spinal level",
        "place": "rostral or caudal border, or midpoint",
        "found_mm": "Of the prediction: position along the centerline, growing caudally",
        "truth_mm": "Of the reference, likewise",
        "error_mm": "found_mm less truth_mm: positive where it was found too far caudal",
        "found_status": "Status of the level; estimated: the border was taken from the population; "
        "absent: no such level",
        "truth_status": "Likewise; only what is 'measured' here enters summaries",
    }
)
CALIBRATION = columns(
    {
        "image": _IMAGE,
        "low": "Probabilities from this one on",
        "high": "Up to less than this one; 1 is in the last bin",
        "n_voxels": "Voxels, within 5 mm around the rootlets of both sides",
        "mean_probability": "Mean of their probabilities",
        "observed": "Share of them that the reference has",
    }
)
#: What the figures are where a side is empty.
EMPTY_CASES: Mapping[str, Mapping[str, float | None]] = {
    "missed: the prediction is empty": {
        "dice": 0, "f1_slice": 0, "precision": None, "recall": 0, "hd95_mm": None,
        "assd_mm": None, "nsd_1vox": 0, "nsd_1mm": 0, "centre_distance_mm": None,
    },
    "invented: the reference is empty": {
        "dice": 0, "f1_slice": 0, "precision": 0, "recall": None, "hd95_mm": None,
        "assd_mm": None, "nsd_1vox": 0, "nsd_1mm": 0, "centre_distance_mm": None,
    },
    "both are empty": dict.fromkeys(FIGURES, None),
}  # fmt: skip
