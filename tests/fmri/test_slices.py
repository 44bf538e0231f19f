"""Which slice holds which level, and what becomes the label of a voxel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.fmri import label_voxels, level_fractions, slice_fractions
from sct_rootlets.fmri.fractions import Fractions, SliceProfile
from sct_rootlets.fmri.slices import COLUMNS, SliceRow, coverage, rows_of
from sct_rootlets.fmri.transforms import IDENTITY
from sct_rootlets.tables import to_text
from tests.fmri.straight import levels_on, slices

C3, C4, C5 = SpinalLevel.C3, SpinalLevel.C4, SpinalLevel.C5


def test_fractions_are_of_the_cord_and_not_of_its_labelled_part() -> None:
    """Half of the slice lies above the first level: the levels share one half, not all."""
    epi = slices(10.0, 1, 15.0)
    found = level_fractions(levels_on((20.0, 22.0, 40.0)), epi.grid, IDENTITY)
    np.testing.assert_allclose(slice_fractions(found), [[0.2, 0.3]], atol=0.03)


def by_layers(*areas: list[int]) -> Fractions:
    """Return slices of layers with these labelled areas; a quarter is C3, the rest C4."""
    profiles = {
        index: SliceProfile(np.array([[n // 4, n - n // 4] for n in layers]), np.zeros((0, 3)))
        for index, layers in enumerate(areas)
    }
    grid = slices(5.0, len(areas), 15.0).grid
    share = np.zeros((*grid.shape, 2), dtype=np.float32)
    return Fractions((C3, C4), share, grid, 2, profiles, (4, 4, 4))


@pytest.mark.parametrize(
    ("areas", "covered"),
    [
        ([[100] * 7 + [52, 48, 0]], [0.8]),
        ([[100] * 8 + [50, 49]], [0.9]),
        # What is usual is told by the slice and its neighbours, not by those farther away.
        ([[100] * 4, [48] * 4, [100] * 4], [1, 0, 1]),
        ([[100] * 4, [52] * 4, [100] * 4], [1, 1, 1]),
        ([[100] * 4, [60] * 4, [36] * 4, [24] * 4], [1, 1, 1, 1]),
    ],
)
def test_a_layer_of_less_than_half_the_usual_area_has_no_level(
    areas: list[list[int]], covered: list[float]
) -> None:
    found = slice_fractions(by_layers(*areas))
    np.testing.assert_allclose(found.sum(axis=1), covered)
    np.testing.assert_allclose(found[:, 0], 0.25 * np.array(covered), atol=0.02)


def test_a_cord_that_becomes_thin_is_still_a_cord() -> None:
    """Down there it has less than half the area that it has elsewhere."""
    labels = levels_on((10.0, 60.0, 75.0))
    x, y, z = np.moveaxis(labels.grid.world_from_ijk(np.argwhere(labels.data)), -1, 0)
    thick = np.where(z < 50, 3.2, 5.0)
    ijk = np.argwhere(labels.data)[np.hypot(x, y) >= thick]
    labels.data[tuple(ijk.T)] = 0
    epi = slices(5.0, 16, 0.0)
    found = slice_fractions(level_fractions(labels, epi.grid, IDENTITY))
    np.testing.assert_allclose(found[1:4, 1], 1, atol=0.08)
    np.testing.assert_allclose(found[6:14, 0], 1, atol=0.08)


def test_a_voxel_has_the_level_with_the_largest_share() -> None:
    epi = slices(10.0, 2, 20.0)
    found = level_fractions(levels_on((20.0, 34.0, 40.0)), epi.grid, IDENTITY)
    labels, crowded = label_voxels(found)
    assert crowded == ()
    assert set(np.unique(labels[:, :, 1])) == {0, C3.value}
    assert set(np.unique(labels[:, :, 0])) == {0, C4.value}
    # As many voxels as the cord is wide: those that it fills to a half.
    assert (labels[:, :, 0] > 0).sum() == pytest.approx(np.pi * 25, rel=0.08)


def test_a_slice_that_is_mostly_not_covered_has_no_label() -> None:
    epi = slices(10.0, 2, 16.0)  # 16-26 and 26-36 mm below the top
    found = level_fractions(levels_on((22.5, 36.0)), epi.grid, IDENTITY)
    labels, _ = label_voxels(found)
    assert not labels[:, :, 1].any()
    assert labels[:, :, 0].any()
    found = level_fractions(levels_on((20.5, 36.0)), epi.grid, IDENTITY)
    labels, _ = label_voxels(found)
    assert labels[:, :, 1].any(), "more than half of it is covered"


def test_with_a_cord_mask_all_of_its_voxels_are_cord() -> None:
    epi = slices(10.0, 1, 20.0)
    mask = np.ones(epi.grid.shape, dtype=np.uint8)
    found = level_fractions(levels_on((20.0, 40.0)), epi.grid, IDENTITY, cord=mask)
    narrow, _ = label_voxels(found)
    wide, _ = label_voxels(found, bounded=True)
    np.testing.assert_array_equal(wide > 0, found.of(C3) > 0)
    assert (wide > 0).sum() > (narrow > 0).sum()


def test_a_level_between_two_larger_ones_is_not_lost() -> None:
    """C4 is 14 mm long and lies over the border of two slices of 16.8 mm."""
    epi = slices(16.8, 2, 20.0)
    middle = 20 + 16.8
    borders = (10.0, middle - 7, middle + 7, 80.0)
    found = level_fractions(levels_on(borders), epi.grid, IDENTITY)
    by_slice = slice_fractions(found)
    assert (by_slice.argmax(axis=1) != 1).all(), "it has the most of no slice"
    labels, crowded = label_voxels(found)
    assert crowded == (C4,)
    counts = {level: int((labels == level.value).sum()) for level in (C3, C4, C5)}
    assert min(counts.values()) > 0
    # Of one slice, and as many voxels as it has of that slice.
    index = np.flatnonzero((labels == C4.value).any(axis=(0, 1)))
    assert len(index) == 1
    here = labels[:, :, index[0]]
    assert (here == C4.value).sum() / (here > 0).sum() == pytest.approx(7 / 16.8, abs=0.06)
    # From the middle of the cord, so that no side is preferred.
    at = np.argwhere(here == C4.value)
    np.testing.assert_allclose(at.mean(axis=0), np.argwhere(here > 0).mean(axis=0), atol=0.5)


def test_the_end_of_the_last_level_is_not_lost() -> None:
    """C4 is 8 mm of the one slice and 7 of the next, with nothing below."""
    epi = slices(16.8, 3, 10.0)
    border = 10 + 2 * 16.8
    found = level_fractions(levels_on((10.0, border - 7, border + 7.5)), epi.grid, IDENTITY)
    labels, crowded = label_voxels(found)
    assert crowded == (C4,)
    # Its slice, the last, holds no other level, so that it has the whole of it.
    assert set(np.unique(labels[:, :, 0])) == {0, C4.value}
    assert (labels[:, :, 0] > 0).sum() == pytest.approx(np.pi * 25, rel=0.08)


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.floats(8, 25), min_size=2, max_size=5),
    start=st.floats(2, 12),
    thickness=st.floats(3, 17),
    offset=st.floats(0, 1),
)
def test_no_level_of_more_than_half_a_slice_is_lost(
    lengths: list[float], start: float, thickness: float, offset: float
) -> None:
    borders = np.concatenate([[start], start + np.cumsum(lengths)])
    borders = borders[borders < 95]
    labels = levels_on(tuple(borders), spacing_mm=2.0)
    epi = slices(thickness, int(90 / thickness), offset * thickness, in_plane_mm=2.0)
    found = level_fractions(labels, epi.grid, IDENTITY)
    by_slice = slice_fractions(found)
    assert (by_slice >= 0).all()
    assert (by_slice.sum(axis=1) < 1 + 1e-9).all()
    painted, _ = label_voxels(found)
    for row in coverage(found, painted):
        if row.slices > 0.5:
            assert row.n_voxels > 0
    # A slice that lies wholly in one level has no other label.
    for index in np.flatnonzero(by_slice.max(axis=1) > 0.999):
        level = found.levels[by_slice[index].argmax()]
        assert set(np.unique(painted[:, :, index])) <= {0, level.value}


def test_coverage_adds_up() -> None:
    epi = slices(5.0, 12, 10.0)
    found = level_fractions(levels_on((20.0, 35.0, 48.0)), epi.grid, IDENTITY)
    labels, _ = label_voxels(found)
    c3, c4 = coverage(found, labels)
    assert (c3.level, c4.level) == (C3, C4)
    assert c3.slices == pytest.approx(3.0, abs=0.05)
    assert c3.along_mm == pytest.approx(15, abs=0.25)
    assert c4.along_mm == pytest.approx(13, abs=0.25)
    assert (c3.n_slices, c4.n_slices) == (3, 3)
    assert c3.n_voxels == (labels == 3).sum() > 0


def test_rows_and_text() -> None:
    by_slice = np.array([[0.0, 1.0], [0.25, 0.75], [0.0, 0.0]])
    rows = rows_of(by_slice, (C3, C4), {(1, C4): (0.125, 0.99)})
    assert rows[0] == SliceRow(0, C4, 1.0)
    assert to_text(COLUMNS, map(vars, rows)).splitlines() == [
        "slice\tlevel\tfraction\tfraction_sd\tp_largest",
        "0\tC4\t1.0000\tn/a\tn/a",
        "1\tC3\t0.2500\tn/a\tn/a",
        "1\tC4\t0.7500\t0.1250\t0.9900",
    ]


def test_levels_outside_the_image() -> None:
    epi = slices(5.0, 2, 60.0)
    found = level_fractions(levels_on((20.0, 40.0)), epi.grid, IDENTITY)
    labels, crowded = label_voxels(found)
    assert not labels.any()
    assert crowded == ()
    assert coverage(found, labels)[0].slices == 0
