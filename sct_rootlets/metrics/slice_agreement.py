"""Agreement slice by slice: which axial slices hold a level, and which level they hold.

Slices are those of the grid, across the axis that runs most nearly inferior-superior.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.metrics.overlap import as_masks

__all__ = ["SliceCounts", "SliceLabels", "f1_slice", "slice_counts", "slice_labels"]


@dataclass(frozen=True)
class SliceCounts:
    """Numbers of slices with a structure.

    Attributes
    ----------
    both, predicted_only, reference_only : int
        True positive, false positive and false negative slices. A slice counts by a single
        voxel, wherever in the slice it lies.
    """

    both: int
    predicted_only: int
    reference_only: int

    @property
    def f1(self) -> float:
        r"""F1 of the slices; 0 where one side has none, NaN where neither has.

        .. math:: F_1 = \frac{2\,TP}{2\,TP + FP + FN}
        """
        total = 2 * self.both + self.predicted_only + self.reference_only
        return 2 * self.both / total if total else float("nan")


@dataclass(frozen=True)
class SliceLabels:
    """Numbers of slices by the levels that the two sides have in them.

    Attributes
    ----------
    both : int
        Slices with rootlets on both sides; the others are divided among these.
    wrong : int
        Those in which the sides have no level in common.
    partly : int
        Those in which they have one in common, and one side has another besides.
    """

    both: int
    wrong: int
    partly: int


def slice_counts(predicted: NDArray[Any], reference: NDArray[Any], axis: int) -> SliceCounts:
    """Count the slices, across `axis`, that two masks (I, J, K) have voxels in.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    a, b = (_in_slices(mask, axis) for mask in as_masks(predicted, reference))
    return SliceCounts(int((a & b).sum()), int((a & ~b).sum()), int((b & ~a).sum()))


def f1_slice(predicted: NDArray[Any], reference: NDArray[Any], axis: int) -> float:
    """Return the F1 score of the slices that two masks (I, J, K) have voxels in.

    It is the figure of Valošek et al. (2024, Imaging Neuroscience 2), over all slices: the
    published script leaves out the last one. See :class:`SliceCounts`.

    Parameters
    ----------
    predicted, reference : (I, J, K) array
        Every value but 0 belongs to the mask.
    axis : int
        Axis that the slices are stacked along.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    return slice_counts(predicted, reference, axis).f1


def slice_labels(predicted: NDArray[Any], reference: NDArray[Any], axis: int) -> SliceLabels:
    """Compare the levels that two label images (I, J, K) have in each slice across `axis`.

    Neighbouring levels share slices, since rootlets descend before they leave the image; one
    side more or less there is a matter of the border, which is why a slice is wrong only
    without any level in common.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    as_masks(predicted, reference)
    values = np.union1d(np.unique(predicted), np.unique(reference))
    values = values[values != 0]
    count = np.asarray(predicted).shape[axis]
    has = np.zeros((2, len(values), count), dtype=bool)
    for side, labels in enumerate((predicted, reference)):
        for place, value in enumerate(values):
            has[side, place] = _in_slices(np.asarray(labels) == value, axis)
    both = has.any(axis=1).all(axis=0)
    common = has.all(axis=0).any(axis=0)
    same = (has[0] == has[1]).all(axis=0)
    return SliceLabels(
        int(both.sum()), int((both & ~common).sum()), int((both & common & ~same).sum())
    )


def _in_slices(mask: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    across = tuple(k for k in range(mask.ndim) if k != axis)
    return np.asarray(mask.any(axis=across))
