"""Measures per level: means, their spread, and what the uncertainty of borders makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.image import Grid, Image, LabelImage
from sct_rootlets.levels.paint import paint_levels
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable
from sct_rootlets.perlevel.level_borders import LevelBorders
from sct_rootlets.perlevel.measures import measure_levels, region_volume
from sct_rootlets.perlevel.sections import Sections, cut_sections
from tests.levels.bent_cord import BentCord, rotation
from tests.levels.cylinder import cylinder

C4, C5, C6 = (SpinalLevel(value) for value in (4, 5, 6))
Bent = tuple[LabelImage, Centerline, Sections]


def by_hand(area: np.ndarray, whole: np.ndarray | None = None) -> Sections:
    """Return sections 1 mm apart, s = 0.5, 1.5, ..., with one point each."""
    count = len(area)
    ones = np.ones(count)
    names = ("diameter_AP", "diameter_RL", "eccentricity", "solidity")
    return Sections(
        np.arange(count) + 0.5,
        1.0,
        np.ones(count, dtype=bool) if whole is None else whole,
        {"area": area, **dict.fromkeys(names, ones)},
        np.arange(count),
        np.zeros((count, 3)),
        area.copy(),
        area.copy(),
        ones,
    )


def test_a_plane_counts_as_far_as_its_stretch_lies_in_the_level() -> None:
    sections = by_hand(np.array([10.0, 20.0, 30.0, 40.0]))
    (row,) = measure_levels(sections, [LevelBorders(C4, 0.5, 2.25)])
    area = row.shapes["area"]
    weights, values = np.array([0.5, 1.0, 0.25]), np.array([10.0, 20.0, 30.0])
    assert area.mean == pytest.approx(weights @ values / 1.75)
    assert area.std == pytest.approx(np.sqrt(weights @ (values - area.mean) ** 2 / 1.75))
    assert row.length_mm == pytest.approx(1.75)
    assert row.volume_mm3 == pytest.approx(weights @ values)
    assert (row.n_planes, row.coverage, row.flags) == (2, 1.0, ())
    assert area.border_sd is None  # the borders came without one


def test_the_uncertainty_of_the_borders_reaches_the_mean() -> None:
    """The mean of a + b s between r and c is a + b (r + c) / 2."""
    sections = by_hand(50.0 + 2.0 * (np.arange(60) + 0.5))
    for sds, length_sd, wanted in (
        ((1.0, 1.0), None, np.sqrt(2.0)),
        ((1.0, 3.0), np.sqrt(10.0), np.sqrt(10.0)),
        ((1.0, 1.0), 0.0, 2.0),  # both borders move together
        ((1.0, 1.0), 2.0, 0.0),  # one moves against the other: the middle stays
        ((0.0, 0.0), None, 0.0),
    ):
        borders = LevelBorders(C4, 20.0, 35.0, *sds, length_sd)
        (row,) = measure_levels(sections, [borders])
        assert row.shapes["area"].border_sd == pytest.approx(wanted, abs=1e-6)


def test_levels_that_the_mask_covers_in_part_say_so() -> None:
    whole = np.arange(40) >= 10
    rows = measure_levels(
        by_hand(np.full(40, 60.0), whole),
        [
            LevelBorders(C4, 2.0, 18.0, 1.0, 1.0, flags=("strays",)),
            LevelBorders(C5, 0.0, 9.0),
            LevelBorders(C6, None, None, status="unseen"),
        ],
    )
    assert [row.coverage for row in rows] == [0.5, 0.0, None]
    assert [row.flags for row in rows] == [
        ("strays", "partly_covered"),
        ("not_covered",),
        ("not_covered",),
    ]
    assert rows[0].shapes["area"].mean == 60.0
    assert rows[0].shapes["area"].border_sd is None  # nothing is known rostral of it
    assert rows[1].shapes["area"].mean is rows[2].shapes["area"].mean is None


@pytest.fixture(scope="module")
def bent() -> Bent:
    shape = BentCord(length_mm=70.0, radius_mm=60.0)
    cord = shape.render(shape.grid((0.8, 0.8, 0.8), rotation(0, 10.0)))[0]
    curve = Centerline.fit(cord)
    return cord, curve, cut_sections(cord, curve)


LEVELS = (LevelBorders(C4, 8.0, 22.0), LevelBorders(C5, 22.0, 37.5))


def test_the_volume_of_a_level_is_that_of_its_voxels(bent: Bent) -> None:
    cord, curve, sections = bent
    rows = tuple(LevelRow(b.level, "measured", b.rostral_mm, b.caudal_mm) for b in LEVELS)
    painted = paint_levels(cord, curve, LevelTable(rows, "caudal", 1.5))
    for row in measure_levels(sections, LEVELS):
        voxels = np.count_nonzero(painted.data == row.level.value) * cord.grid.voxel_volume_mm3
        assert row.volume_mm3 == pytest.approx(voxels, rel=0.01)
        # Pappus, once more: area times length.
        assert row.shapes["area"].mean * row.length_mm == pytest.approx(voxels, rel=0.01)


def test_maps_are_averaged_over_the_voxels_of_the_level(bent: Bent) -> None:
    cord, curve, sections = bent
    rng = np.random.default_rng(5)
    along = curve.project(cord.grid.world_from_ijk(np.indices(cord.grid.shape).reshape(3, -1).T))
    values = 0.4 + 0.01 * along.s_mm + 0.02 * along.dorsal_mm
    values += 0.1 * rng.standard_normal(len(values))
    # Outside the cord the map is bright, as T2w images are: none of that may leak in.
    inside = np.asarray(cord.data) > 0
    data = np.where(inside, values.reshape(cord.grid.shape), 5.0).astype(np.float32)
    rows = measure_levels(sections, LEVELS, {"x": Image(data, cord.grid)})
    table_rows = tuple(LevelRow(b.level, "measured", b.rostral_mm, b.caudal_mm) for b in LEVELS)
    painted = paint_levels(cord, curve, LevelTable(table_rows, "caudal", 1.5))
    for row in rows:
        here = data[painted.data == row.level.value]
        assert row.maps["x"].mean == pytest.approx(here.mean(), abs=0.002)
        assert row.maps["x"].std == pytest.approx(here.std(), abs=0.004)
        assert row.maps["x"].median == pytest.approx(np.median(here), abs=0.006)
        assert row.maps["x"].volume_mm3 == pytest.approx(row.volume_mm3)
    linear = measure_levels(sections, LEVELS, {"x": Image(data, cord.grid)}, interpolation="linear")
    assert linear[0].maps["x"].mean > rows[0].maps["x"].mean + 0.1


def test_a_map_on_another_grid_with_holes(bent: Bent) -> None:
    _, _, sections = bent
    turn = rotation(1, 30.0) @ rotation(2, 10.0)
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([1.3, 0.9, 2.1])
    affine[:3, 3] = affine[:3, :3] @ [-40.0, -60.0, -40.0]
    grid = Grid((80, 130, 80), affine)
    rng = np.random.default_rng(8)
    data = np.full(grid.shape, 7.0, dtype=np.float32)
    data[rng.random(grid.shape) < 0.3] = np.nan
    for interpolation in ("nn", "linear"):
        (row, _) = measure_levels(
            sections, LEVELS, {"x": Image(data, grid)}, interpolation=interpolation
        )
        assert row.maps["x"].mean == pytest.approx(7.0, rel=1e-5)
        assert row.maps["x"].std == pytest.approx(0.0, abs=1e-4)
    (row, _) = measure_levels(sections, LEVELS, {"x": Image(data, grid)})
    assert row.maps["x"].volume_mm3 == pytest.approx(0.7 * row.volume_mm3, rel=0.06)


def test_regions_erosion_and_method() -> None:
    cord = cylinder((0.5, 0.5, 0.5), lr_mm=5.0, ap_mm=5.0)
    sections = cut_sections(cord, Centerline.fit(cord))
    levels = [LevelBorders(C4, 20.0, 40.0)]
    x = cord.grid.world_from_ijk(np.indices(cord.grid.shape).reshape(3, -1).T)[:, 0]
    left = Image((x < 0).astype(np.float32).reshape(cord.grid.shape), cord.grid)
    values = Image(np.where(x < 0, 1.0, 3.0).reshape(cord.grid.shape), cord.grid)
    faint = left.with_data(left.data * np.float32(0.4))

    def mean(volume: np.ndarray) -> tuple[float | None, float | None]:
        (row,) = measure_levels(sections, levels, {"x": values}, volume_mm3=volume)
        return row.maps["x"].mean, row.maps["x"].volume_mm3

    everything = mean(region_volume(sections))
    assert everything == pytest.approx((2.0, np.pi * 25 * 20), rel=0.05)
    assert mean(region_volume(sections, left)) == pytest.approx((1.0, everything[1] / 2), rel=0.06)
    assert mean(region_volume(sections, faint))[1] == pytest.approx(
        0.4 * mean(region_volume(sections, left))[1]
    )
    assert mean(region_volume(sections, faint, method="bin"))[1] is None
    assert mean(region_volume(sections, left, method="bin")) == pytest.approx(
        mean(region_volume(sections, left))
    )
    eroded = mean(region_volume(sections, erode_mm=1.0))
    assert eroded[1] == pytest.approx(np.pi * 16 * 20, rel=0.05)
