"""Overlap of two masks on one grid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["as_masks", "box_of", "dice", "dice_at_tolerance", "dilated", "precision", "recall"]

_NEIGHBOURS_26 = np.ones((3, 3, 3), dtype=bool)


def dice(first: NDArray[Any], second: NDArray[Any]) -> float:
    r"""Return the Dice coefficient of two masks on one grid.

    .. math:: D = \frac{2\,|A \cap B|}{|A| + |B|}

    (Dice 1945, Ecology 26:297-302).

    Parameters
    ----------
    first, second : (I, J, K) array
        Masks A and B; every value but 0 belongs to the mask.

    Returns
    -------
    float
        In [0, 1]. 0 where one mask is empty, NaN where both are: there is nothing to
        agree on.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    a, b = as_masks(first, second)
    total = int(a.sum()) + int(b.sum())
    return 2.0 * int((a & b).sum()) / total if total else float("nan")


def dice_at_tolerance(first: NDArray[Any], second: NDArray[Any], voxels: int = 1) -> float:
    r"""Return the share of voxels of both masks that lie within a tolerance of the other.

    .. math::
        D_v = \frac{|A \cap (B \oplus v)| + |B \cap (A \oplus v)|}{|A| + |B|}

    where :math:`X \oplus v` are all voxels whose chessboard distance to X (steps among the
    26 neighbours) is at most `voxels`. It is the Dice coefficient for ``voxels = 0`` and,
    for surfaces, the surface Dice of Nikolov et al. 2021 (J Med Internet Res 23:e26151).
    Rootlets are one or two voxels thick, which makes the strict coefficient fall by half
    for a shift of one voxel; this one does not.

    Parameters
    ----------
    first, second : (I, J, K) array
        Masks A and B; every value but 0 belongs to the mask.
    voxels : int
        Tolerance in voxels, 0 or more.

    Returns
    -------
    float
        In [0, 1]. 0 where one mask is empty, NaN where both are.

    Raises
    ------
    ValueError
        If the shapes differ or `voxels` is negative.
    """
    if voxels < 0:
        raise ValueError(f"a tolerance of {voxels} voxels is negative")
    a, b = as_masks(first, second)
    total = int(a.sum()) + int(b.sum())
    if not total:
        return float("nan")
    matched = int((a & dilated(b, voxels)).sum()) + int((b & dilated(a, voxels)).sum())
    return matched / total


def precision(predicted: NDArray[Any], reference: NDArray[Any]) -> float:
    r"""Return the share of predicted voxels that the reference has too, |A ∩ B| / |A|.

    Parameters
    ----------
    predicted, reference : (I, J, K) array
        Masks A and B; every value but 0 belongs to the mask.

    Returns
    -------
    float
        In [0, 1]. NaN where nothing was predicted: of nothing no share is right.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    a, b = as_masks(predicted, reference)
    count = int(a.sum())
    return int((a & b).sum()) / count if count else float("nan")


def recall(predicted: NDArray[Any], reference: NDArray[Any]) -> float:
    r"""Return the share of reference voxels that were predicted, |A ∩ B| / |B|.

    It is :func:`precision` with the sides exchanged: NaN where the reference is empty, 0 where
    only the prediction is.
    """
    return precision(reference, predicted)


def as_masks(
    first: NDArray[Any], second: NDArray[Any]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return two arrays as masks of every value but 0; a `ValueError` if the shapes differ."""
    a, b = np.asarray(first) != 0, np.asarray(second) != 0
    if a.shape != b.shape:
        raise ValueError(f"masks of different shapes, {a.shape} and {b.shape}")
    return a, b


def dilated(mask: NDArray[np.bool_], voxels: int) -> NDArray[np.bool_]:
    """Return all voxels within a chessboard distance (26 neighbours) of a mask."""
    if voxels == 0:
        return mask
    return ndimage.binary_dilation(mask, _NEIGHBOURS_26, iterations=voxels)


def box_of(mask: NDArray[np.bool_]) -> tuple[slice, ...]:
    """Return the smallest box that holds a mask: most of an image holds no rootlets.

    Of an empty mask it is a box without voxels.
    """
    box = []
    for axis in range(mask.ndim):
        within = np.flatnonzero(mask.any(axis=tuple(k for k in range(mask.ndim) if k != axis)))
        box.append(slice(int(within[0]), int(within[-1]) + 1) if len(within) else slice(0, 0))
    return tuple(box)
