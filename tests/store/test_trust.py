from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from sct_rootlets.errors import IntegrityError, StoreError
from sct_rootlets.files.outputs import OutputSet
from sct_rootlets.store.receipt import Receipt
from sct_rootlets.store.trust import (
    LOCK,
    TrustRecord,
    read_records,
    record,
    require_trusted,
    tidy_records,
)
from tests.forked import context
from tests.store.tiny import near

FIRST = TrustRecord("aa" * 32, "bb" * 32, "https://example.org/m.zip", "2025-01-01T00:00:00+00:00")
OTHER = TrustRecord("cc" * 32, "dd" * 32, "https://example.org/m.zip", "2025-02-01T00:00:00+00:00")


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "lab" / "models.lock.json"


def test_what_was_seen_is_recorded_once_and_kept(lock: Path) -> None:
    assert read_records(lock) == {}
    record(lock, "tiny@1", FIRST)
    record(lock, "tiny@2", OTHER)
    again = TrustRecord(FIRST.sha256, FIRST.content_sha256, "elsewhere", "later")
    record(lock, "tiny@1", again)
    assert read_records(lock) == {"tiny@1": FIRST, "tiny@2": OTHER}
    assert [path.name for path in lock.parent.iterdir()] == [lock.name]


@pytest.mark.parametrize(
    "other",
    [
        OTHER,
        replace(FIRST, content_sha256=OTHER.content_sha256),
        replace(FIRST, sha256=near(FIRST.sha256)),
        replace(FIRST, content_sha256=near(FIRST.content_sha256)),
    ],
    ids=["both", "the content", "the archive, nearly", "the content, nearly"],
)
def test_a_change_has_to_be_accepted(lock: Path, other: TrustRecord) -> None:
    record(lock, "tiny@1", FIRST)
    with pytest.raises(IntegrityError, match="-accept-change tiny@1"):
        record(lock, "tiny@1", other)
    assert read_records(lock) == {"tiny@1": FIRST}
    receipt = Receipt("tiny", "1", FIRST.sha256, 9, "m.zip", "2025", "0.1", False, {})
    require_trusted(receipt, records=lock)
    record(lock, "tiny@1", other, accepted=True)
    assert read_records(lock) == {"tiny@1": other}
    if other.sha256 != FIRST.sha256:
        with pytest.raises(IntegrityError, match="To install what was recorded"):
            require_trusted(receipt, records=lock)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"format": 1}', '{"format": 1, "models": {"a@1": {}}}']
)
def test_a_damaged_lock_file_is_an_error(lock: Path, content: str) -> None:
    lock.parent.mkdir()
    lock.write_text(content)
    with pytest.raises(StoreError, match=r"models\.lock\.json"):
        read_records(lock)


def test_a_lock_file_that_cannot_be_written_is_an_error_unless_the_hash_was_given(
    lock: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(source: object, target: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "replace", refuses)
    with pytest.raises(StoreError, match=rf"cannot be recorded \(Read-only.*{LOCK}"):
        record(lock, "tiny@1", FIRST)
    assert caplog.messages == []
    record(lock, "tiny@1", FIRST, pinned=True)
    assert "could not be recorded" in caplog.text
    assert list(lock.parent.iterdir()) == []


def _record(path: str, number: int) -> None:
    record(Path(path), f"tiny@{number}", FIRST)


def test_nothing_that_several_processes_record_is_lost(lock: Path) -> None:
    processes = [context.Process(target=_record, args=(str(lock), n)) for n in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert set(read_records(lock)) == {f"tiny@{number}" for number in range(8)}
    assert [path.name for path in lock.parent.iterdir()] == [lock.name]
    assert list(json.loads(lock.read_text())["models"]) == sorted(read_records(lock))


def test_what_a_dead_process_left_is_tidied(lock: Path) -> None:
    record(lock, "tiny@1", FIRST)
    OutputSet().stage(lock).write_text("{")
    left = lock.with_name(f"{lock.name}.lock")
    left.write_text("")
    tidy_records(lock)
    assert left.exists()  # nobody knows yet that its owner is gone
    os.utime(left, (1, 1))
    tidy_records(lock)
    assert [path.name for path in lock.parent.iterdir()] == [lock.name]
