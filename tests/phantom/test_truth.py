"""True borders: measured subjects, order, and what a wider reach does."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from sct_rootlets.anatomy import ROOTLET_LEVELS, SpinalLevel
from sct_rootlets.phantom import Anatomy, random_anatomy, true_levels


def test_entry_zones_agree_with_the_measured_subjects(anatomies: list[Anatomy]) -> None:
    # facts: 14 subjects, C3 top 48.2 +- 2.6 mm from the PMJ, T1 bottom 148.3 +- 8.5 mm.
    many = [true_levels(random_anatomy(seed)) for seed in range(20)]
    top = np.array([truth.rows[1].extent_rostral_mm for truth in many])
    bottom = np.array([truth.rows[-1].extent_caudal_mm for truth in many])
    assert truth_is_near(top, 48.2, 2.6)
    assert truth_is_near(bottom, 148.3, 8.5)


def truth_is_near(values: np.ndarray, mean: float, sd: float) -> bool:
    """Say whether the drawn mean is within one measured SD, and the spread is like it."""
    return bool(abs(values.mean() - mean) < sd and 0.5 * sd < values.std() < 3 * sd)


def test_true_borders_are_ordered_and_contiguous(anatomies: list[Anatomy]) -> None:
    for anatomy in anatomies:
        rows = true_levels(anatomy).rows
        assert [row.level for row in rows] == list(ROOTLET_LEVELS)
        for above, below in pairwise(rows):
            assert above.caudal_caudal_mm == below.caudal_rostral_mm
            assert above.extent_caudal_mm < below.extent_caudal_mm
        assert rows[0].level is SpinalLevel.C2
        assert rows[0].caudal_rostral_mm == rows[0].extent_rostral_mm


def test_a_wider_reach_never_shortens_an_entry_zone(anatomies: list[Anatomy]) -> None:
    for anatomy in anatomies[:4]:
        narrow, wide = true_levels(anatomy, 0.75).rows, true_levels(anatomy, 3.0).rows
        for one, other in zip(narrow, wide, strict=True):
            assert other.extent_rostral_mm <= one.extent_rostral_mm
            assert other.extent_caudal_mm >= one.extent_caudal_mm
