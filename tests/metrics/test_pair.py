"""A prediction against a reference, with errors planted into a synthetic neck."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.image import Grid
from sct_rootlets.metrics import LevelAgreement, compare
from tests.levels.bent_cord import turned
from tests.synthetic import Neck

C3, C4, C5, C6 = (SpinalLevel(value) for value in (3, 4, 5, 6))


def by_level(rows: tuple[LevelAgreement, ...]) -> dict[SpinalLevel | None, LevelAgreement]:
    return {row.level: row for row in rows}


def figures(row: LevelAgreement) -> dict[str, float]:
    return {field.name: getattr(row, field.name) for field in fields(row)[1:]}


def anisotropic(labels: NDArray[np.int32]) -> tuple[NDArray[np.int32], Grid]:
    grid = Grid(labels.shape, np.diag([0.7, 0.8, 1.5, 1.0]))
    return labels, grid


def test_the_same_twice_is_perfect(neck: Neck) -> None:
    rows = compare(neck.rootlets.data, neck.rootlets.data, neck.rootlets.grid)
    assert [row.level for row in rows] == [C3, C4, C5, C6, None]
    for row in rows:
        values = figures(row)
        assert values.pop("n_pred") == values.pop("n_ref") > 0
        zeros = {name: values.pop(name) for name in list(values) if name.endswith("_mm")}
        zeros.pop("hd95_mm")
        assert set(zeros.values()) == {0.0}
        assert set(values.values()) - {zeros.get("hd95_mm")} == {1.0}
    assert sum(row.n_ref for row in rows[:-1]) == rows[-1].n_ref


@pytest.mark.parametrize("voxels", [1, 3])
def test_rootlets_that_were_all_shifted(neck: Neck, voxels: int) -> None:
    """Along the cord the centre moves by the shift; F1 loses a slice at either end a voxel."""
    labels, grid = anisotropic(neck.rootlets.data)
    rows = by_level(compare(np.roll(labels, voxels, axis=2), labels, grid))
    for level in (C3, C4, C5, C6):
        assert rows[level].centre_distance_mm == pytest.approx(1.5 * voxels)
        slices = int((labels == level.value).any(axis=(0, 1)).sum())
        assert rows[level].f1_slice == pytest.approx((slices - voxels) / slices)
        assert rows[level].hd95_mm <= 1.5 * voxels + 1e-9
        assert 0 < rows[level].assd_mm < rows[level].hd95_mm


def test_names_that_were_swapped_leave_the_whole_as_it_is(neck: Neck) -> None:
    labels = neck.rootlets.data
    swapped = np.select([labels == 4, labels == 5, labels > 0], [5, 4, labels])
    rows = by_level(compare(swapped, labels, neck.rootlets.grid))
    assert rows[C4].dice == rows[C5].dice == rows[C4].recall == rows[C5].nsd_1mm == 0
    assert rows[C4].centre_distance_mm == pytest.approx(15.5, abs=1)
    assert rows[C3].dice == rows[C6].dice == rows[None].dice == 1


@pytest.mark.parametrize("gone", ["missed", "invented"])
def test_a_level_that_one_side_lacks_is_a_row_of_its_own(neck: Neck, gone: str) -> None:
    labels = neck.rootlets.data
    sides = [np.where(labels == 5, 0, labels), labels]
    is_missed = gone == "missed"
    rows = by_level(compare(*(sides if is_missed else sides[::-1]), neck.rootlets.grid))
    row, whole = rows[C5], rows[None]
    assert (row.is_missed, row.is_invented) == (is_missed, not is_missed)
    assert (rows[C4].is_missed, rows[C4].is_invented) == (False, False)
    known, unknown = ("recall", "precision") if is_missed else ("precision", "recall")
    for name in ("dice", "f1_slice", known, "nsd_1vox", "nsd_1mm"):
        assert getattr(row, name) == 0
    for name in (unknown, "hd95_mm", "assd_mm", "centre_distance_mm"):
        assert np.isnan(getattr(row, name))
    assert (row.n_pred == 0, row.n_ref == 0) == (is_missed, not is_missed)
    assert rows[C4].dice == getattr(whole, unknown) == 1
    share = (row.n_pred + row.n_ref) / (labels > 0).sum()
    assert getattr(whole, known) == pytest.approx(1 - share)


def test_two_empty_sides_know_nothing(neck: Neck) -> None:
    empty = np.zeros_like(neck.rootlets.data)
    (whole,) = compare(empty, empty, neck.rootlets.grid)
    values = figures(whole)
    assert values.pop("n_pred") == values.pop("n_ref") == 0
    assert all(np.isnan(value) for value in values.values())


def test_without_levels_there_is_the_whole_only(neck: Neck) -> None:
    labels = neck.rootlets.data
    (whole,) = compare(labels > 0, labels, neck.rootlets.grid, by_level=False)
    assert whole.level is None
    assert whole.dice == 1


def test_the_figures_do_not_depend_on_the_orientation(neck: Neck) -> None:
    labels, grid = anisotropic(neck.rootlets.data)
    moved = np.roll(labels, (1, 2), axis=(0, 2))
    upright = compare(moved, labels, grid)
    from sct_rootlets.image import LabelImage

    twins = [
        turned(LabelImage(side, grid), (2, 0, 1), (True, False, True)) for side in (moved, labels)
    ]
    lying = compare(twins[0].data, twins[1].data, twins[0].grid)
    for one, other in zip(upright, lying, strict=True):
        assert one.level is other.level
        assert figures(one) == pytest.approx(figures(other))


def test_a_value_that_is_no_level_is_refused(neck: Neck) -> None:
    with pytest.raises(ValueError, match="31"):
        compare(31 * (neck.rootlets.data > 0), neck.rootlets.data, neck.rootlets.grid)
