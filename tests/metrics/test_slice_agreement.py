"""Slices: worked out by hand, as scikit-learn has F1, and as the published script counts."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from sct_rootlets import metrics


def along(*spans: tuple[int, int, int], length: int = 20) -> NDArray[np.int64]:
    """Return labels (4, 4, length): of each (value, first, last), one voxel in each slice."""
    labels = np.zeros((4, 4, length), dtype=int)
    for place, (value, first, last) in enumerate(spans):
        labels[place % 4, place // 4, first : last + 1] = value
    return labels


def test_slices_count_once_and_wherever_the_voxels_are() -> None:
    predicted, reference = along((5, 3, 8)), along((5, 5, 11), (5, 6, 7))
    reference = np.roll(reference, 2, axis=0)  # nowhere on the predicted voxels
    counts = metrics.slice_counts(predicted, reference, 2)
    assert (counts.both, counts.predicted_only, counts.reference_only) == (4, 2, 3)
    assert counts.f1 == metrics.f1_slice(predicted, reference, 2) == pytest.approx(8 / 13)
    assert metrics.dice(predicted, reference) == 0


def test_f1_agrees_with_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    a, b = np.random.default_rng(0).random((2, 4, 60, 3)) < 0.06
    has = [mask.any(axis=(0, 2)) for mask in (a, b)]
    assert metrics.f1_slice(a, b, 1) == pytest.approx(sklearn.f1_score(has[1], has[0]))


def test_the_last_slice_counts() -> None:
    """The published script's range ends before it, so that a level of one slice divides 0 by 0."""
    assert metrics.f1_slice(along((5, 7, 7)), along((5, 7, 7)), 2) == 1
    counts = metrics.slice_counts(along((5, 3, 9)), along((5, 3, 8)), 2)
    assert (counts.both, counts.predicted_only) == (6, 1)


def test_an_empty_side_has_no_true_slice() -> None:
    empty = along()
    assert metrics.f1_slice(empty, along((5, 3, 8)), 2) == 0
    assert metrics.f1_slice(along((5, 3, 8)), empty, 2) == 0
    assert np.isnan(metrics.f1_slice(empty, empty, 2))


def test_a_slice_is_wrong_without_a_level_in_common() -> None:
    reference = along((5, 0, 6), (6, 5, 12))
    same = metrics.slice_labels(reference, reference, 2)
    assert (same.both, same.wrong, same.partly) == (13, 0, 0)
    swapped = np.select([reference == 5, reference == 6], [6, 5])
    found = metrics.slice_labels(swapped, reference, 2)
    # 5 and 6 hold both levels on either side.
    assert (found.both, found.wrong, found.partly) == (13, 11, 0)


def test_a_level_more_in_a_slice_is_partly() -> None:
    reference, predicted = along((5, 0, 6), (6, 7, 12)), along((5, 0, 8), (6, 7, 15))
    found = metrics.slice_labels(predicted, reference, 2)
    assert (found.both, found.wrong, found.partly) == (13, 0, 2)


def test_slices_of_two_levels_against_two_others_are_wrong() -> None:
    found = metrics.slice_labels(along((5, 0, 1), (6, 0, 1)), along((7, 0, 1), (8, 0, 1)), 2)
    assert (found.both, found.wrong, found.partly) == (2, 2, 0)
