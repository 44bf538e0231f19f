"""What a process that was killed leaves, and what becomes of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sct_rootlets.files import leftovers
from sct_rootlets.files.leftovers import hidden, new_contents, sweep


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process taken for one that died."""
    monkeypatch.setattr(leftovers, "_is_alive", lambda process: process != os.getpid())


def test_a_hidden_name_is_new_and_keeps_what_writers_go_by(tmp_path: Path) -> None:
    image = tmp_path / f"{'é' * 120}.nii.gz"
    first, second = hidden(image), hidden(image)
    assert first != second
    assert first.parent == tmp_path
    assert first.name.startswith(".")
    assert first.name.endswith(".nii.gz")
    first.write_text("")  # no longer than file systems have names
    assert not hidden(tmp_path / "t2.json").name.endswith(".json")


def test_new_contents_have_the_names_that_they_will_have(tmp_path: Path) -> None:
    for name in ("t2.json", "t2.nii.gz"):
        hidden(tmp_path / name).write_text("")
    hidden(tmp_path / "old.json", replaced=True).write_text("")
    (tmp_path / ".hidden.json").write_text("")
    assert sorted(new_contents(tmp_path).values()) == ["t2.json", "t2.nii.gz"]
    assert new_contents(tmp_path / "missing") == {}


def test_only_what_the_dead_of_this_machine_left_is_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = hidden(tmp_path / "t2.json")
    theirs = mine.with_name(mine.name.replace(f"-{os.getpid()}-", "-99999999-"))
    elsewhere = theirs.with_name(".ffffff" + theirs.name[7:])
    others = [tmp_path / name for name in (".hidden", "t2.json", ".123-abc-t2.json.part")]
    for path in (mine, theirs, elsewhere, *others):
        path.write_text("")
    sweep(tmp_path)
    assert not theirs.exists()
    assert all(path.exists() for path in (mine, elsewhere, *others))
    sweep(tmp_path / "missing")


@pytest.mark.parametrize("name", ["t2.tsv", "t2.nii.gz"])
def test_the_only_copy_of_a_file_is_put_back(name: str, dead: None, tmp_path: Path) -> None:
    kept, new = hidden(tmp_path / name, replaced=True), hidden(tmp_path / name)
    kept.write_text("old")
    new.write_text("new")
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "old"
    kept.write_text("older")
    sweep(tmp_path)
    assert (tmp_path / name).read_text() == "old"
    assert not kept.exists()


def test_a_copy_whose_name_is_not_known_stays(dead: None, tmp_path: Path) -> None:
    kept = hidden(tmp_path / f"{'x' * 60}.tsv", replaced=True)
    kept.write_text("the only one")
    sweep(tmp_path)
    assert kept.read_text() == "the only one"
