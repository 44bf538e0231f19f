"""Intraclass correlation and limits of agreement, against published figures."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sct_rootlets.variability.agreement import icc_agreement, limits_of_agreement
from sct_rootlets.variability.analysis import analyse
from tests.variability.studies import study_of

#: Shrout and Fleiss 1979, table 2: six targets, four judges.
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
)
#: Bland and Altman 1986, table 1: peak expiratory flow (l/min), the first measurement of each of
#: 17 subjects with the large and with the mini meter.
LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_the_example_of_shrout_and_fleiss() -> None:
    """ICC(2,1) = 0.29 in their table 4; pingouin and R's psych have the interval 0.02 to 0.76."""
    found = icc_agreement(SHROUT_FLEISS)
    assert found is not None
    assert found.value == pytest.approx(0.29, abs=0.005)
    assert found.low == pytest.approx(0.019, abs=0.0006)
    assert found.high == pytest.approx(0.761, abs=0.0006)


def test_a_constant_shift_is_a_disagreement() -> None:
    """Consistency would be perfect; absolute agreement is var / (var + shift^2 / 2)."""
    first = np.arange(40.0, 60.0)
    found = icc_agreement(np.stack([first, first + 4.0], axis=1))
    assert found is not None
    subjects = first.var(ddof=1)
    assert found.value == pytest.approx(subjects / (subjects + 4.0**2 / 2), rel=1e-9)
    assert found.sem == pytest.approx(np.sqrt(8.0), rel=1e-9)


def test_perfect_agreement_and_none() -> None:
    first = np.arange(10.0)
    found = icc_agreement(np.stack([first, first], axis=1))
    assert found is not None
    assert (found.value, found.low, found.high, found.sem) == pytest.approx((1, 1, 1, 0), abs=1e-9)
    assert icc_agreement(np.full((5, 3), 7.0)) is None
    assert icc_agreement(np.ones((1, 3))) is None
    assert icc_agreement(np.ones((3, 1))) is None


@given(st.integers(0, 500), st.floats(0.1, 20), st.floats(-100, 100))
def test_units_and_origin_do_not_matter(seed: int, factor: float, shift: float) -> None:
    table = np.random.default_rng(seed).normal(50, 5, (8, 3))
    first, second = icc_agreement(table), icc_agreement(factor * table + shift)
    assert first is not None
    assert second is not None
    assert (second.value, second.low, second.high) == pytest.approx(
        (first.value, first.low, first.high), abs=1e-6
    )


def test_the_example_of_bland_and_altman() -> None:
    """Mean difference -2.1 and SD 38.8 l/min, limits -79.7 and 75.5 (with 2 SD, as in 1986)."""
    found = limits_of_agreement(MINI, LARGE)
    assert found is not None
    assert (found.n, round(found.bias, 1), round(found.sd, 1)) == (17, -2.1, 38.8)
    assert found.bias - 2 * found.sd == pytest.approx(-79.7, abs=0.1)
    assert found.bias + 2 * found.sd == pytest.approx(75.5, abs=0.1)
    # the interval of the bias: -22.0 to 17.8
    assert (found.bias_low, found.bias_high) == pytest.approx((-22.0, 17.8), abs=0.1)
    # of the limits, with s sqrt(3 / n): -114.3 to -45.1; the exact one lies farther out
    assert found.lower_low < -114.3 < found.lower < found.lower_high < -45.1


def test_the_intervals_of_the_limits_hold_their_level() -> None:
    rng = np.random.default_rng(10)
    true = {"bias": 1.0, "upper": 1.0 + 1.959964 * 2.0, "lower": 1.0 - 1.959964 * 2.0}
    missed = Counter[tuple[str, str]]()
    for _ in range(1000):
        found = limits_of_agreement(np.zeros(12), rng.normal(1.0, 2.0, 12))
        for name, value in true.items():
            missed[name, "above"] += value > getattr(found, f"{name}_high")
            missed[name, "below"] += value < getattr(found, f"{name}_low")
    # 2.5 % at each end are 25 with a standard deviation of 5
    assert len(missed) == 6
    assert all(7 <= count <= 46 for count in missed.values()), missed


def test_pairs_and_correlations_of_a_study() -> None:
    rng = np.random.default_rng(11)
    truth = rng.normal(86, 4, 9)
    positions = [
        (str(i), {"session": ses}, float(truth[i] + shift + rng.normal(0, 0.5)))
        for i in range(9)
        for ses, shift in (("1", 0.0), ("2", 1.0), ("10", -1.0))
        if (i, ses) != (8, "2")
    ]
    found = analyse(study_of(positions, ("session",)), n_resamples=200)
    (row,) = [row for row in found.icc if row.measure == "midpoint"]
    assert (row.n_subjects, row.n_groups, row.level) == (8, 3, "C5")
    pairs = [row for row in found.pairs if row.measure == "midpoint"]
    assert [(row.first, row.second, row.n_subjects) for row in pairs] == [
        ("1", "2", 8),
        ("1", "10", 9),
        ("2", "10", 8),
    ]
    by_subject = {(s, g["session"]): mm for s, g, mm in positions}
    differences = [by_subject[str(i), "10"] - by_subject[str(i), "1"] for i in range(9)]
    assert pairs[1].bias_mm == pytest.approx(np.mean(differences))
    assert pairs[1].upper_mm == pytest.approx(
        np.mean(differences) + 1.959964 * np.std(differences, ddof=1)
    )


def test_groups_of_different_subjects_are_no_pairs() -> None:
    positions = [(str(i), {"site": "ab"[i % 2]}, 80.0 + i) for i in range(8)]
    found = analyse(study_of(positions, ("site",)), n_resamples=200)
    assert not found.icc
    assert not found.pairs
