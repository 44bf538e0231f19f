"""-qc: our own page always, an entry in SCT's report where SCT is, and results in any case."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sct_rootlets.errors import RootletsError
from sct_rootlets.qc import mosaic
from sct_rootlets.qc.course import Course
from sct_rootlets.sct import qc_report
from sct_rootlets.sct.installation import SctInstallation
from tests.cli.conftest import Command
from tests.synthetic import make_neck

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.usefixtures("paths")

PLAIN = "levels -i rootlets.nii.gz -s cord.nii.gz -o X.nii.gz"
LEVELS = f"{PLAIN} -qc qc"
SCT = SctInstallation(Path("/opt/sct"), "7.0", Path("/opt/sct/python"), "a test")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return what SCT is asked to add; it says yes to everything."""
    calls: list[dict[str, Any]] = []

    def add_entry(sct: SctInstallation, folder: Path, **options: Any) -> Path:
        calls.append({"sct": sct, "folder": folder, **options})
        return Path(folder) / "index.html"

    monkeypatch.setattr(qc_report, "find_sct", lambda: SCT)
    monkeypatch.setattr(qc_report, "add_entry", add_entry)
    return calls


def test_without_sct_there_is_our_page_alone(
    real_figures: None, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.setattr(qc_report, "find_sct", lambda: None)
    out, err = command(LEVELS)
    assert {path.name for path in Path("qc").iterdir()} == {"X.png", "X.html"}
    assert Path("qc/X.png").read_bytes() == Path("X.png").read_bytes()
    page = Path("qc/X.html").read_text()
    assert "rootlets.nii.gz" in page
    assert ">C4</td>" in page
    assert "qc/X.html" in out
    assert "SCT" not in out + err


def test_with_sct_one_entry_is_asked_for(asked: list[dict[str, Any]], command: Command) -> None:
    words = f"{LEVELS} -qc-dataset mine -qc-image t2.nii.gz"
    assert "qc/index.html" in command(words, "-qc-subject", "sub 1").out
    (call,) = asked
    assert call["sct"] is SCT
    assert (call["dataset"], call["subject"]) == ("mine", "sub 1")
    assert call["folder"] == Path("qc")
    assert call["image"] == Path("t2.nii.gz")
    assert call["command"] == "sct_rootlets"
    assert call["cmdline"].startswith("sct_rootlets levels -i rootlets.nii.gz ")
    assert "-qc-subject 'sub 1'" in call["cmdline"]
    for layer in ("background", "overlay"):
        assert call[layer].startswith(b"\x89PNG")
    assert "t2.nii.gz" in Path("qc/X.html").read_text()


def test_the_image_of_the_report_is_drawn(
    asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    shown: list[Course] = []
    plain = mosaic.draw
    monkeypatch.setattr(mosaic, "draw", lambda course, **_: (shown.append(course), plain())[1])
    command(LEVELS)
    assert {course.image is None for course in shown} == {True}
    assert asked[0]["image"] == Path("rootlets.nii.gz")
    shown.clear()
    command(f"{LEVELS} -qc-image t2.nii.gz")
    for course in shown:
        np.testing.assert_array_equal(course.image.data, make_neck().image.data)


@pytest.mark.parametrize(
    "error", [RootletsError("SCT is broken", remedy="Mend it"), RuntimeError("odd")]
)
def test_an_entry_that_fails_is_a_warning_and_loses_nothing(
    error: Exception, asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr(qc_report, "add_entry", fail)
    out, err = command(LEVELS)
    assert "no entry was added to SCT's QC report" in err
    assert str(error) in err.replace("\n  ", " ")
    assert "Traceback" not in err
    assert Path("X.nii.gz").is_file()
    assert Path("qc/X.html").is_file()
    assert "index.html" not in out


def test_a_folder_of_pages_that_cannot_be_is_said_before_any_work(
    refused: Callable[..., None],
) -> None:
    Path("qc").write_text("a file")
    refused(LEVELS, 1, "qc: is not a folder")


def test_a_page_that_cannot_be_made_loses_no_result(
    asked: list[dict[str, Any]], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RootletsError("no page today")

    monkeypatch.setattr("sct_rootlets.result.levels.LevelsResult.stage_qc", fail)
    assert "no page today" in command(LEVELS, status=1).err
    assert Path("X.nii.gz").is_file()
    assert not asked


def test_names_that_lead_out_of_the_report_are_refused_before_any_work(
    asked: list[dict[str, Any]], command: Command
) -> None:
    assert "outside the QC report" in command(f"{LEVELS} -qc-subject ../x", status=2).err
    assert not Path("X.nii.gz").exists()


def test_without_qc_nothing_is_asked_of_sct(asked: list[dict[str, Any]], command: Command) -> None:
    command(PLAIN)
    assert not asked


@pytest.mark.parametrize("way", ["of one folder", "of other folders", "with one image"])
def test_subjects_whose_files_share_a_name_have_pages_of_their_own(
    monkeypatch: pytest.MonkeyPatch, command: Command, way: str
) -> None:
    monkeypatch.setattr(qc_report, "find_sct", lambda: None)
    folders = ["sub-01/anat", "sub-02/anat", "sub-02/ses-2/anat"]
    qc = "qc" if way == "of one folder" else "elsewhere/deep/qc"
    image = " -qc-image t2.nii.gz" if way == "with one image" else ""
    for folder in map(Path, folders):
        folder.mkdir(parents=True)
        for name in ("rootlets.nii.gz", "cord.nii.gz"):
            (folder / name).write_bytes(Path(name).read_bytes())
        words = f"levels -i {folder}/rootlets.nii.gz -s {folder}/cord.nii.gz -qc {qc}"
        command(f"{words}{image}")
        command(f"{words}{image}")  # the same again is the same page
    pages = {path.name for path in Path(qc).glob("*.html")}
    before = "" if way == "of one folder" else "up_up_"
    ends = [folder.replace("/", "_") + "_rootlets_spinal_levels.html" for folder in folders]
    assert pages == {before + end for end in ends}
