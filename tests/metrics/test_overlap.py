"""Each figure against numbers worked out by hand, and at its edges."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets import metrics
from sct_rootlets.anatomy import SpinalLevel

C5, C6, C7 = SpinalLevel.C5, SpinalLevel.C6, SpinalLevel.C7


def line(*columns: int, length: int = 12) -> np.ndarray:
    """Make a volume (3, 3, length) with single voxels on its middle line."""
    volume = np.zeros((3, 3, length), dtype=int)
    volume[1, 1, list(columns)] = 1
    return volume


def test_dice_is_twice_the_overlap_over_the_sum() -> None:
    assert metrics.dice(line(1, 2, 3), line(2, 3, 4, 5)) == pytest.approx(2 * 2 / (3 + 4))


def test_dice_takes_any_label_for_the_mask() -> None:
    assert metrics.dice(5 * line(1, 2), 7 * line(1, 2)) == 1


def test_tolerance_forgives_one_voxel_and_not_two() -> None:
    reference = line(5)
    assert metrics.dice(line(6), reference) == 0
    assert metrics.dice_at_tolerance(line(6), reference) == 1
    assert metrics.dice_at_tolerance(line(7), reference) == 0
    assert metrics.dice_at_tolerance(line(7), reference, voxels=2) == 1


def test_tolerance_counts_diagonal_neighbours() -> None:
    corner = np.zeros((3, 3, 12), dtype=int)
    corner[0, 0, 4] = 1
    assert metrics.dice_at_tolerance(corner, line(5)) == 1


def test_tolerance_counts_both_sides() -> None:
    # Of 3 + 1 voxels, those at 5 and 6 and the reference's 5 are matched.
    assert metrics.dice_at_tolerance(line(5, 6, 9), line(5)) == pytest.approx(3 / 4)


def test_no_tolerance_is_dice() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 6, 7, 8)) < 0.3
    assert metrics.dice_at_tolerance(a, b, voxels=0) == pytest.approx(metrics.dice(a, b))


@pytest.mark.parametrize("measure", [metrics.dice, metrics.dice_at_tolerance])
def test_empty_masks_have_documented_values(measure) -> None:
    empty = line()
    assert np.isnan(measure(empty, empty))
    assert measure(empty, line(3)) == 0
    assert measure(line(3), empty) == 0


def test_other_shapes_and_negative_tolerances_are_refused() -> None:
    with pytest.raises(ValueError, match="shapes"):
        metrics.dice(line(1), line(1, length=9))
    with pytest.raises(ValueError, match="negative"):
        metrics.dice_at_tolerance(line(1), line(1), voxels=-1)


def test_precision_and_recall_are_the_shares_of_either_side() -> None:
    predicted, reference = line(1, 2, 3), line(2, 3, 4, 5, 6)
    assert metrics.precision(predicted, reference) == pytest.approx(2 / 3)
    assert metrics.recall(predicted, reference) == pytest.approx(2 / 5)


def test_of_nothing_no_share_is_right() -> None:
    assert np.isnan(metrics.precision(line(), line(3)))
    assert metrics.precision(line(3), line()) == 0
    assert np.isnan(metrics.recall(line(3), line()))
    assert metrics.recall(line(), line(3)) == 0


def test_overlap_agrees_with_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    a, b = np.random.default_rng(1).random((2, 9, 8, 7)) < 0.3
    assert metrics.dice(a, b) == pytest.approx(sklearn.f1_score(b.ravel(), a.ravel()))
    assert metrics.precision(a, b) == pytest.approx(sklearn.precision_score(b.ravel(), a.ravel()))
    assert metrics.recall(a, b) == pytest.approx(sklearn.recall_score(b.ravel(), a.ravel()))
