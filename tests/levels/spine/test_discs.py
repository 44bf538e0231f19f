"""Discs read from disc labels and from labelled cords, against known discs."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.levels import VertebralColumn
from tests.levels.bent_cord import turned
from tests.levels.bent_neck import DISCS, NECK, labelled_cord, mutated, points_at
from tests.orientations import TURNS


@pytest.mark.parametrize("dorsal", [0.0, -8.0, 8.0])
def test_discs_lie_where_their_labels_are(curve: Centerline, grid: Grid, dorsal: float) -> None:
    column = VertebralColumn.from_discs(points_at(grid, DISCS, dorsal), curve)
    assert list(column.disc_s_mm) == list(DISCS)
    for label, s in DISCS.items():
        # Half a diagonal of a voxel, and what is off the cord seems longer there.
        assert column.disc_s_mm[label] == pytest.approx(s, abs=0.9)
    assert column.warnings == ()
    assert column.source == "disc labels (discs.nii.gz)"
    assert set(column.disc_sd_mm.values()) == {2.0}


def test_a_label_of_several_voxels_counts_with_its_middle(curve: Centerline, grid: Grid) -> None:
    discs = points_at(grid, {3: 40.0})
    (ijk,) = np.argwhere(discs.data)
    single = VertebralColumn.from_discs(discs, curve).disc_s_mm[3]
    data = discs.data.copy()
    data[tuple(slice(k - 1, k + 2) for k in ijk)] = 3
    assert VertebralColumn.from_discs(discs.with_data(data), curve).disc_s_mm[3] == pytest.approx(
        single, abs=1e-6
    )
    data = discs.data.copy()
    data[ijk[0], ijk[1], ijk[2] + 1] = 3
    two = VertebralColumn.from_discs(discs.with_data(data), curve).disc_s_mm[3]
    assert two == pytest.approx(single - 0.5, abs=0.02)


def test_discs_are_the_same_in_every_orientation(curve: Centerline, grid: Grid) -> None:
    discs = points_at(grid, DISCS, -8.0)
    cord = labelled_cord(grid, list(DISCS.values()), 2)
    known = VertebralColumn.from_discs(discs, curve).disc_s_mm
    cut = VertebralColumn.from_labelled_cord(cord, curve).disc_s_mm
    for axes, flips in TURNS:
        twin = VertebralColumn.from_discs(turned(discs, axes, flips), curve)
        assert twin.disc_s_mm == pytest.approx(known, abs=1e-6)
        twin = VertebralColumn.from_labelled_cord(turned(cord, axes, flips), curve)
        assert twin.disc_s_mm == pytest.approx(cut, abs=1e-3)


def test_landmarks_are_no_discs(curve: Centerline, grid: Grid) -> None:
    points = {49: 2.0, 50: 4.0, 1: 12.0, 2: 30.0, 3: 45.0, 60: 110.0}
    column = VertebralColumn.from_discs(points_at(grid, points), curve)
    assert set(column.disc_s_mm) == set(column.disc_sd_mm) == {2, 3}
    assert column.top_of_c1_mm == pytest.approx(12.0, abs=0.9)
    with pytest.raises(InputError, match=r"discs\.nii\.gz: has no disc label .* \[49, 50, 60\]"):
        VertebralColumn.from_discs(points_at(grid, {49: 2.0, 50: 4.0, 60: 110.0}), curve)


def test_a_top_of_c1_that_lies_elsewhere_is_not_used(curve: Centerline, grid: Grid) -> None:
    column = VertebralColumn.from_discs(points_at(grid, {1: 90.0, 2: 30.0, 3: 45.0}), curve)
    assert column.top_of_c1_mm is None
    assert any("top of C1" in text for text in column.warnings)


def test_discs_out_of_order_are_refused(curve: Centerline, grid: Grid) -> None:
    with pytest.raises(
        InputError, match=r"discs.nii.gz: has disc C4/C5 \(label 5\).*not caudal of disc C3/C4"
    ):
        VertebralColumn.from_discs(points_at(grid, {3: 10.0, 4: 45.0, 5: 28.0}), curve)
    with pytest.raises(InputError, match="C3/C4"):
        VertebralColumn({3: 10.0, 4: 12.0})
    with pytest.raises(InputError, match="no disc"):
        VertebralColumn({})
    with pytest.raises(InputError, match=r"\[1, 50\]"):
        VertebralColumn({1: 0.0, 3: 20.0, 50: 10.0})
    with pytest.raises(InputError, match=r"\[4\] are no discs"):
        VertebralColumn({3: 0.0, 4: float("nan")})


def test_a_label_in_two_places_is_refused(curve: Centerline, grid: Grid) -> None:
    discs = points_at(grid, {3: 10.0, 4: 28.0})
    twice = mutated(discs, points_at(grid, {4: 62.0}).data > 0, 4)
    with pytest.raises(InputError, match=r"label 4 \(the C3/C4 disc\) in two places, at 2\d.* 6\d"):
        VertebralColumn.from_discs(twice, curve)


def test_a_labelled_cord_is_no_disc_labels(curve: Centerline, grid: Grid) -> None:
    with pytest.raises(InputError, match="-vertfile"):
        VertebralColumn.from_discs(labelled_cord(grid, [28.0, 45.0, 62.0], 3), curve)


def test_discs_beyond_the_cord_are_said_and_less_certain(grid: Grid) -> None:
    s = np.linspace(29, 90, 123)
    short = Centerline.from_points(NECK.world(s, np.zeros(123), np.zeros(123)))
    column = VertebralColumn.from_discs(points_at(grid, DISCS), short)
    outside = {3: 19.0, 4: 1.0, 8: 6.0}
    for label in DISCS:
        sd = np.hypot(2.0, 0.1 * outside.get(label, 0.0))
        assert column.disc_sd_mm[label] == pytest.approx(sd, abs=0.05)
    assert len(column.warnings) == 2
    assert "C2/C3 disc lies 19 mm rostral of the cord mask" in column.warnings[0]
    assert "C7/T1 disc lies 6 mm caudal of the cord mask" in column.warnings[1]


def test_labels_far_from_the_cord_are_left_out_and_said(curve: Centerline, grid: Grid) -> None:
    affine = grid.affine.copy()
    affine[:3, 3] += 200.0
    discs = points_at(grid, DISCS)
    elsewhere = LabelImage(discs.data, Grid(grid.shape, affine), None, "other.nii.gz")
    with pytest.raises(InputError, match="no disc within 40 mm of the cord"):
        VertebralColumn.from_discs(elsewhere, curve)
    s = np.linspace(30, 60, 61)
    short = Centerline.from_points(NECK.world(s, np.zeros(61), np.zeros(61)))
    column = VertebralColumn.from_discs(points_at(grid, {4: 45.0, 9: 118.0}), short)
    assert list(column.disc_s_mm) == [4]
    assert "T1/T2 disc is too far from the cord" in column.warnings[0]


@pytest.mark.parametrize("wrong", [{3: 10.0, 4: 28.0, 5: 64.0, 6: 80.0}, {3: 10.0, 4: 46.0}])
def test_a_skipped_disc_is_said(curve: Centerline, grid: Grid, wrong: dict[int, float]) -> None:
    texts = VertebralColumn.from_discs(points_at(grid, wrong), curve).warnings
    assert len(texts) == 1
    assert "check that no disc is skipped" in texts[0]
