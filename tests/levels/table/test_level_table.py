"""The table of levels: its columns, the way to text and back, the terminal."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sct_rootlets.anatomy import SpinalLevel, VertebralLevel
from sct_rootlets.errors import InputError
from sct_rootlets.levels.table.columns import (
    COLUMNS,
    FLAGS,
    FORMER_COLUMNS,
    PUBLISHED_COLUMNS,
    STATUSES,
    TABLE,
    describe_columns,
)
from sct_rootlets.levels.table.level_table import (
    AxialSlices,
    LevelRow,
    LevelTable,
    VertebralPlace,
    VertebralRelation,
)

C1, C4, C5, C6, T12 = (SpinalLevel[name] for name in ("C1", "C4", "C5", "C6", "T12"))
DICTIONARY = Path(__file__).parents[3] / "docs" / "table.md"

RELATION = VertebralRelation(
    VertebralPlace(VertebralLevel.C3, 0.25),
    VertebralPlace(VertebralLevel.C3, 0.75),
    VertebralPlace(VertebralLevel.C4, 0.1),
    {4: 12.5, 5: -3.25},
)
FULL = LevelRow(
    C4,
    "measured",
    -0.5,
    14.25,
    (1.0, 2.0, 3.0),
    (1.5, 2.5, -11.0),
    {"LD": 3},
    ("a note",),
    0.4,
    0.5,
    0.3,
    0.6,
    (1.25, 2.25, -4.0),
    ("cut_rostral", "one_side"),
    RELATION,
    AxialSlices(20, 34, 64.5, 50.5, 14.0),
)
TABLE_OF_ALL = LevelTable(
    (LevelRow(C1, "unseen"), FULL, LevelRow(C5, "interpolated", 14.25, 30.0)),
    "caudal",
    1.5,
    pmj_mm=-50.0,
    c3_c7_height_mm=100.0,
    warnings=("a warning",),
    details={"cord_length_mm": 120.0},
    fname="sub-1_T2w_label-rootlets_dseg.nii.gz",
)


def cells(table: LevelTable, level: SpinalLevel) -> dict[str, str]:
    """Return the cells of one level's line in the TSV, by column."""
    lines = [line.split("\t") for line in table.to_tsv().splitlines()]
    return next(dict(zip(lines[0], line, strict=True)) for line in lines if line[0] == level.name)


def test_the_columns_in_their_order() -> None:
    header = TABLE_OF_ALL.to_tsv().splitlines()[0]
    assert header.split("\t") == [
        *("level", "spinal_level", "status", "rostral_mm", "caudal_mm", "midpoint_mm"),
        *("length_mm", "rostral_sd_mm", "caudal_sd_mm", "midpoint_sd_mm", "length_sd_mm"),
        *("rostral_x", "rostral_y", "rostral_z", "caudal_x", "caudal_y", "caudal_z"),
        *("midpoint_x", "midpoint_y", "midpoint_z", "flags"),
        *("rostral_vertebra", "rostral_fraction", "midpoint_vertebra", "midpoint_fraction"),
        *("caudal_vertebra", "caudal_fraction", "nearest_disc", "midpoint_from_disc_mm"),
        *("rostral_from_pmj_mm", "midpoint_from_pmj_mm", "caudal_from_pmj_mm"),
        *("length_per_c3_c7", "fname", "slice_start", "slice_end", "distance_from_pmj_start"),
        *("distance_from_pmj_end", "height"),
    ]


def test_every_cell_of_a_row() -> None:
    found = cells(TABLE_OF_ALL, C4)
    assert found["spinal_level"] == "4"
    assert (found["midpoint_mm"], found["length_mm"]) == ("6.8750", "14.7500")
    assert (found["length_sd_mm"], found["midpoint_y"]) == ("0.6000", "2.2500")
    assert found["flags"] == "cut_rostral,one_side"
    assert (found["rostral_vertebra"], found["rostral_fraction"]) == ("C3", "0.2500")
    assert (found["caudal_vertebra"], found["caudal_fraction"]) == ("C4", "0.1000")
    assert (found["nearest_disc"], found["midpoint_from_disc_mm"]) == ("C4/C5", "-3.2500")
    assert (found["rostral_from_pmj_mm"], found["caudal_from_pmj_mm"]) == ("49.5000", "64.2500")
    assert found["length_per_c3_c7"] == "0.1475"
    assert found["fname"] == "sub-1_T2w_label-rootlets_dseg.nii.gz"
    assert (found["slice_start"], found["slice_end"], found["height"]) == ("20", "34", "14.0000")
    assert found["distance_from_pmj_start"] == "64.5000"


def test_what_is_not_known_is_na() -> None:
    found = cells(TABLE_OF_ALL, C1)
    known = {column for column, cell in found.items() if cell != "n/a"}
    assert known == {"level", "spinal_level", "status", "fname"}
    assert cells(replace(TABLE_OF_ALL, c3_c7_height_mm=None), C4)["length_per_c3_c7"] == "n/a"


def test_a_tsv_is_read_with_all_that_it_holds() -> None:
    again = LevelTable.from_tsv(TABLE_OF_ALL.to_tsv(), definition="caudal", reach_mm=1.5)
    # The counts, the notes and the farther disc are in the JSON only.
    nearest = replace(RELATION, from_disc_mm={5: -3.25})
    assert again.rows[1] == replace(FULL, n_voxels={}, notes=(), vertebral=nearest)
    assert again.rows[0] == LevelRow(C1, "unseen")
    assert (again.pmj_mm, again.fname) == (-50.0, TABLE_OF_ALL.fname)
    assert replace(again, c3_c7_height_mm=100.0).to_tsv() == TABLE_OF_ALL.to_tsv()


mm = st.floats(-400, 400)


@given(
    st.lists(st.tuples(mm, mm, st.one_of(st.none(), st.floats(0, 20))), min_size=1, max_size=8),
    st.one_of(st.none(), mm),
)
def test_a_tsv_read_and_written_is_the_same(
    places: list[tuple[float, float, float | None]], pmj_mm: float | None
) -> None:
    rows = [
        LevelRow(
            SpinalLevel(k),
            "measured",
            low,
            high,
            (low, high, low),
            rostral_sd_mm=sd,
            slices=None if sd is None else AxialSlices(k, k, low, high, sd),
        )
        for k, (low, high, sd) in enumerate(places, 1)
    ]
    text = LevelTable(tuple(rows), "caudal", 1.5, pmj_mm=pmj_mm).to_tsv()
    assert LevelTable.from_tsv(text).to_tsv() == text


def test_further_columns_are_ignored_and_an_older_table_is_read() -> None:
    lines = [line.split("\t") for line in TABLE_OF_ALL.to_tsv().splitlines()]
    kept = [lines[0].index(column) for column in FORMER_COLUMNS]
    older = ["\t".join([line[k] for k in kept] + ["more"]) for line in lines]
    again = LevelTable.from_tsv("\n".join(older))
    assert again.rows[1].caudal_world == (1.5, 2.5, -11.0)
    assert again.rows[1].rostral_sd_mm is None
    assert again.rows[1].vertebral is None
    assert again.fname is None


SMALL = LevelTable((LevelRow(C4, "measured", -0.5, 14.25), LevelRow(C5, "unseen")), "caudal", 1.5)


@pytest.mark.parametrize(
    "text",
    ["", "level\tstatus\nC4\tmeasured\n", SMALL.to_tsv().replace("\t4\t", "\t5\t"),
     SMALL.to_tsv().replace("14.2500", "far"), SMALL.to_tsv().replace("unseen", "lost"),
     SMALL.to_tsv().replace("C5\t", "X5\t"), SMALL.to_tsv() + "C6\t6\n"],
)  # fmt: skip
def test_a_damaged_table_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="table of levels"):
        LevelTable.from_tsv(text)


def test_the_published_csv_has_the_levels_that_fill_a_slice() -> None:
    named = replace(TABLE_OF_ALL, fname="a, b.nii.gz")
    lines = list(csv.reader(io.StringIO(named.to_csv())))
    assert lines[0] == list(PUBLISHED_COLUMNS)
    assert lines[1:] == [["4", "a, b.nii.gz", "20", "34", "64.5", "50.5", "14.0"]]
    lost = replace(FULL, slices=AxialSlices(20, 34))
    assert replace(SMALL, rows=(lost,)).to_csv().splitlines()[1] == "4,,20,34,,,"


def test_json_says_what_the_tsv_cannot() -> None:
    known = json.loads(json.dumps(TABLE_OF_ALL.to_json()))
    assert known["definition"] == "caudal"
    assert known["reach_mm"] == 1.5
    assert "rostral end of the cord mask" in known["origin"]
    row = known["levels"][1]
    assert row["n_voxels"] == {"LD": 3}
    assert row["notes"] == ["a note"]
    assert row["flags"] == ["cut_rostral", "one_side"]
    assert row["midpoint_from_discs_mm"] == {"C3/C4": 12.5, "C4/C5": -3.25}
    assert row["caudal_world"] == [1.5, 2.5, -11.0]
    assert known["levels"][0]["rostral_mm"] is None
    assert known["warnings"] == ["a warning"]
    assert (known["pmj_mm"], known["c3_c7_height_mm"]) == (-50.0, 100.0)
    assert known["cord_length_mm"] == 120.0
    assert set(known["Columns"]) == set(COLUMNS)


def test_columns_are_described_as_in_bids() -> None:
    described = describe_columns()
    assert list(described) == list(COLUMNS)
    assert described["caudal_sd_mm"]["Units"] == "mm"
    assert described["status"]["Levels"] == dict(STATUSES)
    assert described["flags"]["Levels"] == dict(FLAGS)
    assert "Units" not in described["caudal_fraction"]
    assert all(entry["Description"] for entry in described.values())


def test_the_data_dictionary_says_what_the_columns_are() -> None:
    page = DICTIONARY.read_text(encoding="utf-8")

    def rows_under(heading: str) -> list[list[str]]:
        section = page.split(f"## {heading}\n")[1].split("\n## ")[0]
        rows = [line for line in section.splitlines() if line.startswith("| `")]
        return [[re.sub("`", "", cell).strip() for cell in row.split("|")[1:-1]] for row in rows]

    assert rows_under("Columns") == [[c.name, c.unit, c.meaning] for c in TABLE]
    assert rows_under("Status") == [list(item) for item in STATUSES.items()]
    assert rows_under("Flags") == [list(item) for item in FLAGS.items()]


def test_the_terminals_table_is_aligned_and_narrow() -> None:
    crowded = replace(FULL, flags=tuple(FLAGS))
    lines = replace(TABLE_OF_ALL, rows=(*TABLE_OF_ALL.rows, crowded)).format_table().splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[0].split()[:4] == ["level", "status", "rostral", "mm"]
    assert lines[0].endswith("vertebra  flags")
    assert lines[2].startswith("C4     measured")
    assert "-0.5 ± 0.4" in lines[2]
    assert "14.2 ± 0.5" in lines[2]
    assert "C3 75%" in lines[2]
    assert lines[2].index("± 0.4") + 5 == lines[0].index("rostral mm") + len("rostral mm")
    assert "n/a" in lines[1]
    text = " ".join(" ".join(lines).split())
    for flag, meaning in FLAGS.items():
        assert f"{flag}: {meaning}" in text
    assert "C4: a note" in text


def test_a_note_that_was_warned_of_is_not_said_twice() -> None:
    warned = replace(TABLE_OF_ALL, warnings=("C4: a note",))
    assert "a note" not in warned.format_table()


def test_a_plain_table_has_no_empty_columns() -> None:
    head = SMALL.format_table().splitlines()[0]
    assert "vertebra" not in head
    assert "flags" not in head
    assert len({len(line) for line in SMALL.format_table().splitlines()}) == 1
