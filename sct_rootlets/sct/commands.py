"""One command of SCT: run in its own environment, shown, logged, stopped with us.

SCT's launchers start further processes, and those start programs of their own. All of them
are one group here, so that an interruption leaves none of them behind.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from sct_rootlets.errors import MissingDependencyError, RootletsError
from sct_rootlets.sct.installation import SctInstallation, run_python

if TYPE_CHECKING:
    from sct_rootlets.engines import Progress

__all__ = ["CommandError", "Runner", "environment", "state_of_tasks"]

logger = logging.getLogger(__name__)

#: Settings of the Python that runs us; SCT's Python is another one.
_OUR_PYTHON = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONEXECUTABLE",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
)
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")

_OTHER_SCT = "Install SCT again, or set SCT_DIR to another one"

_LOOK_EVERY_S = 0.2
#: How long a command that was told to end may take to do so.
_GRACE_S = 3.0
#: What is quoted of the output of a command that failed.
_QUOTED_LINES, _QUOTED_LETTERS = 3, 300
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
#: What SCT prints after everything else, and nobody asks for.
_CHATTER = ("Total runtime",)

#: Asks SCT, in its own Python, which tasks it has, and whether it would download their models.
#: Of the states of several models the one that sorts last is the worst.
_ASK_TASKS = """
import json, logging, sys
logging.disable(logging.CRITICAL)
from spinalcordtoolbox.deepseg import models

def state(name):
    folder = models.folder(name)
    if not models.is_valid(models.find_model_folder_paths(folder)):
        return "missing"
    return "installed" if models.is_up_to_date(folder) else "old"

tasks = {task: models.TASKS[task]["models"] for task in sys.argv[1:] if task in models.TASKS}
print(json.dumps({task: max(map(state, names)) for task, names in tasks.items()}))
"""


class CommandError(RootletsError):
    """A command of SCT that ended with another status than 0.

    Attributes
    ----------
    status : int
        Its exit status; negative, the signal that ended it.
    """

    def __init__(self, problem: str, status: int, *, remedy: str) -> None:
        self.status = status
        super().__init__(problem, remedy=remedy)


def environment(threads: int | None = None, temporary: Path | None = None) -> dict[str, str]:
    """Return the environment variables for a process of SCT.

    Parameters
    ----------
    threads : int, optional
        Processor threads; without it SCT chooses.
    temporary : Path, optional
        Where it puts its temporary folders, which it leaves behind where it fails.
    """
    variables = {name: text for name, text in os.environ.items() if name not in _OUR_PYTHON}
    # Lines reach the log when they are printed, and a bar drawn into a file is noise.
    variables |= {"PYTHONUNBUFFERED": "1", "SCT_PROGRESS_BAR": "off"}
    if threads is not None:
        variables |= dict.fromkeys(_THREADS, str(threads))
    if temporary is not None:
        variables["TMPDIR"] = str(temporary)
    return variables


def state_of_tasks(sct: SctInstallation, tasks: Collection[str]) -> dict[str, str] | None:
    """Ask SCT whether tasks of ``sct_deepseg`` would download their model.

    Returns
    -------
    dict of str to str, or None
        By task ``"installed"``, ``"missing"``, or ``"old"``: there, and not what this SCT would
        download. Tasks that it does not have are left out. None if it did not answer.
    """
    try:
        answer = run_python(sct.python, "-c", _ASK_TASKS, *tasks, env=environment(), timeout_s=120)
        answer.check_returncode()
        found: dict[str, str] = json.loads(answer.stdout.strip().splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        logger.debug("%s did not say which tasks it has: %s", sct.python, error)
        return None
    return found


@dataclass(frozen=True)
class Runner:
    """Runs commands of one SCT, with one log.

    Attributes
    ----------
    sct : SctInstallation
    log : Path
        Every command line and all that it prints are added to this file.
    threads : int, optional
        As :func:`environment` takes it.
    progress : callable, optional
        Called as ``progress(stage, done, total)``, several times a second.
    show : callable, optional
        Is given every command line before it starts.
    """

    sct: SctInstallation
    log: Path
    threads: int | None = None
    progress: Progress | None = None
    show: Callable[[str], None] | None = None

    def run(
        self, name: str, options: Sequence[str | os.PathLike[str]], *, stage: str, folder: Path
    ) -> None:
        """Run one command and wait for it.

        Parameters
        ----------
        name : str
            Such as ``"sct_detect_pmj"``.
        options : sequence of str or path-like
            Words after it.
        stage : str
            What is done, for `progress`.
        folder : Path
            Where it runs and puts its temporary folders.

        Raises
        ------
        MissingDependencyError
            If this SCT has no such command.
        CommandError
            If it fails.
        RootletsError
            If it cannot be started, or the log not be written.
        """
        launcher = self.sct.command(name)
        if launcher is None:
            raise MissingDependencyError(
                f"SCT {self.sct.version} has no command {name}",
                path=self.sct.folder,
                remedy=_OTHER_SCT,
            )
        words = [str(launcher), *(os.fspath(option) for option in options)]
        if self.show is not None:
            self.show(shlex.join(words))
        with (
            self._open_log() as stream,
            self.log.open(encoding="utf-8", errors="replace", newline="\n") as printed,
        ):
            self._begin(stream, words, folder)
            begin = printed.seek(0, os.SEEK_END)
            status: int | None = None
            start = time.perf_counter()
            try:
                status = self._wait(words, folder, stream, printed, stage)
            finally:
                end = "interrupted" if status is None else f"exit status {status}"
                printed.seek(begin)
                output = _plain(printed.read())
                stream.write(f"# {end}, {time.perf_counter() - start:.1f} s\n\n")
        if status:
            raise CommandError(
                f"{_called(name, options)} {_ended(status)}{_quoted(output)}",
                status,
                remedy=f"All it printed is in {self.log}",
            )

    def _open_log(self) -> TextIO:
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            return self.log.open("a", encoding="utf-8")
        except OSError as error:
            raise RootletsError(
                f"the log of SCT's commands cannot be written ({error.strerror})",
                path=self.log,
                remedy="Choose another folder for the results",
            ) from error

    def _begin(self, stream: TextIO, words: list[str], folder: Path) -> None:
        """Write to the log what is run, so that it can be run again from there."""
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        stream.write(f"# {now}, SCT {self.sct.version} in {self.sct.folder}, run in {folder}\n")
        stream.write(f"$ {shlex.join(words)}\n")
        stream.flush()

    def _wait(
        self, words: list[str], folder: Path, stream: TextIO, printed: TextIO, stage: str
    ) -> int:
        """Run `words` with `stream` as output until they end, and return their exit status."""
        try:
            # A session of its own: whatever interrupts us reaches all of it, through us.
            process = subprocess.Popen(
                words,
                cwd=folder,
                env=environment(self.threads, folder),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise RootletsError(
                f"cannot be started ({error.strerror})", path=words[0], remedy=_OTHER_SCT
            ) from error
        tell = self.progress or (lambda stage, done, total: None)
        status: int | None = None
        try:
            while status is None:
                tell(stage, 0, 1)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    status = process.wait(timeout=_LOOK_EVERY_S)
                if logger.isEnabledFor(logging.DEBUG):
                    for line in _plain(printed.read()):
                        logger.debug("%s", line)
        except BaseException:
            _stop(process)
            raise
        if status == 0:
            tell(stage, 1, 1)
        return status


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it has started."""
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        try:
            if hasattr(os, "killpg"):
                os.killpg(process.pid, number)
            else:
                process.terminate()
        except ProcessLookupError:
            pass
        try:
            process.wait(timeout=_GRACE_S)
        except subprocess.TimeoutExpired:
            continue


def _ended(status: int) -> str:
    """Say how a command ended, for the message of an error."""
    # A launcher that passes the signal of its child on adds 256, a shell adds 128.
    number = -status if status < 0 else 256 - status if status > 192 else status - 128
    if number == getattr(signal, "SIGKILL", 9):
        return "was killed, as happens where memory runs out"
    if status < 0:
        return f"was ended by signal {-status}"
    return f"failed with exit status {status}"


def _called(name: str, options: Sequence[str | os.PathLike[str]]) -> str:
    """Return a command with its task, if it has one."""
    task = [os.fspath(option) for option in options[:1]]
    return " ".join([name, *(word for word in task if not word.startswith("-"))])


def _quoted(output: Sequence[str]) -> str:
    """Return the end of what a command has printed, on one line, after a colon."""
    # SCT begins with its version and the command line, between two rules.
    begin = max((n for n, line in enumerate(output) if line == "--"), default=-1) + 1
    lines = [line for line in output[begin:] if not line.startswith(_CHATTER)]
    text = " | ".join(lines[-_QUOTED_LINES:])
    if len(text) > _QUOTED_LETTERS:
        text = f"...{text[-_QUOTED_LETTERS:]}"
    return f": {text}" if text else ""


def _plain(text: str) -> list[str]:
    """Return the lines of `text` that are not empty, as a terminal without colours has them."""
    plain = _COLOURS.sub("", text)
    lines = (line.rstrip().rpartition("\r")[2].strip() for line in plain.split("\n"))
    return [line for line in lines if line]
