"""Which level rootlets carry, against numbers worked out by hand and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets import metrics
from tests.metrics.test_overlap import line


def test_level_accuracy_looks_at_found_voxels_only() -> None:
    reference, predicted = line() * 0, line() * 0
    reference[1, 1, :8] = [5, 5, 5, 5, 6, 6, 6, 6]
    predicted[1, 1, :3] = [5, 5, 6]
    # Found: 0-3 (3 through its neighbour 2). Right: 0 and 1; 2 and 3 read 6.
    assert metrics.level_accuracy(predicted, reference) == pytest.approx(2 / 4)


def test_level_accuracy_without_found_voxels_is_unknown() -> None:
    assert np.isnan(metrics.level_accuracy(line(1), line(9)))
    assert np.isnan(metrics.level_accuracy(line(), line()))


def test_level_accuracy_prefers_the_voxel_itself() -> None:
    reference, predicted = line() * 0, line() * 0
    reference[1, 1, 4:6] = [5, 6]
    predicted[1, 1, 3:7] = [6, 5, 6, 5]
    assert metrics.level_accuracy(predicted, reference) == 1


def test_level_accuracy_refuses_a_negative_tolerance() -> None:
    with pytest.raises(ValueError, match="negative"):
        metrics.level_accuracy(line(1), line(1), voxels=-1)


def test_confusion_has_the_reference_down_and_the_prediction_across() -> None:
    reference, predicted = line() * 0, line() * 0
    reference[1, 1, :6] = [5, 5, 5, 6, 6, 0]
    predicted[1, 1, :6] = [5, 6, 0, 6, 6, 5]
    counts = metrics.level_confusion(predicted, reference, [5, 6])
    nothing = reference.size - 6
    np.testing.assert_array_equal(counts, [[nothing, 1, 0], [1, 1, 1], [0, 0, 2]])


def test_confusion_agrees_with_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(4)
    a, b = rng.choice([0, 2, 3, 9], size=(2, 9, 8, 7))
    ours = metrics.level_confusion(a, b, [2, 3, 9])
    np.testing.assert_array_equal(ours, sklearn.confusion_matrix(b.ravel(), a.ravel()))


def test_confusion_refuses_a_value_that_it_would_lose() -> None:
    with pytest.raises(ValueError, match="not among"):
        metrics.level_confusion(7 * line(1), line(1), [1])
    with pytest.raises(ValueError, match="not among"):
        metrics.level_confusion(12 * line(1), line(1), [1])
    with pytest.raises(ValueError, match="shapes"):
        metrics.level_confusion(line(1), line(1, length=9), [1])
