"""The task ``rootlets_levels`` of ``sct_deepseg`` is done by our own command, as a process.

SCT's parser and its ``main`` stay SCT's own for every other task; where the words are for
ours, they are handed over as they were typed, before SCT's parser has looked at them.
"""

from __future__ import annotations

import argparse
import functools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NoReturn

from sct_rootlets.sct.installation import SCT_DIR
from sct_rootlets.sct.task import TASK

__all__ = ["CALLED_AS", "Finished", "hand_over", "return_normally", "run_command", "takes_over"]

#: Environment variable that tells our command what the user typed, for its usage line.
CALLED_AS = "SCT_ROOTLETS_CALLED_AS"

# As 'python -m sct_rootlets', but without the current folder at the front of the path: there,
# among the user's own files, a 'random.py' would be imported in place of Python's.
_PROGRAM = (
    "import sys; sys.path[:] = [folder for folder in sys.path if folder]; "
    "from sct_rootlets.cli.main import main; sys.exit(main())"
)


class Finished(SystemExit):
    """Our command is done, and the process that handed over ends with its status."""


def hand_over(parser_class: type[argparse.ArgumentParser], sct_dir: str) -> Callable[[], None]:
    """Have the words for our task, given to a parser of `sct_deepseg`, run our command.

    Parameters
    ----------
    parser_class : type
        ``SCTArgumentParser`` of SCT.
    sct_dir : str
        Folder of SCT, told to our command where the environment does not.

    Returns
    -------
    callable
        Undoes it.
    """
    original = parser_class.parse_args
    if hasattr(original, "__sct_rootlets__"):  # SCT's list of tasks was imported again
        return lambda: None
    is_own = "parse_args" in vars(parser_class)

    @functools.wraps(original)
    def parse_args(self: Any, args: Any = None, namespace: Any = None) -> Any:
        words = list(sys.argv[1:] if args is None else args)
        if words[:1] == [TASK] and takes_over(self):
            _run_and_finish(words[1:], sct_dir)
        found = original(self, args, namespace)
        if getattr(found, "task", None) == TASK and TASK in words and takes_over(self):
            _run_and_finish(words[words.index(TASK) + 1 :], sct_dir)
        return found

    def undo() -> None:
        if is_own:
            parser_class.parse_args = original  # type: ignore[method-assign]
        else:
            del parser_class.parse_args

    parse_args.__sct_rootlets__ = True  # type: ignore[attr-defined]
    parser_class.parse_args = parse_args  # type: ignore[method-assign]
    return undo


def takes_over(parser: argparse.ArgumentParser) -> bool:
    """Return whether a parser is the one of ``sct_deepseg`` with our task in it."""
    return any(
        isinstance(action, argparse._SubParsersAction) and TASK in action.choices
        for action in parser._actions
    )


def return_normally(script: ModuleType) -> None:
    """Have ``main`` of the module `sct_deepseg` return after our task, as after its own.

    It ends the process only where our command failed.
    """
    original = script.main

    @functools.wraps(original)
    def main(*words: Any, **named: Any) -> Any:
        try:
            return original(*words, **named)
        except Finished as end:
            if end.code:
                raise
            return None

    script.main = main  # type: ignore[attr-defined]


def run_command(words: Sequence[str], sct_dir: str = "") -> int:
    """Run one command of ours in a process of its own, with this Python.

    Parameters
    ----------
    words : sequence of str
        As after ``sct_rootlets``.
    sct_dir : str
        Folder of SCT, for a process whose environment does not have it.

    Returns
    -------
    int
        Its exit status; 128 + N where signal N ended it, as shells have it.
    """
    environment = dict(os.environ)
    environment[CALLED_AS] = "sct_deepseg"
    if sct_dir:
        environment.setdefault(SCT_DIR, sct_dir)
    for stream in (sys.stdout, sys.stderr):  # what SCT has said comes before what we say
        if stream is not None:
            stream.flush()
    with _PassingOn() as signals:
        process = subprocess.Popen([sys.executable, "-c", _PROGRAM, *words], env=environment)
        signals.pass_on_to(process)
        status = process.wait()
    return 128 - status if status < 0 else status


def _run_and_finish(words: Sequence[str], sct_dir: str) -> NoReturn:
    raise Finished(run_command(["deepseg", TASK, *words], sct_dir))


class _PassingOn:
    """Signals that would end this process reach the one it waits for, which may clean up.

    They are taken over before that process starts, so that none comes too early; it starts with
    the handlers of before. A terminal interrupts both processes, so that the first interruption
    is not passed on; who interrupts again, or sends what batch systems send to one process
    alone, is obeyed. Signals that are ignored stay so.
    """

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: list[int] = []
        self._interruptions = 0

    def __enter__(self) -> _PassingOn:
        if threading.current_thread() is threading.main_thread():
            names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
            for number in (getattr(signal, name) for name in names):
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def pass_on_to(self, process: subprocess.Popen[bytes]) -> None:
        """Pass on what comes, and what has come already."""
        self._process = process
        for number in self._waiting:
            process.send_signal(number)

    def _take(self, number: int, _: object) -> None:
        if number == signal.SIGINT:
            self._interruptions += 1
            if self._interruptions == 1:
                return
        if self._process is None:
            self._waiting.append(number)
        else:
            self._process.send_signal(number)
