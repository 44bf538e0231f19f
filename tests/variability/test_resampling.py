"""Bootstrap intervals: their level over many samples, their symmetries, and the few."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sct_rootlets.variability.resampling import Resampler, _log_cov, _log_ratio

Floats = NDArray[np.float64]

RESAMPLER = Resampler(0, 800)


@pytest.mark.parametrize("n", [8, 25])
def test_the_interval_of_a_coefficient_holds_its_level(n: int) -> None:
    """Of 400 samples 95 % give 380; fewer than 362 or more than 395 would be off by 3.9 SD."""
    rng = np.random.default_rng(n)
    held = 0
    for _ in range(400):
        low, high = RESAMPLER.cov(rng.normal(100, 4, n)) or (0.0, 0.0)
        held += low <= 4.0 <= high
    assert 362 <= held <= 395


def test_the_interval_of_a_root_mean_square_holds_its_level() -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        pairs = rng.normal(100, 1.5, (15, 2))
        squares = (100 * pairs.std(axis=1, ddof=1) / pairs.mean(axis=1)) ** 2
        low, high = RESAMPLER.ratio(squares, np.ones(15), 0.5) or (0.0, 0.0)
        held += low <= 1.5 <= high
    assert 355 <= held <= 395


@given(st.floats(0.1, 50), st.integers(0, 1000))
def test_units_do_not_matter(factor: float, seed: int) -> None:
    values = np.random.default_rng(seed).normal(100, 5, 9)
    first, second = RESAMPLER.cov(values), RESAMPLER.cov(factor * values)
    assert first is not None
    assert second == pytest.approx(first, rel=1e-6)


def test_the_interval_is_around_the_estimate_and_wider_with_more_confidence() -> None:
    values = np.random.default_rng(1).normal(100, 5, 20)
    cov = 100 * values.std(ddof=1) / values.mean()
    low, high = RESAMPLER.cov(values) or (0.0, 0.0)
    assert 0 < low < cov < high
    wide_low, wide_high = Resampler(0, 800, 0.99).cov(values) or (0.0, 0.0)
    assert wide_low < low < high < wide_high


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(1).normal(100, 5, 20)
    assert Resampler(4, 300).cov(values) == Resampler(4, 300).cov(values)
    assert Resampler(4, 300).cov(values) != Resampler(5, 300).cov(values)


def test_drawing_again_keeps_the_number() -> None:
    drawn = RESAMPLER.weights(7)
    assert drawn.shape == (800, 7)
    assert (drawn.sum(axis=1) == 7).all()
    assert drawn.mean(axis=0) == pytest.approx(np.ones(7), abs=0.12)
    assert not np.array_equal(RESAMPLER.weights(7, 1), drawn)


@pytest.mark.parametrize(
    "values", [[1.0, 2.0, 3.0, 4.0], [5.0] * 8, [-1.0, 1.0, -2.0, 2.0, 0.5, -0.6], []]
)
def test_too_few_the_same_or_around_zero_have_none(values: list[float]) -> None:
    with np.errstate(all="raise"):
        assert RESAMPLER.cov(np.array(values)) is None


def test_ratios_of_nothing_have_none() -> None:
    assert RESAMPLER.ratio(np.zeros(9), np.ones(9), 0.5) is None
    assert RESAMPLER.ratio(np.ones(4), np.ones(4), 0.5) is None
    assert RESAMPLER.percentile(np.full(800, np.nan), 9, 8) is None
    assert RESAMPLER.percentile(np.arange(801.0), 10**6, 10**6) == pytest.approx(
        (20.0, 780.0), abs=0.01
    )
    narrow, wide = (RESAMPLER.percentile(np.arange(801.0), n, n - 1) for n in (40, 8))
    assert narrow is not None
    assert wide is not None
    assert wide[0] < narrow[0] < 20.0 < 780.0 < narrow[1] < wide[1]


def jackknife(statistic: Callable[[Floats], float], rows: Floats) -> float:
    """Return the standard error of a statistic of rows (n, ...), leaving out each."""
    n = len(rows)
    left = np.array([statistic(np.delete(rows, k, axis=0)) for k in range(n)])
    return float(np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum()))


def test_standard_errors_are_those_of_the_jackknife() -> None:
    """Of a skewed sample, in which skewness and kurtosis both matter."""
    values = np.random.default_rng(7).gamma(3.0, 10.0, 600)
    z = (values - values.mean()) / values.std()
    powers = [(z**k).mean() for k in (1, 2, 3, 4)]
    log_cov, error = _log_cov(*powers, values.mean() / values.std(), len(z))
    assert float(log_cov) == pytest.approx(np.log(values.std() / values.mean()))
    expected = jackknife(lambda v: float(np.log(v.std() / v.mean())), values)
    assert float(error) == pytest.approx(expected, rel=0.02)

    pairs = np.stack([values, np.random.default_rng(8).uniform(1, 3, 600)], axis=1)
    columns = [*pairs.T, *(pairs**2).T, pairs[:, 0] * pairs[:, 1]]
    means = np.array([[column.mean() for column in columns]])
    log_ratio, influence = _log_ratio(means, 0.5)
    ratio = float(np.sqrt(pairs[:, 0].sum() / pairs[:, 1].sum()))
    assert float(log_ratio[0]) == pytest.approx(np.log(ratio))
    expected = jackknife(lambda v: 0.5 * float(np.log(v[:, 0].sum() / v[:, 1].sum())), pairs)
    assert float(influence[0]) / np.sqrt(600) == pytest.approx(expected, rel=0.02)
