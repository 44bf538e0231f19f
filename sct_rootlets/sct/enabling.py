"""Enable, disable and look at the hook in SCT's environment: one ``.pth`` file, and no more.

What is true of SCT's environment only its own Python knows, so that it is asked in a process
of its own, whichever environment this is.
"""

from __future__ import annotations

import enum
import json
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import sct_rootlets
from sct_rootlets.errors import RootletsError
from sct_rootlets.files.outputs import OutputSet
from sct_rootlets.sct.hook import HOOK_VERSION
from sct_rootlets.sct.installation import SctInstallation, run_python
from sct_rootlets.sct.task import TASK
from sct_rootlets.sct.task_entries import MARK

__all__ = [
    "HOOK_FILE",
    "Environment",
    "HookState",
    "ask",
    "disable",
    "enable",
    "hook_line",
    "install_commands",
    "why_no_task",
]

#: The file in the site-packages of SCT's environment. Python reads those in the order of their
#: names, so that this one comes after the ones by which packages under development are found.
HOOK_FILE = "sct_rootlets_hook.pth"

#: SCT can be on the slow disk of a cluster.
_TIMEOUT_S = 300

# The folder that a user happens to be in is no part of an environment.
_HEAD = "import sys; sys.path[:] = [folder for folder in sys.path if folder]\n"
_QUESTION = (
    _HEAD
    + """
import json, os, sysconfig
answer = dict(version="", folder="", hook_version=0, problem="")
answer["purelib"] = sysconfig.get_paths()["purelib"]
try:
    import sct_rootlets
    answer.update(version=sct_rootlets.__version__, folder=os.path.dirname(sct_rootlets.__file__))
    from sct_rootlets.sct.hook import HOOK_VERSION
    answer["hook_version"] = HOOK_VERSION
except Exception as error:
    if answer["version"] or getattr(error, "name", "") != "sct_rootlets":
        answer["problem"] = f"{type(error).__name__}: {error}"
print("\\n" + json.dumps(answer))
"""
)
_CHECK = (
    _HEAD
    + f"""
from spinalcordtoolbox.deepseg import models
sys.exit(0 if {MARK!r} in models.TASKS.get({TASK!r}, ()) else 3)
"""
)


class HookState(enum.Enum):
    """What the hook in SCT's environment is; the values are for messages."""

    DISABLED = "disabled"
    ENABLED = "enabled"
    OTHER_VERSION = "of another version"
    ORPHANED = "enabled, but sct_rootlets is not there any more"


@dataclass(frozen=True)
class Environment:
    """SCT's environment, as its own Python describes it.

    Attributes
    ----------
    python : Path
    purelib : Path
        Its site-packages.
    version : str
        Of the sct_rootlets that it imports; empty where it finds none.
    folder : str
        Of that package.
    hook_version : int
        Of that package's hook; 0 where it has none.
    problem : str
        Why that package cannot be imported.
    """

    python: Path
    purelib: Path
    version: str
    folder: str
    hook_version: int
    problem: str

    @property
    def hook_file(self) -> Path:
        """Where the hook is, or would be."""
        return self.purelib / HOOK_FILE

    @property
    def hook(self) -> HookState:
        """What the hook is."""
        try:
            text = self.hook_file.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return HookState.DISABLED
        except OSError as error:
            raise RootletsError(
                f"cannot be read ({error.strerror})", path=self.hook_file
            ) from error
        if not self.version:
            return HookState.ORPHANED
        if text != hook_line(self.hook_version):
            return HookState.OTHER_VERSION
        return HookState.ENABLED


def hook_line(version: int = HOOK_VERSION) -> str:
    r"""Return what the ``.pth`` file holds.

    Python executes a line that starts with ``import``. Where the package is gone or broken it
    is silent: it runs at the start of every Python of SCT's environment, and what is missing
    is said where it matters, by `sct_deepseg`.

    Examples
    --------
    >>> hook_line(1).startswith("import ") and hook_line(1).count("\n") == 1
    True
    """
    code = (
        "try:\\n from sct_rootlets.sct.hook import install"
        f"\\n install({version})\\nexcept Exception:\\n pass"
    )
    return f'import sys; exec("{code}")\n'


def ask(sct: SctInstallation) -> Environment:
    """Ask SCT's Python what is in its environment.

    Raises
    ------
    RootletsError
        If it gives no answer.
    """
    done = _run(sct.python, _QUESTION)
    try:
        answer = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise RootletsError(
            f"SCT's Python does not work ({_last_line(done.stderr) or 'no answer'})",
            path=sct.python,
        ) from error
    return Environment(sct.python, Path(answer.pop("purelib")), **answer)


def enable(sct: SctInstallation) -> Path:
    """Add the hook to SCT's environment, and see that SCT then has the task.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    RootletsError
        If this package is not in SCT's environment, in which case the commands to type are
        named; if the file cannot be written; or if SCT does not have the task with it, in
        which case it is removed again.
    """
    there = ask(sct)
    if not there.version or there.problem:
        problem = f" ({there.problem})" if there.problem else ""
        raise RootletsError(
            f"sct_rootlets is not installed in SCT's environment{problem}",
            path=there.purelib,
            remedy="Type:\n  " + "\n  ".join(install_commands(sct)),
        )
    if there.hook_version != HOOK_VERSION:
        raise RootletsError(
            f"SCT's environment has sct_rootlets {there.version}, whose hook is another one than "
            f"that of sct_rootlets {sct_rootlets.__version__}, which this is",
            remedy=f"Type: {_enable_command(sct)}",
        )
    _write(there.hook_file, hook_line())
    try:
        problem = why_no_task(sct)
    except BaseException:
        disable(there)
        raise
    if problem:
        disable(there)
        raise RootletsError(
            f"with the hook, SCT {sct.version} does not have the task {TASK}: {problem}",
            remedy="The hook is removed again, and SCT is as it was",
        )
    return there.hook_file


def disable(there: Environment) -> bool:
    """Remove the hook from SCT's environment.

    Returns
    -------
    bool
        Whether there was one.

    Raises
    ------
    RootletsError
        If it cannot be removed.
    """
    try:
        there.hook_file.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise RootletsError(
            f"cannot be removed ({error.strerror})",
            path=there.hook_file,
            remedy="Whoever installed SCT can remove this file",
        ) from error
    return True


def why_no_task(sct: SctInstallation) -> str:
    """Return why SCT does not have our task, empty where it has it; SCT is asked."""
    done = _run(sct.python, _CHECK)
    if done.returncode == 0:
        return ""
    ours = [line for line in done.stderr.splitlines() if line.startswith("sct_rootlets: warning: ")]
    if ours:
        return ours[0].removeprefix("sct_rootlets: warning: ").partition("; sct_deepseg")[0]
    if done.returncode == 3:
        return "its Python did not run the hook"
    return _last_line(done.stderr) or f"its Python ended with status {done.returncode}"


def install_commands(sct: SctInstallation) -> list[str]:
    """Return the commands that install this package in SCT's environment and enable the hook."""
    source = Path(sct_rootlets.__file__).resolve().parents[1]
    what = shlex.quote(str(source)) if (source / "setup.cfg").is_file() else "sct_rootlets"
    return [f"{shlex.quote(str(sct.python))} -m pip install {what}", _enable_command(sct)]


def _enable_command(sct: SctInstallation) -> str:
    return f"{shlex.quote(str(sct.python))} -m sct_rootlets sct enable"


def _run(python: Path, code: str) -> subprocess.CompletedProcess[str]:
    try:
        return run_python(python, "-c", code, timeout_s=_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise RootletsError(f"gave no answer within {_TIMEOUT_S} s", path=python) from error
    except OSError as error:
        raise RootletsError(f"cannot be run ({error.strerror})", path=python) from error


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by all whom the folder is for."""
    try:
        # Under no name in .pth until it is whole: Python may start and read those at any time.
        with OutputSet() as outputs:
            outputs.write(path, text)
    except RootletsError as error:
        raise RootletsError(
            f"the hook {error.problem}",
            path=path,
            remedy="Whoever installed SCT can enable it, or install an SCT of your own",
        ) from error


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return re.sub(r"\s+", " ", lines[-1]) if lines else ""
