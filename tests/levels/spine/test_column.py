"""The vertebral column along the cord: which source it is made of, and places in it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sct_rootlets.anatomy import SpinalLevel, VertebralLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid, LabelImage, load_labels
from sct_rootlets.levels import VertebralColumn
from sct_rootlets.levels.spine.vertebrae import VERTEBRA_HEIGHT_MM, vertebra_below
from sct_rootlets.levels.table.level_table import VertebralPlace
from tests.levels.bent_neck import DISCS, NECK, labelled_cord, mutated, points_at

C2, C3, C4, C5, C6, C7, T1 = list(VertebralLevel)[1:8]

# --- which source ------------------------------------------------------------------------


def test_points_are_told_from_a_labelled_cord(curve: Centerline, grid: Grid) -> None:
    cord = labelled_cord(grid, [28.0, 45.0], 3)
    assert VertebralColumn.from_labels(cord, curve).source.startswith("labelled cord")
    for dorsal in (0.0, -8.0):
        points = points_at(grid, {3: 20.0, 4: 37.0}, dorsal)
        column = VertebralColumn.from_labels(points, curve)
        assert column.source.startswith("centres of vertebral bodies")
        assert list(column.disc_s_mm) == [3, 4, 5]
    coarse = NECK.grid((1.0, 1.0, 12.0))
    column = VertebralColumn.from_labels(labelled_cord(coarse, [40.0, 80.0], 3), curve)
    assert column.source.startswith("labelled cord")


def test_what_is_neither_is_refused(curve: Centerline, grid: Grid) -> None:
    points = points_at(grid, {3: 20.0, 4: 37.0}, -8.0)
    twice = mutated(points, points_at(grid, {9: 80.0}, -8.0).data > 0, 3)
    with pytest.raises(InputError, match=r"label 3 \(the centre of C3\) in two places"):
        VertebralColumn.from_labels(twice, curve)
    s, left, dorsal = NECK.cord_coordinates(grid.world_from_ijk(np.indices(grid.shape).T))
    beside = (np.abs(left - 10) < 2) & (np.abs(dorsal) < 9)
    bodies = np.where(beside, np.where(s < 40, 3, 4), 0).T.astype(np.int32)
    with pytest.raises(InputError, match="neither a labelled cord nor points"):
        VertebralColumn.from_labels(LabelImage(bodies, grid, None, "v"), curve)


# --- places ---------------------------------------------------------------------------


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
    column = VertebralColumn.from_discs(points_at(grid, {3: 10.0, 5: 46.0, 6: 62.0}), curve)
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


# --- real data ------------------------------------------------------------------------


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
