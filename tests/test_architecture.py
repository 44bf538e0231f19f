"""The page on the architecture names modules that there are."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "sct_rootlets"
PAGE = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_way_of_one_image_leads_through_modules_that_there_are() -> None:
    places = [row.split("|")[2] for row in PAGE.splitlines() if row.startswith("| ")][2:]
    named = [
        name for place in places[:25] for name in re.findall(r"`([a-z_/0-9]+/[a-z_0-9]+)`", place)
    ]
    assert len(named) > 25
    missing = [name for name in named if not (PACKAGE / f"{name}.py").is_file()]
    assert not missing


def test_every_room_is_on_the_page() -> None:
    rooms = {
        path.stem for path in PACKAGE.iterdir() if not path.stem.startswith(("_", "models", "py"))
    }
    assert rooms <= set(re.findall(r"`([a-z_]+)`", PAGE))
