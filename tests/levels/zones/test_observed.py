"""What the rootlets show: strays left out, levels in order."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import LabelImage
from sct_rootlets.levels.zones.observed import Observed, observe
from tests.levels.bent_cord import CORD, Pair

C4, C5, C6 = SpinalLevel.C4, SpinalLevel.C5, SpinalLevel.C6


def _observed(rootlets: LabelImage, cord: LabelImage) -> Observed:
    return observe(rootlets, cord, Centerline.fit(cord), 1.5)


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
    clean = _observed(rootlets, cord).zones
    found = _observed(_stained(rootlets, 5, s, 7.5, 1), cord)
    assert [(stray.level, stray.n_voxels) for stray in found.strays] == [(C5, 1)]
    assert found.strays[0].s_mm == pytest.approx(s, abs=2.5)
    for level, zone in clean.items():
        assert found.zones[level].rostral_mm == pytest.approx(zone.rostral_mm, abs=1e-6)
        assert found.zones[level].caudal_mm == pytest.approx(zone.caudal_mm, abs=1e-6)


def test_a_stray_voxel_close_by_moves_a_border_little(pair: Pair) -> None:
    cord, rootlets = pair
    clean = _observed(rootlets, cord).zones
    ends = _observed(_stained(rootlets, 5, clean[C5].caudal_mm + 2.5, 7.0, 1), cord).zones
    assert ends[C5].caudal_mm == pytest.approx(clean[C5].caudal_mm, abs=1.5)


def test_levels_that_run_the_wrong_way_are_refused(pair: Pair) -> None:
    cord, rootlets = pair
    swapped = np.where(rootlets.data > 0, 10 - rootlets.data, 0)
    with pytest.raises(InputError, match="caudal to rostral"):
        _observed(rootlets.with_data(swapped), cord)
