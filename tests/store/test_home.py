from __future__ import annotations

import os
from pathlib import Path

import pytest

from sct_rootlets.errors import StoreError
from sct_rootlets.store.home import HOME, OFFLINE, PATH, home, is_offline, stores


def test_the_home_of_the_environment_comes_before_that_of_the_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME, str(tmp_path / "mine"))
    assert home().folder == tmp_path / "mine"
    monkeypatch.delenv(HOME)
    assert home().folder.name == "sct_rootlets"
    assert home().writable


def test_stores_of_the_path_come_first_once_and_are_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, a, b = (tmp_path / name for name in ("own", "a", "b"))
    monkeypatch.setenv(HOME, str(own))
    monkeypatch.setenv(PATH, os.pathsep.join(map(str, [a, "", b, a, own])))
    assert [(store.folder, store.writable) for store in stores()] == [
        (a, False),
        (b, False),
        (own, True),
    ]


def test_nothing_is_made_by_looking(store_home: Path) -> None:
    assert home().survey() == ([], [])
    assert not store_home.exists()


@pytest.mark.parametrize(
    "word", ["", "..", ".", "a/b", "a@b", "-x", "a b", "x.", "\u00e9", "a" * 101]
)
def test_names_that_are_no_folders_of_a_store_are_refused(word: str) -> None:
    with pytest.raises(StoreError):
        home().place(word, "1")
    with pytest.raises(StoreError):
        home().place("model", word)


def test_a_store_that_cannot_be_made_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(HOME, str(tmp_path / "file" / "store"))
    with pytest.raises(StoreError, match=rf"cannot be written to.*{HOME}.*{PATH}"):
        home().prepare()


def test_places_are_folders_of_versions_only(store_home: Path) -> None:
    for name in ("tiny/1", "tiny/2", "bad name/1"):
        (store_home / "models" / name).mkdir(parents=True)
    for file in ("tiny/readme.txt", "readme.txt"):
        (store_home / "models" / file).touch()
    (store_home / "models" / "tiny" / "lost").symlink_to("nowhere")
    places, closed = home().survey()
    assert [place.reference for place in places] == ["tiny@1", "tiny@2", "tiny@lost"]
    assert closed == []


@pytest.mark.parametrize("link", ["home", "home/models", "home/models/tiny"])
def test_a_link_that_leads_nowhere_is_named(store_home: Path, link: str) -> None:
    path = store_home.parent / link
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to("nowhere")
    places, (error,) = home().survey()
    assert places == []
    assert (error.path, error.problem) == (str(path), "is a link that leads nowhere")


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("true", True), ("", False), ("0", False), ("No", False)]
)
def test_offline_is_asked_for_or_in_the_environment(
    value: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OFFLINE, value)
    assert is_offline() is expected
    assert is_offline(True) is True
    assert is_offline(False) is False
