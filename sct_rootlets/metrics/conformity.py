"""Agreement of several raters who marked the same image."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["conformity"]


def conformity(masks: Sequence[NDArray[Any]]) -> float:
    r"""Return the generalised conformity index of two or more raters.

    .. math:: \frac{\sum_{i<j} |A_i \cap A_j|}{\sum_{i<j} |A_i \cup A_j|}

    (Kouwenhoven et al. 2009, Phys Med Biol 54:4129-4143.) For two raters it is the Jaccard
    index. Unlike kappa it does not depend on how much background an image has.

    Parameters
    ----------
    masks : sequence of (I, J, K) arrays
        One a rater; every value but 0 belongs to the mask.

    Returns
    -------
    float
        In [0, 1]; NaN where all of them are empty.

    Raises
    ------
    ValueError
        If there are fewer than two, or the shapes differ.
    """
    sides = [np.asarray(mask) != 0 for mask in masks]
    if len(sides) < 2 or len({side.shape for side in sides}) > 1:
        raise ValueError("the conformity is that of two or more masks of one shape")
    shared = total = 0
    for first, second in combinations(sides, 2):
        both = int((first & second).sum())
        shared += both
        total += int(first.sum()) + int(second.sum()) - both
    return shared / total if total else float("nan")
