"""What a population says about where entry zones lie: one joint normal distribution.

The entry zones of C1 to S5 have sixty ends along the cord. Between people they differ by a
scale, by a shift against whatever the positions are counted from, and by every length and
gap a little on its own:

    x_k = origin + (1 + z) m_k + sum of e_j up to k,   z ~ N(0, scale), e_j ~ N(0, sd_j).

That is a multivariate normal. What was measured conditions it; the conditioned mean and
covariance are where the ends that were not measured lie, between measured ones
(interpolation), beyond them (extrapolation) or with nothing but vertebrae (prediction), each
with its standard deviation. The likelihood of what was measured is the same distribution
read the other way, which is how the numbering of levels is checked.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.levels.population import reference_data
from sct_rootlets.levels.population.template import place_template

__all__ = ["End", "Evidence", "Node", "Prior"]

Floats = NDArray[np.float64]

#: Spread of a position that nothing anchors, mm.
ANYWHERE_MM = 1000.0


class End(Enum):
    """End of an entry zone."""

    ROSTRAL = "rostral"
    CAUDAL = "caudal"


Node = tuple[SpinalLevel, End]
#: Measured ends: position along the cord and its standard deviation, mm.
Evidence = Mapping[Node, tuple[float, float]]

NODES: tuple[Node, ...] = tuple((level, end) for level in SpinalLevel for end in End)
_INDEX = {node: k for k, node in enumerate(NODES)}


@dataclass(frozen=True, eq=False)
class Prior:
    """Joint normal distribution of the ends of the entry zones C1 to S5.

    Attributes
    ----------
    mean_mm : (60,) array
        Along the cord, caudal-positive: rostral end of C1, caudal end of C1, of C2, ...
    covariance_mm2 : (60, 60) array
    """

    mean_mm: Floats
    covariance_mm2: Floats

    @classmethod
    def floating(cls) -> Prior:
        """Return the spacing of the population, its position unknown."""
        return _random_walk(_COHORT_MM, _INDEX[SpinalLevel.C3, End.ROSTRAL], shift_sd=ANYWHERE_MM)

    @classmethod
    def from_pmj(cls, s_mm: float) -> Prior:
        """Return the ends as the pontomedullary junction at `s_mm` places them.

        Source: the 14 subjects of `reference_data.COHORT_ZONES_MM`.
        """
        first = _INDEX[SpinalLevel.C3, End.ROSTRAL]
        return _random_walk(
            _COHORT_MM + s_mm,
            first,
            shift_sd=reference_data.PMJ_TO_C3_SD_MM,
            scaled=_COHORT_MM - _COHORT_MM[first] + reference_data.PMJ_TO_C3_PER_SCALE_MM,
        )

    @classmethod
    def from_discs(cls, disc_s_mm: Mapping[int, float]) -> Prior:
        """Return the ends as discs place them.

        Parameters
        ----------
        disc_s_mm : mapping of int to float
            Position along the cord by disc label (C2/C3 = 3), of one disc or more.

        Raises
        ------
        UsageError
            If no disc is one that PAM50 has.

        Notes
        -----
        C2 to T1 lie as in PAM50, stretched to the discs; what lies beyond them continues
        with the spacing of the population. How far a person's levels lie off is
        `reference_data.DISC_TO_LEVEL_SD_MM`.
        """
        placed = place_template(disc_s_mm)
        known = {
            _INDEX[level, end]: placed.s_mm(reference_data.PAM50_ZONES_MM[level][number])
            for level in reference_data.PAM50_ZONES_MM
            for number, end in enumerate(End)
        }
        at = np.array(sorted(known))
        mean = np.array([known[k] for k in at])
        size = placed.scale / reference_data.COHORT_SCALE
        full = np.empty(len(NODES))
        full[at] = mean
        full[: at[0]] = mean[0] + size * (_COHORT_MM[: at[0]] - _COHORT_MM[at[0]])
        full[at[-1] + 1 :] = mean[-1] + size * (_COHORT_MM[at[-1] + 1 :] - _COHORT_MM[at[-1]])
        return _random_walk(
            full,
            int(np.argmin(np.abs(full - placed.centre_mm))),
            shift_sd=reference_data.DISC_TO_LEVEL_SD_MM,
            scaled=full - placed.centre_mm,
            scale_sd=placed.scale_sd,
        )

    def given(self, evidence: Evidence) -> Prior:
        """Return the distribution conditioned on measured ends."""
        if not evidence:
            return self
        at, away, total = self._compared(evidence)
        gain = np.linalg.solve(total, self.covariance_mm2[at]).T
        covariance = self.covariance_mm2 - gain @ self.covariance_mm2[at]
        return Prior(self.mean_mm + gain @ away, (covariance + covariance.T) / 2)

    def log_likelihood(self, evidence: Evidence) -> float:
        """Return the natural logarithm of the density of measured ends."""
        _, away, total = self._compared(evidence)
        _, log_volume = np.linalg.slogdet(2 * np.pi * total)
        return float(-0.5 * (away @ np.linalg.solve(total, away) + log_volume))

    def mean(self, node: Node) -> float:
        """Return the mean position of an end, mm."""
        return float(self.mean_mm[_INDEX[node]])

    def sd(self, node: Node) -> float:
        """Return the standard deviation of an end, mm."""
        return float(np.sqrt(max(self.covariance_mm2[_INDEX[node], _INDEX[node]], 0.0)))

    def covariance(self, first: Node, second: Node) -> float:
        """Return the covariance of two ends, mm^2."""
        return float(self.covariance_mm2[_INDEX[first], _INDEX[second]])

    def _compared(self, evidence: Evidence) -> tuple[NDArray[np.intp], Floats, Floats]:
        """Return nodes, deviations from the mean, and their covariance with the noise."""
        at = np.array([_INDEX[node] for node in evidence])
        value, sd = np.array(list(evidence.values()), dtype=float).T
        total = self.covariance_mm2[np.ix_(at, at)] + np.diag(sd**2)
        return at, value - self.mean_mm[at], total


def _cohort() -> Floats:
    """Return the mean ends (60,), mm from the PMJ, C1 and T2 onwards after Frostell."""
    segment = {
        level: reference_data.MM_PER_PERCENT * percent
        for level, percent in reference_data.FROSTELL_PERCENT.items()
    }
    ends = dict(reference_data.COHORT_ZONES_MM)
    # The segment of C2, as Frostell et al. give it, is as long as its entry zone: C1 ends
    # where that begins.
    c2 = ends[SpinalLevel.C2][0]
    ends[SpinalLevel.C1] = (c2 - reference_data.ZONE_SHARE * segment[SpinalLevel.C1], c2)
    for level in list(SpinalLevel)[SpinalLevel.T1.value :]:
        caudal = ends[SpinalLevel(level.value - 1)][1] + segment[level]
        ends[level] = (caudal - reference_data.ZONE_SHARE * segment[level], caudal)
    return np.array([end for level in SpinalLevel for end in ends[level]])


def _step_sd() -> Floats:
    """Return the spread (59,) of every length and gap beside the scale, mm."""
    sd = []
    for above, below in itertools.pairwise(NODES):
        if (above[0], below[0]) == (SpinalLevel.C1, SpinalLevel.C2):
            sd.append(reference_data.C1_GAP_SD_MM)
        elif (
            above[0] in reference_data.COHORT_ZONES_MM
            and below[0] in reference_data.COHORT_ZONES_MM
        ):
            length = above[0] is below[0]
            sd.append(reference_data.ZONE_LENGTH_SD_MM if length else reference_data.GAP_SD_MM)
        else:
            percent = reference_data.FROSTELL_PERCENT[below[0]]
            segment = reference_data.SEGMENT_SD_SHARE * reference_data.MM_PER_PERCENT * percent
            # Half of a segment's variance for its zone and half for the gap above it.
            sd.append(max(segment, reference_data.CAUDAL_TO_CAUDAL_SD_MM) / np.sqrt(2))
    return np.array(sd)


def _random_walk(
    mean: Floats,
    anchor: int,
    *,
    shift_sd: float,
    scaled: Floats | None = None,
    scale_sd: float = reference_data.SCALE_SD,
) -> Prior:
    """Return the distribution of a chain of ends that hangs on one of them.

    Parameters
    ----------
    mean : (60,) array
    anchor : int
        The end at which lengths and gaps have not added up yet.
    shift_sd : float
        Spread of all ends together, mm.
    scaled : (60,) array, optional
        By how much the ends move per unit of scale, mm; by default their distance from
        the anchor.
    scale_sd : float
        Spread of the scale.
    """
    count = len(mean)
    scaled = mean - mean[anchor] if scaled is None else scaled
    steps = np.zeros((count, count - 1))
    for k in range(count - 1):
        if k >= anchor:
            steps[k + 1 :, k] = 1.0
        else:
            steps[: k + 1, k] = -1.0
    walk = steps * _STEP_SD
    covariance = walk @ walk.T + shift_sd**2 + scale_sd**2 * np.outer(scaled, scaled)
    return Prior(mean.copy(), covariance)


_COHORT_MM = _cohort()
_STEP_SD = _step_sd()
