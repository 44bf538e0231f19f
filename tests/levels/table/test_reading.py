"""Tables of levels from files: ours with and without their JSON, the published CSV, damage."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sct_rootlets.errors import InputError
from sct_rootlets.levels.table.level_table import LevelTable
from sct_rootlets.levels.table.reading import read_levels_table
from tests.levels.table.test_level_table import C4, RELATION, TABLE_OF_ALL

PUBLISHED = (
    "spinal_level,fname,slice_start,slice_end,distance_from_pmj_start,distance_from_pmj_end,height\n"
    "3.0,sub-01_ses-2_T2w_label-rootlet.nii.gz,50,60,65.5,57.25,8.25\n"
    "2.0,sub-01_ses-2_T2w_label-rootlet.nii.gz,70,76,,,\n"
)


def written(folder: Path, table: LevelTable = TABLE_OF_ALL, *, beside: bool = True) -> Path:
    """Write a table with its JSON, as the package does; return its path."""
    path = folder / "sub-1_T2w_spinal_levels.tsv"
    path.write_text(table.to_tsv(), encoding="utf-8")
    if beside:
        content = {"Description": "levels", **table.to_json()}
        path.with_suffix(".json").write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_table_and_its_json_give_all_of_it(tmp_path: Path) -> None:
    table = read_levels_table(written(tmp_path))
    assert table == replace(TABLE_OF_ALL, details={})


def test_the_json_of_an_image_that_ends_in_dseg(tmp_path: Path) -> None:
    path = written(tmp_path)
    json_file = path.with_suffix(".json")
    json_file.rename(path.with_name("sub-1_T2w_spinal_levels_dseg.json"))
    assert read_levels_table(path).definition == "caudal"


def test_without_the_json_the_definition_is_unknown(tmp_path: Path) -> None:
    table = read_levels_table(written(tmp_path, beside=False))
    assert (table.definition, table.reach_mm, table.pmj_mm) == ("unknown", None, -50.0)
    row = table.row(C4)
    assert row is not None
    assert row.vertebral == replace(RELATION, from_disc_mm={5: -3.25})


def test_the_json_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = written(tmp_path, beside=False)
    path.with_suffix(".json").write_text('{"definition": "mine"}')
    assert read_levels_table(path).definition == "unknown"


def test_the_pmj_of_the_json_counts_where_no_row_tells_it(tmp_path: Path) -> None:
    unseen = replace(TABLE_OF_ALL, rows=TABLE_OF_ALL.rows[:1])
    assert read_levels_table(written(tmp_path, unseen)).pmj_mm == -50.0


def test_the_published_csv(tmp_path: Path) -> None:
    path = tmp_path / "sub-01_pmj_distance.csv"
    path.write_text(PUBLISHED)
    table = read_levels_table(path)
    assert [str(row.level) for row in table.rows] == ["C2", "C3"]
    c2, c3 = table.rows
    # slice_start is the caudal end
    assert (c3.rostral_mm, c3.caudal_mm, c3.midpoint_mm) == (57.25, 65.5, 57.25 + 8.25 / 2)
    assert c3.slices is not None
    assert c3.slices.height_mm == 8.25
    assert (c2.rostral_mm, c2.midpoint_mm, table.pmj_mm) == (None, None, 0.0)
    assert table.fname == "sub-01_ses-2_T2w_label-rootlet.nii.gz"
    assert table.definition == "unknown"


def test_our_csv_is_read_like_theirs(tmp_path: Path) -> None:
    path = tmp_path / "levels.csv"
    path.write_text(TABLE_OF_ALL.to_csv())
    (row,) = read_levels_table(path).rows
    assert (row.level, row.rostral_mm, row.caudal_mm) == (C4, 50.5, 64.5)


@pytest.mark.parametrize("cell", ["", "nan", "NaN", "N/A"])
def test_what_pandas_makes_of_an_unknown_cell_is_unknown(tmp_path: Path, cell: str) -> None:
    path = written(tmp_path, beside=False)
    path.write_text(path.read_text().replace("n/a", cell))
    again = read_levels_table(path)
    assert again.rows[0].rostral_mm is None
    assert again.to_tsv().splitlines()[1] == TABLE_OF_ALL.to_tsv().splitlines()[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "", "is no table of levels"),
        (lambda text: "subject\tage\n1\t2\n", "is no table of levels"),
        (lambda text: text.splitlines()[0] + "\n", "without a row"),
        (lambda text: text + text.splitlines()[2] + "\n", "has C4 more than once"),
        (lambda text: text.replace("14.2500", "inf"), "line 3 is no row"),
        (lambda text: text.replace("14.2500", "14,25"), "line 3 is no row"),
        (lambda text: PUBLISHED.replace("65.5", "x"), "line 2 is no row"),
        (lambda text: PUBLISHED.replace("3.0", "99"), "line 2 is no row"),
    ],
)
def test_damage_names_the_file(tmp_path: Path, change: object, message: str) -> None:
    path = written(tmp_path, beside=False)
    assert callable(change)
    path.write_text(change(path.read_text()))
    with pytest.raises(InputError, match=message) as caught:
        read_levels_table(path)
    assert str(path) in str(caught.value)


def test_missing_binary_and_damaged_json(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_levels_table(tmp_path / "none.tsv")
    binary = tmp_path / "a.tsv"
    binary.write_bytes(b"\x1f\x8b\xff\xfe\x00")
    with pytest.raises(InputError, match="no table of text"):
        read_levels_table(binary)
    path = written(tmp_path)
    path.with_suffix(".json").write_text("{")
    with pytest.raises(InputError, match="cannot be read as JSON") as caught:
        read_levels_table(path)
    assert caught.value.path == str(path.with_suffix(".json"))
    path.with_suffix(".json").write_text('{"levels": [{"level": "C4", "notes": 3}]}')
    with pytest.raises(InputError, match="not as sct_rootlets writes it"):
        read_levels_table(path)
