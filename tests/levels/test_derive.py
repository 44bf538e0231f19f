"""Levels from two label images, and numbering by discs, against known cords."""

from __future__ import annotations

import json
from itertools import permutations, product

import numpy as np
import pytest

from sct_rootlets.anatomy import ROOTLET_LEVELS, SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.levels import Derived, derive, disc_positions
from sct_rootlets.levels.entry_zones import measure
from sct_rootlets.levels.population import COHORT_ZONES_MM, PAM50_DISCS_MM, PAM50_ZONES_MM
from sct_rootlets.levels.vertebrae import _entry_positions
from sct_rootlets.metrics import truth_on
from sct_rootlets.phantom import Anatomy, Phantom, true_levels
from tests.levels.bent_cord import BentCord, point_labels, turned

CORD = BentCord(zones={4: (6.0, 15.0), 5: (22.3, 30.6), 6: (37.4, 46.0)})

#: A whole cervical cord in the proportions of the population, where s = 40 is C2/C3.
SIZE = 0.93
WHOLE = BentCord(
    length_mm=150.0,
    radius_mm=200.0,
    zones={
        level.value: (40 + SIZE * low, 40 + SIZE * high)
        for level, (low, high) in PAM50_ZONES_MM.items()
    },
)

Pair = tuple[LabelImage, LabelImage]


@pytest.fixture(scope="module")
def pair() -> Pair:
    return CORD.render(CORD.grid((1.0, 1.0, 1.0)))


@pytest.fixture(scope="module")
def whole() -> Pair:
    return WHOLE.render(WHOLE.grid((1.0, 1.0, 1.0)))


def _discs(grid: Grid, *labels: int, shift: float = 0.0, dorsal: float = -8.0) -> LabelImage:
    at = {k: np.array([40 + SIZE * PAM50_DISCS_MM[k] + shift]) for k in labels}
    side = np.zeros(1), np.array([dorsal])
    return point_labels(grid, {k: WHOLE.world(s, *side)[0] for k, s in at.items()})


def _nameless(rootlets: LabelImage) -> LabelImage:
    return rootlets.with_data((rootlets.data > 0).astype(np.int32))


def _accuracy(derived: Derived, truth: LabelImage) -> float:
    mask = truth.data > 0
    return float((derived.rootlets.data[mask] == truth.data[mask]).mean())


def test_levels_of_a_known_cord(pair: Pair) -> None:
    cord, rootlets = pair
    derived = derive(rootlets, cord)
    rows = {str(row.level): row for row in derived.table.rows}
    assert list(rows) == [level.name for level in ROOTLET_LEVELS]
    for name, value in (("C4", 4), ("C5", 5), ("C6", 6)):
        end = rows[name].caudal_world
        s = CORD.cord_coordinates(np.array([end]))[0][0]
        assert s == pytest.approx(CORD.entry(value)[1], abs=0.8)
        assert rows[name].status == "measured"
        assert min(rows[name].n_voxels.values()) > 10
    assert rows["C5"].rostral_mm == rows["C4"].caudal_mm
    assert rows["C7"].status == "unseen"
    assert rows["C7"].caudal_world is None
    json.dumps(derived.table.to_json())


def test_the_painted_cord_follows_the_table(pair: Pair) -> None:
    cord, rootlets = pair
    derived = derive(rootlets, cord)
    levels = derived.levels
    assert levels.labels == [4, 5, 6]
    assert not np.any(levels.data[cord.data == 0])
    for row in derived.table.rows:
        if row.status != "measured":
            continue
        s = derived.centerline.project(levels.points_world(row.level.value)).s_mm
        assert s.min() >= row.rostral_mm
        assert s.max() < row.caudal_mm
        assert s.max() - s.min() == pytest.approx(row.length_mm, abs=2.0)


def test_extent_leaves_gaps(pair: Pair) -> None:
    cord, rootlets = pair
    rows = {row.level: row for row in derive(rootlets, cord, definition="extent").table.rows}
    low, high = CORD.entry(5)
    gap = rows[SpinalLevel.C5].rostral_mm - rows[SpinalLevel.C4].caudal_mm
    assert gap == pytest.approx(low - CORD.entry(4)[1], abs=1.6)
    assert rows[SpinalLevel.C5].length_mm == pytest.approx(high - low, abs=1.6)


def test_all_48_orientations_give_the_same_levels(pair: Pair) -> None:
    cord, rootlets = pair
    reference = derive(rootlets, cord).table
    for axes in permutations(range(3)):
        for flips in product([False, True], repeat=3):
            table = derive(turned(rootlets, axes, flips), turned(cord, axes, flips)).table
            for row, known in zip(table.rows, reference.rows, strict=True):
                assert row.status == known.status
                if known.caudal_mm is None:
                    continue
                assert row.rostral_mm == pytest.approx(known.rostral_mm, abs=1e-3)
                assert row.caudal_mm == pytest.approx(known.caudal_mm, abs=1e-3)
                assert row.caudal_world == pytest.approx(known.caudal_world, abs=1e-3)


def test_an_interpolated_level_lies_between_its_neighbours(pair: Pair) -> None:
    cord, rootlets = pair
    missing = rootlets.with_data(np.where(rootlets.data == 5, 0, rootlets.data))
    table = derive(missing, cord).table
    row = table.row(SpinalLevel.C5)
    known = derive(rootlets, cord).table.row(SpinalLevel.C5)
    assert row.status == "interpolated"
    assert row.caudal_mm == pytest.approx(known.caudal_mm, abs=2.0)
    assert "C5" in row.notes[0]


@pytest.mark.parametrize("labels", [tuple(range(2, 10)), (3,), (5,), (3, 4)], ids=str)
def test_rootlets_are_numbered_from_discs(whole: Pair, labels: tuple[int, ...]) -> None:
    cord, rootlets = whole
    derived = derive(_nameless(rootlets), cord, discs=_discs(cord.grid, *labels))
    assert _accuracy(derived, rootlets) > 0.99
    assert derived.numbering.uncertainty_mm > 0
    one = any("from one disc" in text for text in derived.table.warnings)
    assert one == (len(labels) == 1)
    assert derived.table.to_json()["numbering"]["uncertainty_mm"] > 0


def test_only_the_place_along_the_cord_of_a_disc_matters(whole: Pair) -> None:
    cord, rootlets = whole
    curve = Centerline.fit(cord)
    tip, middle = (disc_positions(_discs(cord.grid, 3, dorsal=d), curve)[3] for d in (-8.0, 0.0))
    assert tip == pytest.approx(middle, abs=1.0)
    derived = derive(_nameless(rootlets), cord, discs=_discs(cord.grid, 3, dorsal=0.0))
    assert _accuracy(derived, rootlets) > 0.99


@pytest.mark.parametrize("shift", [-4.0, 4.0])
def test_the_gaps_between_rootlets_correct_the_discs(whole: Pair, shift: float) -> None:
    cord, rootlets = whole
    derived = derive(_nameless(rootlets), cord, discs=_discs(cord.grid, 3, 4, 5, shift=shift))
    assert _accuracy(derived, rootlets) > 0.97
    assert derived.numbering.shift_mm == pytest.approx(-shift, abs=2.5)
    assert not any("the discs place them" in text for text in derived.table.warnings)


@pytest.mark.parametrize("shift", [-6.0, 6.0])
def test_a_shift_of_nearly_half_a_level_is_warned_of(whole: Pair, shift: float) -> None:
    cord, rootlets = whole
    derived = derive(_nameless(rootlets), cord, discs=_discs(cord.grid, 3, 4, 5, 6, shift=shift))
    assert any("the discs place them" in text for text in derived.table.warnings)


def test_a_disc_one_label_off_shifts_the_levels_by_one(whole: Pair) -> None:
    """The numbering believes the discs: in a short view nothing else names a level."""
    cord, rootlets = _view(whole, 40.0, 105.0)
    discs = _discs(cord.grid, 4, 5, 6)
    wrong = discs.with_data(np.where(discs.data > 0, discs.data + 1, 0))
    right = derive(_nameless(rootlets), cord, discs=discs)
    off = derive(_nameless(rootlets), cord, discs=wrong)
    inner = np.isin(rootlets.data, [5, 6])
    assert (right.rootlets.data[inner] == rootlets.data[inner]).mean() > 0.95
    assert (off.rootlets.data[inner] == rootlets.data[inner] + 1).mean() > 0.9


def _view(whole: Pair, low: float, high: float) -> Pair:
    """Cut both images to the slices between two positions along the cord."""
    cord = whole[0]
    ends = WHOLE.world(np.array([high, low]), np.zeros(2), np.zeros(2))
    first, last = (int(k) for k in cord.grid.ijk_from_world(ends)[:, 2])
    affine = cord.grid.affine.copy()
    affine[:3, 3] += first * affine[:3, 2]
    grid = Grid((*cord.data.shape[:2], last - first), affine)
    return tuple(
        LabelImage(image.data[:, :, first:last], grid, None, image.path) for image in whole
    )


def test_a_view_of_c3_to_c6_alone_is_numbered(whole: Pair) -> None:
    cord, rootlets = _view(whole, 24.0, 86.0)
    derived = derive(_nameless(rootlets), cord, discs=_discs(cord.grid, 3, 4))
    inner = np.isin(rootlets.data, [4, 5, 6])
    assert (derived.rootlets.data[inner] == rootlets.data[inner]).mean() > 0.97
    assert derived.table.row(SpinalLevel.C8).status == "unseen"


def test_one_c2c3_point_is_enough(whole: Pair) -> None:
    cord, rootlets = whole
    point = WHOLE.world(np.array([40.0]), np.zeros(1), np.array([-8.0]))[0]
    derived = derive(_nameless(rootlets), cord, c2c3_world=tuple(point))
    assert _accuracy(derived, rootlets) > 0.99
    assert derived.table.details["discs_mm"]["3"] == pytest.approx(40.0, abs=1.5)


def test_other_landmarks_among_the_discs_are_ignored(whole: Pair) -> None:
    cord, _ = whole
    discs = _discs(cord.grid, 3, 4)
    data = discs.data.copy()
    for k, label in enumerate((1, 49, 50, 60)):
        data[2, 2, 3 + k] = label
    found = disc_positions(discs.with_data(data), Centerline.fit(cord))
    assert set(found) == {3, 4}


def test_discs_out_of_order_are_refused(whole: Pair) -> None:
    cord, _ = whole
    discs = _discs(cord.grid, 3, 5)
    swapped = np.where(discs.data == 3, 5, np.where(discs.data == 5, 3, 0))
    with pytest.raises(InputError, match="C4/C5"):
        disc_positions(discs.with_data(swapped), Centerline.fit(cord))


def test_the_pmj_gives_distances(pair: Pair) -> None:
    cord, rootlets = pair
    pmj = CORD.world(np.array([-20.0]), np.zeros(1), np.zeros(1))[0]
    details = derive(rootlets, cord, pmj=tuple(pmj)).table.to_json()
    assert details["pmj_mm"] == pytest.approx(-20.0, abs=1.5)
    c5 = next(row for row in details["levels"] if row["level"] == "C5")
    assert details["distance_from_pmj_mm"]["C5"] == pytest.approx(
        c5["midpoint_mm"] - details["pmj_mm"], abs=2e-3
    )


def test_no_disc_says_what_is_needed_and_why(pair: Pair) -> None:
    cord, rootlets = pair
    with pytest.raises(UsageError, match="at least one disc") as error:
        derive(_nameless(rootlets), cord)
    assert "-c2c3" in str(error.value)
    assert "no level identity" in str(error.value)
    other = point_labels(cord.grid, {50: cord.grid.world_from_ijk([2, 2, 2])})
    with pytest.raises(UsageError, match=r"discs\.nii\.gz has none"):
        derive(_nameless(rootlets), cord, discs=other)


def test_swapped_arguments_are_recognised(pair: Pair) -> None:
    cord, rootlets = pair
    for first in (cord, cord.with_data(cord.data * 3)):
        with pytest.raises(UsageError, match=r"cord\.nii\.gz.*rootlets\.nii\.gz"):
            derive(first, rootlets)


def test_unusable_inputs_are_refused(pair: Pair) -> None:
    cord, rootlets = pair
    with pytest.raises(UsageError, match="definition"):
        derive(rootlets, cord, definition="bone")
    with pytest.raises(UsageError, match="reach"):
        derive(rootlets, cord, reach_mm=0.0)
    with pytest.raises(InputError, match="no spinal levels"):
        derive(rootlets.with_data(rootlets.data * 20), cord)
    smaller = Grid((*cord.grid.shape[:2], cord.grid.shape[2] - 1), cord.grid.affine)
    shorter = LabelImage(rootlets.data[:, :, :-1], smaller, None, "r")
    with pytest.raises(InputError, match="not on the grid"):
        derive(shorter, cord)
    with pytest.raises(InputError, match="empty"):
        derive(rootlets.with_data(rootlets.data * 0), cord)


def test_identity_can_be_told(whole: Pair) -> None:
    """The value 1 throughout can be meant as C1, and other values as no identity."""
    cord, rootlets = whole
    derived = derive(rootlets, cord, discs=_discs(cord.grid, 3), has_level_identity=False)
    assert derived.numbering is not None
    assert _accuracy(derived, rootlets) > 0.99
    assert COHORT_ZONES_MM.keys() == PAM50_ZONES_MM.keys()


def test_rootlets_are_compared_with_the_template_where_its_zones_are(
    phantom_small: Phantom, anatomy: Anatomy
) -> None:
    """Oblique rootlets brought back too far, or not enough, shift all levels to one side."""
    truth, cord = phantom_small.rootlets, phantom_small.cord
    curve = Centerline.fit(cord)
    zones = measure(truth, cord, curve)
    true = truth_on(curve, true_levels(anatomy).borders_world("extent"))
    rostral, caudal = (np.array([true[level][end] for level in ROOTLET_LEVELS]) for end in (0, 1))
    template = np.concatenate(
        [[rostral[0] - 2.5], (caudal[:-1] + rostral[1:]) / 2, [caudal[-1] + 3]]
    )
    entry = _entry_positions(zones, template)
    level = truth.data[tuple(zones.ijk.T)]
    middles = np.array([np.median(entry[level == one.value]) for one in ROOTLET_LEVELS])
    off = middles - (rostral + caudal) / 2
    assert np.abs(off.mean()) < 0.4
    assert np.abs(off).max() < 1.2
