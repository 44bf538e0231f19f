"""Label images of levels: along the cord, in slices, and as points."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.anatomy import PLACES, SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.image import LabelImage
from sct_rootlets.levels.axial_slices import slice_positions
from sct_rootlets.levels.paint import paint_levels, paint_points, unpainted
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable
from tests.levels.bent_cord import BentCord, turned
from tests.orientations import TURNS

CORD = BentCord(length_mm=60.0, radius_mm=50.0, zones={4: (6.0, 15.0)})
ROWS = (
    LevelRow(SpinalLevel.C3, "unseen"),
    LevelRow(SpinalLevel.C4, "measured", 5.0, 20.0),
    LevelRow(SpinalLevel.C5, "measured", 20.0, 33.0),
    LevelRow(SpinalLevel.T1, "extrapolated", 41.0, 52.0),
)
TABLE = LevelTable(ROWS, "caudal", 1.5)


@pytest.fixture(scope="module")
def cord() -> LabelImage:
    return CORD.render(CORD.grid((1.0, 1.0, 1.0)))[0]


@pytest.fixture(scope="module")
def curve(cord: LabelImage) -> Centerline:
    return Centerline.fit(cord)


def test_a_voxel_takes_the_level_of_its_point_on_the_centerline(
    cord: LabelImage, curve: Centerline
) -> None:
    painted = paint_levels(cord, curve, TABLE)
    assert painted.data.dtype == np.uint8
    assert painted.labels == [4, 5, 9]
    assert painted.grid.matches(cord.grid)
    assert not painted.data[cord.data == 0].any()
    s = curve.project(cord.points_world()).s_mm
    values = painted.data[cord.data > 0]
    for row in ROWS[1:]:
        inside = (s >= row.rostral_mm) & (s < row.caudal_mm)
        assert set(values[inside]) == {row.level.value}
    assert not values[(s > 33.1) & (s < 40.9)].any()


def test_axial_painting_fills_whole_slices(cord: LabelImage, curve: Centerline) -> None:
    painted = paint_levels(cord, curve, TABLE, axial=True)
    at = slice_positions(cord.grid, curve, 2)
    for k in range(cord.grid.shape[2]):
        found = np.unique(painted.data[:, :, k][cord.data[:, :, k] > 0])
        assert len(found) <= 1
        if not len(found):
            continue
        row = next((r for r in ROWS[1:] if r.rostral_mm <= at[k] < r.caudal_mm), None)
        assert found[0] == (0 if row is None else row.level.value)
    # On a bent cord, whole slices are not what the nearest points give.
    assert (painted.data != paint_levels(cord, curve, TABLE).data).any()


@pytest.mark.parametrize("axial", [False, True])
def test_orientation_changes_nothing(cord: LabelImage, curve: Centerline, axial: bool) -> None:
    reference = paint_levels(cord, curve, TABLE, axial=axial)
    points = paint_points(cord, curve, TABLE, "midpoint").labels
    for axes, flips in TURNS:
        other = turned(cord, axes, flips)
        painted = paint_levels(other, curve, TABLE, axial=axial)
        np.testing.assert_array_equal(painted.data, turned(reference, axes, flips).data)
        found = paint_points(other, curve, TABLE, "midpoint").labels
        np.testing.assert_array_equal(found.data, turned(points, axes, flips).data)


@pytest.mark.parametrize("place", PLACES)
def test_points_are_single_voxels_on_the_centerline(
    cord: LabelImage, curve: Centerline, place: str
) -> None:
    points = paint_points(cord, curve, TABLE, place)
    assert points.outside == points.taken == ()
    assert unpainted({place: points}) == []
    assert points.labels.data.dtype == np.uint8
    assert points.labels.labels == [4, 5, 9]
    for row in ROWS[1:]:
        xyz = points.labels.points_world(row.level.value)
        assert len(xyz) == 1
        wanted = curve.point(getattr(row, f"{place}_mm"))
        assert np.abs(xyz[0] - wanted).max() <= 0.5 + 1e-6


def test_two_levels_never_share_a_voxel_in_silence(cord: LabelImage, curve: Centerline) -> None:
    rows = (
        LevelRow(SpinalLevel.C4, "measured", 20.0, 20.4),
        LevelRow(SpinalLevel.C5, "measured", 20.05, 20.35),
    )
    points = paint_points(cord, curve, LevelTable(rows, "extent", 1.5), "midpoint")
    assert points.labels.labels == [4]
    assert points.taken == (SpinalLevel.C5,)
    (warning,) = unpainted({"midpoint": points})
    assert warning.startswith("in the voxel of another level")
    assert warning.endswith("C5 (midpoint)")


def test_points_beyond_the_cord_are_left_out_and_said(cord: LabelImage, curve: Centerline) -> None:
    rows = (
        LevelRow(SpinalLevel.C4, "measured", 5.0, 20.0),
        LevelRow(SpinalLevel.T2, "extrapolated", 100.0, 112.0),
        LevelRow(SpinalLevel.T3, "extrapolated", 112.0, 125.0),
    )
    table = LevelTable(rows, "caudal", 1.5)
    points = {place: paint_points(cord, curve, table, place) for place in PLACES}
    assert points["caudal"].labels.labels == [4]
    assert points["caudal"].outside == (SpinalLevel.T2, SpinalLevel.T3)
    assert unpainted(points) == ["beyond the cord mask or the image, not painted as points: T2, T3"]


def test_points_beyond_the_mask_are_left_out_though_they_lie_in_the_image(
    cord: LabelImage, curve: Centerline
) -> None:
    """SCT would take them for labels at the end of the mask."""
    shorter = cord.with_data(np.where(np.arange(cord.grid.shape[2]) < 30, 0, cord.data))
    short = Centerline.fit(shorter)
    row = LevelRow(SpinalLevel.C4, "predicted", short.end_mm - 4.0, short.end_mm + 7.0)
    table = LevelTable((row,), "caudal", 1.5)
    found = {place: paint_points(shorter, short, table, place) for place in PLACES}
    assert cord.grid.contains(short.point(row.caudal_mm))
    assert found["rostral"].labels.labels == [4]
    assert found["midpoint"].outside == found["caudal"].outside == (SpinalLevel.C4,)
