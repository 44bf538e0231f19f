"""Installs in processes of their own, which tests kill at random moments.

The processes are forked from a server that has imported torch already: otherwise most
kills would strike while Python is still importing.
"""

from __future__ import annotations

import multiprocessing.process
import os
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path

from sct_rootlets.manifest import load_manifests
from sct_rootlets.store import install
from sct_rootlets.store.receipt import is_installed
from tests.forked import context
from tests.store.tiny import assert_whole, leftovers

#: About how long the download takes that tests slow down.
DOWNLOAD_S = 0.15


@dataclass
class Outcome:
    """What the kills met, and what was wrong after them."""

    stages: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def start(store: Path, manifest: Path, reference: str) -> multiprocessing.process.BaseProcess:
    """Start a process that installs a model of a manifest into a store; wait till it begins."""
    begins = context.Event()
    process = context.Process(target=_install, args=(str(store), str(manifest), reference, begins))
    process.start()
    assert begins.wait(120)
    return process


def finish(process: multiprocessing.process.BaseProcess) -> int | None:
    """Wait for a process; return its exit status."""
    process.join(60)
    return process.exitcode


def _install(store: str, manifest: str, reference: str, begins: Event) -> None:
    os.environ["SCT_ROOTLETS_HOME"] = store
    entry = load_manifests(manifest).find(reference)
    assert entry is not None
    begins.set()
    install(entry)


def kill_many(
    store: Path, manifest: Path, count: int, seed: int, older_runs: Callable[[], bool]
) -> Outcome:
    """Kill `count` installs of ``tiny@2`` at random moments, and look at the store after each.

    Every second moment is drawn from the whole of an install, the others from its download.

    ``tiny@1`` is installed and has to stay, and `older_runs` says whether it still predicts what
    it did. At every third kill ``tiny@3`` is being installed as well, by a process that is not
    killed.
    """
    from tests.store.test_install import remove_installed

    rng = random.Random(seed)
    outcome = Outcome()
    lasted_s: list[float] = []

    def install_again() -> int | None:
        process = start(store, manifest, "tiny@2")
        begin = time.perf_counter()
        status = finish(process)
        lasted_s.append(time.perf_counter() - begin)
        return status

    for _ in range(3):
        assert install_again() == 0
        remove_installed("tiny", "2")
    for number in range(count):
        other = start(store, manifest, "tiny@3") if number % 3 == 0 else None
        victim = start(store, manifest, "tiny@2")
        if number % 2:
            time.sleep(rng.uniform(0, statistics.median(lasted_s[-9:])))
        else:  # how much of its time an install downloads depends on the machine
            _wait_for_part(store)
            time.sleep(rng.uniform(0, DOWNLOAD_S))
        victim.kill()
        victim.join()
        outcome.stages[_stage(store)] += 1
        if other is not None and finish(other) != 0:
            outcome.problems.append(f"{number}: the other install failed")
        installed = _whole(store, outcome, number)
        if not installed >= ({"tiny@1"} if other is None else {"tiny@1", "tiny@3"}):
            outcome.problems.append(f"{number}: another version is gone ({installed})")
        if not older_runs():
            outcome.problems.append(f"{number}: the older version predicts something else")
        if install_again() != 0:
            outcome.problems.append(f"{number}: the next install failed")
        elif lasted_s[-1] > 20:
            outcome.problems.append(f"{number}: the next install waited")
        if "tiny@2" not in _whole(store, outcome, number):
            outcome.problems.append(f"{number}: the next install left nothing")
        if leftovers(store):
            outcome.problems.append(f"{number}: left over: {leftovers(store)}")
        remove_installed("tiny", "2")
        if other is not None:
            remove_installed("tiny", "3")
    return outcome


def _wait_for_part(store: Path) -> None:
    end = time.monotonic() + 10
    while not list(store.glob("staging/tiny@2-*/archive.part")) and time.monotonic() < end:
        time.sleep(0.001)


def _whole(store: Path, outcome: Outcome, number: int) -> set[str]:
    try:
        return set(assert_whole(store))
    except AssertionError as error:
        outcome.problems.append(f"{number}: {error}")
        return set()


def _stage(store: Path) -> str:
    """Say how far the killed install of ``tiny@2`` had come."""
    if is_installed(store / "models" / "tiny" / "2"):
        return "installed"
    staged = sorted((store / "staging").glob("tiny@2-*"))
    if not staged:
        return "claimed" if (store / "claims" / "tiny@2.claim").exists() else "not begun"
    if (staged[0] / "model").exists():
        return "moved together"
    if (staged[0] / "unpacked").exists():
        converted = list((staged[0] / "unpacked").rglob("*.safetensors"))
        return "converted" if converted else "unpacking"
    return "downloading" if (staged[0] / "archive.part").exists() else "staged"
