"""The published voxel method: slices, paint and distances, as its script has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.anatomy import ROOTLET_LEVELS, SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image import Grid, LabelImage, load_labels
from sct_rootlets.levels.table.level_table import VertebralRelation
from sct_rootlets.levels.valosek2024 import PublishedLevels, published_levels, published_table
from tests.levels.bent_cord import turned
from tests.orientations import TURNS

C1, C3, C4, C5 = (SpinalLevel(value) for value in (1, 3, 4, 5))
#: A straight cord of radius 4 voxels along the last axis, from inferior to superior; the
#: voxels are 0.5 x 0.5 x 0.8 mm.
SHAPE = (31, 31, 60)
GRID = Grid(SHAPE, np.diag([0.5, 0.5, 0.8, 1.0]))
X, Y, Z = np.indices(SHAPE)
CORD = LabelImage((np.hypot(X - 15, Y - 15) <= 4).astype(np.int32), GRID, None, "cord.nii.gz")


def rootlets(*parts: tuple[int, int, int, int]) -> LabelImage:
    """Return rootlets: (value, distance in voxels from the axis, first and last slice)."""
    data = np.zeros(SHAPE, dtype=np.int32)
    for value, x, first, last in parts:
        data[15 + x, 15, first : last + 1] = value
    return LabelImage(data, GRID, None, "rootlets.nii.gz")


def point(i: int, j: int, k: int, label: int = 50) -> LabelImage:
    data = np.zeros(SHAPE, dtype=np.int32)
    data[i, j, k] = label
    return LabelImage(data, GRID, None, "pmj.nii.gz")


def painted_slices(published: PublishedLevels, value: int) -> list[int]:
    return [int(k) for k in np.unique(np.argwhere(published.painted.data == value)[:, 2])]


def test_a_level_reaches_from_its_first_to_its_last_slice_near_the_cord() -> None:
    parts = rootlets((3, 6, 40, 42), (3, 7, 48, 50), (3, 9, 30, 55), (4, 6, 20, 25))
    published = published_levels(parts, CORD, 3)
    # 9 voxels from the axis are 5 from the cord: too far. Slices between two parts count.
    assert published.slices == {C3: (40, 50), C4: (20, 25)}
    assert painted_slices(published, 3) == list(range(40, 51))
    assert painted_slices(published, 4) == list(range(20, 26))
    inside = CORD.data[:, :, 45] > 0
    assert (published.painted.data[:, :, 45] == np.where(inside, 3, 0)).all()
    assert published.painted.data.dtype == np.uint8
    assert published.missing == ()


def test_the_dilation_is_a_ball_of_voxels() -> None:
    # 3 voxels off the surface in the plane: reached by 3 voxels, not by 2.
    parts = rootlets((3, 7, 10, 12))
    assert published_levels(parts, CORD, 3).slices == {C3: (10, 12)}
    assert published_levels(parts, CORD, 2).missing == (C3,)
    # Diagonally: from the corner voxel (2, 3) of the disc, (4, 5) is sqrt(8) voxels away.
    corner = parts.with_data(np.where((X == 19) & (Y == 20) & (Z == 10), 3, 0))
    assert published_levels(corner, CORD, 3).slices == {C3: (10, 10)}
    assert published_levels(corner, CORD, 2).missing == (C3,)
    # Beyond the end of a cord it is a ball too, whatever the size of the voxels.
    short = CORD.with_data(np.where(Z < 50, CORD.data, 0))
    above = rootlets((3, 0, 51, 59))
    assert published_levels(above, short, 3).slices == {C3: (51, 52)}
    assert published_levels(above, short, 0).missing == (C3,)


def test_the_more_caudal_level_overwrites_the_other() -> None:
    published = published_levels(rootlets((3, 5, 30, 40), (4, -5, 25, 33)), CORD, 3)
    assert published.slices == {C3: (30, 40), C4: (25, 33)}
    assert painted_slices(published, 3) == list(range(34, 41))
    assert painted_slices(published, 4) == list(range(25, 34))
    curve = Centerline.fit(CORD)
    warnings = published_table(published, curve).warnings
    assert warnings == ("C4: is painted over 4 slices of C3",)


def test_c1_is_found_and_erased() -> None:
    published = published_levels(rootlets((1, 5, 50, 54), (3, 5, 30, 40)), CORD, 3)
    assert published.slices[C1] == (50, 54)
    assert published.painted.labels == [3]
    table = published_table(published, Centerline.fit(CORD))
    assert table.row(C1).status == "measured"
    assert any("no C1" in text for text in table.warnings)


def test_a_level_that_does_not_meet_the_cord_is_missing_and_said() -> None:
    published = published_levels(rootlets((3, 5, 30, 40), (4, 9, 10, 20)), CORD, 3)
    assert published.missing == (C4,)
    table = published_table(published, Centerline.fit(CORD))
    assert table.row(C4).status == "unseen"
    assert table.row(C4).rostral_mm is None
    assert any(text.startswith("C4: its rootlets do not meet") for text in table.warnings)
    assert [row.level for row in table.rows] == [C1, *ROOTLET_LEVELS]


def test_every_orientation_gives_the_same_slices() -> None:
    parts = rootlets((3, 5, 30, 40), (4, -5, 25, 33), (5, 6, 8, 12))
    reference = published_levels(parts, CORD, 3)
    pmj = point(14, 16, 58)
    distances = reference.rows(pmj)
    for axes, flips in TURNS:
        found = published_levels(turned(parts, axes, flips), turned(CORD, axes, flips), 3)
        assert found.slices == reference.slices
        expected = turned(reference.painted, axes, flips)
        np.testing.assert_array_equal(found.painted.data, expected.data)
        for level, row in found.rows(turned(pmj, axes, flips)).items():
            assert row.start_from_pmj_mm == pytest.approx(distances[level].start_from_pmj_mm)


def test_borders_in_mm_are_the_outer_faces_of_the_slices_and_go_to_the_vertebrae() -> None:
    parts = rootlets((4, 6, 20, 25))
    curve = Centerline.fit(CORD)

    def relate(rostral: float, midpoint: float, caudal: float) -> VertebralRelation:
        assert rostral < midpoint < caudal
        return VertebralRelation(from_disc_mm={3: midpoint})

    table = published_table(published_levels(parts, CORD, 3), curve, relate=relate)
    row = table.row(C4)
    assert row.vertebral.from_disc_mm == {3: row.midpoint_mm}
    assert table.row(C5).vertebral is None
    assert row.length_mm == pytest.approx(6 * 0.8, abs=1e-3)
    assert row.rostral_world[2] == pytest.approx(25.5 * 0.8, abs=1e-3)
    assert row.caudal_world[2] == pytest.approx(19.5 * 0.8, abs=1e-3)
    assert row.midpoint_world[2] == pytest.approx(22.5 * 0.8, abs=1e-3)
    assert row.rostral_sd_mm is None


def test_distances_run_from_the_pmj_to_the_middles_of_the_slices() -> None:
    """On a straight cord with the PMJ on its axis they are plain differences."""
    parts = rootlets((4, 6, 20, 25), (5, 6, 10, 10))
    short = CORD.with_data(np.where(Z < 50, CORD.data, 0))
    published = published_levels(parts, short, 3)
    alone = published.rows()[C4]
    assert (alone.start_from_pmj_mm, alone.end_from_pmj_mm) == (None, None)
    assert alone.height_mm == pytest.approx(5 * 0.8)
    rows = published.rows(point(15, 15, 57))
    assert rows[C4].start_from_pmj_mm == pytest.approx((57 - 20) * 0.8)
    assert rows[C4].end_from_pmj_mm == pytest.approx((57 - 25) * 0.8)
    assert rows[C4].height_mm == pytest.approx(5 * 0.8)
    assert rows[C5].height_mm == 0.0


def test_a_pmj_off_the_axis_bends_the_way_to_it() -> None:
    parts = rootlets((4, 6, 20, 25))
    short = CORD.with_data(np.where(Z < 30, CORD.data, 0))
    on_axis, off_axis = (
        published_levels(parts, short, 3).rows(point(15 + x, 15, 57))[C4].start_from_pmj_mm
        for x in (0, 12)
    )
    assert off_axis > on_axis + 0.05


def test_what_cannot_be_used_is_refused() -> None:
    parts = rootlets((4, 6, 20, 25))
    with pytest.raises(InputError, match="no spinal levels"):
        published_levels(parts.with_data(parts.data * 10), CORD)
    with pytest.raises(UsageError, match="dilation"):
        published_levels(parts, CORD, -1)
    with pytest.raises(InputError, match="not on the grid"):
        published_levels(parts, LabelImage(CORD.data[:-1], Grid((30, 31, 60), GRID.affine)))
    outside = LabelImage(point(15, 15, 57).data, Grid(SHAPE, np.diag([0.5, 0.5, 5.0, 1])))
    with pytest.raises(InputError, match="outside"):
        published_levels(parts, CORD).rows(outside)
    two = point(15, 15, 57, 3).data + point(15, 15, 50, 4).data
    with pytest.raises(InputError, match="no PMJ label"):
        published_levels(parts, CORD).rows(LabelImage(two, GRID))


#: PAM50 at 0.5 mm: first and last slice of every level, C2 to T1, by the dilation in voxels.
PAM50_STARTS = {
    1: (None, None, 884, 855, 821, 788, None, None),
    2: (None, 916, 881, 851, 818, 786, 754, None),
    3: (962, 910, 880, 850, 817, 786, 752, 724),
}
PAM50_ENDS = {
    1: (None, None, 897, 864, 828, 801, None, None),
    2: (None, 936, 900, 866, 834, 803, 769, None),
    3: (963, 937, 901, 867, 835, 804, 774, 736),
}


@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_pam50_has_the_published_slices(shared_data: Path, dilation: int) -> None:
    folder = shared_data / "pam50"
    images = [load_labels(folder / f"PAM50_{name}.nii.gz") for name in ("rootlets", "cord")]
    published = published_levels(*images, dilation)
    known = zip(ROOTLET_LEVELS, PAM50_STARTS[dilation], PAM50_ENDS[dilation], strict=True)
    slices = {level: (start, end) for level, start, end in known}
    assert published.missing == tuple(lv for lv, ends in slices.items() if ends == (None, None))
    assert published.slices == {lv: slices[lv] for lv in slices if lv not in published.missing}


def test_pam50_small_has_the_distances_of_the_published_script(shared_data: Path) -> None:
    """As that script's own functions and SCT's smoothing give them, run once on this image."""
    folder = shared_data / "pam50_small"
    names = ("rootlets", "cord", "t2_pmj_manual")
    rootlets_, cord, pmj = (load_labels(folder / f"PAM50_small_{name}.nii.gz") for name in names)
    row = published_levels(rootlets_, cord, 3).rows(pmj)[C5]
    assert (row.start, row.end) == (212, 216)
    assert row.start_from_pmj_mm == pytest.approx(91.02055113049104, abs=1e-9)
    assert row.end_from_pmj_mm == pytest.approx(83.02045279658017, abs=1e-9)
    assert row.height_mm == pytest.approx(8.00009833391087, abs=1e-9)
