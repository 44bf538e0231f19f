"""The ends of all entry zones: measured where they were seen, else from the population.

What was measured stays as it was measured: it is not drawn towards the population, which
would hide differences between people. What was not is the mean of the population given
what was (:class:`~sct_rootlets.levels.population.prior.Prior`), with the errors of both in its
standard deviation. An end that the field of view cuts off is only known to lie no nearer
than what is seen: there the conditioned distribution is cut as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import scipy
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.levels.population.prior import NODES, End, Node, Prior
from sct_rootlets.levels.zones.ends import Zone, measured_ends

__all__ = ["Positions", "Weights", "locate_ends"]

Floats = NDArray[np.float64]
#: A border as a weighted sum of ends.
Weights = Mapping[Node, float]

#: Shortest entry zone and smallest gap that order may leave, mm.
SHORTEST_MM, SMALLEST_GAP_MM = 1.0, 0.0
#: A measured end that order moves by more than this, mm, was contradicted.
CONTRADICTED_MM = 0.25
_INDEX = {node: k for k, node in enumerate(NODES)}


@dataclass(frozen=True, eq=False)
class Positions:
    """Positions of the ends of the entry zones C1 to S5 and the covariance of their errors.

    Attributes
    ----------
    mean_mm : (60,) array
    covariance_mm2 : (60, 60) array
    measured : frozenset of Node
        Ends that were seen.
    contradicted : frozenset of Node
        Ends that the order of the levels moved.
    """

    mean_mm: Floats
    covariance_mm2: Floats
    measured: frozenset[Node]
    contradicted: frozenset[Node] = frozenset()

    def value(self, weights: Weights) -> float:
        """Return a weighted sum of ends, mm."""
        return float(sum(w * self.mean_mm[_INDEX[node]] for node, w in weights.items()))

    def sd(self, weights: Weights) -> float:
        """Return the standard deviation of a weighted sum of ends, mm."""
        row = np.zeros(len(NODES))
        for node, weight in weights.items():
            row[_INDEX[node]] += weight
        return float(np.sqrt(max(float(row @ self.covariance_mm2 @ row), 0.0)))

    def in_order(self, levels: Iterable[SpinalLevel]) -> Positions:
        """Return the most likely positions in which the ends of `levels` ascend.

        Least squares with the inverse variances as weights, under the constraint that no
        zone is shorter than `SHORTEST_MM` and none overlaps the next: for normal errors
        that is the maximum of the likelihood (isotonic regression). The ends of other levels,
        rostral and caudal of these, move no measured one: where they would pass, they stop.
        """
        at = np.array([_INDEX[level, end] for level in sorted(levels) for end in End], dtype=int)
        if len(at) == 0:
            return self
        low = np.where(np.arange(1, len(at)) % 2 == 1, SHORTEST_MM, SMALLEST_GAP_MM)
        mean = self.mean_mm[at]
        if (np.diff(mean) >= low).all():
            return replace(self, mean_mm=_not_past(self.mean_mm, at[0], at[-1]))
        weight = 1 / np.sqrt(np.maximum(np.diag(self.covariance_mm2)[at], 1e-6))
        steps = np.tri(len(at))
        bounds = (np.concatenate([[-np.inf], low]), np.full(len(at), np.inf))
        solved = scipy.optimize.lsq_linear(weight[:, None] * steps, weight * mean, bounds)
        settled = self.mean_mm.copy()
        settled[at] = steps @ solved.x
        moved = np.flatnonzero(np.abs(settled - self.mean_mm) > CONTRADICTED_MM)
        # What was moved is no better known than by how much it had to be moved.
        covariance = self.covariance_mm2.copy()
        covariance[moved, moved] += (settled - self.mean_mm)[moved] ** 2
        contradicted = frozenset(NODES[k] for k in moved) & self.measured
        settled = _not_past(settled, at[0], at[-1])
        return replace(self, mean_mm=settled, covariance_mm2=covariance, contradicted=contradicted)


def locate_ends(zones: Mapping[SpinalLevel, Zone], prior: Prior) -> Positions:
    """Place the ends of all entry zones.

    Parameters
    ----------
    zones : mapping of SpinalLevel to Zone
        What was seen; may be empty.
    prior : Prior

    Returns
    -------
    Positions
        Not yet in order (see :meth:`Positions.in_order`).
    """
    made = _condition(prior, measured_ends(zones))
    for level, zone in zones.items():
        if zone.cut_rostral:
            made = _cut(made, (level, End.ROSTRAL), zone.rostral_mm, zone.rostral_sd_mm, sign=-1)
        if zone.cut_caudal:
            made = _cut(made, (level, End.CAUDAL), zone.caudal_mm, zone.caudal_sd_mm, sign=1)
    return made


def _not_past(mean_mm: Floats, first: int, last: int) -> Floats:
    """Stop the ends before `first` and after `last` where they would pass those."""
    mean = mean_mm.copy()
    mean[: first + 1] = np.minimum.accumulate(mean[: first + 1][::-1])[::-1]
    mean[last:] = np.maximum.accumulate(mean[last:])
    return mean


def _condition(prior: Prior, evidence: Mapping[Node, tuple[float, float]]) -> Positions:
    """Keep measured ends, and place the others given them, with all errors' covariance."""
    if not evidence:
        return Positions(prior.mean_mm, prior.covariance_mm2, frozenset())
    given = prior.given(evidence)
    at = np.array([_INDEX[node] for node in evidence])
    value, sd = np.array(list(evidence.values()), dtype=float).T
    noise = np.diag(sd**2)
    total = prior.covariance_mm2[np.ix_(at, at)] + noise
    # The error of a conditioned end is correlated with those of the ends it follows from.
    shared = np.linalg.solve(total, prior.covariance_mm2[at]).T @ noise
    mean, covariance = given.mean_mm.copy(), given.covariance_mm2.copy()
    covariance[:, at], covariance[at] = shared, shared.T
    covariance[np.ix_(at, at)] = noise
    mean[at] = value
    return Positions(mean, covariance, frozenset(evidence))


def _cut_moments(edge: float) -> tuple[float, float]:
    """Return mean and standard deviation of a standard normal variable that exceeds `edge`.

    Notes
    -----
    With the inverse Mills ratio L = pdf(edge) / (1 - cdf(edge)) the mean is L and the variance
    1 + edge L - L^2 (Johnson, Kotz & Balakrishnan 1994, Continuous univariate distributions,
    section 13.10.1). SciPy's `truncnorm` says the same and takes half a second to import.
    """
    ratio = float(np.exp(-0.5 * edge**2 - scipy.special.log_ndtr(-edge)) / np.sqrt(2 * np.pi))
    return ratio, float(np.sqrt(1 + ratio * (edge - ratio)))


def _cut(
    positions: Positions, node: Node, seen_mm: float, seen_sd_mm: float, *, sign: int
) -> Positions:
    """Cut the distribution of one end where what is seen forbids it.

    Moments of a truncated normal; the ends that follow from this one move along.
    """
    k = _INDEX[node]
    mean, sd = positions.mean_mm[k], float(np.sqrt(max(positions.covariance_mm2[k, k], 1e-6)))
    edge = (seen_mm - mean) / sd
    # Far in the tail the moments are those of an exponential just beyond the edge.
    if sign * edge > 6:
        low, spread = seen_mm + sign * sd / abs(edge), sd / abs(edge)
    else:
        shift, narrower = _cut_moments(sign * edge)
        low, spread = mean + sign * sd * shift, sd * narrower
    # Where the edge itself lies is not certain either.
    spread = min(float(np.hypot(spread, seen_sd_mm)), sd)
    gain = positions.covariance_mm2[k] / sd**2
    measured = np.array([_INDEX[n] for n in positions.measured], dtype=int)
    gain[measured] = 0.0
    shrink = sd**2 - spread**2
    return replace(
        positions,
        mean_mm=positions.mean_mm + gain * (low - mean),
        covariance_mm2=positions.covariance_mm2 - shrink * np.outer(gain, gain),
    )
