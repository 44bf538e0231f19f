"""How far groups lie apart: with few subjects in each, and net of them."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.variability.group_spread import between_groups
from sct_rootlets.variability.resampling import Resampler

RESAMPLER = Resampler(0, 500)


def different(rng: np.random.Generator, means: list[float], n: int, sd: float) -> np.ndarray:
    """Return cells of n different subjects in each group."""
    cells = np.full((n * len(means), len(means)), np.nan)
    for g, mean in enumerate(means):
        cells[g * n : (g + 1) * n, g] = rng.normal(mean, sd, n)
    return cells


def test_the_published_figure_is_the_coefficient_of_the_means() -> None:
    cells = np.array([[80.0, np.nan], [84.0, np.nan], [np.nan, 90.0], [np.nan, 94.0]])
    found = between_groups(cells, is_crossed=False, resampler=RESAMPLER)
    assert found is not None
    assert (found.n_subjects, found.n_groups, found.mean) == (4, 2, 87.0)
    assert found.sd == pytest.approx(np.std([82, 92], ddof=1))
    # variance of a mean: 8 / 2
    assert found.net_sd == pytest.approx(np.sqrt(50 - 4))


def test_subjects_cancel_where_they_are_in_all_groups() -> None:
    rng = np.random.default_rng(2)
    net, raw = [], []
    for _ in range(300):
        subjects = rng.normal(100, 6, (6, 1))
        cells = subjects + np.array([-1.0, 0.0, 1.0]) + rng.normal(0, 1.5, (6, 3))
        found = between_groups(cells, is_crossed=True, resampler=Resampler(0, 2))
        assert found is not None
        assert found.net_sd is not None
        net.append(found.net_sd**2)
        raw.append(found.sd**2)
    assert np.mean(raw) == pytest.approx(1 + 1.5**2 / 6, rel=0.12)
    assert np.mean(net) == pytest.approx(1.0, rel=0.12)


@pytest.mark.parametrize("crossed", [False, True])
def test_the_interval_of_the_net_spread_holds_its_level(crossed: bool) -> None:
    rng = np.random.default_rng(3)
    held = 0
    means = np.array([97.0, 100.0, 103.0])
    for seed in range(200):
        if crossed:
            cells = rng.normal(0, 6, (10, 1)) + means + rng.normal(0, 2, (10, 3))
        else:
            cells = different(rng, means.tolist(), 12, 4.0)
        found = between_groups(cells, is_crossed=crossed, resampler=Resampler(seed, 300))
        assert found is not None
        assert found.net_interval is not None
        held += found.net_interval[0] <= 3.0 <= found.net_interval[1]
    assert held >= 178  # 95 % of 200 is 190, four SD of 3.1 below it


def test_a_subject_missing_in_a_group_of_crossed_data_is_left_out() -> None:
    cells = np.array([[80.0, 82.0], [90.0, 92.0], [100.0, np.nan]])
    found = between_groups(cells, is_crossed=True, resampler=RESAMPLER)
    assert found is not None
    assert (found.n_subjects, found.mean) == (2, 86.0)


def test_one_subject_a_group_draws_groups_again() -> None:
    means = np.random.default_rng(4).normal(100, 2, 9)
    cells = np.full((9, 9), np.nan)
    np.fill_diagonal(cells, means)
    found = between_groups(cells, is_crossed=False, resampler=RESAMPLER)
    assert found is not None
    assert found.net_sd is None
    assert found.net_interval is None
    assert found.interval is not None
    assert found.interval[0] < 100 * found.sd / found.mean < found.interval[1]


def test_one_group_is_nothing_to_compare() -> None:
    assert between_groups(np.array([[1.0], [2.0]]), is_crossed=False, resampler=RESAMPLER) is None
    lacking = np.array([[1.0, np.nan], [2.0, np.nan]])
    assert between_groups(lacking, is_crossed=False, resampler=RESAMPLER) is None
    assert between_groups(lacking, is_crossed=True, resampler=RESAMPLER) is None
