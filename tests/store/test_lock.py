"""Locks: one owner at a time, and none that is gone blocks."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from sct_rootlets.errors import StoreError
from sct_rootlets.store import lock as locks
from sct_rootlets.store.lock import Lock, sweep
from tests.forked import context

#: A safety net: nothing here takes nearly so long.
AT_LAST_S = 60.0

#: What a lock says that was taken on another machine.
ELSEWHERE = "filelock/2\npid=1\nhost=elsewhere\nmode=lease\ntoken=a\nduration=30.0\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model@1.lock"


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let a lock that has not changed since it was last looked at count as silent, from now on."""
    return lambda: monkeypatch.setattr(locks, "SILENCE_S", -1.0)


def taken_elsewhere(path: Path) -> BaseProcess:
    """Start a process that takes a lock and keeps it."""
    said, says = context.Pipe(duplex=False)
    process = context.Process(target=_keep, args=(path, says), daemon=True)
    process.start()
    assert said.poll(AT_LAST_S)
    assert said.recv()
    return process


def _keep(path: Path, says: Connection) -> None:
    lock = Lock(path, "a model")
    says.send(lock.try_take())
    threading.Event().wait()


def test_a_lock_has_one_owner_and_goes_with_it(path: Path) -> None:
    with Lock(path, "it") as first:
        assert first.take()
        assert f"pid={os.getpid()}\n" in path.read_text()
        assert not Lock(path, "it").try_take()
    assert list(path.parent.iterdir()) == []


def test_one_who_waits_gets_it_after_the_owner(path: Path) -> None:
    first = Lock(path, "it")
    assert first.take()
    looks = iter([bool, first.release])
    with Lock(path, "it") as second:
        assert second.take(until=lambda: bool(next(looks)()))


def test_one_who_waits_stops_when_it_is_not_needed_any_more(path: Path) -> None:
    with Lock(path, "it") as first, Lock(path, "it") as second:
        first.take()
        answers = iter([False, False, True])
        assert second.take(until=lambda: next(answers)) is False
        assert first.path.exists()


def test_the_lock_of_a_killed_process_is_taken_at_once(path: Path) -> None:
    process = taken_elsewhere(path)
    waiting = Lock(path, "it")
    assert not waiting.try_take()
    process.kill()
    process.join()
    with waiting:
        assert waiting.try_take()
    assert list(path.parent.iterdir()) == []


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="only Linux tells zombies apart")
def test_a_process_that_is_dead_and_not_yet_buried_is_dead(path: Path) -> None:
    said, says = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            taken = Lock(path, "it")
            taken.try_take()
            os.write(says, b"taken")
        finally:
            os.kill(os.getpid(), 9)
    assert os.read(said, 5) == b"taken"
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)  # it is dead by now, and stays unburied
    with Lock(path, "it") as waiting:
        assert waiting.try_take()
    os.waitpid(child, 0)
    os.close(said)
    os.close(says)


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="only Linux knows when it began")
def test_another_process_of_the_same_number_is_another(path: Path) -> None:
    with Lock(path, "it") as mine:
        mine.take()
        record = path.read_text()
    path.write_text(record.replace("start=", "start=1"))
    with Lock(path, "it") as waiting:
        assert waiting.try_take()


def test_a_living_process_keeps_its_lock_and_touches_it(
    path: Path, silent: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "BEAT_S", 0.01)
    with Lock(path, "it") as first, Lock(path, "it") as second:
        assert first.take()
        for _ in range(20):
            assert not second.try_take()
            seen, end = path.stat().st_mtime_ns, time.monotonic() + AT_LAST_S
            while path.stat().st_mtime_ns == seen:
                assert time.monotonic() < end
            silent()


@pytest.mark.parametrize(
    "content",
    [
        ELSEWHERE,
        ELSEWHERE.replace("30", "20"),
        ELSEWHERE.replace("lease", "another"),
        "1\nelsewhere\n",  # of a filelock before 3.30
        "",  # of a process that was killed before it wrote
        "{",
        "pid=x\n",
    ],
)
@pytest.mark.parametrize("is_old", [False, True])
def test_what_cannot_be_seen_to_be_dead_is_waited_for_and_then_taken(
    path: Path, content: str, is_old: bool, silent: Callable[[], None]
) -> None:
    path.write_text(content)
    with Lock(path, "it") as waiting:
        assert not waiting.try_take()
        if is_old:
            old = time.time() - locks.OLD_S - 60
            os.utime(path, (old, old))
        else:
            silent()
        assert waiting.try_take()


def test_a_lock_that_cannot_be_made_or_removed_is_named(path: Path, tmp_path: Path) -> None:
    path.mkdir()
    (tmp_path / "file").touch()
    for place in (path, tmp_path / "file" / "model@1.lock"):
        with pytest.raises(StoreError, match=rf"{place.parent.name}.*model@1\.lock.*be locked"):
            Lock(place, "it").take()


def test_who_lost_a_lock_does_not_take_that_of_the_next(path: Path) -> None:
    first = Lock(path, "it")
    first.take()
    path.unlink()
    with Lock(path, "it") as second:
        assert second.take()
        record = path.read_text()
        first.release()
        assert path.read_text() == record


def test_one_who_moves_the_lock_of_a_living_process_by_mistake_puts_it_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between judging a lock and moving it, another process may have taken it over."""
    path.write_text("")
    os.utime(path, (1, 1))
    slow, fast = Lock(path, "it"), Lock(path, "it")
    rename = Path.rename

    def overtaken(self: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", rename)
        assert fast.try_take()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", overtaken)
    with fast:
        assert not slow.try_take()
        assert f"pid={os.getpid()}\n" in path.read_text()
        assert not Lock(path, "it").try_take()
    assert list(path.parent.iterdir()) == []


def _contend(path: Path, log: Path, start: Barrier) -> None:
    start.wait(AT_LAST_S)
    with Lock(path, "it") as lock:
        lock.take()
        with log.open("a") as stream:
            stream.write("in\n")
            stream.flush()
            time.sleep(0.01)
            stream.write("out\n")


@pytest.mark.parametrize("left", ["by a dead process", "empty and old"])
def test_of_twelve_who_find_an_abandoned_lock_one_at_a_time_has_it(path: Path, left: str) -> None:
    if left == "empty and old":
        path.write_text("")
        os.utime(path, (1, 1))
    else:
        dead = taken_elsewhere(path)
        dead.kill()
        dead.join()
    log = path.parent / "log.txt"
    start = context.Barrier(12)
    processes = [
        context.Process(target=_contend, args=(path, log, start), daemon=True) for _ in range(12)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(AT_LAST_S)
        assert process.exitcode == 0
    assert log.read_text().splitlines() == ["in", "out"] * 12
    assert [each.name for each in path.parent.iterdir()] == ["log.txt"]


def test_what_dead_processes_left_beside_locks_is_swept(path: Path) -> None:
    token = "0" * 32
    fresh, old, older = (
        path.with_name(f"{path.name}.{end}.{token}") for end in ("break.1", "break.2", "restore.3")
    )
    for each in (fresh, old, older, path):
        each.touch()
    for each in (old, older, path):
        os.utime(each, (1, 1))
    sweep(path.parent)
    assert set(path.parent.iterdir()) == {fresh, path}
