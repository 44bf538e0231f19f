"""Calibration: by hand, and as scikit-learn has it."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets import metrics


def test_by_hand() -> None:
    p = np.array([0.0, 0.05, 0.55, 0.55, 1.0])
    truth = np.array([0, 1, 1, 0, 1])
    found = metrics.calibration(p, truth)
    assert found.n_voxels == 5
    assert found.brier == pytest.approx((0.95**2 + 0.45**2 + 0.55**2) / 5)
    assert found.brier_skill == pytest.approx(1 - found.brier / (0.6 * 0.4))
    # bins: 0-0.1 has mean 0.025 and share 1/2; 0.5-0.6 has 0.55 and 1/2; 0.9-1 has 1 and 1
    assert found.ece == pytest.approx((2 * 0.475 + 2 * 0.05 + 0) / 5)
    assert [row.n_voxels for row in found.bins] == [2, 0, 0, 0, 0, 2, 0, 0, 0, 1]
    assert found.bins[5].observed == pytest.approx(0.5)
    assert np.isnan(found.bins[1].observed)
    assert (found.bins[0].low, found.bins[-1].high) == (0.0, 1.0)


def test_a_probability_at_the_edge_of_two_bins_is_in_the_upper_one() -> None:
    found = metrics.calibration(np.array([0.0, 0.5, 0.5, 1.0]), np.ones(4))
    assert [row.n_voxels for row in found.bins] == [1, 0, 0, 0, 0, 2, 0, 0, 0, 1]


def test_agrees_with_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    calibration = pytest.importorskip("sklearn.calibration")
    rng = np.random.default_rng(5)
    p = rng.beta(0.4, 1.2, 4000)
    truth = rng.random(4000) < p**1.5
    found = metrics.calibration(p, truth)
    assert found.brier == pytest.approx(sklearn.brier_score_loss(truth, p))
    observed, means = calibration.calibration_curve(truth, p, n_bins=10)
    filled = [row for row in found.bins if row.n_voxels]
    np.testing.assert_allclose([row.observed for row in filled], observed)
    np.testing.assert_allclose([row.mean_probability for row in filled], means)
    weights = np.array([row.n_voxels for row in filled]) / 4000
    assert found.ece == pytest.approx(float(weights @ np.abs(observed - means)))


def test_skill_is_that_over_knowing_the_share() -> None:
    truth = np.array([1, 0, 0, 0])
    assert metrics.calibration(np.full(4, 0.25), truth).brier_skill == pytest.approx(0)
    assert metrics.calibration(truth.astype(float), truth).brier_skill == 1
    assert np.isnan(metrics.calibration(np.full(4, 0.25), np.zeros(4)).brier_skill)


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        metrics.calibration(np.array([1.2]), np.array([1]))
    with pytest.raises(ValueError, match="between 0 and 1"):
        metrics.calibration(np.zeros(0), np.zeros(0))
    with pytest.raises(ValueError, match="2 probabilities and 3"):
        metrics.calibration(np.zeros(2), np.zeros(3))
