"""The command as a whole: how it starts, fails, and is interrupted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sct_rootlets import __version__
from sct_rootlets.cli import console, levels
from sct_rootlets.cli.main import main
from sct_rootlets.errors import InputError, UsageError

LEVELS = ["levels", "-i", "r.nii.gz", "-s", "c.nii.gz", "-o", "l.nii.gz"]

HEAVY = "numpy nibabel scipy torch safetensors nnunetv2 matplotlib requests filelock tqdm"


@pytest.mark.parametrize(
    "code",
    [
        "import sct_rootlets",
        "import sct_rootlets.cli.main as m; m.get_parser().format_help()",
        "import sct_rootlets.cli.main as m; m.main(['models', 'list'])",
    ],
)
def test_nothing_heavy_is_loaded_for_the_help_and_the_list(code: str, store_home: Path) -> None:
    check = f"import sys; {code}; print('loaded', *set('{HEAVY}'.split()) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded"
    assert not store_home.exists()


def test_the_help_through_the_real_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sct_rootlets", "-h"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    for command in ("run", "segment", "levels", "models", "phantom", "demo"):
        assert f"    {command} " in done.stdout


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["-version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.strip() == __version__


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "COMMANDS" in capsys.readouterr().err


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let the command `levels` fail; the parser takes its `execute` when it is built."""

    def execute(*args: object) -> None:
        raise error

    monkeypatch.setattr(levels, "execute", execute)


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (InputError("is damaged", path="r.nii.gz", remedy="Copy it"), 1, "r.nii.gz: is damaged. C"),
        (UsageError("no disc", remedy="Give -discs"), 2, "no disc. Give -discs"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ZeroDivisionError("oops"), 1, "unexpected ZeroDivisionError: oops"),
    ],
)
def test_errors_become_one_message_and_a_status(
    error: BaseException,
    status: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fail_with(monkeypatch, error)
    assert main(LEVELS) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"sct_rootlets: error: {message}")
    assert "Traceback" not in err


@pytest.mark.parametrize("error", [InputError("is damaged"), ZeroDivisionError("oops")])
def test_the_traceback_is_shown_on_request(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(monkeypatch, error)
    assert main([*LEVELS, "-v", "2"]) == 1
    assert "Traceback" in capsys.readouterr().err
    assert main(LEVELS) == 1
    assert ("-v 2" in capsys.readouterr().err) == isinstance(error, ZeroDivisionError)


def test_warnings_of_the_library_are_shown_unless_silenced(
    capsys: pytest.CaptureFixture[str],
) -> None:
    import logging

    for verbosity, shown in ((0, False), (1, True), (2, True)):
        console.Console(verbosity).configure_logging()
        logging.getLogger("sct_rootlets.levels").warning("C2 was not seen")
        logging.getLogger("sct_rootlets.levels").debug("a detail")
        err = capsys.readouterr().err
        assert ("Warning: C2 was not seen" in err) is shown
        assert ("a detail" in err) is (verbosity == 2)


def test_progress_in_a_log_file_is_one_line_a_stage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with console.Console(1).progress() as progress:
        for done in range(4):
            progress("segmenting", done, 3)
        progress("levels", 1, 1)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["Segmenting", "Levels"]


def test_silence_at_verbosity_0(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = console.Console(0)
    quiet.say("a table")
    quiet.warn("a warning")
    with quiet.progress() as progress:
        progress("segmenting", 1, 1)
    assert capsys.readouterr() == ("", "")


def test_the_fsleyes_line_quotes_and_is_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    line = console.fsleyes_line(tmp_path / "my t2.nii.gz", [(Path("l.nii.gz"), "red", 70)])
    assert line == "fsleyes 'my t2.nii.gz' -cm greyscale l.nii.gz -cm red -a 70.0 &"
    elsewhere = tmp_path.parent / "t2.nii.gz"
    assert console.fsleyes_line(elsewhere, []) == f"fsleyes {elsewhere} -cm greyscale &"
