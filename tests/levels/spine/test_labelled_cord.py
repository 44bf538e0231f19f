"""Discs where the labels of a cord change."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.levels import VertebralColumn
from tests.levels.bent_neck import DISCS, GRIDS, NECK, labelled_cord


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("tilt", [0.0, 25.0, -25.0])
def test_a_disc_lies_where_the_labelled_cord_changes(
    curve: Centerline, name: str, tilt: float
) -> None:
    spacing, turn = GRIDS[name]
    labels = labelled_cord(NECK.grid(spacing, turn), list(DISCS.values()), 2, tilt)
    column = VertebralColumn.from_labelled_cord(labels, curve)
    assert list(column.disc_s_mm) == list(DISCS)
    off = np.array([column.disc_s_mm[k] - s for k, s in DISCS.items()])
    # A voxel is one level or the other as a whole: half a slice, where slices lie along the cuts.
    assert np.abs(off).max() < (1.6 if spacing[2] > 2 else 0.55)
    assert column.warnings == ()
    assert column.source == "labelled cord (labelled.nii.gz)"


def test_an_oblique_cord_is_cut_finer_than_its_voxels(curve: Centerline) -> None:
    """Slices that cross the border obliquely say where it is, to a fraction of a voxel."""
    spacing, turn = GRIDS["oblique"]
    off = []
    for shift in np.linspace(0, 1, 6):
        borders = [s + shift for s in DISCS.values()]
        labels = labelled_cord(NECK.grid(spacing, turn), borders, 2, 10.0)
        found = VertebralColumn.from_labelled_cord(labels, curve).disc_s_mm
        off += [found[k] - s for k, s in zip(DISCS, borders, strict=True)]
    assert np.abs(off).max() < 0.2
    assert abs(np.mean(off)) < 0.05


def test_mislabelled_voxels_do_not_move_discs(curve: Centerline, grid: Grid) -> None:
    labels = labelled_cord(grid, list(DISCS.values()), 2, 10.0)
    known = VertebralColumn.from_labelled_cord(labels, curve).disc_s_mm
    rng = np.random.default_rng(0)
    noisy = labels.data.copy()
    wrong = (noisy > 0) & (rng.random(noisy.shape) < 0.03)
    noisy[wrong] = rng.integers(2, 9, wrong.sum())
    s = NECK.cord_coordinates(grid.world_from_ijk(np.indices(grid.shape).T))[0].T
    noisy[(noisy > 0) & (s > 34.1) & (s < 35.7)] = 3  # a slice or two within C4
    found = VertebralColumn.from_labelled_cord(labels.with_data(noisy), curve)
    for label in known:
        assert found.disc_s_mm[label] == pytest.approx(known[label], abs=0.25)


def test_the_field_of_view_is_no_disc(curve: Centerline, grid: Grid) -> None:
    labels = labelled_cord(grid, [45.0, 62.0], 4)
    assert list(VertebralColumn.from_labelled_cord(labels, curve).disc_s_mm) == [5, 6]
    with pytest.raises(InputError, match="no two neighbouring vertebral levels"):
        VertebralColumn.from_labelled_cord(labelled_cord(grid, [], 4), curve)
    slab = np.zeros((4, 4, 2), dtype=np.int32)
    slab[:2, :, 0], slab[2:, :, 0] = 4, 5
    one_slice = LabelImage(slab, Grid((4, 4, 2), np.diag([1.0, 1.0, 5.0, 1.0])), None, "slab")
    line = Centerline.from_points([(2.0, 2.0, 20.0), (2.0, 2.0, -20.0)])
    with pytest.raises(InputError, match=r"C5 \(value 5\) rostral of C4|no two neighbouring"):
        VertebralColumn.from_labelled_cord(one_slice, line)


def test_a_level_missing_in_a_labelled_cord_is_said(curve: Centerline, grid: Grid) -> None:
    labels = labelled_cord(grid, [28.0, 45.0, 62.0, 78.0], 3)
    without = labels.with_data(np.where(labels.data == 4, 0, labels.data))
    column = VertebralColumn.from_labelled_cord(without, curve)
    assert list(column.disc_s_mm) == [6, 7]
    assert any("no C4 between C3 and C5" in text for text in column.warnings)


def test_a_gap_in_a_labelled_cord_is_said_and_less_certain(curve: Centerline, grid: Grid) -> None:
    labels = labelled_cord(grid, [41.0, 49.0, 62.0], 4)
    gap = labels.with_data(np.select([labels.data == 5, labels.data > 5], [0, labels.data - 1],
                                     labels.data))  # fmt: skip
    column = VertebralColumn.from_labelled_cord(gap, curve)
    assert column.disc_s_mm[5] == pytest.approx(45.0, abs=0.6)
    assert column.disc_sd_mm[5] == pytest.approx(np.hypot(2.0, 8.0 / np.sqrt(12)), abs=0.3)
    assert any("between C4 and C5 are not labelled" in text for text in column.warnings)
    assert column.disc_sd_mm[6] == pytest.approx(2.0, abs=0.1)


def test_labelled_cords_in_disorder_are_refused(curve: Centerline, grid: Grid) -> None:
    labels = labelled_cord(grid, [28.0, 45.0, 62.0], 3)
    swapped = labels.with_data(np.choose(np.clip(labels.data - 2, 0, 4), [0, 3, 5, 4, 6]))
    with pytest.raises(InputError, match=r"C5 .* rostral of C4"):
        VertebralColumn.from_labelled_cord(swapped, curve)
    twice = labels.with_data(np.where(labels.data == 6, 3, labels.data))
    with pytest.raises(InputError, match=r"has C3 .* in 2 places"):
        VertebralColumn.from_labelled_cord(twice, curve)
    with pytest.raises(InputError, match=r"no vertebral levels: \[30"):
        VertebralColumn.from_labelled_cord(labels.with_data(labels.data * 10), curve)


def test_few_voxels_of_a_level_elsewhere_are_said(curve: Centerline, grid: Grid) -> None:
    labels = labelled_cord(grid, [28.0, 45.0, 62.0], 3)
    known = VertebralColumn.from_labelled_cord(labels, curve).disc_s_mm
    stray = labels.data.copy()
    at = np.argwhere(labels.data == 3)
    rostral = at[at[:, 2] == at[:, 2].max() - 8]
    stray[tuple(rostral[:6].T)] = 6  # C6 where C3 is
    stray[tuple(rostral[6:12].T)] = 11  # and T4
    column = VertebralColumn.from_labelled_cord(labels.with_data(stray), curve)
    assert column.disc_s_mm == pytest.approx(known, abs=0.05)
    assert any("6 voxels of C6" in text for text in column.warnings)
    assert any("6 voxels of T4 in the labelled cord are out of order" in w for w in column.warnings)


def test_few_voxels_of_the_next_level_are_no_disc(curve: Centerline, grid: Grid) -> None:
    labels = labelled_cord(grid, [28.0, 45.0, 62.0], 3)
    data = labels.data.copy()
    s = NECK.cord_coordinates(grid.world_from_ijk(np.indices(grid.shape).T))[0].T
    within = np.argwhere((data == 6) & (np.abs(s - 100.0) < 0.5))
    data[tuple(within[::6].T)] = 7  # some of C6, far from its caudal end
    column = VertebralColumn.from_labelled_cord(labels.with_data(data), curve)
    assert list(column.disc_s_mm) == [4, 5, 6]
    assert any("the C6/C7 disc is not known" in text for text in column.warnings)


def test_sacral_vertebrae_of_a_labelled_cord_make_no_disc_and_are_said(
    curve: Centerline, grid: Grid
) -> None:
    column = VertebralColumn.from_labelled_cord(labelled_cord(grid, [30.0, 60.0, 85.0], 23), curve)
    assert column.disc_s_mm == pytest.approx({24: 30.0, 25: 60.0}, abs=0.55)  # L4/L5, L5/S1
    assert "no discs are made of sacral vertebrae" in column.warnings
    with pytest.raises(InputError, match="no two neighbouring"):
        VertebralColumn.from_labelled_cord(labelled_cord(grid, [60.0], 25), curve)
