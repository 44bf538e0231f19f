"""The page in a real browser: no request, sorting, filters, keys, marks, files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sct_rootlets.report import Summary
from tests.report.browser import CHROMIUM, Browser

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

SHOWN = "[...document.querySelectorAll('#results tbody tr:not([hidden]) td.image b')]"
NAMES = SHOWN + ".map(e => e.textContent.split('_')[0])"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture
def opened(browser: Browser, page: Summary) -> Browser:
    """Open the page without any marks of an earlier test."""
    browser.open(page.path)
    browser.js("localStorage.clear()")
    browser.open(page.path)
    return browser


def current(browser: Browser) -> str | None:
    found = browser.js("document.querySelector('tr.current td.image b')?.textContent ?? null")
    return None if found is None else str(found).split("_")[0]


def test_it_asks_for_nothing_but_itself(browser: Browser, page: Summary) -> None:
    browser.requests.clear()
    browser.open(page.path)
    browser.key("j")
    browser.key("o")
    browser.wait("document.getElementById('large').open")
    other = [url for url in browser.requests if not url.startswith("data:image/webp")]
    assert other == [page.path.as_uri()]
    assert browser.failures == []


def test_the_worst_are_first_and_headings_sort(opened: Browser) -> None:
    assert opened.js(NAMES)[:3] == ["sub-broken", "sub-lost", "sub-gap"]
    opened.click("[data-sort=name]")
    assert opened.js(NAMES) == ["sub-lost", "sub-gap", "sub-broken", "sub-b", "sub-a"]
    assert opened.js("document.querySelector('th.image').ariaSort") == "descending"
    opened.click("[data-sort=name]")
    assert opened.js(NAMES) == ["sub-a", "sub-b", "sub-broken", "sub-gap", "sub-lost"]
    opened.click("[data-sort=measured]")
    assert opened.js(NAMES)[-1] == "sub-broken"
    assert opened.js("document.querySelectorAll('[aria-sort]').length") == 1


def test_filters_by_status_words_and_marks(opened: Browser) -> None:
    opened.click("[data-filter=failed]")
    assert opened.js(NAMES) == ["sub-broken", "sub-lost"]
    opened.click("[data-filter='']")
    opened.key("/")
    opened.type("gap C5")
    assert opened.js(NAMES) == ["sub-gap"]
    assert opened.js("document.getElementById('shown').textContent") == "1 shown"
    opened.js(
        "const f = document.getElementById('find'); f.value = '';"
        "f.dispatchEvent(new Event('input'))"
    )
    opened.click("#row-0 button.mark")
    opened.js(
        "const s = document.getElementById('marks'); s.value = 'pass';"
        "s.dispatchEvent(new Event('change'))"
    )
    assert opened.js(NAMES) == ["sub-a"]


def test_keys_step_open_mark_and_close(opened: Browser) -> None:
    opened.key("j")
    assert current(opened) == "sub-broken"
    opened.key("ArrowDown")
    opened.key("j")
    opened.key("k")
    assert current(opened) == "sub-lost"
    opened.key("k")
    opened.key("k")  # the first stays the first
    assert current(opened) == "sub-broken"
    opened.key("j")
    opened.key("Enter")
    opened.wait("document.getElementById('large').open")
    opened.key("j")
    assert opened.js("document.getElementById('large-title').textContent").startswith("sub-gap")
    opened.wait("document.getElementById('picture').naturalWidth > 500")
    marked = opened.js("document.getElementById('picture').src.length")
    opened.key("ArrowRight")
    bare = opened.js("document.getElementById('picture').src.length")
    assert bare != marked
    opened.key("2")
    pressed = "document.querySelector('#large [aria-pressed=true]').dataset.mark"
    assert opened.js(pressed) == "fail"
    opened.key("f")  # after fail comes artefact, as in SCT
    assert opened.js(pressed) == "artifact"
    opened.key("n")
    opened.type("motion j")  # letters of a note are no commands
    opened.key("Enter")
    assert current(opened) == "sub-gap"
    opened.key("Escape")
    opened.wait("!document.getElementById('large').open")
    row = "[...document.querySelectorAll('tr')].find(r => r.textContent.includes('sub-gap'))"
    assert opened.js(f"{row}.querySelector('td.note').textContent") == "motion j"
    assert opened.js(f"{row}.querySelector('button.mark').ariaLabel") == "artefact"


def test_marks_are_kept_saved_as_yaml_and_read_again(
    opened: Browser, page: Summary, tmp_path: Path
) -> None:
    yaml = pytest.importorskip("yaml")
    opened.key("j")
    opened.key("2")
    opened.key("n")
    opened.wait("document.getElementById('large').open")
    opened.type("cut: # top")
    opened.key("Enter")
    opened.key("Escape")
    opened.key("j")
    opened.key("2")
    opened.key("j")
    opened.key("1")
    opened.open(page.path)  # as if the browser had been closed
    marked = "document.getElementById('marked').textContent"
    assert opened.js(marked) == "3 of 5 marked: 1 pass, 2 fail, 0 artefact"
    opened.click("#save-fail")
    saved = opened.downloaded("qc_fail.yml")
    text = saved.read_text()
    files = ["sub-broken_T2w.nii.gz", "sub-lost_T2w.nii.gz"]
    assert yaml.safe_load(text) == {"FILES_SEG": files}
    assert "# cut: # top" in text
    opened.click("#save-all")
    everything = opened.downloaded("qc_marks.json")
    assert len(json.loads(everything.read_text())["marks"]) == 3
    for file in (saved, everything):
        opened.js("localStorage.clear()")
        opened.open(page.path)
        assert opened.js(marked).startswith("0 of 5")
        document = opened.call("DOM.getDocument")["root"]["nodeId"]
        node = opened.call("DOM.querySelector", nodeId=document, selector="#load")["nodeId"]
        opened.call("DOM.setFileInputFiles", nodeId=node, files=[str(file)])
        opened.wait("!document.getElementById('marked').textContent.startsWith('0 of')")
        assert "2 fail" in opened.js(marked)
    assert opened.js("document.querySelector('#results').textContent.includes('cut: # top')")


def test_a_mark_of_an_earlier_result_does_not_count(opened: Browser, page: Summary) -> None:
    opened.key("j")
    opened.key("j")
    opened.key("1")
    opened.js(
        "const k = Object.keys(localStorage)[0]; const m = JSON.parse(localStorage[k]);"
        "for (const v of Object.values(m)) v.digest = 'another'; localStorage[k] ="
        " JSON.stringify(m)"
    )
    opened.open(page.path)
    assert opened.js("document.getElementById('marked').textContent").startswith("0 of 5")
    assert opened.js("document.querySelectorAll('button.mark.stale').length") == 1


def test_colours_and_pictures_are_drawn(opened: Browser) -> None:
    opened.click("[data-sort=name]")
    opened.click("[data-sort=name]")
    opened.wait("document.querySelector('#row-0 img').complete")
    assert opened.js("document.querySelector('#row-0 img').naturalHeight") > 50
    opened.click("#row-0 .open")
    assert opened.js("document.querySelectorAll('#large-levels tr').length") > 5
    opened.key("?")
    assert opened.js("document.getElementById('keys').open")
