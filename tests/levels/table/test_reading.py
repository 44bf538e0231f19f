"""Tables of levels from files: ours with and without their JSON, the published CSV, damage."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError
from sct_rootlets.levels.table.columns import FORMER_COLUMNS
from sct_rootlets.levels.table.level_table import AxialSlices, LevelRow, LevelTable
from sct_rootlets.levels.table.reading import (
    OtherTableError,
    is_levels_table,
    read_levels_table,
    read_table_beside,
)
from sct_rootlets.levels.table.text import to_csv, to_json, to_tsv
from tests.levels.table.test_text import C1, C4, FULL, RELATION, TABLE_OF_ALL
from tests.tables.test_writing import NAMES

PUBLISHED = (
    "spinal_level,fname,slice_start,slice_end,distance_from_pmj_start,distance_from_pmj_end,height\n"
    "3.0,sub-01_ses-2_T2w_label-rootlet.nii.gz,50,60,65.5,57.25,8.25\n"
    "2.0,sub-01_ses-2_T2w_label-rootlet.nii.gz,70,76,,,\n"
)
TEXT = to_tsv(TABLE_OF_ALL)
#: What a TSV alone has of the full row: counts, notes and the farther disc are in the JSON.
PLAIN = replace(FULL, n_voxels={}, notes=(), vertebral=replace(RELATION, from_disc_mm={5: -3.25}))


def written(folder: Path, table: LevelTable = TABLE_OF_ALL, *, beside: bool = True) -> Path:
    """Write a table with its JSON, as the package does; return its path."""
    path = folder / "sub-1_T2w_spinal_levels.tsv"
    path.write_text(to_tsv(table), encoding="utf-8")
    if beside:
        content = {"Description": "levels", **to_json(table)}
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


def test_without_the_json_there_is_what_the_tsv_holds(tmp_path: Path) -> None:
    table = read_levels_table(written(tmp_path, beside=False))
    assert (table.definition, table.reach_mm, table.pmj_mm) == ("unknown", None, -50.0)
    assert table.fname == TABLE_OF_ALL.fname
    assert table.rows[:2] == (LevelRow(C1, "unseen"), PLAIN)
    assert to_tsv(replace(table, c3_c7_height_mm=100.0)) == TEXT


def test_the_json_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = written(tmp_path, beside=False)
    path.with_suffix(".json").write_text('{"definition": "mine"}')
    assert read_levels_table(path).definition == "unknown"


def test_the_pmj_of_the_json_counts_where_no_row_tells_it(tmp_path: Path) -> None:
    unseen = replace(TABLE_OF_ALL, rows=TABLE_OF_ALL.rows[:1])
    assert read_levels_table(written(tmp_path, unseen)).pmj_mm == -50.0


mm = st.floats(-400, 400)


@given(
    st.lists(st.tuples(mm, mm, st.one_of(st.none(), st.floats(0, 20))), min_size=1, max_size=8),
    st.one_of(st.none(), mm),
    NAMES,
)
def test_a_tsv_read_and_written_is_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    places: list[tuple[float, float, float | None]],
    pmj_mm: float | None,
    name: str,
) -> None:
    """Whatever the numbers, and whatever the name of the rootlets holds."""
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
    table = LevelTable(tuple(rows), "caudal", 1.5, pmj_mm=pmj_mm, fname=f"{name}.nii.gz")
    path = tmp_path_factory.getbasetemp() / "any.tsv"
    path.write_text(to_tsv(table), encoding="utf-8")
    again = read_levels_table(path)
    assert again.fname == table.fname
    assert to_tsv(again) == to_tsv(table)


def test_further_columns_are_ignored_and_an_older_table_is_read(tmp_path: Path) -> None:
    lines = [line.split("\t") for line in TEXT.splitlines()]
    kept = [lines[0].index(column) for column in FORMER_COLUMNS]
    path = tmp_path / "older.tsv"
    path.write_text("\n".join("\t".join([line[k] for k in kept] + ["more"]) for line in lines))
    again = read_levels_table(path)
    assert again.rows[1].caudal_world == (1.5, 2.5, -11.0)
    assert again.rows[1].rostral_sd_mm is None
    assert again.rows[1].vertebral is None
    assert again.fname is None


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


@pytest.mark.parametrize("semicolons", [False, True])
def test_our_csv_is_read_like_theirs(tmp_path: Path, semicolons: bool) -> None:
    path = tmp_path / "levels.csv"
    text = to_csv(TABLE_OF_ALL)
    path.write_text(text.replace(",", ";").replace(".5", ",5") if semicolons else text)
    (row,) = read_levels_table(path).rows
    assert (row.level, row.rostral_mm, row.caudal_mm) == (C4, 50.5, 64.5)


def by_spreadsheet(delimiter: str, decimal: str = ".") -> str:
    """Return the table as a spreadsheet saves it; it quotes cells that hold the delimiter."""
    cells = [line.replace(".", decimal).split("\t") for line in TEXT.splitlines()]
    quoted = [[f'"{c}"' if delimiter in c else c for c in line] for line in cells]
    return "\n".join(delimiter.join(line) for line in quoted).replace(
        f"rootlets_dseg{decimal}nii{decimal}gz", "rootlets_dseg.nii.gz"
    )


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + TEXT,
        TEXT.replace("\n", "\r\n"),
        by_spreadsheet(","),
        by_spreadsheet(";"),
        by_spreadsheet(";", ","),
        "\ufeff" + by_spreadsheet(";", ",").replace("\n", "\r\n"),
        *(TEXT.replace("n/a", cell) for cell in ("", "nan", "NaN", "N/A")),
        TEXT.replace("cut_rostral,one_side", '"cut_rostral,one_side"'),
        "\n".join([TEXT.splitlines()[0], *reversed(TEXT.splitlines()[1:])]),
    ],
)
def test_what_editors_and_pandas_make_of_it_is_the_same_table(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, beside=False)
    known = read_levels_table(path)
    path.write_bytes(text.encode("utf-8"))
    assert read_levels_table(path) == known
    if text.lstrip("\ufeff").startswith("level"):
        assert is_levels_table(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("subject\tage\n1\t2\n", "is no table of levels"),
        (
            "level\tstatus\nC4\tmeasured\n",
            "has no column spinal_level, .* in line 1, only 'level', 'status'",
        ),
        (TEXT.replace("caudal_z", "other"), "has no column caudal_z in line 1"),
        (PUBLISHED.replace("height", "h"), "has no column height in line 1"),
        (TEXT.replace("caudal_z", "caudal_x"), "line 1: the column 'caudal_x' stands there twice"),
        (TEXT.splitlines()[0] + "\n", "not one row"),
        (TEXT + TEXT.splitlines()[2] + "\n", "line 5, column level: 'C4' is in line 3 too"),
        (TEXT + "C6\t6\n", "line 5 has 2 cells, and the header"),
        (TEXT.replace("14.2500", "inf"), "line 3, column caudal_mm: 'inf' is no finite number"),
        (
            TEXT.replace("14.2500", "14,25"),
            "line 3, column caudal_mm: '14,25' is no number: it has a comma",
        ),
        (TEXT.replace("\t4\t", "\t5\t"), "line 3, column spinal_level: '5' is not the value of C4"),
        (TEXT.replace("unseen", "lost"), "line 2, column status: 'lost' is no status .*unseen"),
        (TEXT.replace("\t14.7500\t", "\t-inf\t"), "line 3, column length_mm: '-inf' is no finite"),
        (TEXT.replace("\nC5\t", "\nX5\t"), "line 4, column level: 'X5' is no spinal level"),
        (TEXT.replace("\tC3\t", "\tX3\t"), "line 3, column rostral_vertebra: 'X3' is no"),
        (TEXT.replace("C4/C5", "C4-C5"), "line 3, column nearest_disc: 'C4-C5' is no disc"),
        (TEXT.replace("\t34\t", "\t34.5\t"), "line 3, column slice_end: '34.5' is no whole"),
        (PUBLISHED.replace("65.5", "x"), "line 2, column distance_from_pmj_start: 'x' is no"),
        (PUBLISHED.replace("3.0", "99"), "line 2, column spinal_level: '99' is no spinal level"),
        (PUBLISHED.replace("2.0", "3"), "line 3, column spinal_level: '3' is in line 2 too"),
    ],
)
def test_damage_names_file_line_and_column(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, beside=False)
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_levels_table(path)
    assert str(path) in str(caught.value)
    assert caught.value.remedy


def test_missing_binary_utf16_and_damaged_json(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_levels_table(tmp_path / "none.tsv")
    binary = tmp_path / "a.tsv"
    utf16 = "a\tb".encode("utf-16")
    for content, message in (
        (b"\x89\xff\x00", "is no text: it has a NUL byte in line 1"),
        (utf16, "UTF-16"),
    ):
        binary.write_bytes(content)
        assert not is_levels_table(binary)
        with pytest.raises(InputError, match=message):
            read_levels_table(binary)
    path = written(tmp_path)
    path.with_suffix(".json").write_text("{")
    with pytest.raises(InputError, match="valid JSON") as caught:
        read_levels_table(path)
    assert caught.value.path == str(path.with_suffix(".json"))
    for text in (
        '{"levels": [{"level": "C4", "notes": 3}]}',
        '{"levels": [], "reach_mm": 1e9}',
        '{"levels": [], "c3_c7_height_mm": [1]}',
        '{"levels": [], "warnings": "far"}',
        '{"levels": [{"level": "C4", "midpoint_from_discs_mm": {"C4/C5": NaN}}]}',
        '{"levels": [{"level": "C4", "n_voxels": {"LD": "many"}}]}',
    ):
        path.with_suffix(".json").write_text(text)
        with pytest.raises(InputError, match="not as sct_rootlets writes it"):
            read_levels_table(path)


def test_a_table_beside_an_image_says_how_to_do_without_it(tmp_path: Path) -> None:
    assert read_table_beside(tmp_path / "none.tsv") is None
    path = written(tmp_path)
    assert read_table_beside(path) == read_levels_table(path)
    path.write_text(TEXT.replace("14.2500", "far"))
    with pytest.raises(InputError, match=r"'far' is no number .*remove or rename it"):
        read_table_beside(path)
    path.write_text("participant_id\tage\nsub-1\t30\n")
    with pytest.raises(OtherTableError, match="no table of levels"):
        read_table_beside(path)
