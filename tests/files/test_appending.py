"""Lines that several processes add to a table."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sct_rootlets.errors import RootletsError
from sct_rootlets.files import appending
from sct_rootlets.files.appending import append_lines

JOB = """
import sys
from sct_rootlets.files.appending import append_lines
for k in range(40):
    append_lines(sys.argv[1], "name\\tk\\n", f"{sys.argv[2]}\\t{k}\\n{sys.argv[2]}\\t{k}\\n")
"""


def test_no_line_of_several_processes_is_lost(tmp_path: Path) -> None:
    target = tmp_path / "new" / "table.tsv"
    jobs = [subprocess.Popen([sys.executable, "-c", JOB, target, name]) for name in "abcd"]
    assert [job.wait(timeout=120) for job in jobs] == [0] * 4
    lines = target.read_text().splitlines()
    assert lines[0] == "name\tk"
    assert sorted(lines[1:]) == sorted(f"{n}\t{k}" for n in "abcd" for k in range(40) for _ in "12")
    # The lines of one call stand together.
    assert all(a == b for a, b in zip(lines[1::2], lines[2::2], strict=True))
    assert [path.name for path in target.parent.iterdir()] == ["table.tsv"]


def test_without_links_the_first_lines_are_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "not supported")

    monkeypatch.setattr(appending.os, "link", refuse)
    target = tmp_path / "table.tsv"
    for line in ("1\n", "2\n"):
        append_lines(target, "n\n", line)
    assert os.listdir(tmp_path) == ["table.tsv"]
    assert target.read_text() == "n\n1\n2\n"


@pytest.mark.parametrize(
    ("taken", "problem"), [("table.tsv", "is a folder"), ("table.tsv/x", "its folder cannot be")]
)
def test_what_is_in_the_way_is_said(taken: str, problem: str, tmp_path: Path) -> None:
    target = tmp_path / "table.tsv"
    if "/" in taken:
        target.write_text("a file")
        target = tmp_path / taken
    else:
        target.mkdir()
    with pytest.raises(RootletsError, match=problem):
        append_lines(target, "n\n", "1\n")
