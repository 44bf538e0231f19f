"""Tests of factors: which one, its effect size, and the correction over levels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sct_rootlets.variability.analysis import analyse
from sct_rootlets.variability.distances import measure
from sct_rootlets.variability.effects import EffectRow, effect_rows, holm
from sct_rootlets.variability.simulate import Design, simulate
from tests.variability.studies import study_of


def effects(groups: dict[str, list[float]], *, same: bool) -> dict[str, EffectRow]:
    """Return the tests of the midpoint, by name, of values by group."""
    positions = [
        (str(i) if same else f"{group}{i}", {"factor": group}, value)
        for group, values in groups.items()
        for i, value in enumerate(values)
    ]
    found = analyse(study_of(positions, ("factor",)), n_resamples=200)
    return {row.test: row for row in found.effects if row.measure == "midpoint"}


def test_groups_of_different_subjects() -> None:
    """Ranks without overlap: H by hand, epsilon squared H / (n - 1), eta squared by hand."""
    found = effects({"a": [80, 81, 82], "b": [90, 91, 92], "c": [85, 86, 87]}, same=False)
    assert set(found) == {"kruskal", "anova"}
    # rank sums 6, 24, 15: H = 12 / 90 (36 + 576 + 225) / 3 - 30 = 7.2
    row = found["kruskal"]
    assert (row.n_subjects, row.n_groups, row.effect) == (9, 3, "epsilon2")
    assert row.statistic == pytest.approx(7.2)
    assert row.effect_size == pytest.approx(7.2 / 8)
    between = 3 * ((81 - 86) ** 2 + 25 + 0)
    assert found["anova"].effect_size == pytest.approx(between / (between + 6))
    assert found["anova"].statistic == pytest.approx((between / 2) / (6 / 6))


def test_the_same_subjects_twice() -> None:
    found = effects({"1": [80, 85, 90, 95, 70], "2": [81, 87, 93, 94.5, 74]}, same=True)
    assert set(found) == {"wilcoxon", "paired_t"}
    # differences 1, 2, 3, -0.5, 4: ranks 2, 3, 4, 1, 5
    assert found["wilcoxon"].effect_size == pytest.approx((14 - 1) / 15)
    differences = np.array([1, 2, 3, -0.5, 4])
    dz = differences.mean() / differences.std(ddof=1)
    assert found["paired_t"].effect_size == pytest.approx(dz)
    assert found["paired_t"].statistic == pytest.approx(dz * np.sqrt(5))


def test_the_same_subjects_three_times() -> None:
    found = effects({"1": [80, 85, 90], "2": [81, 86, 91], "3": [82, 87, 92]}, same=True)
    assert set(found) == {"friedman"}
    assert found["friedman"].effect_size == pytest.approx(1.0)
    assert found["friedman"].statistic == pytest.approx(6.0)


def test_nothing_that_differs_or_too_few_has_no_test() -> None:
    assert effects({"1": [80, 85, 90], "2": [80, 85, 90]}, same=True) == {}
    assert effects({"1": [80, 85], "2": [81, 86]}, same=True) == {}
    assert effects({"a": [80], "b": [85]}, same=False) == {}


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_none_and_bonferroni(p_values: list[float]) -> None:
    for p, corrected in zip(p_values, holm(p_values), strict=True):
        assert corrected is not None
        assert p <= corrected <= min(1.0, len(p_values) * p) + 1e-12


def test_the_correction_is_over_levels() -> None:
    study = simulate(Design(6, 2, 1, 4.0, 3.0, 1.0), seed=1)
    rows = [
        row
        for row in effect_rows(measure(study))
        if (row.factor, row.measure, row.test) == ("site", "midpoint", "kruskal")
    ]
    assert len(rows) == 8
    assert [row.p_holm for row in rows] == holm([row.p for row in rows])
