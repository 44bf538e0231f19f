"""Ends that the field of view cuts off: a cut normal distribution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import truncnorm

from sct_rootlets.levels.positions import _cut_moments


@pytest.mark.parametrize("edge", [-12.0, -3.0, -0.5, 0.0, 0.7, 2.0, 4.5, 6.0])
def test_the_moments_of_a_cut_normal_are_scipys(edge: float) -> None:
    cut = truncnorm(edge, np.inf)
    assert _cut_moments(edge) == pytest.approx((cut.mean(), cut.std()), rel=1e-8, abs=1e-12)
