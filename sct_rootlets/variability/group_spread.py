"""How far the groups of a factor lie apart, with what few subjects make of it and without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.variability.resampling import Interval, Resampler

__all__ = ["FEWEST_A_GROUP", "GroupSpread", "between_groups"]

Floats = NDArray[np.float64]

#: Fewest subjects a group of which the net spread has an interval.
FEWEST_A_GROUP = 3


@dataclass(frozen=True)
class GroupSpread:
    """How far groups lie apart.

    Attributes
    ----------
    n_subjects, n_groups : int
    mean, sd : float
        Of the means of the groups.
    net_sd : float or None
        Without what few subjects add; None where each group has one subject.
    interval, net_interval : (low, high) or None
        Of the coefficients of variation, percent.
    """

    n_subjects: int
    n_groups: int
    mean: float
    sd: float
    net_sd: float | None
    interval: Interval | None
    net_interval: Interval | None


def between_groups(cells: Floats, *, is_crossed: bool, resampler: Resampler) -> GroupSpread | None:
    """Return how far groups lie apart.

    Parameters
    ----------
    cells : (N, G) array
        Of every subject in every group, NaN where it is not in it.
    is_crossed : bool
        Whether subjects are in several groups. Then those in all of them count, so that what
        subjects differ by cancels; else every subject is in one group.
    resampler : Resampler

    Notes
    -----
    Of G groups with the means m_g of n_g subjects, SD^2 = var(m_g). It exceeds the variance
    of the groups alone by the variance of a mean, on average mean(s_g^2 / n_g) for groups of
    different subjects, and MSE / n of the two-way analysis of variance for the same subjects
    in all groups (Searle, Casella and McCulloch 1992, Variance Components, chapters 3 and 4).
    The net variance has that taken off, and is at least 0. Groups are taken as they are:
    other subjects are drawn again, not other groups. Where each group has one subject nothing
    can be taken off, and groups are drawn again.
    """
    if is_crossed:
        cells = cells[np.isfinite(cells).all(axis=1)]
    has_any = np.isfinite(cells).any(axis=0)
    cells = cells[:, has_any]
    cells = cells[np.isfinite(cells).any(axis=1)]
    n_groups = cells.shape[1]
    if n_groups < 2 or not len(cells):
        return None
    columns = [values[np.isfinite(values)] for values in cells.T]
    means = np.array([values.mean() for values in columns])
    mean, sd = float(means.mean()), float(means.std(ddof=1))
    net: float | None = None
    interval = net_interval = None
    if max(map(len, columns)) == 1:
        interval = resampler.cov(means) if sd else None
    elif min(map(len, columns)) > 1:
        ones = [np.ones((1, len(values))) for values in columns]
        net = float(_net_sd(cells, columns, ones, is_crossed)[0][0])
        if min(map(len, columns)) >= FEWEST_A_GROUP:
            streams = [0] * n_groups if is_crossed else range(n_groups)
            drawn = [resampler.weights(len(v), g) for g, v in zip(streams, columns, strict=True)]
            sds, tops = _net_sd(cells, columns, drawn, is_crossed)
            n = min(map(len, columns))
            dof = n - 1 if is_crossed else sum(map(len, columns)) - n_groups
            net_interval = resampler.percentile(100 * sds / tops, n, dof) if mean > 0 else None
    return GroupSpread(len(cells), n_groups, mean, sd, net, interval, net_interval)


def _net_sd(
    cells: Floats, columns: Sequence[Floats], weights: Sequence[Floats], is_crossed: bool
) -> tuple[Floats, Floats]:
    """Return the net SD (B,) of the groups and the mean of their means (B,).

    `weights` (B, n) of each group say how often its subjects count; those of crossed data are
    all the same.
    """
    means = np.stack(
        [w @ values / len(values) for w, values in zip(weights, columns, strict=True)], axis=1
    )
    if is_crossed:
        n, n_groups = cells.shape
        rest = cells - cells.mean(axis=1, keepdims=True)
        of_groups = weights[0] @ rest / n
        squares = (weights[0] @ rest**2 - n * of_groups**2).sum(axis=1)
        noise = squares / ((n - 1) * (n_groups - 1)) / n
    else:
        noise = np.zeros(len(means))
        for w, values in zip(weights, columns, strict=True):
            n = len(values)
            away = values - values.mean()
            variance = (w @ away**2 / n - (w @ away / n) ** 2) * n / (n - 1)
            noise += variance / n / len(columns)
    return np.sqrt(np.maximum(means.var(axis=1, ddof=1) - noise, 0)), means.mean(axis=1)
