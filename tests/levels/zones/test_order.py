"""Strays are left out and said; levels stay in their order."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.image import LabelImage
from sct_rootlets.levels import LevelOptions, derive
from sct_rootlets.levels.population.reference_data import COHORT_ZONES_MM
from sct_rootlets.levels.zones.entry_zones import measure
from sct_rootlets.levels.zones.order import ordered_groups
from tests.levels.bent_cord import BentCord

C3, C4, C5, C6 = (SpinalLevel(v) for v in (3, 4, 5, 6))
#: C3 to C6 as in the population, from 5 mm on.
CORD = BentCord(
    length_mm=70.0,
    zones={
        level.value: (5 + low - 48.2, 5 + high - 48.2)
        for level, (low, high) in COHORT_ZONES_MM.items()
        if C3 <= level <= C6
    },
)
Pair = tuple[LabelImage, LabelImage]


@pytest.fixture(scope="module")
def pair() -> Pair:
    return CORD.render(CORD.grid((1.0, 1.0, 1.0)))


def _groups(rootlets: LabelImage, cord: LabelImage):
    return ordered_groups(measure(rootlets, cord, Centerline.fit(cord)))


def _of(rootlets: LabelImage, value: int, side: int) -> np.ndarray:
    """Return the mask of the voxels of a level on one side (+1 left, -1 right)."""
    ijk = np.argwhere(rootlets.data == value)
    _, left, _ = CORD.cord_coordinates(rootlets.grid.world_from_ijk(ijk))
    mask = np.zeros(rootlets.data.shape, dtype=bool)
    mask[tuple(ijk[np.sign(left) == side].T)] = True
    return mask


def test_everything_is_kept_where_everything_is_right(pair: Pair) -> None:
    cord, rootlets = pair
    groups, strays = _groups(rootlets, cord)
    assert list(groups) == [C3, C4, C5, C6]
    assert strays == []
    assert sum(len(g.members) for g in groups.values()) == (rootlets.data > 0).sum()


def test_a_second_group_of_a_level_far_away_is_a_stray(pair: Pair) -> None:
    cord, rootlets = pair
    data = rootlets.data.copy()
    data[_of(rootlets, 6, 1)] = 3  # half of C6 says C3
    groups, strays = _groups(rootlets.with_data(data), cord)
    assert list(groups) == [C3, C4, C5, C6]
    assert [(s.level, s.n_voxels) for s in strays] == [(C3, int(_of(rootlets, 6, 1).sum()))]
    assert strays[0].reason == "apart from the rest of the level"


def test_the_larger_group_gives_way_where_only_the_smaller_one_keeps_the_order(pair: Pair) -> None:
    cord, rootlets = pair
    data = rootlets.data.copy()
    data[data == 4] = np.where(_of(rootlets, 4, 1)[data == 4], 4, 0)
    data[(rootlets.data == 6)] = 4  # all of C6 and half of C4 say C4
    groups, strays = _groups(rootlets.with_data(data), cord)
    assert groups[C4].middle_mm < groups[C5].middle_mm
    assert [s.level for s in strays] == [C4]
    assert strays[0].n_voxels > len(groups[C4].members)


def test_swapped_neighbours_never_swap_the_table(pair: Pair) -> None:
    cord, rootlets = pair
    data = rootlets.data.copy()
    data[rootlets.data == 4], data[rootlets.data == 5] = 5, 4
    derived = derive(rootlets.with_data(data), cord)
    ends = [row.caudal_mm for row in derived.table.rows if row.caudal_mm is not None]
    assert ends == sorted(ends)
    assert derived.strays
    assert any("out of order" in text for text in derived.table.warnings)


def test_labels_swapped_at_a_border_are_settled_and_said(pair: Pair) -> None:
    cord, rootlets = pair
    zones = measure(rootlets, cord, Centerline.fit(cord))
    clean = derive(rootlets, cord, options=LevelOptions("extent")).table
    c4, c5 = clean.row(C4), clean.row(C5)
    # C4 runs 5 mm into C5 on one side: there the two contradict each other.
    taken = (zones.value == 5) & (zones.side == "L") & (zones.s_mm < c5.rostral_mm + 5)
    data = rootlets.data.copy()
    data[tuple(zones.ijk[taken].T)] = 4
    derived = derive(rootlets.with_data(data), cord, options=LevelOptions("extent"))
    above, below = derived.table.row(C4), derived.table.row(C5)
    assert above.caudal_mm <= below.rostral_mm + 1e-6
    assert above.caudal_mm == pytest.approx(c4.caudal_mm, abs=1.0)
    # Half of the evidence is gone; what is left must neither follow the swap nor feign certainty.
    moved = abs(below.rostral_mm - c5.rostral_mm)
    assert moved < min(1.5, 2 * below.rostral_sd_mm)
    assert "strays" in above.flags
    assert derived.strays[0].s_mm > c5.rostral_mm
