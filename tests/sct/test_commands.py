"""Commands of SCT in processes of their own: log, progress, failures, interruptions."""

from __future__ import annotations

import logging
import os
import shlex
from pathlib import Path

import pytest

from sct_rootlets.errors import MissingDependencyError, RootletsError
from sct_rootlets.image import save
from sct_rootlets.phantom import Phantom
from sct_rootlets.sct.commands import CommandError, Runner, environment
from tests.sct.stand_in_answers import StandIn


@pytest.fixture
def image(phantom_small: Phantom, tmp_path: Path) -> Path:
    save(phantom_small.image, tmp_path / "t2.nii.gz")
    return tmp_path / "t2.nii.gz"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def detect(runner: Runner, image: Path, work: Path) -> None:
    options = ["-i", image, "-c", "t2", "-ofolder", work, "-o", "t2_pmj.nii.gz"]
    runner.run("sct_detect_pmj", options, stage="PMJ", folder=work)


def test_a_command_is_shown_logged_and_told_of(
    stand_in: StandIn, image: Path, work: Path, tmp_path: Path
) -> None:
    shown: list[str] = []
    told: list[tuple[str, int, int]] = []
    log = tmp_path / "new" / "t2_sct.log"
    runner = Runner(stand_in.sct, log, None, lambda *step: told.append(step), shown.append)
    detect(runner, image, work)
    assert (work / "t2_pmj.nii.gz").exists()
    (line,) = shown
    launcher, *words = shlex.split(line)  # the line can be typed again as it is
    assert Path(launcher) == stand_in.bin / "sct_detect_pmj"
    assert words == stand_in.calls[0]["argv"]
    text = log.read_text()
    assert f"$ {line}\n" in text
    assert "Spinal Cord Toolbox (7.4.stand-in)" in text
    assert "# exit status 0" in text
    assert told[0] == ("PMJ", 0, 1)
    assert told[-1] == ("PMJ", 1, 1)
    detect(runner, image, work)
    assert log.read_text().startswith(text)  # added to, not replaced


def test_what_it_prints_is_passed_on_at_debug_level(
    stand_in: StandIn, image: Path, work: Path, caplog: pytest.LogCaptureFixture
) -> None:
    runner = Runner(stand_in.sct, work / "log")
    with caplog.at_level(logging.DEBUG, "sct_rootlets.sct.commands"):
        detect(runner, image, work)
    assert any(record.message.startswith("sct_detect_pmj -i") for record in caplog.records)


def test_settings_of_our_python_do_not_reach_that_of_sct(
    stand_in: StandIn, image: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
        monkeypatch.setenv(name, "/ours")
    detect(Runner(stand_in.sct, work / "log", threads=3), image, work)
    env = stand_in.calls[0]["env"]
    assert env["PYTHONPATH"] is env["PYTHONHOME"] is env["VIRTUAL_ENV"] is None
    assert env["OMP_NUM_THREADS"] == "3"
    # what SCT leaves behind in its temporary folders is in ours, which is removed
    assert env["TMPDIR"] == str(work)
    assert list(work.glob("sct_stand_in_*"))
    assert environment()["PATH"] == os.environ["PATH"]


def test_a_failure_names_command_status_last_lines_and_log(
    stand_in: StandIn, image: Path, work: Path
) -> None:
    stand_in.behave(sct_detect_pmj="fail")
    told: list[tuple[str, int, int]] = []
    log = work / "t2_sct.log"
    with pytest.raises(CommandError) as raised:
        detect(Runner(stand_in.sct, log, None, lambda *step: told.append(step)), image, work)
    error = raised.value
    assert error.status == 1
    assert error.problem == (  # without colours, banner and run time
        "sct_detect_pmj failed with exit status 1: ERROR: the model did not like this image"
    )
    assert "Total runtime" not in str(error)
    assert str(log) in str(error)
    assert "# exit status 1" in log.read_text()
    assert ("PMJ", 1, 1) not in told


def test_only_the_output_of_this_command_is_quoted(
    stand_in: StandIn, image: Path, work: Path
) -> None:
    (work / "log").write_text("$ an earlier one\nwith its own trouble\n")
    (stand_in.bin / "sct_detect_pmj").write_text("#!/bin/sh\necho of this one; exit 2\n")
    with pytest.raises(CommandError, match="failed with exit status 2: of this one"):
        detect(Runner(stand_in.sct, work / "log"), image, work)


def test_a_command_that_is_killed(stand_in: StandIn, image: Path, work: Path) -> None:
    stand_in.behave(sct_detect_pmj="killed")
    with pytest.raises(CommandError, match="was killed, as happens where memory runs out"):
        detect(Runner(stand_in.sct, work / "log"), image, work)


def test_a_command_that_is_not_there_or_cannot_be_started(
    stand_in: StandIn, image: Path, work: Path
) -> None:
    runner = Runner(stand_in.sct, work / "log")
    with pytest.raises(MissingDependencyError, match="has no command sct_nonsense"):
        runner.run("sct_nonsense", [], stage="nonsense", folder=work)
    (stand_in.bin / "sct_detect_pmj").write_text("#!/nowhere/python\n")
    with pytest.raises(RootletsError, match="cannot be started"):
        detect(runner, image, work)


def test_a_log_that_cannot_be_written(stand_in: StandIn, image: Path, work: Path) -> None:
    (work / "log").mkdir()
    with pytest.raises(RootletsError, match="log of SCT's commands cannot be written"):
        detect(Runner(stand_in.sct, work / "log"), image, work)
    assert stand_in.calls == []
