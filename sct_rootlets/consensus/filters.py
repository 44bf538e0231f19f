"""SimpleITK's filters for several raters: STAPLE, and the vote.

Neither looks at neighbouring voxels, so that voxels are handed over as a row, and only those
that matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.errors import MissingDependencyError

__all__ = ["Staple", "require_simpleitk", "staple", "vote"]


@dataclass(frozen=True, eq=False)
class Staple:
    """What STAPLE estimates.

    Attributes
    ----------
    probability : (N,) array
        Of every voxel, to belong to the structure.
    sensitivity, specificity : tuple of float
        Of every rater.
    """

    probability: NDArray[np.float64]
    sensitivity: tuple[float, ...]
    specificity: tuple[float, ...]


def require_simpleitk() -> None:
    """Raise a `MissingDependencyError` if SimpleITK is not installed."""
    _simpleitk()


def staple(masks: Sequence[NDArray[np.bool_]]) -> Staple:
    """Estimate a structure and the raters who marked it, by expectation maximisation.

    (Warfield et al. 2004, IEEE Trans Med Imaging 23:903-921; ITK's STAPLEImageFilter.)

    Parameters
    ----------
    masks : sequence of (N,) arrays
        One a rater, of the same voxels.
    """
    sitk = _simpleitk()
    filter_ = sitk.STAPLEImageFilter()
    filter_.SetForegroundValue(1)
    answer = filter_.Execute([_row(sitk, mask) for mask in masks])
    return Staple(
        sitk.GetArrayFromImage(answer).reshape(-1).astype(np.float64),
        tuple(float(value) for value in filter_.GetSensitivity()),
        tuple(float(value) for value in filter_.GetSpecificity()),
    )


def vote(labels: Sequence[NDArray[Any]], undecided: int) -> NDArray[np.int32]:
    """Return the label that most raters gave to each voxel (N,); `undecided` where there is a tie.

    Background, 0, is a label like the others. (ITK's LabelVotingImageFilter.)
    """
    sitk = _simpleitk()
    filter_ = sitk.LabelVotingImageFilter()
    filter_.SetLabelForUndecidedPixels(undecided)
    answer = filter_.Execute([_row(sitk, side) for side in labels])
    return np.asarray(sitk.GetArrayFromImage(answer).reshape(-1), dtype=np.int32)


def _row(sitk: Any, values: NDArray[Any]) -> Any:
    """Return voxels (N,) as an image of SimpleITK of one row."""
    return sitk.GetImageFromArray(np.asarray(values, dtype=np.uint8).reshape(1, 1, -1))


def _simpleitk() -> Any:
    try:
        import SimpleITK
    except ImportError:
        raise MissingDependencyError(
            "SimpleITK, whose filters make the consensus, is not installed",
            remedy="Install it with: pip install 'sct_rootlets[fmri]'",
        ) from None
    return SimpleITK
