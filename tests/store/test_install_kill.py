"""Installs that are killed, and many at once: the store stays whole, and nothing blocks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sct_rootlets.engines import load_engine
from sct_rootlets.image import Grid, Image
from sct_rootlets.store import install, locate
from tests.store import killing
from tests.store.server import Server
from tests.store.test_install import listed
from tests.store.tiny import (
    assert_whole,
    entry,
    environment,
    leftovers,
    make_archive,
    write_manifest,
)

PROCESSES = 8

#: Tried by every Python at its start: what file systems and their locks can lack.
WITHOUT = {
    "nothing": "",
    "locks": """
import fcntl

def lies(*arguments, **named):
    with open(LOG, "a") as log:
        log.write("a file lock was asked for")

fcntl.flock = fcntl.lockf = lies
""",
    "hard links": """
import os

def refuses(*arguments, **named):
    raise OSError(95, "Operation not supported")

os.link = refuses
""",
}


@pytest.fixture
def slow_manifest(server: Server, tmp_path: Path) -> Path:
    """Serve archives whose download takes a good part of an install."""
    entries = []
    for version in "123":
        archive = make_archive(tmp_path, int(version), padding=300_000)
        url = server.add(f"/{version}.zip", archive.read_bytes(), pause_s=0.005)
        entries.append(entry(version, [url]))
    return write_manifest(tmp_path / "manifest.json", *entries)


def command(*words: str, store: Path, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sct_rootlets", *words],
        env=environment(store, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


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


#: Kills of each of four tests, which run side by side: most of their time is waiting.
KILLS = 50


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 3))])
def test_installs_killed_at_random_moments(
    slow_manifest: Path, quick_store: Path, seed: int, record_property: pytest.RecordProperty
) -> None:
    pytest.importorskip("nnunetv2")
    before = install(listed(slow_manifest)).sha256
    noise = np.random.default_rng(5).normal(100, 20, (16, 16, 16)).astype(np.float32)
    image = Image(noise, Grid(noise.shape, np.eye(4)))

    def predicted() -> NDArray[np.uint8]:
        model = locate("tiny@1", manifest=slow_manifest)
        return load_engine(model, "cpu", 1, engine="torch").predict(image).rootlets.data

    expected = predicted()
    assert expected.any()
    outcome = killing.kill_many(
        quick_store,
        slow_manifest,
        KILLS,
        seed=seed,
        older_runs=lambda: np.array_equal(predicted(), expected),
    )
    record_property("stages", dict(outcome.stages))
    assert outcome.problems == []
    assert sum(outcome.stages.values()) == KILLS
    # The kills meant something: they struck while it was downloaded, and at other times.
    assert outcome.stages["downloading"] >= KILLS // 10
    assert len(outcome.stages) >= 3
    assert locate("tiny@1", manifest=slow_manifest).sha256 == before


def test_a_real_command_killed_while_it_downloads(
    slow_manifest: Path, store_home: Path, server: Server
) -> None:
    server.files["/2.zip"].pause_s = 0.2
    words = ("models", "install", "tiny@2", "-manifest", str(slow_manifest))
    victim = command(*words, store=store_home)
    part_size = 0
    end = time.monotonic() + 60
    while part_size < 40_000 and time.monotonic() < end:
        part_size = sum(p.stat().st_size for p in store_home.glob("staging/*/archive.part"))
        time.sleep(0.02)
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    assert victim.returncode == -signal.SIGKILL
    assert part_size >= 40_000
    server.files["/2.zip"].pause_s = 0
    server.requests.clear()
    begin = time.monotonic()
    again = command(*words, store=store_home)
    _, err = again.communicate(timeout=60)
    assert again.returncode == 0, err
    assert time.monotonic() - begin < 20  # the claim of a dead process is not waited for
    assert server.asked("/2.zip")[0]["range"].startswith("bytes=")
    assert assert_whole(store_home) == ["tiny@2"]
    assert leftovers(store_home) == []


@pytest.mark.parametrize("missing", WITHOUT)
def test_many_processes_install_one_model_at_once(
    slow_manifest: Path, store_home: Path, server: Server, tmp_path: Path, missing: str
) -> None:
    """No file lock is used, so locks that do nothing change nothing; links are not needed."""
    server.files["/2.zip"].pause_s = 0.1
    log = tmp_path / "log.txt"
    folder = tmp_path / "start"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(f"LOG = {str(log)!r}\n{WITHOUT[missing]}")
    path = os.pathsep.join([str(folder), environment(store_home)["PYTHONPATH"]])
    words = ("models", "install", "tiny@2", "-manifest", str(slow_manifest))
    started = [command(*words, store=store_home, PYTHONPATH=path) for _ in range(PROCESSES)]
    for process in started:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        assert "tiny@2 is installed and whole" in out
    assert len(server.asked("/2.zip")) == 1
    assert assert_whole(store_home) == ["tiny@2"]
    assert leftovers(store_home) == []
    assert not log.exists()


def test_many_processes_install_different_versions_at_once(
    slow_manifest: Path, store_home: Path
) -> None:
    references = [f"tiny@{version}" for version in "123"] * 2
    started = [killing.start(store_home, slow_manifest, each) for each in references]
    assert [killing.finish(process) for process in started] == [0] * len(started)
    assert assert_whole(store_home) == ["tiny@1", "tiny@2", "tiny@3"]
    assert leftovers(store_home) == []
