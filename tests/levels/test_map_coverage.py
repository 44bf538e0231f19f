"""What is said of a map that has no values, or zeros, in a part of the levels."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.levels.map_coverage import MapCoverage, coverage_remarks, extreme_remarks

C4, C5, C6 = SpinalLevel.C4, SpinalLevel.C5, SpinalLevel.C6


def test_a_map_that_is_known_throughout_needs_no_words() -> None:
    assert coverage_remarks("fa.nii.gz", {C5: MapCoverage(0.96, 0.04, 20)}, "") == []


def test_every_level_is_named_with_its_share() -> None:
    levels = {
        C4: MapCoverage(1, 0, 20),
        C5: MapCoverage(0.5, 0.25, 20),
        C6: MapCoverage(1, 1, 20),
    }
    short, zeros = coverage_remarks("fa.nii.gz", levels, "give a mask")
    assert "fa.nii.gz is known in less than 95 % of the volume of C5 (50%)" in short
    assert "fa.nii.gz is exactly 0 in a part of C5 (25%), C6 (100%), and these" in zeros
    assert zeros.endswith("if nothing was measured there, give a mask")


def test_one_voxel_is_no_mean() -> None:
    levels = {C4: MapCoverage(1, 0, 1), C5: MapCoverage(0.0, 0, 0)}
    assert "fa.nii.gz has one voxel only in C4" in coverage_remarks("fa.nii.gz", levels, "")[1]


@pytest.mark.parametrize("extreme", [1e30, -1e30, 1e5])
def test_one_value_that_makes_a_mean_is_named(extreme: float) -> None:
    values = np.random.default_rng(3).normal(0, 2, 400)
    assert extreme_remarks("z.nii.gz", values) == []
    values[7] = extreme
    said = extreme_remarks("z.nii.gz", values)
    assert f"such as {abs(extreme):.3g} where nearly all others are below" in said[0]


def test_what_is_no_extreme_value() -> None:
    active = np.zeros(400)
    active[:3] = 1e6
    assert extreme_remarks("z.nii.gz", active) == [], "three active voxels of a map of zeros"
    assert extreme_remarks("z.nii.gz", np.full(400, 1e30)) == []
    assert extreme_remarks("z.nii.gz", np.random.default_rng(1).exponential(1, 400)) == []
