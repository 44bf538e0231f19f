"""Installs in processes of their own, which are killed before a step that a test chooses.

A step is a file of the store that is opened, made, moved or removed, or the next eighth of a
download that has arrived. Steps are counted, not timed, so that a busy machine changes nothing.
The processes are forked from one that has imported torch already.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from sct_rootlets.manifest import ModelEntry, load_manifests
from sct_rootlets.store import install
from tests.forked import context

#: What Python tells an audit hook of files: the first argument is a path.
STEPS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree")

#: A safety net: no install takes nearly so long.
AT_LAST_S = 300.0


def listed(manifest: Path, reference: str = "tiny@1") -> ModelEntry:
    found = load_manifests(manifest).find(reference)
    assert found is not None
    return found


class Installer:
    """A process that installs a model of a manifest into a store.

    Parameters
    ----------
    store, manifest : Path
    reference : str
    kill_at : int, optional
        Number of the step before which it kills itself.
    without : callable, optional
        Called there first, to take something away from the system.
    """

    def __init__(
        self,
        store: Path,
        manifest: Path,
        reference: str,
        kill_at: int | None = None,
        without: Callable[[], None] | None = None,
    ) -> None:
        self._said, says = context.Pipe(duplex=False)
        self._process: BaseProcess = context.Process(
            target=_install, args=(store, manifest, reference, kill_at, without, says), daemon=True
        )
        self._process.start()
        says.close()
        assert self._said.poll(AT_LAST_S)
        assert self._said.recv() == "begins"

    def finish(self) -> int | None:
        """Wait for its end; return its exit status."""
        self._process.join(AT_LAST_S)
        return self._process.exitcode

    def steps(self) -> int:
        """Return how many steps it took, after it has finished."""
        steps = self._said.recv()
        assert isinstance(steps, int)
        return steps


def _install(
    store: Path,
    manifest: Path,
    reference: str,
    kill_at: int | None,
    without: Callable[[], None] | None,
    says: Connection,
) -> None:
    os.environ["SCT_ROOTLETS_HOME"] = str(store)
    entry = listed(manifest, reference)
    if without is not None:
        without()
    inside, steps, working = os.fspath(store), 0, threading.get_ident()
    eighth = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if event in STEPS and threading.get_ident() == working:
            named = arguments[0]
            if isinstance(named, (str, os.PathLike)) and os.fspath(named).startswith(inside):
                step()

    def show(name: str, done: int, total: int) -> None:
        nonlocal eighth
        while name.startswith("downloading") and done * 8 > eighth * total:
            eighth += 1
            step()

    says.send("begins")
    sys.addaudithook(hear)
    install(entry, progress=show)
    says.send(steps)
