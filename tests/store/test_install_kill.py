"""Installs that are killed, and many at once: the store stays whole, and nothing blocks."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sct_rootlets.engines import load_engine
from sct_rootlets.image import Grid, Image
from sct_rootlets.store import install, locate
from sct_rootlets.store import lock as locks
from tests.store.killing import AT_LAST_S, Installer, listed
from tests.store.server import Fault, Server
from tests.store.tiny import (
    assert_whole,
    entry,
    environment,
    leftovers,
    make_archive,
    remove_installed,
    write_manifest,
)

PROCESSES = 12

#: Spread over the steps of an install; with as many as there are, each has been tried.
KILLS = 24


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return archives that arrive in several parts."""
    folder = tmp_path_factory.mktemp("larger")
    made = {n: make_archive(folder, int(n), padding=300_000) for n in "123"}
    return {version: path.read_bytes() for version, path in made.items()}


@pytest.fixture
def large_manifest(server: Server, tmp_path: Path, larger: dict[str, bytes]) -> Path:
    entries = [entry(n, [server.add(f"/{n}.zip", content)]) for n, content in larger.items()]
    return write_manifest(tmp_path / "manifest.json", *entries)


@pytest.fixture
def quick_store(store_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a store in memory where the system has one.

    An install spends most of its time waiting for the disk, which is there against power
    cuts: what is written survives a kill in either place.
    """
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield store_home
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        monkeypatch.setenv("SCT_ROOTLETS_HOME", folder)
        yield Path(folder)


@pytest.mark.slow
def test_an_install_killed_before_any_of_its_steps(
    large_manifest: Path,
    quick_store: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At every third of these steps another version is installed meanwhile."""
    pytest.importorskip("nnunetv2")
    before = install(listed(large_manifest)).sha256
    noise = np.random.default_rng(5).normal(100, 20, (16, 16, 16)).astype(np.float32)
    image = Image(noise, Grid(noise.shape, np.eye(4)))

    def predicted() -> NDArray[np.uint8]:
        model = locate("tiny@1", manifest=large_manifest)
        return load_engine(model, "cpu", 1, engine="torch").predict(image).rootlets.data

    expected = predicted()
    assert expected.any()
    for _ in range(2):  # the first one also records what it saw
        whole = Installer(quick_store, large_manifest, "tiny@2")
        assert whole.finish() == 0
        remove_installed("tiny", "2")
    steps = whole.steps()
    for number, at in enumerate(np.unique(np.linspace(1, steps, min(KILLS, steps), dtype=int))):
        other = Installer(quick_store, large_manifest, "tiny@3") if number % 3 == 0 else None
        victim = Installer(quick_store, large_manifest, "tiny@2", kill_at=int(at))
        assert victim.finish() == -signal.SIGKILL
        assert other is None or other.finish() == 0
        assert {"tiny@1"} <= set(assert_whole(quick_store)) <= {"tiny@1", "tiny@2", "tiny@3"}
        with monkeypatch.context() as patched:
            patched.setattr(locks, "LOOK_S", -1)  # to wait for the dead would be an error
            install(listed(large_manifest, "tiny@2"))
        there = ["tiny@1", "tiny@2"] if other is None else ["tiny@1", "tiny@2", "tiny@3"]
        assert assert_whole(quick_store) == there
        assert leftovers(quick_store) == []
        for reference in there[1:]:
            remove_installed(*reference.split("@"))
    assert np.array_equal(predicted(), expected)
    assert locate("tiny@1", manifest=large_manifest).sha256 == before


def test_a_real_command_killed_while_it_downloads(
    large_manifest: Path, store_home: Path, server: Server
) -> None:
    server.files["/2.zip"].faults.append(Fault(stall_after=100_000))
    words = ("models", "install", "tiny@2", "-manifest", str(large_manifest))
    command = [sys.executable, "-m", "sct_rootlets", *words]
    victim = subprocess.Popen(command, env=environment(store_home), stderr=subprocess.DEVNULL)
    part_size, end = 0, time.monotonic() + AT_LAST_S
    while part_size < 40_000 and time.monotonic() < end:
        part_size = sum(p.stat().st_size for p in store_home.glob("staging/*/archive.part"))
        time.sleep(0.02)
    victim.send_signal(signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    assert part_size >= 40_000
    server.requests.clear()
    again = subprocess.run(
        command, env=environment(store_home), capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stderr
    assert "waiting" not in again.stderr  # the lock of a dead process is not waited for
    assert server.asked("/2.zip")[0]["range"].startswith("bytes=")
    assert assert_whole(store_home) == ["tiny@2"]
    assert leftovers(store_home) == []


def nothing() -> None:
    """Take nothing away."""


def locks_of_files() -> None:
    """Let the locks of the system end whoever asks for one."""

    def ends(*arguments: object, **named: object) -> None:
        os._exit(9)

    fcntl.flock = fcntl.lockf = ends


def hard_links() -> None:
    """Refuse hard links, as some file systems do."""

    def refuses(*arguments: object, **named: object) -> None:
        raise OSError(95, "Operation not supported")

    os.link = refuses


@pytest.mark.slow
@pytest.mark.parametrize("without", [nothing, locks_of_files, hard_links])
def test_many_processes_install_one_model_at_once(
    large_manifest: Path, quick_store: Path, server: Server, without: Callable[[], None]
) -> None:
    """No lock of the system is used, and no link is needed."""
    gate = server.files["/2.zip"].gate
    gate.clear()
    started = [
        Installer(quick_store, large_manifest, "tiny@2", without=without) for _ in range(PROCESSES)
    ]
    gate.set()
    assert [each.finish() for each in started] == [0] * PROCESSES
    assert len(server.asked("/2.zip")) == 1
    assert assert_whole(quick_store) == ["tiny@2"]
    assert leftovers(quick_store) == []


def test_many_processes_install_different_versions_at_once(
    large_manifest: Path, quick_store: Path
) -> None:
    started = [Installer(quick_store, large_manifest, f"tiny@{n}") for n in "123123"]
    assert [each.finish() for each in started] == [0] * len(started)
    assert assert_whole(quick_store) == ["tiny@1", "tiny@2", "tiny@3"]
    assert leftovers(quick_store) == []
