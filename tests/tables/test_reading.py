"""Tables of anybody: what spreadsheets, pandas and editors make of them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sct_rootlets.errors import InputError
from sct_rootlets.tables import CellError, TextTable, read_header, read_sheet

TSV = "name\tsize\tof\nC5\t1.5\ta,b\nC6\tn/a\tc d\n"


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def content(sheet: TextTable) -> list[list[object]]:
    """Return what a reader has of it."""
    return [[line.word("name"), line.number("size"), line.word("of")] for line in sheet.lines]


def semicolons(decimal: str = ",") -> str:
    return TSV.replace("\t", ";").replace("1.5", f"1{decimal}5")


@pytest.mark.parametrize(
    "text",
    [
        TSV,
        "\ufeff" + TSV,
        TSV.replace("\n", "\r\n"),
        TSV.replace("\n", "\r"),
        TSV.rstrip("\n"),
        "\n\t\t\n" + TSV.replace("\n", "\n\n") + "\t\t\n \n",
        TSV.replace("\n", "\t\t\n"),
        TSV.replace("size", " size ").replace("1.5", " 1.5 ").replace("C5", "C5  "),
        TSV.replace("a,b", '"a,b"').replace("name", '"name"'),
        semicolons(),
        semicolons("."),
        "sep=;\n" + semicolons(),
        '\ufeff"sep=;"\r\n' + semicolons().replace("\n", "\r\n"),
        "sep=\t\n" + TSV,
        "SEP=,\n" + 'name,size,of\nC5,1.5,"a,b"\nC6,,c d\n',
        ',name,size,of\n0,C5,1.5,"a,b"\n1,C6,NaN,c d\n',
        *(TSV.replace("n/a", cell) for cell in ("", "nan", "NA", "-", "#N/A", "<NA>")),
    ],
)
def test_what_spreadsheets_and_pandas_make_of_a_table_is_the_same(
    tmp_path: Path, text: str
) -> None:
    path = written(tmp_path / "a.tsv", text)
    sheet = read_sheet(path, ("name", "size"))
    assert sheet.header == ("name", "size", "of")
    assert content(sheet) == [["C5", 1.5, "a,b"], ["C6", None, "c d"]]
    assert read_header(path, ("name",)) == (sheet.header, sheet.delimiter)


def test_a_quoted_cell_may_hold_what_divides_cells_and_quotes(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tsv", 'a\tb\n"x\ty"\t"say ""no"""\n"an ""inch""" more\t5"\n')
    lines = read_sheet(path).lines
    assert [line.cells for line in lines] == [
        {"a": "x\ty", "b": 'say "no"'},
        {"a": 'an "inch" more', "b": '5"'},
    ]


def test_the_needed_columns_tell_what_divides_the_cells(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", '"group;arm",id\nx,1\n')
    assert read_sheet(path, ("id",)).header == ("group;arm", "id")
    path = written(tmp_path / "c.csv", "x;y,id,z\n1,2,3\n")
    assert read_sheet(path).header == ("x;y", "id", "z")
    path = written(tmp_path / "d.csv", "x,y;id;z\n1;2;3\n")
    assert read_sheet(path).header == ("x,y", "id", "z")
    path = written(tmp_path / "b.tsv", "id\n1\n")
    assert read_sheet(path, ("id",)).header == ("id",)


def test_thousands_of_columns(tmp_path: Path) -> None:
    names = [f"c{k}" for k in range(9000)]
    path = written(tmp_path / "a.tsv", "\t".join(names) + "\n" + "\t".join(["1"] * 9000) + "\n")
    (line,) = read_sheet(path, names).lines
    assert line.number("c8999") == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n \n\t\n", "is empty"),
        ("sep=;\n", "is empty"),
        ("id\tb\n", "has columns .line 1. and not one row"),
        ("\n\nid\tb\n", "has columns .line 3. and not one row"),
        ("sep=|\nid|b\n1|2\n", "line 1 says that '|' divides the cells"),
        ("a\tb\n1\t2\n", "has no column id in line 1, only 'a', 'b'"),
        ("a;b\n1;2\n", "has no column id in line 1, only 'a', 'b'"),
        ("id\tb\tid\n1\t2\t3\n", "line 1: the column 'id' stands there twice"),
        ("id\tb\n1\t2\n1\n", "line 3 has 1 cells, and the header 2"),
        ("id\tb\n\n1\t2\t3\n", "line 3 has 3 cells, and the header 2"),
        ("id\tb\n1\t2\nid\tb\n3\t4\n", "line 3 is the header again: these are two tables"),
        ('id\tb\n1\t"2\n3\t4"\n', "line 2 opens a quote and does not close it"),
        ('id,b\n"1\n,2"\n', "line 2 opens a quote and does not close it"),
        ('"id\tb\n1\t2\n', "line 1 opens a quote and does not close it"),
        ("id\tb\n1\t" + "x" * 100_001 + "\n", "line 2, column b: 'x+…' goes on"),
        ('id\tb\n1\t"' + "x" * 200_000 + '"\n', "line 2 opens a quote|goes on"),
        ("id" + "\tb" * 10_001 + "\n", "has 10002 columns, and a table here at most 10000"),
    ],
)
def test_damage_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path / "a.tsv", text)
    with pytest.raises(InputError, match=message.replace("|'", r"\|'")) as caught:
        read_sheet(path, ("id",))
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 400 + len(str(path))


@given(st.binary(max_size=300))
def test_whatever_a_file_holds_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = written(tmp_path_factory.getbasetemp() / "any.tsv", data)
    try:
        sheet = read_sheet(path)
    except InputError:
        return
    assert sheet.lines
    assert all({*line.cells} == {*sheet.header} for line in sheet.lines)


@pytest.mark.parametrize(
    ("cell", "problem", "allowed"),
    [
        ("x", "'x' is no number", "a number"),
        ("inf", "'inf' is no finite number", "a number"),
        ("-inf", "'-inf' is no finite number", "a number"),
        ("1e400", "'1e400' is no finite number", "a number"),
        ("1,5", "'1,5' is no number: it has a comma for its decimal point", "a number"),
        ("1.234,5", "'1.234,5' is no number", "a number"),
    ],
)
def test_a_number_that_is_none_names_file_line_column_content_and_what_is_allowed(
    tmp_path: Path, cell: str, problem: str, allowed: str
) -> None:
    path = written(tmp_path / "a.tsv", f"a\tb\n\n1\t{cell}\n")
    (line,) = read_sheet(path).lines
    with pytest.raises(CellError) as caught:
        line.number("b")
    error = caught.value
    assert str(error) == f"{path}: line 3, column b: {problem} (allowed: {allowed})"
    assert (error.path, error.place, error.column) == (str(path), 3, "b")
    assert (error.cell, error.allowed) == (cell, allowed)


def test_bounds_whole_numbers_and_words(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tsv", "a\tb\tc\n-1\t1.5\t C5 \nn/a\t7\t-\n")
    first, second = read_sheet(path).lines
    words = {"C5": 5, "C6": 6}
    assert (first.one_of("c", words, "level"), second.one_of("c", words, "level")) == (5, None)
    assert (second.integer("b"), second.integer("a"), first.number("none")) == (7, None, None)
    for read, message in (
        (lambda: first.number("a", 0), "'-1' is out of range .allowed: a number of 0 or more"),
        (lambda: first.number("a", 2, 9), "'-1' is out of range .allowed: a number from 2 to 9"),
        (lambda: first.integer("b"), "'1.5' is no whole number"),
        (lambda: first.one_of("a", words, "level"), "'-1' is no level .allowed: C5, C6"),
        (lambda: second.given("c", second.word("c")), "line 3, column c: '-' says nothing"),
        (lambda: first.one_of("a", dict.fromkeys("abcdefghijklmn"), "letter"), "a, ..., n"),
    ):
        with pytest.raises(CellError, match=message):
            read()  # type: ignore[no-untyped-call]
