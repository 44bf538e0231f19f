"""The page of a batch as text: its rows, what it says of broken results, and what it asks for."""

from __future__ import annotations

import html.parser
import json
import re
from pathlib import Path

import pytest

from sct_rootlets.report import Summary, build
from sct_rootlets.report.page import _json

pytest.importorskip("matplotlib")


def data_of(page: Path) -> dict[str, dict[str, object]]:
    """Return what the script of a page knows, by the last part of the name of each result."""
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text)
    assert found is not None
    return {row["key"].split("/")[0]: row for row in json.loads(found[1])["subjects"]}


def test_every_result_has_a_row_the_worst_first_and_the_counts_add_up(page: Summary) -> None:
    rows = data_of(page.path)
    assert set(rows) == {"sub-a", "sub-b", "sub-gap", "sub-lost", "sub-broken"}
    assert page.counts == {"failed": 2, "flagged": 1, "ok": 2}
    text = page.path.read_text(encoding="utf-8")
    statuses = re.findall(r'<tr id="row-\d+" data-number="\d+" class="(\w+)">', text)
    assert statuses == ["failed", "failed", "flagged", "ok", "ok"]
    assert page.size_bytes == len(text.encode())


def test_what_is_missing_or_broken_is_said_in_its_row(page: Summary) -> None:
    rows = data_of(page.path)
    assert rows["sub-lost"]["status"] == "failed"
    assert rows["sub-lost"]["reasons"] == ["cord mask sub-lost_T2w_seg.nii.gz is missing"]
    assert rows["sub-lost"]["size"]  # drawn all the same, on what the levels were painted on
    assert rows["sub-broken"]["status"] == "failed"
    assert "sub-broken_T2w_spinal_levels.tsv" in str(rows["sub-broken"]["reasons"])
    assert rows["sub-gap"]["reasons"] == ["not seen between others: C5"]


def test_nothing_is_asked_of_a_network_and_no_folder_of_the_machine_is_told(
    page: Summary, batch: Path
) -> None:
    text = page.path.read_text(encoding="utf-8")
    assert not re.search(r"""(src|href|url)\s*[=(]\s*["']?(https?:|//|file:)""", text)
    assert "default-src 'none'" in text
    assert str(batch.parent) not in text


class _Checker(html.parser.HTMLParser):
    """Collects what is open, ids, and images without words."""

    VOID = frozenset({"meta", "img", "input", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.wordless: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "id" in given:
            self.ids.append(str(given["id"]))
        if tag == "img" and "alt" not in given:
            self.wordless.append(str(given))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.getpos())


def test_the_page_is_well_formed_and_its_ids_are_its_own(page: Summary) -> None:
    checker = _Checker()
    checker.feed(page.path.read_text(encoding="utf-8"))
    assert checker.open == []
    assert len(checker.ids) == len(set(checker.ids))
    assert checker.wordless == []


def test_no_name_can_end_the_script_that_holds_it() -> None:
    text = _json({"name": "</script><script>alert(1)</script>"})
    assert "<" not in text
    assert json.loads(text) == {"name": "</script><script>alert(1)</script>"}


def test_a_title_with_markup_is_text(batch: Path, tmp_path: Path) -> None:
    made = build([batch / "sub-broken"], tmp_path / "r.html", jobs=1, title="<i>T2</i> & more")
    text = made.path.read_text(encoding="utf-8")
    assert "<h1>&lt;i&gt;T2&lt;/i&gt; &amp; more</h1>" in text
    assert "<i>" not in text


def test_the_same_colour_for_a_level_everywhere(page: Summary) -> None:
    from sct_rootlets.anatomy import SpinalLevel
    from sct_rootlets.colours import colour_of

    levels = data_of(page.path)["sub-a"]["levels"]
    assert isinstance(levels, list)
    for level in levels:
        assert level["colour"] == colour_of(SpinalLevel[level["name"]].value)
    text = page.path.read_text(encoding="utf-8")
    assert f'fill="{colour_of(4)}"' in text
