"""Whether predicted probabilities come true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Calibration", "Reliability", "calibration"]

#: Number of bins of equal width between 0 and 1.
BINS = 10


@dataclass(frozen=True)
class Reliability:
    """One bin of probabilities, from `low` to less than `high` (the last one includes 1).

    Attributes
    ----------
    low, high : float
    n_voxels : int
    mean_probability : float
        NaN without voxels.
    observed : float
        Share of its voxels that the reference has; NaN without voxels.
    """

    low: float
    high: float
    n_voxels: int
    mean_probability: float
    observed: float


@dataclass(frozen=True)
class Calibration:
    """Probabilities against a reference.

    Attributes
    ----------
    n_voxels : int
    brier : float
        Brier score, the mean squared error of the probabilities (Brier 1950, Mon Weather Rev
        78:1-3): 0 is perfect.
    brier_skill : float
        1 less the Brier score over that of the reference's own share p everywhere, p (1 - p): 1
        is perfect, 0 no better than knowing p. NaN where the reference has all voxels or none.
    ece : float
        Expected calibration error (Guo et al. 2017, ICML, eq. 3): the mean over the voxels of
        the difference, in their bin, of mean probability and observed share.
    bins : tuple of Reliability
    """

    n_voxels: int
    brier: float
    brier_skill: float
    ece: float
    bins: tuple[Reliability, ...]


def calibration(
    probability: NDArray[Any], reference: NDArray[Any], bins: int = BINS
) -> Calibration:
    """Compare probabilities with a reference.

    Parameters
    ----------
    probability : (...) array
        0 to 1.
    reference : (...) array
        Every value but 0 belongs to the structure.
    bins : int
        Number of bins of equal width.

    Raises
    ------
    ValueError
        If the shapes differ, there is no voxel, or a probability lies outside 0 to 1.
    """
    p = np.asarray(probability, dtype=float).ravel()
    truth = (np.asarray(reference) != 0).ravel()
    if p.shape != truth.shape:
        raise ValueError(f"{p.size} probabilities and {truth.size} reference voxels")
    if not p.size or not ((p >= 0) & (p <= 1)).all():
        raise ValueError("probabilities lie between 0 and 1, and there is at least one")
    brier = float(((p - truth) ** 2).mean())
    share = float(truth.mean())
    alone = share * (1 - share)
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, p, side="right") - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    sums = np.bincount(place, p, bins)
    hits = np.bincount(place, truth, bins)
    with np.errstate(invalid="ignore"):
        means, observed = sums / counts, hits / counts
    return Calibration(
        int(p.size),
        brier,
        1 - brier / alone if alone else float("nan"),
        float(np.abs(sums - hits).sum() / p.size),
        tuple(
            Reliability(
                float(edges[k]),
                float(edges[k + 1]),
                int(counts[k]),
                float(means[k]),
                float(observed[k]),
            )
            for k in range(bins)
        ),
    )
