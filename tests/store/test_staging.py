from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sct_rootlets.errors import DownloadError, StoreError
from sct_rootlets.store.home import Store, home
from sct_rootlets.store.lock import Lock
from sct_rootlets.store.receipt import Archive, write_receipt
from sct_rootlets.store.staging import Staging, tidy


@pytest.fixture
def store() -> Store:
    own = home()
    own.prepare()
    return own


def staged(store: Store, name: str, *, sidecar: bool = True) -> Path:
    """Make what a dead install leaves."""
    folder = store.staging / name
    (folder / "unpacked").mkdir(parents=True)
    (folder / "archive.part").write_bytes(b"half")
    if sidecar:
        (folder / "archive.part.json").write_text("{}")
    return folder


def model(staging: Staging, content: str = "weights") -> Path:
    folder = staging.folder / "model"
    folder.mkdir()
    (folder / "weights").write_text(content)
    write_receipt(folder, Archive("ab" * 32, 1, "m.zip"), name="tiny", version="1")
    return folder


def test_a_partial_download_without_its_validators_is_worth_nothing(store: Store) -> None:
    staged(store, "tiny@1-dead", sidecar=False)
    with Staging(store, "tiny@1") as staging:
        assert not staging.archive.exists()


def test_what_others_left_is_removed_and_what_they_use_stays(store: Store) -> None:
    staged(store, "tiny@1.5-dead")
    alive = staged(store, "tiny@2-alive")
    with Lock(store.locks / "tiny@2.lock", "tiny@2") as lock:
        lock.take()
        with Staging(store, "tiny@1") as staging:
            assert set(store.staging.iterdir()) == {staging.folder, alive}
    tidy(store)
    assert not alive.exists()
    assert list(store.locks.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "kept"), [(DownloadError("cut"), True), (StoreError("full"), False), (None, False)]
)
def test_what_has_arrived_stays_only_where_it_helps(
    store: Store, error: Exception | None, kept: bool
) -> None:
    def fail() -> None:
        with Staging(store, "tiny@1") as staging:
            staging.keep_archive = True
            staging.archive.write_bytes(b"half")
            if error is not None:
                raise error

    if error is None:
        fail()
    else:
        with pytest.raises(type(error)):
            fail()
    assert bool(list(store.staging.iterdir())) is kept


def test_who_comes_second_leaves_the_model_of_the_first(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another install can appear between the look and the rename."""
    place = store.place("tiny", "1")
    rename = os.rename

    def overtaken(source: Path, target: Path) -> None:
        if Path(target) == place.folder:
            monkeypatch.setattr(os, "rename", rename)
            with Staging(store, "tiny@1") as other:
                rename(model(other, "first"), target)
        rename(source, target)

    with Staging(store, "tiny@1") as staging:
        ours = model(staging, "second")
        aside = store.folder / "aside"
        rename(staging.folder, aside)
        monkeypatch.setattr(os, "rename", overtaken)
        staging.publish(aside / ours.name, place)
    assert (place.folder / "weights").read_text() == "first"


def test_a_folder_of_somebody_else_in_the_way_is_no_success(store: Store) -> None:
    place = store.place("tiny", "1")
    place.folder.mkdir(parents=True)
    (place.folder / "theirs").write_text(json.dumps("kept"))
    with Staging(store, "tiny@1") as staging:
        folder = model(staging)
        with pytest.raises(StoreError, match="tiny"):
            staging.publish(folder, place)
    assert [path.name for path in place.folder.iterdir()] == ["theirs"]
