"""Bootstrap intervals of coefficients of variation: subjects drawn again, and studentised.

A coefficient of variation of few subjects is skewed, and the plain bootstrap (percentile, BCa)
then gives intervals that are too short: see docs/variability.md, which has the coverage of each.
The studentised bootstrap (Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter
12.5; DiCiccio and Efron 1996, Statistical Science 11:189) of the logarithm holds its level.
For a statistic t with standard error e, and t*, e* the same of subjects drawn again, the
interval is t - q(1 - a/2) e to t - q(a/2) e with the quantiles q of (t* - t) / e*. The standard
errors are those of the delta method, from the influence of each subject on log t.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = ["FEWEST", "Interval", "Resampler"]

Floats = NDArray[np.float64]
Interval = tuple[float, float]

#: Fewest subjects of which an interval is given.
FEWEST = 5
#: Share of the samples drawn that must give a number.
_USABLE = 0.95


class Resampler:
    """Draws subjects again, always in the same way for one seed.

    Parameters
    ----------
    seed : int
    n_resamples : int
        How often subjects are drawn.
    confidence : float
        Of the intervals, 0 to 1.
    """

    def __init__(self, seed: int = 0, n_resamples: int = 2000, confidence: float = 0.95) -> None:
        self.seed, self.n_resamples, self.confidence = seed, n_resamples, confidence
        self.weights = lru_cache(maxsize=4)(self._draw)

    def _draw(self, n: int, stream: int = 0) -> Floats:
        """Return how often each of `n` subjects is drawn, (B, n), the sum of a row being n."""
        rng = np.random.default_rng([self.seed, n, stream])
        drawn = rng.multinomial(n, np.full(n, 1 / n), size=self.n_resamples)
        return np.asarray(drawn, dtype=float)

    def cov(self, values: Floats) -> Interval | None:
        """Return the interval of 100 SD / mean of values (n,); SD with n - 1.

        With z the values standardised (SD with n), c the coefficient, the influence of a
        subject on log c is (z^2 - 1) / 2 - c z.
        """
        n = len(values)
        if n < FEWEST:
            return None
        mean, sd = values.mean(), values.std()
        if not mean > 0 or not sd > 1e-9 * mean:
            return None
        z = (values - mean) / sd
        powers = np.stack([z, z**2, z**3, z**4], axis=1)
        p1, p2, p3, p4 = (self.weights(n) @ powers / n).T
        q1, q2, q3, q4 = powers.mean(axis=0)
        with np.errstate(all="ignore"):
            log_t, error = _log_cov(p1, p2, p3, p4, mean / sd, n)
            log_0, error_0 = _log_cov(q1, q2, q3, q4, mean / sd, n)
        unbiased = 100 * np.sqrt(n / (n - 1))
        return self._studentised(log_t, error, float(log_0), float(error_0), unbiased)

    def ratio(self, tops: Floats, bottoms: Floats, power: float) -> Interval | None:
        """Return the interval of (sum of tops / sum of bottoms) ** power over subjects (n,).

        The influence of a subject on its logarithm is power (top / mean top - bottom / mean
        bottom).
        """
        n = len(tops)
        if n < FEWEST or not tops.mean() > 0 or not bottoms.mean() > 0:
            return None
        columns = np.stack([tops, bottoms, tops**2, bottoms**2, tops * bottoms], axis=1)
        with np.errstate(all="ignore"):
            log_t, error = _log_ratio(self.weights(n) @ columns / n, power)
            log_0, error_0 = _log_ratio(columns.mean(axis=0)[None], power)
        return self._studentised(log_t, error / np.sqrt(n), log_0[0], error_0[0] / np.sqrt(n), 1.0)

    def percentile(self, statistics: Floats, n: int, dof: int) -> Interval | None:
        """Return the interval between quantiles of statistics (B,) of subjects drawn again.

        Means of `n` subjects drawn again vary by too little, and by the normal distribution
        where the t distribution holds. The quantiles are therefore those of
        Phi(-sqrt(n / (n - 1)) t), t with `dof` degrees of freedom, in place of a/2: the expanded
        percentile interval, Hesterberg 2015, Am Stat 69:371.
        """
        usable = statistics[np.isfinite(statistics)]
        if len(usable) < _USABLE * len(statistics):
            return None
        t = stats.t.isf(self._tails()[0], dof)
        tail = float(stats.norm.sf(np.sqrt(n / (n - 1)) * t))
        low, high = np.quantile(usable, (tail, 1 - tail))
        return float(low), float(high)

    def _studentised(
        self, log_t: Floats, error: Floats, log_0: float, error_0: float, scale: float
    ) -> Interval | None:
        with np.errstate(all="ignore"):
            t = (log_t - log_0) / error
        # Samples of one or two distinct subjects have no error of their own.
        t = t[np.isfinite(t) & (error > 1e-6)]
        if len(t) < _USABLE * len(log_t) or not error_0 > 0:
            return None
        low, high = np.quantile(t, self._tails())
        ends: Any = scale * np.exp(log_0 - np.array([high, low]) * error_0)
        return float(ends[0]), float(ends[1])

    def _tails(self) -> tuple[float, float]:
        tail = (1 - self.confidence) / 2
        return tail, 1 - tail


def _log_cov(
    p1: Any, p2: Any, p3: Any, p4: Any, mean_per_sd: float, n: int
) -> tuple[Floats, Floats]:
    """Return log (SD / mean) and its standard error, of means p of powers of z."""
    sd = np.sqrt(p2 - p1**2)
    skew = (p3 - 3 * p1 * p2 + 2 * p1**3) / sd**3
    kurtosis = (p4 - 4 * p1 * p3 + 6 * p1**2 * p2 - 3 * p1**4) / sd**4
    cov = sd / (mean_per_sd + p1)
    variance = (kurtosis - 1) / 4 - cov * skew + cov**2
    return np.log(cov), np.sqrt(variance / n)


def _log_ratio(means: Floats, power: float) -> tuple[Floats, Floats]:
    """Return log (top / bottom) ** power and the SD of its influences, of means (B, 5)."""
    top, bottom, top2, bottom2, both = means.T
    variance = top2 / top**2 - 2 * both / (top * bottom) + bottom2 / bottom**2
    return power * np.log(top / bottom), abs(power) * np.sqrt(np.maximum(variance, 0))
