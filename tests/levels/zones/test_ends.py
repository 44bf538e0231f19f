"""Entry zones end where they are known to, whatever the voxels are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.levels.zones.ends import Zone
from sct_rootlets.levels.zones.entry_zones import measure
from sct_rootlets.levels.zones.observed import observe
from tests.levels.bent_cord import CORD, GRIDS, Pair

C4, C5, C6 = SpinalLevel.C4, SpinalLevel.C5, SpinalLevel.C6


def _zones(
    rootlets: LabelImage, cord: LabelImage, reach_mm: float = 1.5
) -> Mapping[SpinalLevel, Zone]:
    return observe(rootlets, cord, Centerline.fit(cord), reach_mm).zones


@pytest.mark.parametrize("name", GRIDS)
def test_entry_zones_end_where_they_are_known_to(name: str) -> None:
    spacing, turn, tolerance = GRIDS[name]
    cord, rootlets = CORD.render(CORD.grid(spacing, turn))
    curve = Centerline.fit(cord)
    ends = _zones(rootlets, cord)
    # What to add to the curve's s to get the true s.
    shift = float(CORD.cord_coordinates(curve.point(20.0)[None])[0][0]) - 20.0
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
    caudal = [_zones(rootlets, cord, reach)[C5].caudal_mm for reach in (1.0, 3.0)]
    assert caudal[1] - caudal[0] == pytest.approx(2 * CORD.slope, abs=1.0)


def test_a_level_without_voxels_near_the_cord_is_kept_and_said(pair: Pair) -> None:
    cord, rootlets = pair
    full = _zones(rootlets, cord)
    zones = measure(rootlets, cord, Centerline.fit(cord))
    far = (zones.value == 5) & (zones.depth_mm < 2.6)
    data = rootlets.data.copy()
    data[tuple(zones.ijk[far].T)] = 0
    ends = _zones(rootlets.with_data(data), cord)
    assert "far" in ends[C5].flags
    assert "no voxel within 1.5 mm" in ends[C5].notes[0]
    assert ends[C5].caudal_mm == pytest.approx(full[C5].caudal_mm, abs=2.0)
    assert ends[C5].rostral_mm == pytest.approx(full[C5].rostral_mm, abs=2.0)


def test_a_level_cut_by_the_image_is_said(pair: Pair) -> None:
    cord, rootlets = pair
    top = int(np.argwhere(rootlets.data == 4)[:, 2].max()) - 4
    grid = Grid((*rootlets.data.shape[:2], top + 1), rootlets.grid.affine)
    cut = [LabelImage(im.data[:, :, : top + 1], grid, None, im.path) for im in (rootlets, cord)]
    ends = _zones(*cut)
    assert ends[C4].cut_rostral
    assert "cut_rostral" in ends[C4].flags
    assert not ends[C4].cut_caudal
    assert not (ends[C5].cut_rostral)
    assert not (ends[C5].cut_caudal)
