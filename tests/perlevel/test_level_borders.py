"""Borders from a table and from painted levels: they come back as they were painted."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import LabelImage, resample_labels
from sct_rootlets.levels.paint import paint_levels, paint_points
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable
from sct_rootlets.perlevel.level_borders import borders_of_labels, borders_of_table
from tests.levels.bent_cord import BentCord, rotation, turned

CORD = BentCord(length_mm=60.0, radius_mm=60.0)
BORDERS = {4: (6.3, 19.2), 5: (19.2, 33.4), 9: (40.1, 60.0)}


@pytest.fixture(scope="module")
def cord() -> LabelImage:
    return CORD.render(CORD.grid((0.8, 0.8, 0.8), rotation(0, 12.0)))[0]


@pytest.fixture(scope="module")
def curve(cord: LabelImage) -> Centerline:
    return Centerline.fit(cord)


def table(curve: Centerline) -> LevelTable:
    rows = [LevelRow(SpinalLevel.C3, "unseen")]
    for value, mm in BORDERS.items():
        low, high = (tuple(float(x) for x in curve.point(s)) for s in mm)
        rows.append(
            LevelRow(SpinalLevel(value), "measured", *mm, low, high, rostral_sd_mm=0.5,
                     caudal_sd_mm=0.7, length_sd_mm=0.9, flags=("strays",))
        )  # fmt: skip
    return LevelTable(tuple(rows), "caudal", 1.5)


def test_a_table_keeps_its_borders_their_spread_and_its_unseen_levels(curve: Centerline) -> None:
    found = borders_of_table(table(curve), curve)
    assert [one.level.value for one in found] == [3, *BORDERS]
    assert found[0].length_mm is None
    assert found[0].status == "unseen"
    for one, mm in zip(found[1:], BORDERS.values(), strict=True):
        assert (one.rostral_mm, one.caudal_mm) == pytest.approx(mm, abs=1e-3)
        assert (one.rostral_sd_mm, one.caudal_sd_mm, one.length_sd_mm) == (0.5, 0.7, 0.9)
        assert one.flags == ("strays",)


def test_a_table_serves_another_mask_of_the_same_cord(cord: LabelImage, curve: Centerline) -> None:
    kept = np.argwhere(np.asarray(cord.data))
    s = curve.project(cord.points_world()).s_mm
    data = np.zeros_like(np.asarray(cord.data))
    data[tuple(kept[s > 10].T)] = 1
    other = Centerline.fit(cord.with_data(data))
    found = {one.level.value: one for one in borders_of_table(table(curve), other)}
    assert found[5].length_mm == pytest.approx(33.4 - 19.2, abs=0.1)
    assert found[5].rostral_mm == pytest.approx(9.2, abs=0.4)
    assert found[4].rostral_mm < 0


def test_a_table_of_somebody_else_is_refused(cord: LabelImage, curve: Centerline) -> None:
    elsewhere = cord.grid.affine.copy()
    elsewhere[0, 3] += 40.0
    other = Centerline.fit(LabelImage(cord.data, type(cord.grid)(cord.grid.shape, elsewhere)))
    with pytest.raises(InputError, match=r"levels\.tsv: .* 40 mm away from the cord"):
        borders_of_table(table(curve), other, "levels.tsv")


@pytest.mark.parametrize("axial", [False, True])
@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1)])
def test_painted_levels_give_their_borders_back(
    cord: LabelImage, curve: Centerline, axial: bool, axes: tuple[int, int, int]
) -> None:
    painted = paint_levels(cord, curve, table(curve), axial=axial)
    found = borders_of_labels(turned(painted, axes, (True, False, True)), cord, curve)
    assert [one.level.value for one in found] == list(BORDERS)
    for one, mm in zip(found, BORDERS.values(), strict=True):
        # Half a slice where whole slices were painted.
        assert (one.rostral_mm, one.caudal_mm) == pytest.approx(mm, abs=0.6 if axial else 0.25)
        assert one.status is None
        assert one.rostral_sd_mm is None


def test_levels_on_another_grid_and_another_mask(cord: LabelImage, curve: Centerline) -> None:
    """As a template's levels are, which were painted on the template's cord."""
    painted = paint_levels(cord, curve, table(curve))
    grid = CORD.grid((1.2, 1.1, 1.5))
    other = resample_labels(painted, grid)
    at = curve.project(other.points_world())
    ijk = np.argwhere(other.data)[at.radius_mm > 3.2]
    data = np.array(other.data)
    data[tuple(ijk.T)] = 0  # a thinner cord
    for one, mm in zip(
        borders_of_labels(LabelImage(data, grid), cord, curve), BORDERS.values(), strict=True
    ):
        assert (one.rostral_mm, one.caudal_mm) == pytest.approx(mm, abs=0.7)


def test_points_and_wrong_values_are_no_levels(cord: LabelImage, curve: Centerline) -> None:
    points = paint_points(cord, curve, table(curve), "midpoint").labels
    with pytest.raises(InputError, match="single voxels say nothing about borders"):
        borders_of_labels(points, cord, curve)
    beyond = cord.with_data(np.where(cord.data, 31, 0))
    with pytest.raises(InputError, match=r"no spinal level: 31"):
        borders_of_labels(beyond, cord, curve)
    grid = type(cord.grid)(cord.grid.shape, cord.grid.affine + np.eye(4)[:, [3, 3, 3, 0]] * 0)
    grid.affine[2, 3] += 500
    far = LabelImage(paint_levels(cord, curve, table(curve)).data, grid, None, "far.nii.gz")
    with pytest.raises(InputError, match=r"far\.nii\.gz: has no level on the cord"):
        borders_of_labels(far, cord, curve)
