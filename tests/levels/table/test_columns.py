"""The columns of the table of levels, as JSON and docs have them."""

from __future__ import annotations

import re
from pathlib import Path

from sct_rootlets.levels.table.columns import COLUMNS, FLAGS, STATUSES, TABLE
from sct_rootlets.tables import describe

DICTIONARY = Path(__file__).parents[3] / "docs" / "table.md"


def test_columns_are_described_as_in_bids() -> None:
    described = describe(TABLE)
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

    assert rows_under("Columns") == [[c.name, c.unit, c.text] for c in TABLE]
    assert rows_under("Status") == [list(item) for item in STATUSES.items()]
    assert rows_under("Flags") == [list(item) for item in FLAGS.items()]
