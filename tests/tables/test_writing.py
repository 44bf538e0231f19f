"""Tables as text and back: cells, columns, what would break a line."""

from __future__ import annotations

import csv
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sct_rootlets.tables import (
    Column,
    aligned,
    cells,
    column,
    columns,
    columns_of,
    decimals,
    describe,
    read_sheet,
    to_text,
    unescaped,
)


@pytest.mark.parametrize(
    "value", [None, "", float("nan"), np.float32("inf"), -np.inf, np.float64("nan")]
)
def test_what_is_no_number_is_not_applicable(value: object) -> None:
    assert cells([Column("a")], [{"a": value}])[1] == ["n/a"]
    assert to_text([Column("a"), Column("b")], [{"a": value, "b": 1}], ",") == "a,b\n,1\n"


@pytest.mark.parametrize(
    ("value", "number", "cell"),
    [
        (1 / 3, None, "0.333333"),
        (np.float32(2.5), None, "2.5"),
        (np.int64(0), None, "0"),
        (1234567, None, "1234567"),
        (-0.00001, decimals(4), "0.0000"),
        (14.25, decimals(1), "14.2"),
    ],
)
def test_numbers_have_the_digits_of_their_column(value: object, number: object, cell: str) -> None:
    one = Column("a") if number is None else Column("a", number=number)  # type: ignore[arg-type]
    assert cells([one], [{"a": value}])[1] == [cell]


def test_the_columns_give_order_and_description() -> None:
    two = (Column("b", "second", "mm", {"x": "a word"}), *columns({"volume_mm3": "first"}))
    assert to_text(two, [{"volume_mm3": 1, "b": "2", "c": "lost"}]) == "b\tvolume_mm3\n2\t1\n"
    assert describe(two) == {
        "b": {"Description": "second", "Units": "mm", "Levels": {"x": "a word"}},
        "volume_mm3": {"Description": "first", "Units": "mm^3"},
    }


def test_the_fields_of_a_dataclass_are_columns() -> None:
    @dataclass
    class Row:
        size_mm: float = column("How large", "mm")

    assert to_text(columns_of(Row, decimals(2)), [vars(Row(1.0))]) == "size_mm\n1.00\n"


def test_lines_for_the_terminal_end_aligned() -> None:
    lines = [["level", "mm", "word"], ["C5", "12.5", ""]]
    assert aligned(lines, left=(0, 2)) == ["level    mm  word", "C5     12.5"]


#: Parts of names of files: whatever a file system lets in, and often what breaks lines.
NAMES = st.lists(
    st.sampled_from(
        ["a", "b ", "\t", "\n", "\r", '"', "\\", "\x0b", "\x1c", "\x85", "\u2028", "\udcff"]
    )
    | st.text(max_size=3),
    max_size=6,
).map("".join)


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_any_file_name_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    """Whatever a name holds, as a file system may: every line has a cell a column."""
    path = tmp_path_factory.getbasetemp() / "names.tsv"
    wanted = [f"{name}.nii.gz" for name in names]
    text = to_text([Column("n"), Column("fname")], [{"n": 1, "fname": name} for name in wanted])
    assert len(text.splitlines()) == len(names) + 1
    assert {len(line.split("\t")) for line in text.splitlines()} == {2}
    path.write_bytes(text.encode("utf-8"))
    assert [unescaped(line.cells["fname"]) for line in read_sheet(path).lines] == wanted
    with open(path, encoding="utf-8", newline="") as file:  # as others read it
        assert len(list(csv.reader(file, delimiter="\t"))) == len(names) + 1
