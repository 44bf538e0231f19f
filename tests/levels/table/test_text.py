"""The table of levels as text: TSV, the published CSV, JSON, and the terminal."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

from sct_rootlets.anatomy import SpinalLevel, VertebralLevel
from sct_rootlets.levels.table.columns import COLUMNS, FLAGS, PUBLISHED_COLUMNS
from sct_rootlets.levels.table.level_table import (
    AxialSlices,
    LevelRow,
    LevelTable,
    VertebralPlace,
    VertebralRelation,
)
from sct_rootlets.levels.table.text import format_table, to_csv, to_json, to_tsv

C1, C4, C5, C6, T12 = (SpinalLevel[name] for name in ("C1", "C4", "C5", "C6", "T12"))

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
    lines = [line.split("\t") for line in to_tsv(table).splitlines()]
    return next(dict(zip(lines[0], line, strict=True)) for line in lines if line[0] == level.name)


def test_every_cell_of_a_row() -> None:
    found = cells(TABLE_OF_ALL, C4)
    assert list(found) == list(COLUMNS)
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


SMALL = LevelTable((LevelRow(C4, "measured", -0.5, 14.25), LevelRow(C5, "unseen")), "caudal", 1.5)


def test_the_published_csv_has_the_levels_that_fill_a_slice() -> None:
    named = replace(TABLE_OF_ALL, fname="a, b.nii.gz")
    lines = list(csv.reader(io.StringIO(to_csv(named))))
    assert lines[0] == list(PUBLISHED_COLUMNS)
    assert lines[1:] == [["4", "a, b.nii.gz", "20", "34", "64.5", "50.5", "14.0"]]
    lost = replace(FULL, slices=AxialSlices(20, 34))
    assert to_csv(replace(SMALL, rows=(lost,))).splitlines()[1] == "4,,20,34,,,"


def test_json_says_what_the_tsv_cannot() -> None:
    known = json.loads(json.dumps(to_json(TABLE_OF_ALL)))
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


def test_the_terminals_table_is_aligned_and_narrow() -> None:
    crowded = replace(FULL, flags=tuple(FLAGS))
    lines = format_table(replace(TABLE_OF_ALL, rows=(*TABLE_OF_ALL.rows, crowded))).splitlines()
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
    assert "a note" not in format_table(warned)


def test_a_plain_table_has_no_empty_columns() -> None:
    head = format_table(SMALL).splitlines()[0]
    assert "vertebra" not in head
    assert "flags" not in head
    assert len({len(line) for line in format_table(SMALL).splitlines()}) == 1
