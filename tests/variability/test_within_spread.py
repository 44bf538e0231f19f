"""Repeated measurements of a subject: root mean square, mean, pooling, intervals."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.variability.resampling import Resampler
from sct_rootlets.variability.within_spread import within_subjects

RESAMPLER = Resampler(0, 500)
NAN = np.nan


def test_degrees_of_freedom_weigh_the_squares() -> None:
    cells = np.array([[98.0, 102.0, NAN], [99.0, 100.0, 101.0], [50.0, NAN, NAN]])
    found = within_subjects(cells, ["1", "2", "3"], RESAMPLER)
    assert found is not None
    first, second = 100 * np.sqrt(8) / 100, 1.0
    assert (found.n_subjects, found.n_groups, found.mean) == (2, 3, 100.0)
    assert found.rms == pytest.approx(np.sqrt((first**2 + 2 * second**2) / 3))
    assert found.average == pytest.approx((first + second) / 2)
    assert found.sd == pytest.approx(np.sqrt((8 + 2) / 3))
    assert found.rms_interval is None  # two subjects


def test_rows_of_one_subject_are_one_subject() -> None:
    cells = np.array([[98.0, 102.0], [99.0, 101.0], [97.0, 103.0]])
    found = within_subjects(cells, ["1", "1", "2"], RESAMPLER)
    assert found is not None
    squares = np.array([8.0, 2.0, 18.0])
    assert found.n_subjects == 2
    assert found.rms == pytest.approx(np.sqrt(squares.mean()))
    assert found.average == pytest.approx((np.sqrt(5.0) + np.sqrt(18.0)) / 2)


def test_the_root_mean_square_finds_the_truth_and_the_mean_of_two_does_not() -> None:
    rng = np.random.default_rng(5)
    cells = 100 * (1 + rng.normal(0, 0.05, (4000, 1))) * (1 + rng.normal(0, 0.013, (4000, 2)))
    found = within_subjects(cells, [str(k) for k in range(4000)], RESAMPLER)
    assert found is not None
    assert found.rms == pytest.approx(1.3, rel=0.03)
    assert found.average == pytest.approx(np.sqrt(2 / np.pi) * 1.3, rel=0.03)


def test_the_only_subject_draws_its_images_again() -> None:
    values = np.random.default_rng(6).normal(100, 1.3, (1, 10))
    found = within_subjects(values, ["1"], RESAMPLER)
    assert found is not None
    assert found.rms == pytest.approx(100 * values.std(ddof=1) / values.mean())
    assert found.rms_interval == RESAMPLER.cov(values[0])
    assert found.rms_interval is not None


def test_nothing_repeated() -> None:
    assert within_subjects(np.array([[1.0, NAN], [NAN, 2.0]]), ["1", "2"], RESAMPLER) is None


def test_a_mean_that_is_not_positive_has_no_coefficient() -> None:
    found = within_subjects(np.array([[-1.0, 1.0], [5.0, 6.0]]), ["1", "2"], RESAMPLER)
    assert found is not None
    assert (found.rms, found.average) == (None, None)
    assert found.sd == pytest.approx(np.sqrt((2 + 0.5) / 2))
