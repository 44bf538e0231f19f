"""Errors of borders against numbers worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from sct_rootlets import metrics
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline

C5, C6, C7 = SpinalLevel.C5, SpinalLevel.C6, SpinalLevel.C7


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
