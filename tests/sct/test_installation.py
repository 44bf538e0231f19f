"""Where SCT is: by SCT_DIR, in this environment, by the launcher on the PATH, or nowhere."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sct_rootlets.errors import MissingDependencyError
from sct_rootlets.sct.installation import SctInstallation, find_sct, require_sct
from tests.sct.stand_in import LAUNCHER, StandIn, make_stand_in


@pytest.fixture(autouse=True)
def nothing_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the SCT of whoever runs the tests, if it is on the PATH."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def sct(tmp_path: Path) -> StandIn:
    return make_stand_in(tmp_path / "one", recorder=False)


def on_path(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin:/bin")


def launcher(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sct_deepseg"
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert find_sct() is None
    with pytest.raises(MissingDependencyError, match="SCT_DIR"):
        require_sct()
    for named in ("", "  ", str(tmp_path / "no such folder"), str(tmp_path)):
        monkeypatch.setenv("SCT_DIR", named)
        assert find_sct() is None


def test_by_the_path(sct: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(monkeypatch, sct.environment.folder / "bin")
    found = find_sct()
    assert found == SctInstallation(sct.folder, "7.4.dev0", sct.environment.python, "the PATH")
    assert found.command("sct_maths") == sct.environment.folder / "bin" / "sct_maths"
    assert found.command("sct_no_such_command") is None


def test_in_this_environment(sct: StandIn) -> None:
    code = """
        from sct_rootlets.sct.installation import find_sct
        found = find_sct()
        print(found.folder, found.version, found.python, sep="\\n")
    """
    answer = sct.python(code).stdout.splitlines()
    assert answer == [str(sct.folder), "7.4.dev0", str(sct.environment.python)]


def test_as_sct_s_installer_lays_it_out(
    sct: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = sct.folder / "python" / "envs" / "venv_sct"
    target.parent.mkdir(parents=True)
    target.symlink_to(sct.environment.folder)
    launcher(sct.folder / "bin", "#!/bin/sh\n")
    monkeypatch.setenv("SCT_DIR", str(sct.folder))
    found = require_sct()
    assert (found.python, found.found_by) == (target / "bin" / "python", "SCT_DIR")
    # Its installer copies the launchers; those of the environment are as good.
    assert found.command("sct_deepseg") == target / "bin" / "sct_deepseg"
    (sct.environment.folder / "bin" / "sct_deepseg").unlink()
    assert found.command("sct_deepseg") == sct.folder / "bin" / "sct_deepseg"


def test_a_folder_that_is_named_and_the_python_of_its_launcher(
    sct: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher(sct.folder / "bin", f"#!{sct.environment.python}\n{LAUNCHER}")
    monkeypatch.setenv("SCT_DIR", str(sct.folder))
    found = require_sct()
    assert (found.folder, found.python) == (sct.folder, sct.environment.python)


def test_a_folder_that_is_named_and_the_launcher_of_another_sct(
    sct: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_stand_in(tmp_path / "two", recorder=False)
    other.write("version.txt", "7.0\n")
    on_path(monkeypatch, other.environment.folder / "bin")
    monkeypatch.setenv("SCT_DIR", str(other.folder))
    assert find_sct() == SctInstallation(other.folder, "7.0", other.environment.python, "SCT_DIR")
    # No Python is known that imports the one that is named: the version of one and the Python
    # of the other would be an SCT that does not exist.
    monkeypatch.setenv("SCT_DIR", str(sct.folder))
    assert find_sct() == SctInstallation(other.folder, "7.0", other.environment.python, "the PATH")


def test_what_is_named_and_is_no_sct_is_passed_over(
    sct: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path(monkeypatch, sct.environment.folder / "bin")
    removed = tmp_path / "removed"  # all but the environment
    (removed / "python" / "envs").mkdir(parents=True)
    (removed / "python" / "envs" / "venv_sct").symlink_to(sct.environment.folder)
    for named in (removed, tmp_path / "no such folder"):
        monkeypatch.setenv("SCT_DIR", str(named))
        found = require_sct()
        assert (found.folder, found.found_by) == (sct.folder, "the PATH")


@pytest.mark.parametrize(
    "text",
    [
        "#!{python}\nimport sys\n",
        "#! {python} -E\n",
        "#!/bin/sh\n'''exec' {python} \"$0\" \"$@\"\n' '''\n",
        "#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n",
        "#!/bin/sh\n'''exec' '{python}' \"$0\" \"$@\"\n' '''\n",
        "#!/usr/bin/env python-of-sct\n",
    ],
)
def test_launchers(
    sct: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    python = sct.environment.python
    (python.parent / "python-of-sct").symlink_to(python.name)
    folder = tmp_path / "python" / "launchers"
    launcher(folder, text.format(python=python))
    monkeypatch.setenv("PATH", f"{folder}:{python.parent}:/usr/bin:/bin")
    found = require_sct()
    assert found.folder == sct.folder
    assert found.python.parent == python.parent


def test_a_python_below_a_folder_with_a_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sct = make_stand_in(tmp_path / "My Programs", recorder=False)
    text = f"#!/bin/sh\n'''exec' \"{sct.environment.python}\" \"$0\" \"$@\"\n' '''\n{LAUNCHER}"
    path = launcher(tmp_path / "bin", text)
    on_path(monkeypatch, path.parent)
    assert require_sct().python == sct.environment.python


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x7fELF",
        "#!",
        "#!/bin/sh\necho sct\n",
        "#!/no/such/python\n",
        "#!/usr/bin/env no-such-python\n",
        "#!/usr/bin/env\n",
        f"#!{sys.executable}\n",  # a Python without SCT
    ],
)
def test_a_launcher_that_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    launcher(tmp_path / "bin", text)
    on_path(monkeypatch, tmp_path / "bin")
    assert find_sct() is None


def test_the_current_folder_is_no_environment(
    sct: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A clone of SCT has the name of the package: as a folder without __init__.py ...
    here = tmp_path / "here"
    (here / "spinalcordtoolbox").mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.syspath_prepend(str(here))
    assert find_sct() is None
    on_path(monkeypatch, sct.environment.folder / "bin")
    assert require_sct().folder == sct.folder
    # ... or inside one, with it.
    monkeypatch.chdir(make_stand_in(tmp_path / "clone", recorder=False).folder)
    assert require_sct().folder == sct.folder


def test_no_version_file(sct: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    (sct.folder / "spinalcordtoolbox" / "version.txt").unlink()
    on_path(monkeypatch, sct.environment.folder / "bin")
    assert require_sct().version == "unknown"
