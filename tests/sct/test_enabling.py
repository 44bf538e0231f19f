"""``sct_rootlets sct``: what it says, what it writes, and what it takes back."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from sct_rootlets.cli.main import main
from sct_rootlets.sct import enabling
from sct_rootlets.sct.enabling import HOOK_FILE, hook_line
from tests.sct.stand_in import FILES, StandIn, make_stand_in

#: SCT's tasks where one of its own has the name of ours.
OWN_TASK = FILES["deepseg/models.py"].replace('"rootlets": {', '"rootlets_levels": {')


@pytest.fixture
def sct(tmp_path: Path) -> StandIn:
    """Return a stand-in SCT with our package as it is."""
    return make_stand_in(tmp_path, recorder=False)


@pytest.fixture
def reached_by_path(sct: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process find the stand-in by its launcher on the PATH."""
    monkeypatch.setenv("PATH", f"{sct.environment.folder / 'bin'}{os.pathsep}/usr/bin:/bin")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(sct.folder.parent)


def own_files(sct: StandIn) -> list[str]:
    """Return what we have in the site-packages of the stand-in."""
    return sorted(path.name for path in sct.environment.purelib.glob("*rootlets*"))


def flat(text: str) -> str:
    return " ".join(text.split())


def test_enable_and_disable_inside_sct_s_environment(sct: StandIn) -> None:
    assert "hook          disabled" in sct.ours("sct", "status").stdout
    assert str(sct.hook_file) in sct.ours("sct", "enable").stdout
    assert own_files(sct) == [HOOK_FILE]
    assert sct.hook_file.read_text() == hook_line()
    status = sct.ours("sct", "status").stdout
    assert f"SCT           7.4.dev0 in {sct.folder} (found by the environment" in status
    assert f"hook          enabled ({sct.hook_file})" in status
    assert "task          rootlets_levels in sct_deepseg: yes" in status
    assert "model         rootlets@r20250318: not installed" in status
    assert status.endswith("Next, type:\n  sct_rootlets models install rootlets@r20250318\n")
    assert "rootlets_levels" in sct.run("sct_deepseg", "-h").stdout
    sct.ours("sct", "enable")
    assert own_files(sct) == [HOOK_FILE]
    assert str(sct.hook_file) in sct.ours("sct", "disable").stdout
    assert own_files(sct) == []
    assert "There is no hook" in sct.ours("sct", "disable").stdout
    assert "rootlets_levels" not in sct.run("sct_deepseg", "-h").stdout


@pytest.mark.usefixtures("reached_by_path")
def test_from_another_environment(sct: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sct", "enable"]) == 0
    assert sct.hook_file.read_text() == hook_line()
    assert main(["sct", "status"]) == 0
    out = capsys.readouterr().out
    assert f"SCT           7.4.dev0 in {sct.folder} (found by the PATH)" in out
    assert "sct_deepseg: yes" in out
    assert main(["sct", "disable"]) == 0
    assert own_files(sct) == []


@pytest.mark.usefixtures("reached_by_path")
def test_the_commands_to_type_where_we_are_not_in_sct_s_environment(
    sct: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    sct.package.rename(sct.package.with_name("elsewhere"))
    assert main(["sct", "enable"]) == 1
    said = capsys.readouterr().err
    assert "is not installed in SCT's environment" in said
    assert main(["sct", "status"]) == 0
    shown = capsys.readouterr().out
    assert "sct_rootlets  not installed there" in shown
    python = shlex.quote(str(sct.environment.python))
    for text in (said, shown):
        install, then = (line for line in text.splitlines() if f"{python} -m" in line)
        assert "-m pip install " in install
        # The source that is named can be installed.
        assert (Path(shlex.split(install)[-1]) / "setup.cfg").is_file()
        assert then.strip() == f"{python} -m sct_rootlets sct enable"
    assert own_files(sct) == []


def test_no_sct(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", "")
    assert main(["sct", "status"]) == 0
    assert "SCT           not found" in capsys.readouterr().out
    for command in ("enable", "disable"):
        assert main(["sct", command]) == 1
        assert "Set SCT_DIR" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("version.txt", "6.5\n", "SCT 6.5 is too old"),
        ("deepseg/models.py", "raise OSError('a disk')", "OSError: a disk"),
        ("deepseg/models.py", OWN_TASK, "which stays"),
        ("utils/shell.py", "1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_hook_that_sct_does_not_take_is_removed_again(
    sct: StandIn, name: str, text: str, reason: str
) -> None:
    sct.write(name, text)
    assert reason in sct.ours("sct", "enable", status=1).stderr
    assert own_files(sct) == []


@pytest.mark.usefixtures("reached_by_path")
def test_an_interruption_while_it_is_tried_leaves_no_hook(
    sct: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(sct: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(enabling, "why_no_task", interrupt)
    assert main(["sct", "enable"]) == 130
    assert own_files(sct) == []


@pytest.mark.usefixtures("reached_by_path")
def test_site_packages_that_cannot_be_written(
    sct: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*paths: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:  # whoever runs the tests may be allowed everything
        patch.setattr("os.replace", refuse)
        assert main(["sct", "enable"]) == 1
    said = capsys.readouterr().err
    assert f"{sct.hook_file}: the hook cannot be written (Permission denied)" in said
    assert own_files(sct) == []
    sct.hook_file.write_text(hook_line())
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        assert main(["sct", "disable"]) == 1
    assert "cannot be removed (Permission denied)" in capsys.readouterr().err


@pytest.mark.parametrize("version", [0, 7])
def test_a_hook_of_another_version(sct: StandIn, version: int) -> None:
    sct.hook_file.write_text(hook_line(version))
    status = sct.ours("sct", "status").stdout
    assert f"hook          of another version ({sct.hook_file})" in status
    assert f"sct_deepseg: no: the hook is of version {version}, that of this package is 1" in status
    assert "-m sct_rootlets sct enable" in status
    sct.ours("sct", "enable")
    assert sct.hook_file.read_text() == hook_line()
    assert "sct_deepseg: yes" in sct.ours("sct", "status").stdout


@pytest.mark.usefixtures("reached_by_path")
def test_a_package_that_is_gone_or_broken(sct: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    sct.hook_file.write_text(hook_line())
    sct.own("__init__.py", "__version__ = '9'")
    sct.own("sct/hook.py", "def (")
    assert main(["sct", "status"]) == 0
    out = capsys.readouterr().out
    assert f"sct_rootlets  9 in {sct.package}, which cannot be imported (SyntaxError" in out
    assert "sct_deepseg: no" in out
    assert main(["sct", "enable"]) == 1
    assert "SyntaxError" in capsys.readouterr().err
    sct.package.rename(sct.package.with_name("gone"))
    assert main(["sct", "status"]) == 0
    out = capsys.readouterr().out
    assert "hook          enabled, but sct_rootlets is not there any more" in out
    assert main(["sct", "disable"]) == 0
    assert own_files(sct) == []


def test_a_python_that_does_not_work(
    sct: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCT_DIR", str(sct.folder))
    python = sct.folder / "python" / "envs" / "venv_sct" / "bin" / "python"
    python.parent.mkdir(parents=True)
    for text in ("#!/bin/sh\necho broken >&2; exit 3\n", "no program"):
        python.write_text(text)
        python.chmod(0o755)
        for command in ("status", "enable", "disable"):
            assert main(["sct", command]) == 1
            assert str(python) in capsys.readouterr().err


def test_python_runs_the_line_and_says_nothing(sct: StandIn) -> None:
    line = hook_line()
    assert line.startswith("import ")  # or else Python takes it for a folder
    assert line.isascii()
    sct.hook_file.write_text(line)
    done = sct.execute([sct.environment.python, "-v", "-c", "pass"])
    assert "import 'sct_rootlets.sct.hook'" in done.stderr
    assert "Error" not in done.stderr
