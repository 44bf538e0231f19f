"""Definitions: which ends make a border, and how a row is known."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sct_rootlets.anatomy import ROOTLET_LEVELS, SpinalLevel
from sct_rootlets.levels.definitions import DEFINITIONS, Borders, apply_definition, statuses_of
from sct_rootlets.levels.population import reference_data
from sct_rootlets.levels.population.prior import End, Prior
from sct_rootlets.levels.positions import locate_ends
from sct_rootlets.levels.zones.ends import Zone

C1 = SpinalLevel.C1
C2, C3, C4, C5, C6, C7, C8, T1 = ROOTLET_LEVELS
UP_TO_T1 = (C1, *ROOTLET_LEVELS)
ZONES = {C3: Zone(10.0, 20.0), C4: Zone(25.0, 34.0), C6: Zone(55.0, 64.0)}


def rows_of(
    definition: str,
    zones: dict[SpinalLevel, Zone],
    asked: tuple[SpinalLevel, ...] = UP_TO_T1,
    *,
    extend: bool = False,
) -> dict[SpinalLevel, Borders]:
    statuses = statuses_of(zones, asked, extend=extend)
    known = [level for level, status in statuses.items() if status != "unseen"]
    positions = locate_ends(zones, Prior.floating()).in_order(known)
    return {row.level: row for row in apply_definition(definition, positions, statuses)}


def test_caudal_levels_reach_from_caudal_end_to_caudal_end() -> None:
    rows = rows_of("caudal", ZONES)
    assert rows[C3].caudal_mm == 20.0
    assert (rows[C4].rostral_mm, rows[C4].caudal_mm) == (20.0, 34.0)
    assert rows[C4].flags == ()
    assert rows[C6].rostral_mm == rows[C5].caudal_mm
    assert rows[C6].caudal_mm == 64.0
    assert rows[C4].rostral_sd_mm == rows[C3].caudal_sd_mm == 0.5


def test_the_first_level_seen_begins_where_the_population_ends_the_one_above() -> None:
    row = rows_of("caudal", ZONES)[C3]
    gap = reference_data.COHORT_ZONES_MM[C3][0] - reference_data.COHORT_ZONES_MM[C2][1]
    assert 10.0 - row.rostral_mm == pytest.approx(gap, abs=1.5)
    assert row.rostral_sd_mm > 1.0
    assert row.flags == ("rostral_estimated",)


def test_c2_begins_with_its_own_rootlets_unless_c1_was_seen() -> None:
    zones = {C2: Zone(5.0, 14.0), C3: Zone(18.0, 30.0)}
    row = rows_of("caudal", zones)[C2]
    assert (row.rostral_mm, row.flags) == (5.0, ())
    row = rows_of("caudal", {C1: Zone(-3.0, 1.0), **zones})[C2]
    assert (row.rostral_mm, row.flags) == (1.0, ())


def test_midgap_borders_lie_in_the_middle_of_the_gaps() -> None:
    rows = rows_of("midgap", ZONES)
    assert rows[C3].caudal_mm == rows[C4].rostral_mm == 22.5
    assert rows[C3].caudal_sd_mm == pytest.approx(0.5 / 2**0.5)
    assert rows[C6].flags == ("rostral_estimated", "caudal_estimated")


def test_the_spread_of_midpoint_and_length_follows_from_that_of_the_borders() -> None:
    row = rows_of("extent", {C5: Zone(10.0, 20.0, 0.3, 0.4)})[C5]
    assert row.midpoint_sd_mm == pytest.approx(0.25)
    assert row.length_sd_mm == pytest.approx(0.5)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_levels_beyond_the_seen_ones_stay_unseen(definition: str) -> None:
    rows = rows_of(definition, ZONES)
    for level in (C1, C2, C7, C8, T1):
        assert rows[level].status == "unseen"
        assert rows[level].rostral_mm is rows[level].caudal_sd_mm is None
    assert [rows[x].status for x in (C3, C5, C6)] == ["measured", "interpolated", "measured"]


def test_levels_are_extrapolated_on_request() -> None:
    to_t3 = tuple(level for level in SpinalLevel if level <= SpinalLevel.T3)
    rows = rows_of("caudal", ZONES, to_t3, extend=True)
    assert list(rows) == list(to_t3)
    assert [rows[x].status for x in (C1, C2, C7, SpinalLevel.T3)] == ["extrapolated"] * 4
    sd = [rows[x].caudal_sd_mm for x in (C6, C7, C8, T1, SpinalLevel.T3)]
    assert all(a < b for a, b in pairwise(sd))
    assert all(a.caudal_mm == b.rostral_mm for a, b in pairwise(rows.values()) if a.level > C1)


@pytest.mark.parametrize("definition", ["caudal", "midgap"])
@settings(deadline=None)
@given(
    st.sets(st.sampled_from(ROOTLET_LEVELS), min_size=1),
    st.lists(st.floats(0.5, 9), min_size=16, max_size=16),
)
def test_levels_are_contiguous_and_ascend(
    definition: str, seen: set[SpinalLevel], steps: list[float]
) -> None:
    zones, at = {}, 0.0
    for k, level in enumerate(sorted(seen)):
        low = at + steps[2 * k]
        at = low + steps[2 * k + 1]
        zones[level] = Zone(low, at)
    rows = [row for row in rows_of(definition, zones).values() if row.caudal_mm is not None]
    assert {row.level for row in rows} >= seen
    assert all(row.rostral_mm < row.caudal_mm for row in rows)
    assert all(a.caudal_mm == b.rostral_mm for a, b in pairwise(rows))


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(ROOTLET_LEVELS),
        st.tuples(st.floats(0, 120), st.floats(0.1, 20), st.floats(0.1, 4)),
        min_size=2,
    )
)
def test_whatever_was_measured_no_extents_overlap_and_no_levels_swap(
    measured: dict[SpinalLevel, tuple[float, float, float]],
) -> None:
    zones = {
        level: Zone(low, low + length, sd, sd) for level, (low, length, sd) in measured.items()
    }
    rows = [row for row in rows_of("extent", zones).values() if row.rostral_mm is not None]
    ends = [end for row in rows for end in (row.rostral_mm, row.caudal_mm)]
    assert all(b - a > -1e-6 for a, b in pairwise(ends))
    for row in rows:
        zone = zones.get(row.level)
        moved = zone and max(
            abs(zone.rostral_mm - row.rostral_mm), abs(zone.caudal_mm - row.caudal_mm)
        )
        assert bool(moved and moved > 0.25) == ("contradicted" in row.flags)


def test_population_figures_are_in_order() -> None:
    for table in (reference_data.COHORT_ZONES_MM, reference_data.PAM50_ZONES_MM):
        assert list(table) == list(ROOTLET_LEVELS)
        ends = [end for zone in table.values() for end in zone]
        assert ends == sorted(ends)
    assert list(reference_data.PAM50_DISCS_MM.values()) == sorted(
        reference_data.PAM50_DISCS_MM.values()
    )
    assert sum(reference_data.FROSTELL_PERCENT.values()) == pytest.approx(100, abs=1.5)


def test_a_cut_end_is_no_nearer_than_what_is_seen() -> None:
    whole = {C4: Zone(25.0, 34.0), C5: Zone(40.0, 49.0)}
    cut = {**whole, C3: Zone(17.0, 20.0, cut_rostral=True)}
    rows = rows_of("extent", cut)
    assert rows[C3].rostral_mm < 17.0
    assert rows[C3].rostral_sd_mm > 1.0
    assert "rostral_estimated" in rows[C3].flags
    # A zone that is seen at a usual length already goes on little.
    longer = rows_of("extent", {**whole, C3: Zone(5.0, 20.0, cut_rostral=True)})[C3]
    assert 2.5 < longer.rostral_mm < 5.0
    assert (C3, End.ROSTRAL) not in locate_ends(cut, Prior.floating()).measured
