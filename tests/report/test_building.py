"""Building a report: where it is written, what it may not replace, processes that die."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from sct_rootlets.errors import InputError, RootletsError, UsageError
from sct_rootlets.report import build
from sct_rootlets.report.building import _read_all
from sct_rootlets.report.finding import find
from sct_rootlets.report.sources import Locator
from tests.report.test_page import data_of

pytest.importorskip("matplotlib")


def test_two_processes_give_the_page_of_one(
    batch: Path, tmp_path: Path, real_figures: None
) -> None:
    some = [batch / "sub-gap", batch / "sub-broken"]
    one, two = (build(some, tmp_path / f"{jobs}.html", jobs=jobs) for jobs in (1, 2))
    assert two.counts == one.counts == {"failed": 1, "flagged": 1, "ok": 0}
    assert data_of(two.path) == data_of(one.path)
    assert two.size_bytes == one.size_bytes


def test_our_own_page_is_replaced_and_progress_counts_every_result(
    batch: Path, tmp_path: Path
) -> None:
    build([batch / "sub-broken"], tmp_path / "r.html", jobs=1)
    calls: list[tuple[str, int, int]] = []
    build([batch], tmp_path / "r.html", jobs=1, progress=lambda *call: calls.append(call))
    assert [done for _, done, _ in calls] == list(range(6))
    assert {total for _, _, total in calls} == {5}


def test_a_page_of_somebody_else_is_not_replaced(batch: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text("<html>mine</html>")
    with pytest.raises(UsageError, match="was not made by sct_rootlets"):
        build([batch], page)
    assert page.read_text() == "<html>mine</html>"


def test_a_failure_leaves_nothing_behind(
    batch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RootletsError("no room")

    monkeypatch.setattr("sct_rootlets.report.page.write", broken)
    with pytest.raises(RootletsError, match="no room"):
        build([batch / "sub-a"], tmp_path / "new" / "report.html", jobs=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["report", "report.pdf"])
def test_the_page_has_to_be_called_a_page(batch: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no name of a page"):
        build([batch], tmp_path / name)


def test_a_folder_without_results_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no results"):
        build([tmp_path], tmp_path / "r.html")


def _die(found: Any, key: str, locator: Locator) -> Any:
    """Read a result in a process that is killed at one of them, as for too much memory."""
    if "gap" in key:
        os.kill(os.getpid(), signal.SIGKILL)
    from sct_rootlets.report.subject import failed

    return failed(found, key, "read")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_process_that_dies_is_a_row_and_all_others_are_read(
    batch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sct_rootlets.report.building.read", _die)
    found = find([batch / name for name in ("sub-a", "sub-gap", "sub-broken")])
    work = [(one, one.table.parent.name, Locator()) for one in found]
    rows = dict(_read_all(work, 2))
    reasons = {work[number][1]: row.verdict.reasons[0] for number, row in rows.items()}
    assert set(reasons) == {"sub-a", "sub-gap", "sub-broken"}
    assert "died" in reasons.pop("sub-gap")
    assert set(reasons.values()) == {"read"}
