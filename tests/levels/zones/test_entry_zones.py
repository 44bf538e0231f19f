"""Rootlet voxels in the frame of the cord, and the ends of entry zones, against known ones."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.levels.zones.ends import Zone, level_zones
from sct_rootlets.levels.zones.entry_zones import CordSurface, measure
from sct_rootlets.levels.zones.order import Stray, ordered_groups
from tests.levels.bent_cord import AP_MM, LR_MM, BentCord, rotation

CORD = BentCord(zones={4: (6.0, 15.0), 5: (22.3, 30.6), 6: (37.4, 46.0)})
C4, C5, C6 = SpinalLevel.C4, SpinalLevel.C5, SpinalLevel.C6
GRIDS = {
    "0.6 mm": ((0.6, 0.6, 0.6), np.eye(3), 0.9),
    "1 mm": ((1.0, 1.0, 1.0), np.eye(3), 1.4),
    "1x1x2 mm": ((1.0, 1.0, 2.0), np.eye(3), 1.8),
    "0.5x0.5x3 mm": ((0.5, 0.5, 3.0), np.eye(3), 1.3),
    "sagittal 2 mm": ((2.0, 0.8, 0.8), np.eye(3), 2.0),
    "oblique": ((1.0, 1.0, 1.0), rotation(0, 30) @ rotation(2, 15), 1.7),
}

Pair = tuple[LabelImage, LabelImage]


@pytest.fixture(scope="module")
def pair() -> Pair:
    return CORD.render(CORD.grid((1.0, 1.0, 1.0)))


def _to_truth(curve: Centerline) -> float:
    """What to add to the curve's s to get the true s."""
    return float(CORD.cord_coordinates(curve.point(20.0)[None])[0][0]) - 20.0


def test_the_surface_is_where_it_is_known_to_be(pair: Pair) -> None:
    cord = pair[0]
    curve = Centerline.fit(cord)
    surface = CordSurface.fit(cord, curve)
    s, angle = np.full(4, 30.0), np.radians([0.0, 90.0, 180.0, -90.0])
    assert np.allclose(surface.radius(s, angle), [AP_MM, LR_MM, AP_MM, LR_MM], atol=0.5)
    # A point 2 mm lateral of the cord, and one inside it.
    at = curve.project(CORD.world(np.array([30.0, 30.0]), np.array([8.0, 3.0]), np.zeros(2)))
    assert np.allclose(surface.depth(at), [2.0, -2.6], atol=0.5)


@pytest.mark.parametrize("name", ["0.6 mm", "1 mm", "1x1x2 mm", "sagittal 2 mm"])
def test_depth_has_no_bias_of_half_a_voxel(name: str) -> None:
    spacing, turn, _ = GRIDS[name]
    cord = CORD.render(CORD.grid(spacing, turn))[0]
    curve = Centerline.fit(cord)
    s = np.repeat(np.linspace(10, 50, 21), 24)
    angle = np.tile(np.linspace(0, 2 * np.pi, 24, endpoint=False), 21)
    out = CORD.world(s, LR_MM * np.sin(angle), AP_MM * np.cos(angle))  # on the true surface
    depth = CordSurface.fit(cord, curve).depth(curve.project(out))
    assert abs(depth.mean()) < 0.12
    # A face along the grid is known to half a voxel, wherever it is looked for.
    assert np.abs(depth).max() < 0.25 + 0.5 * max(spacing)


def test_side_and_sector(pair: Pair) -> None:
    cord, rootlets = pair
    zones = measure(rootlets, cord, Centerline.fit(cord))
    _, left, dorsal = CORD.cord_coordinates(rootlets.grid.world_from_ijk(zones.ijk))
    assert np.array_equal(zones.side == "L", left > 0)
    right = (zones.sector == "D") == (dorsal > -0.5)
    assert right[zones.depth_mm < 2].all()
    assert right.mean() > 0.97
    assert sum(zones.counts(4).values()) == (rootlets.data == 4).sum()
    assert min(zones.counts(4).values()) > 10


def _measured(
    rootlets: LabelImage, cord: LabelImage, reach_mm: float = 1.5
) -> tuple[dict[SpinalLevel, Zone], list[Stray]]:
    zones = measure(rootlets, cord, Centerline.fit(cord), reach_mm)
    groups, strays = ordered_groups(zones)
    ends, within, _ = level_zones(zones, groups, rootlets.grid)
    return ends, [*strays, *within]


@pytest.mark.parametrize("name", GRIDS)
def test_entry_zones_end_where_they_are_known_to(name: str) -> None:
    spacing, turn, tolerance = GRIDS[name]
    cord, rootlets = CORD.render(CORD.grid(spacing, turn))
    curve = Centerline.fit(cord)
    ends, _ = _measured(rootlets, cord)
    shift = _to_truth(curve)
    errors = []
    for level, zone in ends.items():
        low, high = CORD.entry(level.value)
        errors += [zone.rostral_mm + shift - low, zone.caudal_mm + shift - high]
    assert len(errors) == 6
    assert np.abs(errors).max() < tolerance, np.round(errors, 2)
    # Single ends are ragged by a voxel; on average there is little left of it.
    assert abs(np.mean(errors[1::2])) < (1.2 if name == "oblique" else 0.8)
    assert abs(np.mean(errors)) < 0.7


def test_reach_decides_how_far_the_zone_goes(pair: Pair) -> None:
    cord, rootlets = pair
    caudal = [_measured(rootlets, cord, reach)[0][C5].caudal_mm for reach in (1.0, 3.0)]
    assert caudal[1] - caudal[0] == pytest.approx(2 * CORD.slope, abs=1.0)


def _stained(rootlets: LabelImage, value: int, s: float, left: float, size: int) -> LabelImage:
    """Return `rootlets` with a stray cube of `value`."""
    data = rootlets.data.copy()
    xyz = CORD.world(np.array([s]), np.array([left]), np.array([1.0]))[0]
    i, j, k = np.rint(rootlets.grid.ijk_from_world(xyz)).astype(int)
    data[i : i + size, j : j + size, k : k + size] = value
    return rootlets.with_data(data)


@pytest.mark.parametrize("s", [3.0, 36.0, 54.0])
def test_a_stray_voxel_moves_no_border(pair: Pair, s: float) -> None:
    cord, rootlets = pair
    clean, _ = _measured(rootlets, cord)
    ends, strays = _measured(_stained(rootlets, 5, s, 7.5, 1), cord)
    assert [(stray.level, stray.n_voxels) for stray in strays] == [(C5, 1)]
    assert strays[0].s_mm == pytest.approx(s, abs=2.5)
    for level, zone in clean.items():
        assert ends[level].rostral_mm == pytest.approx(zone.rostral_mm, abs=1e-6)
        assert ends[level].caudal_mm == pytest.approx(zone.caudal_mm, abs=1e-6)


def test_a_stray_voxel_close_by_moves_a_border_little(pair: Pair) -> None:
    cord, rootlets = pair
    clean, _ = _measured(rootlets, cord)
    ends, _ = _measured(_stained(rootlets, 5, clean[C5].caudal_mm + 2.5, 7.0, 1), cord)
    assert ends[C5].caudal_mm == pytest.approx(clean[C5].caudal_mm, abs=1.5)


def test_a_level_out_of_order_is_settled_and_said(pair: Pair) -> None:
    cord, rootlets = pair
    data = rootlets.data.copy()
    small = data == 4
    data[small] = 9  # T1 rostral of C5
    ends, strays = _measured(rootlets.with_data(data), cord)
    assert set(ends) == {C5, C6}
    assert [stray.level for stray in strays] == [SpinalLevel.T1]
    assert "out of order" in strays[0].reason


def test_levels_that_run_the_wrong_way_are_refused(pair: Pair) -> None:
    cord, rootlets = pair
    swapped = np.where(rootlets.data > 0, 10 - rootlets.data, 0)
    with pytest.raises(InputError, match="caudal to rostral"):
        _measured(rootlets.with_data(swapped), cord)


def test_a_level_without_voxels_near_the_cord_is_kept_and_said(pair: Pair) -> None:
    cord, rootlets = pair
    full, _ = _measured(rootlets, cord)
    zones = measure(rootlets, cord, Centerline.fit(cord))
    far = (zones.value == 5) & (zones.depth_mm < 2.6)
    data = rootlets.data.copy()
    data[tuple(zones.ijk[far].T)] = 0
    ends, _ = _measured(rootlets.with_data(data), cord)
    assert "far" in ends[C5].flags
    assert "no voxel within 1.5 mm" in ends[C5].notes[0]
    assert ends[C5].caudal_mm == pytest.approx(full[C5].caudal_mm, abs=2.0)
    assert ends[C5].rostral_mm == pytest.approx(full[C5].rostral_mm, abs=2.0)


def test_a_level_cut_by_the_image_is_said(pair: Pair) -> None:
    cord, rootlets = pair
    top = int(np.argwhere(rootlets.data == 4)[:, 2].max()) - 4
    grid = Grid((*rootlets.data.shape[:2], top + 1), rootlets.grid.affine)
    cut = [LabelImage(im.data[:, :, : top + 1], grid, None, im.path) for im in (rootlets, cord)]
    ends, _ = _measured(*cut)
    assert ends[C4].cut_rostral
    assert "cut_rostral" in ends[C4].flags
    assert not ends[C4].cut_caudal
    assert not (ends[C5].cut_rostral)
    assert not (ends[C5].cut_caudal)


def test_no_rootlets_and_no_reach_are_refused(pair: Pair) -> None:
    cord, rootlets = pair
    curve = Centerline.fit(cord)
    with pytest.raises(InputError, match="no rootlet voxel"):
        measure(rootlets.with_data(np.zeros_like(rootlets.data)), cord, curve)
    with pytest.raises(ValueError, match="reach_mm"):
        measure(rootlets, cord, curve, 0.0)
