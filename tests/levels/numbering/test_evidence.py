"""What rootlets say about borders: gaps, joined parts, and the ends of the view."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sct_rootlets.centerline import Centerline
from sct_rootlets.levels.numbering.evidence import (
    BLIND_MM,
    CUT_COST,
    GAP_WORTH,
    ONE_LEVEL_MM,
    one_level_per_part,
    read_evidence,
)
from sct_rootlets.levels.zones.entry_zones import EntryZones, measure
from tests.levels.bent_cord import BentCord, nameless

SEEN = (0.0, 60.0)


def _zones(*ranges: tuple[float, float], slice_mm: float = 1.0) -> EntryZones:
    """Measure a cord with rootlets that leave it at right angles in the given ranges."""
    cord = BentCord(slope=0.0, radius_mm=1e5, zones=dict(enumerate(ranges, start=2)))
    mask, rootlets = cord.render(cord.grid((1.0, 1.0, slice_mm)))
    curve = Centerline.fit(mask)
    return measure(nameless(rootlets), mask, curve)


def test_a_border_is_best_in_a_gap_and_dearest_within_a_zone() -> None:
    zones = _zones((10, 20), (30, 42))
    found = read_evidence(zones, zones.s_mm, SEEN)
    cost = {s: float(np.interp(s, found.at, found.cost)) for s in (5, 15, 25, 36, 50)}
    assert cost[25] == pytest.approx(-CUT_COST * GAP_WORTH, abs=0.1)
    assert cost[5] == pytest.approx(cost[25], abs=0.1)
    assert cost[50] == pytest.approx(cost[25], abs=0.1)
    assert min(cost[15], cost[36]) > cost[25] + 0.8 * CUT_COST


def test_tissue_is_as_long_as_the_zones() -> None:
    zones = _zones((10, 20), (30, 42))
    found = read_evidence(zones, zones.s_mm, SEEN)
    assert found.tissue_mm.shape == (4, len(found.at))
    at_25 = [np.interp(25, found.at, one) for one in found.tissue_mm]
    np.testing.assert_allclose(at_25, 10, atol=1.5)
    np.testing.assert_allclose(found.tissue_mm[:, -1], 22, atol=2.5)


@pytest.mark.parametrize("zone", [(-5.0, 20.0), (40.0, 70.0)])
def test_the_end_of_the_view_is_no_gap(zone: tuple[float, float]) -> None:
    """A zone that goes on beyond the image is as dense at its end as within."""
    zones = _zones(zone, slice_mm=0.5)
    first, last = float(zones.s_mm.min()), float(zones.s_mm.max())
    seen = (first, SEEN[1]) if zone[0] < 0 else (SEEN[0], last)
    found = read_evidence(zones, zones.s_mm, seen)
    end = seen[0] + BLIND_MM if zone[0] < 0 else seen[1] - BLIND_MM
    inner = 10.0 if zone[0] < 0 else 50.0
    tissue = [np.interp([end, inner], found.at, np.gradient(one, found.at))
              for one in found.tissue_mm]  # fmt: skip
    np.testing.assert_allclose(tissue, 1, atol=0.2)
    assert found.at[0] >= seen[0] + BLIND_MM - 1e-9
    assert found.at[-1] <= seen[1] - BLIND_MM + 0.25 + 1e-9


def test_a_view_of_few_millimetres_is_used_whole() -> None:
    zones = _zones((26.0, 32.0))
    found = read_evidence(zones, zones.s_mm, (24.0, 34.0))
    assert found.at[0] == 24.0
    assert found.at[-1] >= 34.0


def test_too_few_voxels_say_nothing() -> None:
    zones = _zones((10, 20))
    few = np.flatnonzero(zones.side == "L")[:3]
    arrays = {name: value[few] for name, value in vars(zones).items()
              if isinstance(value, np.ndarray)}  # fmt: skip
    found = read_evidence(replace(zones, **arrays), zones.s_mm[few], SEEN)
    assert not found.cost.any()
    assert found.tissue_mm.shape == (0, len(found.at))


def test_a_short_part_gets_one_level_and_a_long_one_keeps_its_border() -> None:
    zones = _zones((5, 14), (22, 22 + ONE_LEVEL_MM + 8))
    border = {1: 13.0, 2: 26.0}  # through the end of either
    levels = np.where(zones.s_mm < border[1], 3, np.where(zones.s_mm < border[2], 4, 5))
    answer = one_level_per_part(levels, zones, zones.s_mm)
    short = zones.s_mm < 18
    assert set(answer[short]) == {3}
    assert (answer[~short] == levels[~short]).all()
    assert {4, 5} == set(answer[~short])
