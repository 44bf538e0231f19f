"""The results of an evaluation as rows of tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.evaluation.columns import CONFUSION, IMAGES
from sct_rootlets.evaluation.one import PairResult
from sct_rootlets.files.sidecar import relative
from sct_rootlets.tables import Column, columns

__all__ = [
    "border_rows",
    "calibration_rows",
    "confusion",
    "confusion_columns",
    "confusion_rows",
    "image_rows",
    "metric_rows",
]

Row = dict[str, Any]
Results = Sequence[PairResult]

#: Name of all levels, or of all images, together.
ALL = "all"


def metric_rows(results: Results) -> list[Row]:
    """Return a row for each image and level, and one for all of its levels."""
    return [
        {"image": result.name, **vars(row), "level": row.level or ALL}
        for result in results
        for row in result.agreement
    ]


def image_rows(results: Results, folder: Path) -> list[Row]:
    """Return a row for each image; files are named as seen from `folder`."""
    return [_image_row(result, folder) for result in results]


def _image_row(result: PairResult, folder: Path) -> Row:
    row: Row = dict.fromkeys(column.name for column in IMAGES)
    row |= {
        "image": result.name,
        "prediction": relative(result.predicted, folder),
        "reference": relative(result.reference, folder),
    }
    if result.slices is not None:
        levels = result.agreement[:-1]
        row |= {
            "n_levels_ref": sum(level.n_ref > 0 for level in levels),
            "levels_missed": _names(result, lambda level: level.is_missed),
            "levels_invented": _names(result, lambda level: level.is_invented),
            **{f"slices_{what}": count for what, count in vars(result.slices).items()},
            "level_accuracy": result.level_accuracy,
        }
    if result.borders:
        errors = result.border_errors_mm("rostral", "caudal")
        middles = result.border_errors_mm("midpoint")
        row |= {
            "border_error_mm": np.abs(errors).mean() if len(errors) else None,
            "midpoint_error_mm": np.abs(middles).mean() if len(middles) else None,
            "border_bias_mm": errors.mean() if len(errors) else None,
            "borders_missing": _missing(result),
        }
    if result.calibration is not None:
        row |= {**vars(result.calibration), "n_calibration": result.calibration.n_voxels}
    return row


def confusion_columns(results: Results) -> tuple[Column, ...]:
    """Return the columns of the confusion matrix: those of all levels of any image."""
    levels = [str(SpinalLevel(value)) for value in _values(results)]
    return CONFUSION + columns({level: f"Voxels that it gives to {level}" for level in levels})


def confusion(results: Results) -> tuple[list[int], NDArray[np.int64]]:
    """Return the levels of any image, and the sum of the matrices (N + 1, N + 1) over images."""
    values = _values(results)
    whole = np.zeros((len(values) + 1,) * 2, dtype=np.int64)
    for result in results:
        if result.slices is not None:
            whole += _widened(result, values)
    return values, whole


def confusion_rows(results: Results) -> list[Row]:
    """Return a matrix for each image with levels, and the sum of several."""
    values, whole = confusion(results)
    named = [result for result in results if result.slices is not None]
    rows = [
        row for result in named for row in _matrix(result.name, values, _widened(result, values))
    ]
    return rows + (_matrix(ALL, values, whole) if len(named) > 1 else [])


def border_rows(results: Results) -> list[Row]:
    """Return a row for each border and midpoint of each level and image."""
    return [
        {"image": result.name, **vars(row), "error_mm": row.error_mm}
        for result in results
        for row in result.borders
    ]


def calibration_rows(results: Results) -> list[Row]:
    """Return a row for each bin of each image with probabilities."""
    return [
        {"image": result.name, **vars(bin_)}
        for result in results
        if result.calibration is not None
        for bin_ in result.calibration.bins
    ]


def _values(results: Results) -> list[int]:
    return sorted({value for result in results for value in result.values})


def _widened(result: PairResult, values: Sequence[int]) -> NDArray[np.int64]:
    """Return the matrix of one image with rows and columns for all of `values`."""
    counts = np.zeros((len(values) + 1,) * 2, dtype=np.int64)
    place = [0, *(values.index(value) + 1 for value in result.values)]
    counts[np.ix_(place, place)] = result.confusion
    return counts


def _matrix(name: str, values: Sequence[int], counts: NDArray[np.int64]) -> list[Row]:
    names = ["none", *(str(SpinalLevel(value)) for value in values)]
    return [
        {
            "image": name,
            "reference": level,
            **{other: int(n) for other, n in zip(names, line, strict=True)},
        }
        for level, line in zip(names, counts, strict=True)
    ]


def _names(result: PairResult, which: Callable[..., bool]) -> str:
    return ",".join(str(row.level) for row in result.agreement[:-1] if which(row)) or "none"


def _missing(result: PairResult) -> int:
    """Count borders that the reference measured and the prediction has not, each once."""
    return len(
        {
            round(row.truth_mm, 6)
            for row in result.borders
            if row.place != "midpoint" and row.counts and not np.isfinite(row.found_mm)
        }
    )
