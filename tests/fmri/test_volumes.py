"""Volumes of a series that hold nothing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from sct_rootlets.fmri.volumes import VolumeCheck, Volumes


def run(count: int = 30, size: int = 200) -> NDArray[np.float64]:
    """Return a series (T, N) of which every volume holds an image."""
    return np.random.default_rng(1).normal(100, 5, (count, size))


def look_at(series: NDArray[np.generic]) -> Volumes:
    check = VolumeCheck()
    for values in series:
        check.add(values)
    return check.found()


def test_volumes_that_hold_nothing_are_named_by_their_numbers() -> None:
    series = run()
    series[3] = np.nan
    series[[0, 10, 11, 12]] = 0
    series[20, :100], series[20, 100:] = np.inf, np.nan
    series[29] = 7.0
    found = look_at(series)
    empty = [0, 3, 10, 11, 12, 20, 29]
    assert np.flatnonzero(~found.holds).tolist() == empty
    nan, zero, constant = found.remarks()
    assert nan.startswith("volumes 3, 20 of 30 (counted from 0): NaN or infinite in all voxels")
    assert zero.startswith("volumes 0, 10-12 of 30 (counted from 0): 0 in all voxels")
    assert constant.startswith("volume 29 of 30 (counted from 0): one and the same value")


def test_what_holds_something_is_not_named() -> None:
    series = run()
    series[:, :50] = 0  # outside of its coverage
    series[:, 50:60] = np.nan
    series[4, 100] = np.nan
    found = look_at(series)
    assert found.holds.all()
    assert found.remarks() == []


def test_zeros_and_nan_around_a_volume_that_holds_nothing() -> None:
    """NaN outside of the coverage, and zeros within; and the other way round."""
    series = run()
    series[:, :50] = np.nan
    series[5, 50:] = 0
    assert look_at(series).kinds[5] == "mixed"
    series = run()
    series[:, :50] = 0
    series[5, 50:] = np.nan
    assert look_at(series).kinds[5] == "mixed"


@pytest.mark.parametrize("nothing", [0.0, np.nan])
def test_a_volume_that_was_cut_short_is_named(nothing: float) -> None:
    """The last volume of a run that was broken off has its first slices only."""
    series = run()
    series[:, :20] = 0
    series[29, 140:] = nothing
    found = look_at(series)
    assert np.flatnonzero(~found.holds).tolist() == [29]
    assert (found.kinds[29], found.n_lacking, found.n_usual) == ("part", 60, 180)
    assert "volume 29 of 30 (counted from 0): NaN or 0 in up to 60 of the 180" in found.remarks()[0]


def test_integers_that_are_often_0_are_no_dropouts() -> None:
    series = np.random.default_rng(2).poisson(1.5, (40, 200)).astype(np.int16)
    assert look_at(series).remarks() == []


def test_few_voxels_may_have_one_value() -> None:
    series = np.full((6, 3), 5.0)
    assert look_at(series).holds.all()
    assert not look_at(np.zeros((6, 3))).holds.any()


def test_a_series_that_holds_nothing_at_all() -> None:
    found = look_at(np.full((4, 20), np.nan))
    assert not found.holds.any()
    assert found.remarks()[0].startswith("volumes 0-3 of 4")
