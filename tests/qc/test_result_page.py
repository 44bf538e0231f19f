"""The page of one result: everything in it, and nothing fetched."""

from __future__ import annotations

import base64
import html.parser
import re

import pytest

from sct_rootlets.levels import Derived
from sct_rootlets.qc import result_page
from sct_rootlets.qc.mosaic import Mosaic
from tests.qc.conftest import eventful

pytest.importorskip("matplotlib")


class Links(html.parser.HTMLParser):
    """Collects whatever a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_holds_everything_and_fetches_nothing(derived: Derived) -> None:
    page = result_page.page(
        title="<t2> & more.nii.gz",
        png=b"\x89PNG",
        table=derived.table,
        warnings=["C2 was <not> seen"],
        facts={"Model": "compact 1.0"},
    )
    links = Links()
    links.feed(page)
    assert all(source.startswith("data:image/png;base64,") for source in links.sources)
    assert len(links.sources) == 1
    assert "&lt;t2&gt; &amp; more.nii.gz" in page
    assert "C2 was &lt;not&gt; seen" in page
    for row in derived.table.rows:
        assert f">{row.level.name}</td>" in page
        assert row.caudal_mm is None or f"<td>{row.caudal_mm:.1f}" in page
    assert "n/a" in page


def test_the_layers_of_the_mosaic_are_in_the_page_too(derived: Derived) -> None:
    layers = Mosaic(b"\x89PNG below", b"\x89PNG above")
    page = result_page.page(title="t2", table=derived.table, warnings=[], facts={}, mosaic=layers)
    links = Links()
    links.feed(page)
    data = [base64.b64decode(source.partition("base64,")[2]) for source in links.sources]
    assert data == [layers.background, layers.overlay]  # the overlay after what it lies over
    assert 'type="checkbox" id="overlay" checked' in page
    assert "#overlay:not(:checked)~.layers img+img{visibility:hidden}" in page
    assert page.index('id="overlay"') < page.index('class="layers"')
    assert not re.search(r"https?://|src=\"(?!data:)|@import|url\(", page)


def test_a_page_about_rootlets_alone_has_no_levels() -> None:
    page = result_page.page(title="t2", warnings=["w"], facts={"Model": "compact"})
    assert "Spinal levels" not in page
    assert "<img" not in page
    assert "<script" not in page
    assert "compact" in page


def test_the_page_has_uncertainty_and_flags(derived: Derived) -> None:
    page = result_page.page(
        title="t2", png=b"", table=eventful(derived).table, warnings=[], facts={}
    )
    assert "<td>31.0 &plusmn; 0.3</td>" in page
    assert '<td class="text">cut_rostral</td>' in page
