"""Each figure against numbers worked out by hand, and at its edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from sct_rootlets import metrics
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline

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
    with pytest.raises(ValueError, match="negative"):
        metrics.level_accuracy(line(1), line(1), voxels=-1)


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


@dataclass(frozen=True)
class Row:
    level: SpinalLevel
    rostral_mm: float | None
    caudal_mm: float | None


@dataclass(frozen=True)
class Table:
    rows: tuple[Row, ...]


def test_border_errors_are_signed_by_level_and_border() -> None:
    table = Table((Row(C5, 11.0, 24.0), Row(C6, 24.0, 40.5)))
    errors = metrics.border_errors(table, {C5: (10.0, 25.0), C6: (25.0, 40.0)})
    assert errors.of(C5)["rostral"].signed_mm == pytest.approx(1.0)
    assert errors.of(C5)["caudal"].signed_mm == pytest.approx(-1.0)
    assert errors.of(C6)["caudal"].signed_mm == pytest.approx(0.5)
    # The border shared by C5 and C6 counts once: 1, -1, 0.5.
    np.testing.assert_allclose(errors.signed_mm, [1.0, -1.0, 0.5])
    assert errors.median_mm == pytest.approx(1.0)
    assert errors.mean_mm == pytest.approx(2.5 / 3)
    assert errors.max_mm == pytest.approx(1.0)
    assert errors.bias_mm == pytest.approx(0.5 / 3)
    assert errors.missing == 0


def test_equal_errors_of_different_borders_all_count() -> None:
    table = Table((Row(C5, 11.0, 21.0), Row(C6, 31.0, 41.0)))
    errors = metrics.border_errors(table, {C5: (10.0, 20.0), C6: (30.0, 40.0)})
    np.testing.assert_allclose(errors.signed_mm, [1, 1, 1, 1])


def test_unseen_and_absent_levels_are_missing_not_wrong() -> None:
    table = Table((Row(C5, 11.0, None), Row(C6, None, None)))
    errors = metrics.border_errors(table, {C5: (10.0, 20.0), C6: (20.0, 30.0), C7: (30.0, 40.0)})
    np.testing.assert_allclose(errors.signed_mm, [1.0])
    assert errors.missing == 5


def test_a_level_the_truth_lacks_is_left_out() -> None:
    errors = metrics.border_errors(Table((Row(C5, 1, 2), Row(C6, 2, 3))), {C5: (1.0, 2.0)})
    assert {row.level for row in errors.rows} == {C5}
    assert errors.of(C6) == {}


def test_without_any_border_the_summaries_are_unknown() -> None:
    errors = metrics.border_errors(Table((Row(C5, None, None),)), {C5: (1.0, 2.0)})
    for value in (errors.median_mm, errors.mean_mm, errors.max_mm, errors.bias_mm):
        assert np.isnan(value)


def test_another_table_can_be_the_truth() -> None:
    errors = metrics.border_errors(Table((Row(C5, 1, 2),)), Table((Row(C5, 0.5, 2),)))
    np.testing.assert_allclose(errors.signed_mm, [0.5, 0.0])


def test_truth_in_the_world_is_brought_onto_the_centerline() -> None:
    points = np.array([[0.0, 0.0, 100.0 - s] for s in range(0, 101, 5)])
    centerline = Centerline.from_points(points)
    borders = {C5: ((3.0, -2.0, 80.0), (0.0, 1.0, 65.0)), C6: ((0, 0, 65), (np.nan,) * 3)}
    truth = metrics.truth_on(centerline, borders)
    np.testing.assert_allclose(truth[C5], (20.0, 35.0), atol=1e-6)
    assert truth[C6][0] == pytest.approx(35.0)
    assert np.isnan(truth[C6][1])
