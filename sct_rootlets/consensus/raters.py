"""The consensus of several raters, level by level, and how each of them stands to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sct_rootlets import metrics
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.consensus.filters import staple, vote

__all__ = ["METHODS", "Consensus", "PairRow", "RaterRow", "combine"]

METHODS = ("staple", "vote")
#: STAPLE sees the voxels that a rater marked, and those within so many steps (26 neighbours).
REGION_VOXELS = 1
#: A value that no spinal level has.
_UNDECIDED = 255


@dataclass(frozen=True)
class RaterRow:
    """One rater and one level.

    Attributes
    ----------
    rater : int
        Place among the raters.
    level : SpinalLevel or None
        None for all levels as one structure.
    sensitivity, specificity : float
        As STAPLE estimates them, the latter within the region it saw; NaN by a vote.
    dice : float
        With the consensus.
    n_voxels, n_consensus : int
    """

    rater: int
    level: SpinalLevel | None
    sensitivity: float
    specificity: float
    dice: float
    n_voxels: int
    n_consensus: int


@dataclass(frozen=True)
class PairRow:
    """Two raters and one level, or all raters where `first` and `second` are None.

    Attributes
    ----------
    level : SpinalLevel or None
        None for all levels as one structure.
    first, second : int or None
        Places among the raters.
    dice : float
        Of the two; of all raters, the mean over the pairs that have one.
    conformity : float
        Generalised conformity index, which for two is the Jaccard index.
    """

    level: SpinalLevel | None
    first: int | None
    second: int | None
    dice: float
    conformity: float


@dataclass(frozen=True, eq=False)
class Consensus:
    """What several raters agree on.

    Attributes
    ----------
    labels : (I, J, K) array
        Spinal level values, 0 for background.
    undecided : int
        Voxels with a tie between labels, given to the background.
    raters : tuple of RaterRow
    pairs : tuple of PairRow
    """

    labels: NDArray[np.int32]
    undecided: int
    raters: tuple[RaterRow, ...]
    pairs: tuple[PairRow, ...]


def combine(
    raters: Sequence[NDArray[Any]],
    *,
    method: str = "staple",
    threshold: float = 0.5,
    by_level: bool = True,
) -> Consensus:
    """Combine the label images of several raters.

    STAPLE takes each level for itself, as a structure against the rest. It sees only voxels
    that a rater gave to the level and their neighbours (`REGION_VOXELS`): with all of the
    background of an image, which nobody doubts, every specificity is above 0.999 and tells
    raters no longer apart; without any, where raters disagree about most voxels, the
    estimate goes astray (docs/evaluate.md has the figures). A voxel that two levels claim goes
    to the more probable one. The vote takes all levels at once; each voxel gets the label that
    most raters gave it.

    Parameters
    ----------
    raters : sequence of (I, J, K) integer arrays
        Two or more, on one grid.
    method : str
        ``"staple"`` or ``"vote"``.
    threshold : float
        Probability from which on STAPLE's consensus has a voxel.
    by_level : bool
        Whether the values are levels; otherwise every value but 0 is one structure, of value 1.

    Raises
    ------
    ValueError
        If there are fewer than two, their shapes differ, or the method is unknown.
    MissingDependencyError
        If SimpleITK is not installed.
    """
    sides = [np.asarray(side).astype(np.int32) for side in raters]
    if len(sides) < 2 or len({side.shape for side in sides}) > 1:
        raise ValueError("a consensus is that of two or more raters of one grid")
    if method not in METHODS:
        raise ValueError(f"there is no method {method!r}, only {', '.join(METHODS)}")
    if not by_level:
        sides = [(side != 0).astype(np.int32) for side in sides]
    # Only voxels near a mark enter anything below.
    seen = _widened(np.any([side != 0 for side in sides], axis=0))
    ijk = np.nonzero(seen)
    rows = [side[ijk] for side in sides]
    values = [int(value) for value in np.unique(rows) if value]
    estimates = {}
    if method == "staple":
        near = {value: _near(sides, value)[ijk] for value in values} | {0: seen[ijk]}
        for value, region in near.items():
            masks = [row[region] == value if value else row[region] != 0 for row in rows]
            if region.any():
                estimates[value] = (region, staple(masks))
        found, undecided = _likeliest(estimates, values, threshold, len(ijk[0]))
    else:
        found = vote(rows, _UNDECIDED) if len(ijk[0]) else np.zeros(0, dtype=np.int32)
        undecided = int((found == _UNDECIDED).sum())
        found[found == _UNDECIDED] = 0
    labels = np.zeros(sides[0].shape, dtype=np.int32)
    labels[ijk] = found
    table, pairs = [], []
    for value in [*values, 0] if by_level else [0]:
        level = SpinalLevel(value) if value else None
        masks = [row == value if value else row != 0 for row in rows]
        agreed = found == value if value else found != 0
        for place, mask in enumerate(masks):
            estimate = estimates[value][1] if value in estimates else None
            table.append(
                RaterRow(
                    place,
                    level,
                    float("nan") if estimate is None else estimate.sensitivity[place],
                    float("nan") if estimate is None else estimate.specificity[place],
                    metrics.dice(mask, agreed),
                    int(mask.sum()),
                    int(agreed.sum()),
                )
            )
        pairs += _pairs(level, masks)
    return Consensus(labels, undecided, tuple(table), tuple(pairs))


def _likeliest(
    estimates: dict[int, tuple[NDArray[np.bool_], Any]],
    values: Sequence[int],
    threshold: float,
    count: int,
) -> tuple[NDArray[np.int32], int]:
    """Return the most probable level of each voxel (N,), and in how many two were equally so."""
    best = np.zeros(count)
    labels = np.zeros(count, dtype=np.int32)
    tied = np.zeros(count, dtype=bool)
    for value in values:
        region, estimate = estimates[value]
        probability = np.zeros(count)
        probability[region] = estimate.probability
        claims = probability >= max(threshold, np.finfo(float).tiny)
        more = claims & (probability > best)
        tied = (tied & ~more) | (claims & (probability == best))
        labels[more], best[more] = value, probability[more]
    labels[tied] = 0
    return labels, int(tied.sum())


def _pairs(level: SpinalLevel | None, masks: Sequence[NDArray[np.bool_]]) -> list[PairRow]:
    rows = []
    for first, second in combinations(range(len(masks)), 2):
        both = (masks[first], masks[second])
        rows.append(PairRow(level, first, second, metrics.dice(*both), metrics.conformity(both)))
    known = [row.dice for row in rows if np.isfinite(row.dice)]
    mean = float(np.mean(known)) if known else float("nan")
    return [*rows, PairRow(level, None, None, mean, metrics.conformity(masks))]


def _near(sides: Sequence[NDArray[np.int32]], value: int) -> NDArray[np.bool_]:
    """Return the voxels that STAPLE sees of one level."""
    return _widened(np.any([side == value for side in sides], axis=0))


def _widened(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    around = np.ones((3,) * mask.ndim, dtype=bool)
    return np.asarray(ndimage.binary_dilation(mask, around, iterations=REGION_VOXELS))
