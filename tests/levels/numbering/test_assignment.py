"""Numbering of rootlets by the vertebrae, against known cords."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from sct_rootlets.anatomy import ROOTLET_LEVELS
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.levels import Numbering, VertebralColumn, number_rootlets
from sct_rootlets.levels.numbering.assignment import _entry_positions
from sct_rootlets.levels.zones.entry_zones import measure
from sct_rootlets.metrics import truth_on
from sct_rootlets.phantom import Anatomy, Phantom, true_levels
from tests.levels.bent_cord import WHOLE, Pair, accuracy, nameless, whole_discs


def _number(pair: Pair, discs: LabelImage) -> Numbering:
    """Number the rootlets of `pair`, whose levels are taken away, by disc labels."""
    cord, rootlets = pair
    curve = Centerline.fit(cord)
    column = VertebralColumn.from_discs(discs, curve)
    return number_rootlets(nameless(rootlets), cord, curve, column)


@pytest.mark.parametrize("labels", [tuple(range(2, 10)), (3,), (5,), (3, 4)], ids=str)
def test_rootlets_are_numbered_from_discs(whole: Pair, labels: tuple[int, ...]) -> None:
    numbering = _number(whole, whole_discs(whole[0].grid, *labels))
    assert accuracy(numbering.labels, whole[1]) > 0.99
    assert numbering.uncertainty_mm > 0
    assert any("from one disc" in text for text in numbering.warnings) == (len(labels) == 1)
    report = numbering.report()
    assert json.loads(json.dumps(report)) == report
    assert len(report["discs_mm"]) == len(labels)


def test_positions_serve_as_well_as_a_column(whole: Pair) -> None:
    cord, rootlets = whole
    curve = Centerline.fit(cord)
    at = dict(VertebralColumn.from_discs(whole_discs(cord.grid, 3, 4, 5), curve).disc_s_mm)
    one, other = (number_rootlets(rootlets, cord, curve, d) for d in (at, VertebralColumn(at)))
    assert np.array_equal(one.labels.data, other.labels.data)
    assert np.array_equal(one.borders_mm, other.borders_mm)
    assert np.array_equal(one.border_sd_mm, other.border_sd_mm)


def test_less_certain_vertebrae_number_less_certainly(whole: Pair) -> None:
    cord, rootlets = whole
    curve = Centerline.fit(cord)
    at = VertebralColumn.from_discs(whole_discs(cord.grid, 9), curve).disc_s_mm
    one = rootlets.with_data(np.where(rootlets.data == 9, 1, 0))
    sure, unsure = (
        number_rootlets(one, cord, curve, VertebralColumn(at, disc_sd_mm={9: sd}))
        for sd in (2.0, 6.0)
    )
    assert (unsure.border_sd_mm > sure.border_sd_mm).all()


@pytest.mark.parametrize("shift", [-4.0, 4.0])
def test_the_gaps_between_rootlets_correct_the_discs(whole: Pair, shift: float) -> None:
    numbering = _number(whole, whole_discs(whole[0].grid, 3, 4, 5, shift=shift))
    assert accuracy(numbering.labels, whole[1]) > 0.97
    assert numbering.shift_mm == pytest.approx(-shift, abs=2.5)
    assert not any("the discs place them" in text for text in numbering.warnings)


@pytest.mark.parametrize("shift", [-6.0, 6.0])
def test_a_shift_of_nearly_half_a_level_is_warned_of(whole: Pair, shift: float) -> None:
    numbering = _number(whole, whole_discs(whole[0].grid, 3, 4, 5, 6, shift=shift))
    assert any("the discs place them" in text for text in numbering.warnings)


def test_a_disc_one_label_off_shifts_the_levels_by_one(whole: Pair) -> None:
    """The numbering believes the discs: in a short view nothing else names a level."""
    pair = _view(whole, 40.0, 105.0)
    discs = whole_discs(pair[0].grid, 4, 5, 6)
    wrong = discs.with_data(np.where(discs.data > 0, discs.data + 1, 0))
    right, off = _number(pair, discs).labels, _number(pair, wrong).labels
    inner = np.isin(pair[1].data, [5, 6])
    assert (right.data[inner] == pair[1].data[inner]).mean() > 0.95
    assert (off.data[inner] == pair[1].data[inner] + 1).mean() > 0.9


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


@pytest.fixture(scope="module")
def joined(whole: Pair) -> Pair:
    """Cord and rootlets without level, those of C3 joined to those of C4 on all sides."""
    cord, rootlets = whole
    between = (WHOLE.zones[3][1] - 1, WHOLE.zones[4][0] + 1)
    bridge = replace(WHOLE, zones={3: between}).render(cord.grid)[1]
    data = (rootlets.data > 0) | ((bridge.data > 0) & (cord.data == 0))
    return cord, rootlets.with_data(data.astype(np.int32))


@pytest.mark.parametrize("left_mm", [3.0, 5.0, 7.0])
@pytest.mark.parametrize("shift", [-3.0, 0.0, 3.0])
def test_joined_levels_at_the_end_of_a_view_are_told_apart(
    whole: Pair, joined: Pair, left_mm: float, shift: float
) -> None:
    """The end of the image is no gap, and two levels take up more of the cord than one."""
    first = WHOLE.zones[3][1] - left_mm
    truth = _view(whole, first, 95.0)[1].data
    numbering = _number(
        _view(joined, first, 95.0), whole_discs(whole[0].grid, 3, 4, 5, shift=shift)
    )
    seen = truth > 0
    assert (numbering.labels.data[seen] == truth[seen]).mean() > 0.97


def test_discs_that_cannot_number_are_refused(whole: Pair) -> None:
    cord, rootlets = whole
    curve = Centerline.fit(cord)
    for discs in ({}, {18: 30.0, 19: 60.0}):
        with pytest.raises(UsageError, match="without a disc from C1/C2 to T5/T6"):
            number_rootlets(rootlets, cord, curve, discs)
    far = {13: -60.0}
    with pytest.raises(InputError, match="no rootlet lies between C2 and T1"):
        number_rootlets(rootlets, cord, curve, far)


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
