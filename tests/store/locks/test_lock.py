"""Claims: one owner at a time, and none that is gone blocks."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sct_rootlets.errors import StoreError
from sct_rootlets.store.locks import lock as claims
from sct_rootlets.store.locks.lock import Claim, sweep
from sct_rootlets.store.locks.owner import host, host_word, process_state, read_owner
from tests.store.tiny import environment

TAKE = """
import sys, time
from pathlib import Path
from sct_rootlets.store.locks.lock import Claim
claim = Claim(Path(sys.argv[1]), "a model")
assert claim.try_take()
print("taken", flush=True)
time.sleep(600)
"""


def taken_elsewhere(path: Path) -> subprocess.Popen[str]:
    """Start a process that takes a claim and keeps it."""
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE, str(path)],
        env=environment(path.parent),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "taken\n"
    return process


def write_claim(path: Path, **changes: object) -> None:
    """Write the claim of a process of this machine, with changes."""
    content = {"token": "t", "host": host(), "pid": os.getpid(), "started": ""}
    path.write_text(json.dumps({**content, **changes}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model@1.claim"


def test_a_claim_has_one_owner_and_goes_with_it(path: Path) -> None:
    with Claim(path, "it") as first:
        assert first.take()
        owner = read_owner(path)
        assert owner is not None
        assert (owner.pid, owner.token) == (os.getpid(), first.token)
        assert not Claim(path, "it").try_take()
    assert list(path.parent.iterdir()) == []


def test_one_who_waits_gets_it_after_the_owner(path: Path) -> None:
    first = Claim(path, "it")
    assert first.take()
    threading.Timer(0.3, first.give_up).start()
    with Claim(path, "it") as second:
        assert second.take()


def test_one_who_waits_stops_when_it_is_not_needed_any_more(path: Path) -> None:
    with Claim(path, "it") as first, Claim(path, "it") as second:
        first.take()
        answers = iter([False, False, True])
        assert second.take(until=lambda: next(answers)) is False
        assert first.path.exists()


def test_the_claim_of_a_killed_process_is_taken_at_once(path: Path) -> None:
    process = taken_elsewhere(path)
    waiting = Claim(path, "it")
    assert not waiting.try_take()
    process.kill()
    process.wait()
    with waiting:
        assert waiting.try_take()
    assert list(path.parent.iterdir()) == []


@pytest.mark.skipif(not process_state(os.getpid())[0], reason="only Linux tells zombies apart")
def test_a_process_that_is_dead_and_not_yet_buried_is_dead(path: Path) -> None:
    process = taken_elsewhere(path)
    process.kill()
    end = time.monotonic() + 10
    with Claim(path, "it") as waiting:
        while not waiting.try_take():
            assert time.monotonic() < end
            time.sleep(0.05)
    process.wait()


@pytest.mark.skipif(not process_state(os.getpid())[1], reason="only Linux tells when one started")
def test_another_process_of_the_same_number_is_another(path: Path) -> None:
    write_claim(path, started="1")
    with Claim(path, "it") as waiting:
        assert waiting.try_take()


def test_a_living_process_keeps_its_claim_and_beats(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "BEAT_S", 0.05)
    monkeypatch.setattr(claims, "SILENCE_S", 0.5)
    with Claim(path, "it") as first, Claim(path, "it") as second:
        assert first.take()
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            assert not second.try_take()
            time.sleep(0.02)


def test_a_silent_owner_elsewhere_loses_its_claim(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "SILENCE_S", 0.4)
    write_claim(path, host="another machine", pid=1)
    begin = time.monotonic()
    with Claim(path, "it") as waiting:
        assert not waiting.try_take()
        assert waiting.take()
    assert time.monotonic() - begin > 0.4


def test_an_old_claim_from_elsewhere_is_not_waited_for(path: Path) -> None:
    write_claim(path, host="another machine", pid=1)
    with Claim(path, "it") as waiting:
        assert not waiting.try_take()
        old = time.time() - claims.OLD_S - 60
        os.utime(path, (old, old))
        assert waiting.try_take()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"token": 1}', '{"pid": "x"}'])
def test_a_damaged_claim_is_waited_for_and_then_taken(
    path: Path, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "SILENCE_S", 0.2)
    path.write_text(content)
    with Claim(path, "it") as waiting:
        assert not waiting.try_take()
        assert waiting.take()


def test_a_claim_that_cannot_be_read_or_removed_is_named_after_a_while(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(self: Path, target: Path) -> Path:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(claims, "SILENCE_S", 0.2)
    monkeypatch.setattr(Path, "rename", forbidden)
    path.mkdir()
    waiting = Claim(path, "it")
    assert not waiting.try_take()
    with pytest.raises(StoreError, match=r"model@1\.claim.*cannot be removed"):
        waiting.take()


def test_who_lost_a_claim_does_not_take_that_of_the_next(path: Path) -> None:
    first = Claim(path, "it")
    first.take()
    path.unlink()
    with Claim(path, "it") as second:
        assert second.take()
        first.give_up()
        owner = read_owner(path)
        assert owner is not None
        assert owner.token == second.token


def test_one_who_moves_the_claim_of_a_living_process_by_mistake_puts_it_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between judging a claim and moving it, another process may have taken it over."""
    write_claim(path, started="1", token="dead")
    slow, fast = Claim(path, "it"), Claim(path, "it")
    rename = Path.rename

    def overtaken(self: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", rename)
        assert fast.try_take()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", overtaken)
    with fast:
        assert not slow.try_take()
        owner = read_owner(path)
        assert owner is not None
        assert owner.token == fast.token
    assert list(path.parent.iterdir()) == []


def contend(path: str, log: str, start: float) -> None:
    time.sleep(max(0.0, start - time.time()))
    with Claim(Path(path), "it") as claim:
        claim.take()
        with open(log, "a") as stream:
            stream.write("in\n")
            stream.flush()
            time.sleep(0.02)
            stream.write("out\n")


def test_of_many_who_find_an_abandoned_claim_one_at_a_time_has_it(path: Path) -> None:
    log = path.parent / "log.txt"
    write_claim(path, started="1")
    context = multiprocessing.get_context("forkserver")
    start = time.time() + 2
    processes = [
        context.Process(target=contend, args=(str(path), str(log), start)) for _ in range(12)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert log.read_text().splitlines() == ["in", "out"] * 12
    assert [left.name for left in path.parent.iterdir()] == ["log.txt"]


def test_what_dead_processes_left_beside_claims_is_swept(path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    dead = path.with_name(f"{path.name}.{host_word()}-{process.pid}-abc")
    mine = path.with_name(f"{path.name}.{host_word()}-{os.getpid()}-abc")
    foreign = path.with_name(f"{path.name}.00000000-1-abc")
    old = path.with_name(f"{path.name}.00000000-2-abc")
    for each in (dead, mine, foreign, old, path):
        each.touch()
    os.utime(old, (1, 1))
    sweep(path.parent)
    assert set(path.parent.iterdir()) == {mine, foreign, path}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="none"):
        Claim(tmp_path / "none" / "model@1.claim", "it").try_take()
