"""Where ends lie and how surely: measured, cut off, contradicted, or from the population."""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
import pytest
from scipy.stats import truncnorm

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.levels.population.prior import NODES, End, Prior
from sct_rootlets.levels.positions import Positions, Weights, _cut_moments, locate_ends
from sct_rootlets.levels.zones.ends import Zone

C4, C5 = SpinalLevel.C4, SpinalLevel.C5
T3, T4, S4, S5 = SpinalLevel.T3, SpinalLevel.T4, SpinalLevel.S4, SpinalLevel.S5
OF_C5: Weights = {(C5, End.ROSTRAL): 1.0}


@pytest.mark.parametrize("edge", [-12.0, -3.0, -0.5, 0.0, 0.7, 2.0, 4.5, 6.0])
def test_the_moments_of_a_cut_normal_are_scipys(edge: float) -> None:
    cut = truncnorm(edge, np.inf)
    assert _cut_moments(edge) == pytest.approx((cut.mean(), cut.std()), rel=1e-8, abs=1e-12)


def _located(zone: Zone, shared: float = 0.0) -> Positions:
    """Place C5 in a population of ends 5 mm apart, sd 2 mm, `shared` of C5's two alike."""
    covariance = 4.0 * np.eye(len(NODES))
    rostral, caudal = (NODES.index((C5, end)) for end in End)
    covariance[rostral, caudal] = covariance[caudal, rostral] = 4.0 * shared
    return locate_ends({C5: zone}, Prior(5.0 * np.arange(len(NODES)), covariance))


def _contradicted() -> Positions:
    """C4 ends 2 mm caudal of where C5 begins, both read with an error of 0.6 mm."""
    above = Zone(12.0, 21.0, 0.6, 0.6)
    below = Zone(19.0, 28.0, 0.6, 0.6)
    return locate_ends({C4: above, C5: below}, Prior.floating()).in_order([C4, C5])


def _population() -> Positions:
    prior = Prior.floating()
    return Positions(prior.mean_mm, prior.covariance_mm2, frozenset())


AT = (40.0, 45.0)  # of C5 in `_located`
CUT = Zone(*AT, 0.5, 0.7, cut_rostral=True)
FAR = Zone(AT[0] - 16, AT[1], 0.5, 0.7, cut_rostral=True)


#: Standard deviations, mm, and how each follows from the formulas.
GOLDEN = {
    "measured: as it was read": (_located(Zone(*AT, 0.7, 0.7)), OF_C5, 0.7),
    # Half a normal has the variance 1 - 2 / pi; where it is cut is known to 0.5 mm only.
    "cut by the image": (_located(CUT), OF_C5, sqrt(4 * (1 - 2 / pi) + 0.5**2)),
    # 16 mm = 8 sd past the mean the rest of a normal is an exponential of sd 2 / 8.
    "cut in the tail": (_located(FAR), OF_C5, sqrt((2 / 8) ** 2 + 0.5**2)),
    # The other end is known to 0.7 mm and its deviation is shared by half: 4 - 2^2 / (4 + 0.7^2).
    # The cut is where that leaves the mean.
    "not more than without the cut": (
        _located(Zone(AT[0] + 12, AT[1], 3.0, 0.7, cut_rostral=True), shared=0.5),
        OF_C5,
        sqrt(4 - 2**2 / (4 + 0.7**2)),
    ),
    # Either end is moved by half of the 2 mm, and no better known than by that.
    "contradicted": (_contradicted(), OF_C5, sqrt(0.6**2 + 1.0**2)),
    # The segment of T4 is 5.0 %, 21.55 mm, and differs by 12 % on its own and by 4.5 % with the
    # scale: half of the variance of 12 % lies in its zone, half in the gap above it.
    "beyond the cohort": (
        _population(),
        {(T4, End.CAUDAL): 1.0, (T3, End.CAUDAL): -1.0},
        sqrt((0.12 * 21.55) ** 2 + (0.045 * 21.55) ** 2),
    ),
    # 12 % of S5's 3.88 mm is less than any segment of the cohort differs: 1.7 mm.
    "beyond the cohort, short": (
        _population(),
        {(S5, End.CAUDAL): 1.0, (S4, End.CAUDAL): -1.0},
        sqrt(1.7**2 + (0.045 * 0.9 * 4.31) ** 2),
    ),
}


@pytest.mark.parametrize(("positions", "what", "sd"), GOLDEN.values(), ids=GOLDEN)
def test_golden_standard_deviations(positions: Positions, what: Weights, sd: float) -> None:
    assert positions.sd(what) == pytest.approx(sd, rel=1e-6)
