"""Whether rootlets carry the right level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sct_rootlets.metrics.overlap import as_masks, box_of, dilated

__all__ = ["level_accuracy", "level_confusion"]


def level_accuracy(predicted: NDArray[Any], reference: NDArray[Any], voxels: int = 1) -> float:
    """Return the share of found reference rootlet voxels that carry the right level.

    A reference voxel counts as found when a predicted voxel lies within a chessboard
    distance of `voxels`. It takes the value of the nearest predicted voxel (Euclidean
    distance in voxels; itself if predicted), and agrees when this is its own value.
    Voxels that were not found do not count: how many are found is what
    :func:`dice_at_tolerance` says.

    Parameters
    ----------
    predicted, reference : (I, J, K) integer array
        Spinal level values, 0 for background.
    voxels : int
        Tolerance in voxels, 0 or more.

    Returns
    -------
    float
        In [0, 1]; NaN where no reference voxel was found, as for an empty side.

    Raises
    ------
    ValueError
        If the shapes differ or `voxels` is negative.
    """
    if voxels < 0:
        raise ValueError(f"a tolerance of {voxels} voxels is negative")
    there, wanted = as_masks(predicted, reference)
    box = box_of(there | wanted)
    there, wanted = there[box], wanted[box]
    found = wanted & dilated(there, voxels)
    if not found.any():
        return float("nan")
    nearest = ndimage.distance_transform_edt(~there, return_distances=False, return_indices=True)
    values = np.asarray(predicted)[box][tuple(nearest[:, found])]
    return float((values == np.asarray(reference)[box][found]).mean())


def level_confusion(
    predicted: NDArray[Any], reference: NDArray[Any], values: Sequence[int]
) -> NDArray[np.int64]:
    """Count voxels by reference level and predicted level.

    Parameters
    ----------
    predicted, reference : (I, J, K) integer array
        Spinal level values, 0 for background.
    values : sequence of int
        The N values there are, ascending, without 0.

    Returns
    -------
    (N + 1, N + 1) array
        Voxels; row 0 is the background of the reference and column 0 that of the prediction,
        the others follow `values`.

    Raises
    ------
    ValueError
        If the shapes differ, or there is a value besides 0 and `values`.
    """
    a, b = as_masks(predicted, reference)
    box = box_of(a | b)
    known = np.array([0, *values])
    sides = []
    for side in (reference, predicted):
        flat = np.asarray(side)[box].ravel()
        place = np.searchsorted(known, flat).clip(max=len(known) - 1)
        if not np.array_equal(known[place], flat):
            raise ValueError("there are values that are not among those to count")
        sides.append(place)
    size = len(known)
    flat = np.bincount(sides[0] * size + sides[1], minlength=size * size)
    counts = np.asarray(flat, dtype=np.int64).reshape(size, size)
    counts[0, 0] += a.size - len(sides[0])
    return counts
