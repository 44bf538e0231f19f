"""Definitions and the table: pure arithmetic."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sct_rootlets.anatomy import ROOTLET_LEVELS, SpinalLevel
from sct_rootlets.errors import InputError
from sct_rootlets.levels import population
from sct_rootlets.levels.definitions import Zone, caudal, extent
from sct_rootlets.levels.table import COLUMNS, LevelRow, LevelTable

C2, C3, C4, C5, C6, C7, C8, T1 = ROOTLET_LEVELS
ZONES = {C3: Zone(10.0, 20.0), C4: Zone(25.0, 34.0), C6: Zone(55.0, 64.0)}


def test_caudal_levels_reach_from_caudal_end_to_caudal_end() -> None:
    rows = {row.level: row for row in caudal(ZONES)}
    assert (rows[C3].rostral_mm, rows[C3].caudal_mm) == (10.0, 20.0)
    assert "rostral end of its own entry zone" in rows[C3].notes[0]
    assert (rows[C4].rostral_mm, rows[C4].caudal_mm) == (20.0, 34.0)
    assert rows[C4].notes == ()
    assert rows[C6].caudal_mm == 64.0
    assert rows[C6].rostral_mm == rows[C5].caudal_mm


def test_extent_levels_are_their_own_entry_zone() -> None:
    rows = {row.level: row for row in extent(ZONES)}
    assert (rows[C4].rostral_mm, rows[C4].caudal_mm) == (25.0, 34.0)
    assert (rows[C6].rostral_mm, rows[C6].caudal_mm) == (55.0, 64.0)


def test_a_missing_level_is_interpolated_in_the_populations_proportions() -> None:
    rows = {row.level: row for row in caudal(ZONES)}
    # Caudal ends of the 14 subjects: C4 74.9, C5 91.3, C6 105.6 mm.
    assert rows[C5].caudal_mm == pytest.approx(34 + 30 * (91.3 - 74.9) / (105.6 - 74.9))
    assert rows[C5].status == "interpolated"
    assert [rows[lv].status for lv in (C3, C4, C6)] == ["measured"] * 3
    zone = {row.level: row for row in extent(ZONES)}[C5]
    assert zone.rostral_mm == pytest.approx(34 + 30 * (81.6 - 74.9) / (105.6 - 74.9))


@pytest.mark.parametrize("definition", [caudal, extent])
def test_levels_beyond_the_seen_ones_stay_unseen(definition) -> None:
    rows = {row.level: row for row in definition(ZONES)}
    assert list(rows) == list(ROOTLET_LEVELS)
    for level in (C2, C7, C8, T1):
        assert rows[level].status == "unseen"
        assert rows[level].rostral_mm is None
        assert rows[level].caudal_mm is None


@given(
    st.sets(st.sampled_from(ROOTLET_LEVELS), min_size=1),
    st.lists(st.floats(0.5, 9), min_size=16, max_size=16),
)
def test_caudal_levels_are_contiguous_and_ascend(seen: set, steps: list[float]) -> None:
    zones, at = {}, 0.0
    for k, level in enumerate(sorted(seen)):
        low = at + steps[2 * k]
        at = low + steps[2 * k + 1]
        zones[level] = Zone(low, at)
    rows = [row for row in caudal(zones) if row.caudal_mm is not None]
    assert {row.level for row in rows} >= seen
    assert all(row.rostral_mm < row.caudal_mm for row in rows)
    assert all(a.caudal_mm == b.rostral_mm for a, b in pairwise(rows))


def test_population_figures_are_in_order() -> None:
    for table in (population.COHORT_ZONES_MM, population.PAM50_ZONES_MM):
        assert list(table) == list(ROOTLET_LEVELS)
        ends = [end for zone in table.values() for end in zone]
        assert ends == sorted(ends)
    assert list(population.PAM50_DISCS_MM.values()) == sorted(population.PAM50_DISCS_MM.values())
    assert sum(population.FROSTELL_PERCENT.values()) == pytest.approx(100, abs=1.5)
    assert population.FROSTELL_PERCENT[SpinalLevel.C5] == 3.5


def _table() -> LevelTable:
    rows = (
        LevelRow(C4, "measured", -0.5, 14.25, (1.0, 2.0, 3.0), (1.5, 2.5, -11.0), {"LD": 3}),
        LevelRow(C5, "unseen"),
    )
    return LevelTable(rows, "caudal", 1.5, warnings=("a warning",), details={"pmj_mm": -50.0})


def test_tsv_has_exactly_the_agreed_columns_and_survives_the_way_back() -> None:
    text = _table().to_tsv()
    lines = text.splitlines()
    assert lines[0] == (
        "level\tspinal_level\tstatus\trostral_mm\tcaudal_mm\tmidpoint_mm\tlength_mm\t"
        "rostral_x\trostral_y\trostral_z\tcaudal_x\tcaudal_y\tcaudal_z"
    )
    assert lines[1].split("\t")[:7] == ["C4", "4", "measured", "-0.5000", "14.2500", "6.8750",
                                        "14.7500"]  # fmt: skip
    assert lines[2].split("\t") == ["C5", "5", "unseen"] + ["n/a"] * 10
    again = LevelTable.from_tsv(text, definition="caudal", reach_mm=1.5)
    assert again.to_tsv() == text
    assert again.rows[0].rostral_world == (1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    "text",
    ["", "level\tstatus\nC4\tmeasured\n", _table().to_tsv().replace("\t4\t", "\t5\t"),
     _table().to_tsv().replace("14.2500", "far"), _table().to_tsv().replace("unseen", "lost")],
)  # fmt: skip
def test_a_damaged_table_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="table of levels"):
        LevelTable.from_tsv(text)


def test_json_says_what_the_tsv_cannot() -> None:
    known = json.loads(json.dumps(_table().to_json()))
    assert known["definition"] == "caudal"
    assert known["reach_mm"] == 1.5
    assert "rostral end of the cord mask" in known["origin"]
    assert known["levels"][0]["n_voxels"] == {"LD": 3}
    assert known["levels"][1]["rostral_mm"] is None
    assert known["warnings"] == ["a warning"]
    assert known["pmj_mm"] == -50.0


def test_the_terminals_table_is_aligned() -> None:
    lines = _table().format_table().splitlines()
    assert len(COLUMNS) == 13
    assert [line.split()[0] for line in lines] == ["level", "C4", "C5"]
    assert len({len(line) for line in lines}) == 1
