"""Means and medians over a level."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.perlevel.spreads import weighted_median


def test_the_median_of_weighted_values() -> None:
    assert weighted_median(np.array([5.0, 1.0]), np.array([1.0, 1.0])) == 3.0
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([100.0, 1.0, 1.0])
    assert weighted_median(values, weights) == pytest.approx(3.0, abs=0.05)
    rng = np.random.default_rng(0)
    many = rng.random(501)
    assert weighted_median(many, np.ones(501)) == pytest.approx(np.median(many))
