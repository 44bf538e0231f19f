"""The vertebral column along the cord, from each of its sources, against known discs."""

from __future__ import annotations

import json
from itertools import pairwise, permutations, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel, VertebralLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid, LabelImage, load_labels
from sct_rootlets.levels import VertebralColumn
from sct_rootlets.levels.column import disc_positions
from sct_rootlets.levels.population import PAM50_DISCS_MM
from sct_rootlets.levels.table import VertebralPlace
from sct_rootlets.levels.vertebrae import VERTEBRA_HEIGHT_MM, vertebra_below
from tests.levels.bent_cord import AP_MM, LR_MM, BentCord, point_labels, rotation, turned

Floats = NDArray[np.float64]

#: A bent neck, and its discs C2/C3 to C7/T1 at unequal distances.
NECK = BentCord(length_mm=120.0, radius_mm=150.0)
DISCS = {3: 10.0, 4: 28.0, 5: 45.5, 6: 62.0, 7: 78.0, 8: 96.0}
GRIDS = {
    "1 mm": ((1.0, 1.0, 1.0), np.eye(3)),
    "0.5x0.5x3 mm": ((0.5, 0.5, 3.0), np.eye(3)),
    "sagittal 2 mm": ((2.0, 0.8, 0.8), np.eye(3)),
    "oblique": ((1.0, 1.0, 1.0), rotation(0, 30) @ rotation(2, 15)),
    "oblique 2 mm": ((2.0, 1.0, 1.0), rotation(0, -25) @ rotation(1, 10)),
}
C2, C3, C4, C5, C6, C7 = list(VertebralLevel)[1:7]
T1 = VertebralLevel.T1


@pytest.fixture(scope="module")
def curve() -> Centerline:
    """Return the true curve through the cord, s = 0 at its rostral end."""
    s = np.linspace(0, NECK.length_mm, 241)
    return Centerline.from_points(NECK.world(s, np.zeros(241), np.zeros(241)))


@pytest.fixture(scope="module")
def grid() -> Grid:
    return NECK.grid((1.0, 1.0, 1.0))


def _points(grid: Grid, at: dict[int, float], dorsal: float = 0.0) -> LabelImage:
    """Return point labels at positions along the cord, `dorsal` mm behind its middle."""
    offset = np.zeros(1), np.array([dorsal])
    where = {k: NECK.world(np.array([s]), *offset)[0] for k, s in at.items()}
    return point_labels(grid, where)


def _labelled(grid: Grid, borders: list[float], first: int, normal_deg: float = 0.0) -> LabelImage:
    """Return a labelled cord: levels `first`, ... cut at `borders` along the cord.

    The cuts are turned in the sagittal plane by `normal_deg` against the cross-section.
    """
    s, left, dorsal = NECK.cord_coordinates(grid.world_from_ijk(np.indices(grid.shape).T))
    inside = (np.hypot(left / LR_MM, dorsal / AP_MM) <= 1) & (s >= 0) & (s <= NECK.length_mm)
    along = s + np.tan(np.radians(normal_deg)) * dorsal
    values = np.searchsorted(np.array(borders), along) + first
    data = np.where(inside, values, 0).astype(np.int32).T
    return LabelImage(data, grid, None, "labelled.nii.gz")


def _mutated(labels: LabelImage, change: NDArray[np.bool_], value: int) -> LabelImage:
    return labels.with_data(np.where(change, value, labels.data))


# --- disc labels ------------------------------------------------------------------------


@pytest.mark.parametrize("dorsal", [0.0, -8.0, 8.0])
def test_discs_lie_where_their_labels_are(curve: Centerline, grid: Grid, dorsal: float) -> None:
    column = VertebralColumn.from_discs(_points(grid, DISCS, dorsal), curve)
    assert list(column.disc_s_mm) == list(DISCS)
    for label, s in DISCS.items():
        # Half a diagonal of a voxel, and what is off the cord seems longer there.
        assert column.disc_s_mm[label] == pytest.approx(s, abs=0.9)
    assert column.warnings == ()
    assert column.source == "disc labels (discs.nii.gz)"
    assert set(column.disc_sd_mm.values()) == {2.0}


def test_a_label_of_several_voxels_counts_with_its_middle(curve: Centerline, grid: Grid) -> None:
    discs = _points(grid, {3: 40.0})
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


def test_discs_are_the_same_in_all_48_orientations(curve: Centerline, grid: Grid) -> None:
    discs = _points(grid, DISCS, -8.0)
    cord = _labelled(grid, list(DISCS.values()), 2)
    known = VertebralColumn.from_discs(discs, curve).disc_s_mm
    cut = VertebralColumn.from_labelled_cord(cord, curve).disc_s_mm
    for axes in permutations(range(3)):
        for flips in product([False, True], repeat=3):
            twin = VertebralColumn.from_discs(turned(discs, axes, flips), curve)
            assert twin.disc_s_mm == pytest.approx(known, abs=1e-6)
            twin = VertebralColumn.from_labelled_cord(turned(cord, axes, flips), curve)
            assert twin.disc_s_mm == pytest.approx(cut, abs=1e-3)


def test_landmarks_are_no_discs(curve: Centerline, grid: Grid) -> None:
    points = {49: 2.0, 50: 4.0, 1: 12.0, 2: 30.0, 3: 45.0, 60: 110.0}
    column = VertebralColumn.from_discs(_points(grid, points), curve)
    assert set(column.disc_s_mm) == set(column.disc_sd_mm) == {2, 3}
    assert column.top_of_c1_mm == pytest.approx(12.0, abs=0.9)
    with pytest.raises(InputError, match=r"discs\.nii\.gz: has no disc label .* \[49, 50, 60\]"):
        VertebralColumn.from_discs(_points(grid, {49: 2.0, 50: 4.0, 60: 110.0}), curve)
    assert disc_positions(_points(grid, {50: 4.0}), curve) == {}


def test_a_top_of_c1_that_lies_elsewhere_is_not_used(curve: Centerline, grid: Grid) -> None:
    column = VertebralColumn.from_discs(_points(grid, {1: 90.0, 2: 30.0, 3: 45.0}), curve)
    assert column.top_of_c1_mm is None
    assert any("top of C1" in text for text in column.warnings)


def test_discs_out_of_order_are_refused(curve: Centerline, grid: Grid) -> None:
    with pytest.raises(
        InputError, match=r"discs.nii.gz: has disc C4/C5 \(label 5\).*not caudal of disc C3/C4"
    ):
        VertebralColumn.from_discs(_points(grid, {3: 10.0, 4: 45.0, 5: 28.0}), curve)
    with pytest.raises(InputError, match="C3/C4"):
        VertebralColumn({3: 10.0, 4: 12.0})
    with pytest.raises(InputError, match="no disc"):
        VertebralColumn({})
    with pytest.raises(InputError, match=r"\[1, 50\]"):
        VertebralColumn({1: 0.0, 3: 20.0, 50: 10.0})
    with pytest.raises(InputError, match=r"\[4\] are no discs"):
        VertebralColumn({3: 0.0, 4: float("nan")})


def test_a_label_in_two_places_is_refused(curve: Centerline, grid: Grid) -> None:
    discs = _points(grid, {3: 10.0, 4: 28.0})
    twice = _mutated(discs, _points(grid, {4: 62.0}).data > 0, 4)
    with pytest.raises(InputError, match=r"label 4 \(the C3/C4 disc\) in two places, at 2\d.* 6\d"):
        VertebralColumn.from_discs(twice, curve)


def test_a_labelled_cord_is_no_disc_labels(curve: Centerline, grid: Grid) -> None:
    with pytest.raises(InputError, match="-vertfile"):
        VertebralColumn.from_discs(_labelled(grid, [28.0, 45.0, 62.0], 3), curve)


def test_discs_beyond_the_cord_are_said_and_less_certain(grid: Grid) -> None:
    s = np.linspace(29, 90, 123)
    short = Centerline.from_points(NECK.world(s, np.zeros(123), np.zeros(123)))
    column = VertebralColumn.from_discs(_points(grid, DISCS), short)
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
    discs = _points(grid, DISCS)
    elsewhere = LabelImage(discs.data, Grid(grid.shape, affine), None, "other.nii.gz")
    with pytest.raises(InputError, match="no disc within 40 mm of the cord"):
        VertebralColumn.from_discs(elsewhere, curve)
    s = np.linspace(30, 60, 61)
    short = Centerline.from_points(NECK.world(s, np.zeros(61), np.zeros(61)))
    column = VertebralColumn.from_discs(_points(grid, {4: 45.0, 9: 118.0}), short)
    assert list(column.disc_s_mm) == [4]
    assert "T1/T2 disc is too far from the cord" in column.warnings[0]


@pytest.mark.parametrize("wrong", [{3: 10.0, 4: 28.0, 5: 64.0, 6: 80.0}, {3: 10.0, 4: 46.0}])
def test_a_skipped_disc_is_said(curve: Centerline, grid: Grid, wrong: dict[int, float]) -> None:
    texts = VertebralColumn.from_discs(_points(grid, wrong), curve).warnings
    assert len(texts) == 1
    assert "check that no disc is skipped" in texts[0]


# --- labelled cord ----------------------------------------------------------------------


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("tilt", [0.0, 25.0, -25.0])
def test_a_disc_lies_where_the_labelled_cord_changes(
    curve: Centerline, name: str, tilt: float
) -> None:
    spacing, turn = GRIDS[name]
    labels = _labelled(NECK.grid(spacing, turn), list(DISCS.values()), 2, tilt)
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
        labels = _labelled(NECK.grid(spacing, turn), borders, 2, 10.0)
        found = VertebralColumn.from_labelled_cord(labels, curve).disc_s_mm
        off += [found[k] - s for k, s in zip(DISCS, borders, strict=True)]
    assert np.abs(off).max() < 0.2
    assert abs(np.mean(off)) < 0.05


def test_the_fitted_centerline_serves_as_well(grid: Grid) -> None:
    labels = _labelled(grid, list(DISCS.values()), 2)
    fitted = Centerline.fit(labels)
    column = VertebralColumn.from_labelled_cord(labels, fitted)
    zero = float(NECK.cord_coordinates(fitted.point(0.0)[None])[0][0])
    for label, s in DISCS.items():
        assert column.disc_s_mm[label] == pytest.approx(s - zero, abs=0.7)


def test_mislabelled_voxels_do_not_move_discs(curve: Centerline, grid: Grid) -> None:
    labels = _labelled(grid, list(DISCS.values()), 2, 10.0)
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
    labels = _labelled(grid, [45.0, 62.0], 4)
    assert list(VertebralColumn.from_labelled_cord(labels, curve).disc_s_mm) == [5, 6]
    with pytest.raises(InputError, match="no two neighbouring vertebral levels"):
        VertebralColumn.from_labelled_cord(_labelled(grid, [], 4), curve)
    slab = np.zeros((4, 4, 2), dtype=np.int32)
    slab[:2, :, 0], slab[2:, :, 0] = 4, 5
    one_slice = LabelImage(slab, Grid((4, 4, 2), np.diag([1.0, 1.0, 5.0, 1.0])), None, "slab")
    line = Centerline.from_points([(2.0, 2.0, 20.0), (2.0, 2.0, -20.0)])
    with pytest.raises(InputError, match=r"C5 \(value 5\) rostral of C4|no two neighbouring"):
        VertebralColumn.from_labelled_cord(one_slice, line)


def test_a_level_missing_in_a_labelled_cord_is_said(curve: Centerline, grid: Grid) -> None:
    labels = _labelled(grid, [28.0, 45.0, 62.0, 78.0], 3)
    without = labels.with_data(np.where(labels.data == 4, 0, labels.data))
    column = VertebralColumn.from_labelled_cord(without, curve)
    assert list(column.disc_s_mm) == [6, 7]
    assert any("no C4 between C3 and C5" in text for text in column.warnings)


def test_a_gap_in_a_labelled_cord_is_said_and_less_certain(curve: Centerline, grid: Grid) -> None:
    labels = _labelled(grid, [41.0, 49.0, 62.0], 4)
    gap = labels.with_data(np.select([labels.data == 5, labels.data > 5], [0, labels.data - 1],
                                     labels.data))  # fmt: skip
    column = VertebralColumn.from_labelled_cord(gap, curve)
    assert column.disc_s_mm[5] == pytest.approx(45.0, abs=0.6)
    assert column.disc_sd_mm[5] == pytest.approx(np.hypot(2.0, 8.0 / np.sqrt(12)), abs=0.3)
    assert any("between C4 and C5 are not labelled" in text for text in column.warnings)
    assert column.disc_sd_mm[6] == pytest.approx(2.0, abs=0.1)


def test_labelled_cords_in_disorder_are_refused(curve: Centerline, grid: Grid) -> None:
    labels = _labelled(grid, [28.0, 45.0, 62.0], 3)
    swapped = labels.with_data(np.choose(np.clip(labels.data - 2, 0, 4), [0, 3, 5, 4, 6]))
    with pytest.raises(InputError, match=r"C5 .* rostral of C4"):
        VertebralColumn.from_labelled_cord(swapped, curve)
    twice = labels.with_data(np.where(labels.data == 6, 3, labels.data))
    with pytest.raises(InputError, match=r"has C3 .* in 2 places"):
        VertebralColumn.from_labelled_cord(twice, curve)
    with pytest.raises(InputError, match=r"no vertebral levels: \[30"):
        VertebralColumn.from_labelled_cord(labels.with_data(labels.data * 10), curve)


def test_few_voxels_of_a_level_elsewhere_are_said(curve: Centerline, grid: Grid) -> None:
    labels = _labelled(grid, [28.0, 45.0, 62.0], 3)
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
    labels = _labelled(grid, [28.0, 45.0, 62.0], 3)
    data = labels.data.copy()
    s = NECK.cord_coordinates(grid.world_from_ijk(np.indices(grid.shape).T))[0].T
    within = np.argwhere((data == 6) & (np.abs(s - 100.0) < 0.5))
    data[tuple(within[::6].T)] = 7  # some of C6, far from its caudal end
    column = VertebralColumn.from_labelled_cord(labels.with_data(data), curve)
    assert list(column.disc_s_mm) == [4, 5, 6]
    assert any("the C6/C7 disc is not known" in text for text in column.warnings)


# --- body centres -----------------------------------------------------------------------


def _centres(discs: dict[int, float]) -> dict[int, float]:
    """Return the middle of every vertebra, by its value: vertebra N is below disc N."""
    return {a: (discs[a] + discs[b]) / 2 for a, b in pairwise(sorted(discs))}


#: Discs in the proportions of PAM50, in a cord of 0.9 times its size.
IN_PROPORTION = {k: 10.0 + 0.9 * PAM50_DISCS_MM[k] for k in range(3, 10)}


def _straight(at: dict[int, float]) -> tuple[LabelImage, Centerline]:
    """Return point labels beside a straight cord, to 0.05 mm, and its centerline."""
    affine = np.diag([1.0, 1.0, -0.1, 1.0])
    data = np.zeros((3, 3, 1500), dtype=np.int32)
    for label, s in at.items():
        data[1, 1, round(10 * s)] = label
    image = LabelImage(data, Grid((3, 3, 1500), affine), None, "points.nii.gz")
    return image, Centerline.from_points([(1.0, 1.0, 0.0), (1.0, 1.0, -150.0)])


def test_discs_are_exact_where_vertebrae_are_those_of_pam50() -> None:
    centres = _centres(IN_PROPORTION)
    for left_out in (set(), {4}, {5, 6}):
        image, line = _straight({k: s for k, s in centres.items() if k not in left_out})
        column = VertebralColumn.from_body_centres(image, line)
        assert column.disc_s_mm == pytest.approx(IN_PROPORTION, abs=0.15)
    image, line = _straight({5: 50.0})
    half = 0.93 * VERTEBRA_HEIGHT_MM[C5] / 2
    found = VertebralColumn.from_body_centres(image, line).disc_s_mm
    assert found == pytest.approx({5: 50.0 - half, 6: 50.0 + half}, abs=0.06)
    image, line = _straight(DISCS)
    found = VertebralColumn.from_discs(image, line).disc_s_mm
    assert found == pytest.approx(DISCS, abs=0.06)


@pytest.mark.parametrize("dorsal", [0.0, -8.0])
def test_discs_lie_between_body_centres(curve: Centerline, grid: Grid, dorsal: float) -> None:
    labels = _points(grid, _centres(IN_PROPORTION), dorsal)
    assert labels.labels == [3, 4, 5, 6, 7, 8]  # C3 to T1
    column = VertebralColumn.from_body_centres(labels, curve)
    assert list(column.disc_s_mm) == [3, 4, 5, 6, 7, 8, 9]
    for label, s in IN_PROPORTION.items():
        assert column.disc_s_mm[label] == pytest.approx(s, abs=1.2)
    sd = column.disc_sd_mm
    assert sd[4] == sd[8] == pytest.approx(2.5)
    assert sd[3] == sd[9] == pytest.approx(3.2, abs=0.05)
    assert column.source == "centres of vertebral bodies (discs.nii.gz)"


def test_a_missing_body_centre_is_bridged_and_said(curve: Centerline, grid: Grid) -> None:
    centres = _centres(IN_PROPORTION)
    del centres[5]
    column = VertebralColumn.from_body_centres(_points(grid, centres), curve)
    for label, s in IN_PROPORTION.items():
        assert column.disc_s_mm[label] == pytest.approx(s, abs=1.2)
    assert column.disc_sd_mm[5] == column.disc_sd_mm[6] > column.disc_sd_mm[4]
    assert any("no body centre of C5" in text for text in column.warnings)


def test_one_body_centre_gives_two_discs(curve: Centerline, grid: Grid) -> None:
    column = VertebralColumn.from_body_centres(_points(grid, {5: 50.0}), curve)
    assert list(column.disc_s_mm) == [5, 6]
    height = 0.93 * VERTEBRA_HEIGHT_MM[C5]
    assert column.disc_s_mm[5] == pytest.approx(50.0 - height / 2, abs=0.9)
    assert column.disc_s_mm[6] == pytest.approx(50.0 + height / 2, abs=0.9)


def test_sacral_vertebrae_make_no_disc_and_are_said(curve: Centerline, grid: Grid) -> None:
    column = VertebralColumn.from_body_centres(_points(grid, {24: 50.0, 25: 80.0}), curve)
    assert list(column.disc_s_mm) == [24, 25]  # L4/L5 and L5/S1, about L5
    assert any("S1" in text for text in column.warnings)


def test_body_centres_in_disorder_are_refused(curve: Centerline, grid: Grid) -> None:
    with pytest.raises(InputError, match=r"centre of C4 .* not caudal of C3"):
        VertebralColumn.from_body_centres(_points(grid, {3: 50.0, 4: 30.0}), curve)


# --- which of the two -------------------------------------------------------------------


def test_points_are_told_from_a_labelled_cord(curve: Centerline, grid: Grid) -> None:
    cord = _labelled(grid, [28.0, 45.0], 3)
    assert VertebralColumn.from_labels(cord, curve).source.startswith("labelled cord")
    for dorsal in (0.0, -8.0):
        points = _points(grid, {3: 20.0, 4: 37.0}, dorsal)
        column = VertebralColumn.from_labels(points, curve)
        assert column.source.startswith("centres of vertebral bodies")
        assert list(column.disc_s_mm) == [3, 4, 5]
    coarse = NECK.grid((1.0, 1.0, 12.0))
    column = VertebralColumn.from_labels(_labelled(coarse, [40.0, 80.0], 3), curve)
    assert column.source.startswith("labelled cord")


def test_what_is_neither_is_refused(curve: Centerline, grid: Grid) -> None:
    points = _points(grid, {3: 20.0, 4: 37.0}, -8.0)
    twice = _mutated(points, _points(grid, {9: 80.0}, -8.0).data > 0, 3)
    with pytest.raises(InputError, match=r"label 3 \(the centre of C3\) in two places"):
        VertebralColumn.from_labels(twice, curve)
    s, left, dorsal = NECK.cord_coordinates(grid.world_from_ijk(np.indices(grid.shape).T))
    beside = (np.abs(left - 10) < 2) & (np.abs(dorsal) < 9)
    bodies = np.where(beside, np.where(s < 40, 3, 4), 0).T.astype(np.int32)
    with pytest.raises(InputError, match="neither a labelled cord nor points"):
        VertebralColumn.from_labels(LabelImage(bodies, grid, None, "v"), curve)


# --- places -----------------------------------------------------------------------------


def test_disc_n_is_above_vertebra_n() -> None:
    assert vertebra_below(3) is C3
    assert vertebra_below(8) is T1
    assert str(VertebralColumn(DISCS).place(19.0).vertebra) == "C3"


@pytest.mark.parametrize(
    ("s", "vertebra", "fraction"),
    [
        (10.0, C3, 0.0), (19.0, C3, 0.5), (28.0, C4, 0.0), (36.75, C4, 0.5), (61.999, C5, 1.0),
        (62.0, C6, 0.0), (66.0, C6, 0.25), (87.0, C7, 0.5), (96.0, C7, 1.0),
    ],
)  # fmt: skip
def test_a_place_is_a_vertebra_and_a_fraction(
    s: float, vertebra: VertebralLevel, fraction: float
) -> None:
    place = VertebralColumn(DISCS).place(s)
    assert place.vertebra is vertebra
    assert place.fraction == pytest.approx(fraction, abs=1e-3)


def test_nothing_is_known_beyond_the_discs() -> None:
    column = VertebralColumn(DISCS)
    assert column.place(9.99) is None
    assert column.place(96.01) is None
    assert VertebralColumn({3: 10.0}).place(10.0) is None
    thoracic = VertebralColumn({8: 0.0, 9: 20.0, 20: 250.0, 21: 280.0})
    assert thoracic.place(5.0).vertebra is T1
    assert thoracic.place(265.0).vertebra is VertebralLevel.L1


def test_c1_reaches_from_label_1() -> None:
    column = VertebralColumn({2: 30.0, 3: 45.0}, top_of_c1_mm=10.0)
    assert column.place(20.0) == VertebralPlace(VertebralLevel.C1, 0.5)
    assert column.place(37.5) == VertebralPlace(C2, 0.5)
    assert VertebralColumn({2: 30.0, 3: 45.0}).place(20.0) is None
    assert VertebralColumn({3: 45.0, 4: 60.0}, top_of_c1_mm=10.0).place(20.0) is None


def test_a_disc_not_labelled_is_placed_in_proportion(curve: Centerline, grid: Grid) -> None:
    column = VertebralColumn.from_discs(_points(grid, {3: 10.0, 5: 46.0, 6: 62.0}), curve)
    at = dict(column.disc_s_mm)
    height = VERTEBRA_HEIGHT_MM
    border = at[3] + (at[5] - at[3]) * height[C3] / (height[C3] + height[C4])
    assert column.place(border - 0.01).vertebra is C3
    assert column.place(border + 0.01).vertebra is C4
    assert any("no label of C3/C4" in text for text in column.warnings)


@st.composite
def _columns(draw: st.DrawFn) -> VertebralColumn:
    first = draw(st.integers(2, 20))
    labels = sorted(draw(st.sets(st.integers(first, first + 5), min_size=2)))
    steps = draw(st.lists(st.floats(4.0, 40.0), min_size=6, max_size=6))
    start = draw(st.floats(-50, 50))
    s = start + np.cumsum([0.0, *steps])
    return VertebralColumn({k: float(s[k - first]) for k in labels})


@given(_columns(), st.floats(-60, 250), st.floats(-60, 250))
def test_places_follow_each_other(column: VertebralColumn, one: float, other: float) -> None:
    low, high = sorted((one, other))
    first, last = min(column.disc_s_mm.values()), max(column.disc_s_mm.values())
    places = [column.place(s) for s in (low, high)]
    for s, place in zip((low, high), places, strict=True):
        assert (place is not None) == (first <= s <= last)
        if place is not None:
            assert isinstance(place.vertebra, VertebralLevel)
            assert 0.0 <= place.fraction <= 1.0
    a, b = places
    if a is not None and b is not None:
        assert a.vertebra <= b.vertebra
        assert a.vertebra < b.vertebra or a.fraction <= b.fraction


@given(_columns())
def test_the_known_discs_are_the_borders_of_vertebrae(column: VertebralColumn) -> None:
    for above, below in pairwise(sorted(column.disc_s_mm)):
        here = column.place(column.disc_s_mm[above])
        assert here.vertebra.value == above
        assert here.fraction == 0.0
        before = column.place(column.disc_s_mm[below] - 1e-6)
        assert before.vertebra.value == below - 1
        assert before.fraction == pytest.approx(1.0, abs=1e-5)


@given(_columns(), st.floats(0, 1), st.floats(-100, 100))
def test_a_relation_moves_with_its_discs(
    column: VertebralColumn, share: float, shift: float
) -> None:
    first, last = min(column.disc_s_mm.values()), max(column.disc_s_mm.values())
    middle = first + share * (last - first)
    moved = VertebralColumn({k: s + shift for k, s in column.disc_s_mm.items()})
    here = column.relation(middle - 4, middle, middle + 4)
    there = moved.relation(middle + shift - 4, middle + shift, middle + shift + 4)
    assert there.from_disc_mm == pytest.approx(here.from_disc_mm, abs=1e-9)
    for one, other in ((here.rostral, there.rostral), (here.caudal, there.caudal)):
        if one is not None and other is not None and 1e-6 < one.fraction < 1 - 1e-6:
            assert one.vertebra is other.vertebra
            assert one.fraction == pytest.approx(other.fraction, abs=1e-6)


def test_a_relation_has_both_borders_and_the_distances_to_the_discs() -> None:
    relation = VertebralColumn(DISCS).relation(5.0, 14.5, 29.75)
    assert relation.rostral is None
    assert relation.midpoint == VertebralPlace(C3, 0.25)
    assert relation.caudal == VertebralPlace(C4, 0.1)
    assert relation.from_disc_mm[3] == 4.5  # caudal of C2/C3
    assert relation.from_disc_mm[4] == -13.5  # rostral of C3/C4
    assert list(relation.from_disc_mm) == list(DISCS)


def test_a_vertebra_does_not_compare_with_a_spinal_level() -> None:
    place = VertebralColumn({7: 0.0, 8: 18.0, 9: 38.0}).place(28.0)
    assert place.vertebra is T1
    assert place.vertebra != SpinalLevel.C8  # both are the integer 8
    with pytest.raises(TypeError):
        assert place.vertebra < SpinalLevel.T1


def test_the_height_of_c3_to_c7_is_from_c2c3_to_c7t1() -> None:
    assert VertebralColumn(DISCS).c3_c7_height_mm == 86.0
    for missing in (3, 8):
        rest = {k: s for k, s in DISCS.items() if k != missing}
        assert VertebralColumn(rest).c3_c7_height_mm is None


def test_the_report_is_plain() -> None:
    report = VertebralColumn(DISCS, disc_sd_mm={4: 3.0}, top_of_c1_mm=-30.0).report()
    assert json.loads(json.dumps(report)) == report
    assert report["discs_mm"]["C2/C3"] == 10.0
    assert report["discs_sd_mm"] == {
        "C2/C3": 2.0, "C3/C4": 3.0, "C4/C5": 2.0, "C5/C6": 2.0, "C6/C7": 2.0, "C7/T1": 2.0,
    }  # fmt: skip
    assert report["c3_c7_height_mm"] == 86.0


# --- real data --------------------------------------------------------------------------


def test_three_sources_agree_on_pam50_small(shared_data: Path) -> None:
    folder = shared_data / "pam50_small"
    images = {
        name: load_labels(folder / f"PAM50_small_{name}.nii.gz")
        for name in ("cord", "label_disc", "label_discPosterior", "levels")
    }
    curve = Centerline.fit(images["cord"])
    on, tip = (VertebralColumn.from_discs(images[k], curve) for k in list(images)[1:3])
    cut = VertebralColumn.from_labels(images["levels"], curve)
    assert cut.source.startswith("labelled cord")
    for label in range(2, 20):
        assert tip.disc_s_mm[label] == pytest.approx(on.disc_s_mm[label], abs=0.3)
        # A disc label is one of the two slices of 2 mm at the border.
        assert cut.disc_s_mm[label] == pytest.approx(on.disc_s_mm[label], abs=1.1)
    for column in (on, tip, cut):
        assert column.c3_c7_height_mm == pytest.approx(86.0, abs=0.3)
    middle = (on.disc_s_mm[5] + on.disc_s_mm[6]) / 2
    assert cut.place(middle).vertebra is C5
    # The template's heights are those of the table, but for rounding to slices.
    for label in range(3, 19):
        height = tip.disc_s_mm[label + 1] - tip.disc_s_mm[label]
        assert height == pytest.approx(VERTEBRA_HEIGHT_MM[vertebra_below(label)], abs=1.6)


def test_the_subjects_sources(shared_data: Path) -> None:
    folder = shared_data / "subject_t2"
    names = ("t2_seg-manual", "discs", "labels", "t2_seg-manual_labeled")
    cord, discs, labels, labelled = (load_labels(folder / f"{n}.nii.gz") for n in names)
    curve = Centerline.fit(cord)
    known = VertebralColumn.from_discs(discs, curve)
    bodies = VertebralColumn.from_labels(labels, curve)
    assert bodies.source.startswith("centres of vertebral bodies")
    for label in (3, 4, 5):
        assert bodies.disc_s_mm[label] == pytest.approx(known.disc_s_mm[label], abs=1.0)
    low = VertebralColumn.from_labels(labelled, curve)
    assert low.source.startswith("labelled cord")
    for label in (3, 4):  # this file numbers the vertebrae one too low
        assert low.disc_s_mm[label] == pytest.approx(known.disc_s_mm[label + 1], abs=1.0)
