"""The hook in the SCT of this machine; nothing is written into SCT or its environment.

A scratch environment sees the packages of SCT's, as they are, and has the hook.
"""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

from sct_rootlets.sct.installation import SctInstallation
from tests.sct.scratch_environment import ScratchEnvironment, make_environment
from tests.sct.stand_in import LAUNCHER, REPOSITORY, install_model
from tests.scts import scts_environment

pytestmark = pytest.mark.sct

SCRIPTS = ("sct_deepseg", "sct_maths", "sct_label_utils", "sct_image")


@pytest.fixture(scope="module")
def plain(real_sct: SctInstallation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the environment's folder, with our package and without the hook."""
    folder = tmp_path_factory.mktemp("sct") / "plain"
    return _environment(real_sct, folder).folder


@pytest.fixture(scope="module")
def hooked(real_sct: SctInstallation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same, where the hook was enabled as a user does it."""
    made = _environment(real_sct, tmp_path_factory.mktemp("sct") / "hooked")
    code = "import sys; from sct_rootlets.cli.main import main; sys.exit(main())"
    run(made.folder, "python", "-c", code, "sct", "enable")
    assert (made.purelib / "sct_rootlets_hook.pth").is_file()
    return made.folder


def _environment(sct: SctInstallation, folder: Path) -> ScratchEnvironment:
    packages = [REPOSITORY, Path(sysconfig.get_path("purelib"))]
    made = make_environment(folder, packages, of=sct.python)
    for name in SCRIPTS:
        made.add_script(name, LAUNCHER)
    return made


def _variables(folder: Path) -> dict[str, str]:
    kept = scts_environment()
    return {**kept, "PATH": f"{folder / 'bin'}{os.pathsep}{kept['PATH']}"}


def run(folder: Path, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [folder / "bin" / words[0], *words[1:]],
        env=_variables(folder),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done


@pytest.mark.parametrize("option", ["-h", "-task-details"])
def test_the_task_is_listed_with_its_model(hooked: Path, plain: Path, option: str) -> None:
    done = run(hooked, "sct_deepseg", option)
    text = " ".join(done.stdout.split())
    assert "rootlets_levels" in text
    assert "rootlets@r20250318" in text
    assert "sct_rootlets: warning" not in done.stderr
    before = run(plain, "sct_deepseg", option).stdout
    assert "rootlets_levels" not in before
    # All that SCT has said before it still says, in this order.
    lines = iter(done.stdout.splitlines())
    assert all(line in lines for line in before.splitlines() if "CONTRAST" not in line)


def test_whether_the_model_is_installed(hooked: Path, store_home: Path) -> None:
    code = """
import sys
from spinalcordtoolbox.deepseg import models
(name,) = models.TASKS["rootlets_levels"]["models"]
print(models.is_valid(models.find_model_folder_paths(models.folder(name))))
"""
    words = [hooked / "bin" / "python", "-c", code]
    # A copy of SCT's own would count as well: look where there is none.
    environment = {**_variables(hooked), "SCT_DIR": str(store_home)}

    def shown() -> str:
        return subprocess.check_output(words, env=environment, text=True, timeout=300)

    assert shown() == "False\n"
    install_model(store_home, "rootlets", "r20250318")
    assert shown() == "True\n"


@pytest.mark.parametrize(
    "words",
    ["sct_deepseg rootlets -h", "sct_deepseg spinalcord -h", "sct_maths -h", "sct_image -h"],
)
def test_other_tasks_and_commands_are_unchanged(hooked: Path, plain: Path, words: str) -> None:
    with_hook, without = run(hooked, *words.split()), run(plain, *words.split())
    assert with_hook.stdout == without.stdout
    assert with_hook.stderr == without.stderr


def test_a_wrong_task_is_an_error_of_sct(hooked: Path) -> None:
    done = run(hooked, "sct_deepseg", "rootlets_level", status=2)
    assert "invalid choice" in done.stderr


def test_our_command_answers(hooked: Path) -> None:
    done = run(hooked, "sct_deepseg", "rootlets_levels", "-h")
    assert "sct_deepseg rootlets_levels" in done.stdout
    assert "-test-time-aug" in done.stdout


def test_a_program_that_calls_sct_goes_on(hooked: Path) -> None:
    code = """
from spinalcordtoolbox.scripts import sct_deepseg
sct_deepseg.main(["rootlets_levels", "-h"])
print("went on")
"""
    assert run(hooked, "python", "-c", code).stdout.endswith("went on\n")
