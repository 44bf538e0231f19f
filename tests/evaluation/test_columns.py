"""docs/evaluate.md says what the code does: columns and empty sides."""

from __future__ import annotations

from pathlib import Path

import pytest

from sct_rootlets.evaluation.columns import EMPTY_CASES, METRICS

PAGE = (Path(__file__).parents[2] / "docs" / "evaluate.md").read_text(encoding="utf-8")


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_columns_are_all_there_in_order() -> None:
    table = PAGE.partition("| column | unit |")[2].partition("\n\n")[0]
    named = [cells(line)[0] for line in table.splitlines()[2:]]
    assert [name.strip("` ") for row in named for name in row.split(",")] == [
        column.name for column in METRICS
    ]


@pytest.mark.parametrize("case", EMPTY_CASES)
def test_empty_sides_have_the_values_of_the_code(case: str) -> None:
    section = PAGE.partition("## Empty sides")[2]
    head = next(line for line in section.splitlines() if line.startswith("| case"))
    row = next(line for line in section.splitlines() if line.startswith(f"| {case} |"))
    documented = {
        name.strip("` "): None if value == "n/a" else float(value)
        for names, value in list(zip(cells(head), cells(row), strict=True))[1:]
        for name in names.split(",")
    }
    assert documented == EMPTY_CASES[case]
