"""The commands report and export: what is printed, and wrong inputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.report.conftest import write_result
from tests.synthetic import make_neck


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("matplotlib")
    return write_result(tmp_path_factory.mktemp("results") / "sub", make_neck())


def test_report_says_what_it_holds(result: Path, tmp_path: Path, command: Command) -> None:
    page = tmp_path / "new" / "report.html"
    out = command(f"report -i {result.parent} -o {page} -jobs 1 -title", "Study <1>").out
    assert "1 results: 0 failed, 0 flagged, 1 ok" in out
    assert "report.html" in out
    assert "<h1>Study &lt;1&gt;</h1>" in page.read_text(encoding="utf-8")


def test_report_lists_failures_and_still_succeeds(tmp_path: Path, command: Command) -> None:
    (tmp_path / "t2_spinal_levels.tsv").write_text("level\tspinal_level\tstatus\n")
    out = command(f"report -i {tmp_path} -o {tmp_path}/r.html -jobs 1").out
    assert "failed: t2_spinal_levels: " in out


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("report -o r.html -i .", 1, "holds no results"),
        ("report -o r.html -i notes.tsv", 1, "is no result"),
        ("report -o r.html -i nowhere", 2, "no such file"),
        ("report -o r.html -i {} -images notes.tsv", 2, "no folder of images"),
        ("report -o r.html -i {} -jobs 0", 2, "at least 1"),
        ("report -o r.html", 2, "-i"),
        ("report -o notes.tsv/r.html -i {} -jobs 1", 1, "is not a folder"),
        ("report -o r.txt -i {}", 2, ".html"),
        ("export -i {}", 1, "tsv"),
        ("export -i {} -to mricron", 2, "invalid choice"),
    ],
)
def test_wrong_inputs(
    result: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    refused: Callable[..., None],
    words: str,
    status: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.tsv").write_text("subject\tage\n")
    refused(words.format(result), status, said)


def test_report_takes_a_mixture_and_leaves_out_what_is_none(
    result: Path, tmp_path: Path, command: Command
) -> None:
    files = [str(path) for path in sorted(result.parent.iterdir())]
    notes = tmp_path / "notes.txt"
    notes.write_text("text")
    out = command(f"report -o {tmp_path}/r.html -jobs 1 -i", *files, str(notes)).out
    assert "1 results" in out


def test_export_prints_a_line_for_each_viewer(
    result: Path, tmp_path: Path, command: Command
) -> None:
    levels = result.with_name("t2_spinal_levels.nii.gz")
    out = command(f"export -i {levels} -ofolder {tmp_path}/luts").out
    for word in ("fsleyes ", "itksnap -g", "Slicer --python-code", "-ot label -l"):
        assert word in out
    assert len(list((tmp_path / "luts").iterdir())) == 8
