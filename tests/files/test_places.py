"""Places that files cannot be written to, found out before they are."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sct_rootlets.errors import OutputError, RootletsError, UsageError
from sct_rootlets.files import places
from sct_rootlets.files.outputs import OutputSet
from sct_rootlets.files.places import require_places, try_places
from tests.unprivileged import IS_SUPERUSER, unprivileged


def test_what_can_be_written_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "there.txt").write_text("")
    require_places([tmp_path / "new" / "deep" / "t2.nii.gz", tmp_path / "there.txt"])
    try_places([tmp_path / "new" / "deep" / "t2.nii.gz", tmp_path / "there.txt"])
    assert [path.name for path in tmp_path.iterdir()] == ["there.txt"]


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: path.mkdir(parents=True), "is a folder"),
        (lambda path: path.parent.write_text(""), "is not a folder"),
        (lambda path: path.parent.symlink_to("nowhere"), "is not a folder"),
    ],
)
def test_what_is_in_the_way_is_said(
    make: Callable[[Path], None], problem: str, tmp_path: Path
) -> None:
    make(tmp_path / "out" / "t2.nii.gz")
    with pytest.raises(RootletsError, match=problem) as caught:
        require_places([tmp_path / "out" / "t2.nii.gz"])
    assert isinstance(caught.value, UsageError) == (problem == "is a folder")


@pytest.mark.parametrize(("mode", "below"), [(0o500, ""), (0o600, "deep"), (0, "deep")])
def test_a_folder_without_permission(mode: int, below: str, tmp_path: Path) -> None:
    (tmp_path / "out" / below).mkdir(parents=True)
    target = Path("out", below, "t2.nii.gz")
    with unprivileged(tmp_path):
        Path("out").chmod(mode)
        with pytest.raises(RootletsError, match=r"out: is not writable"):
            require_places([target])
        with pytest.raises(RootletsError, match="folder"), OutputSet() as outputs:
            outputs.write(target, "")
    (tmp_path / "out").chmod(0o700)


@pytest.mark.parametrize("name", ["x" * 256, f"new/{'x' * 256}/t2.txt", "d/" * 2100 + "t2.txt"])
def test_a_name_that_is_too_long(name: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"File name too long.*shorter"):
        require_places([tmp_path / name])


def test_a_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    here.rmdir()
    with pytest.raises(OutputError, match="No such file or directory"):
        try_places([Path("t2.txt")])


@pytest.mark.skipif(not IS_SUPERUSER, reason="only the superuser can make files of others")
def test_a_file_of_somebody_else_in_a_folder_like_tmp(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o777)
    (tmp_path / "shared" / "t2.txt").write_text("")
    (tmp_path / "shared").chmod(0o1777)
    with unprivileged(tmp_path):
        require_places([Path("shared/t2.txt")])
        os.setresuid(0, 0, 0)
        os.chown("shared", 0, -1)
        os.chown("shared/t2.txt", 0, -1)
        os.setresuid(65534, 65534, 0)
        require_places([Path("shared/other.txt")])
        with pytest.raises(RootletsError, match="belongs to another user"):
            require_places([Path("shared/t2.txt")])
    require_places([tmp_path / "shared" / "t2.txt"])


def test_a_file_that_is_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a b.txt"
    target.write_text("")
    mounts = tmp_path / "mountinfo"
    line = "36 35 98:0 /x {} rw - ext4 /dev/sda rw\n"
    monkeypatch.setattr(places, "_MOUNTS", mounts)
    require_places([target])  # no such list: not on Linux
    mounts.write_text(line.format(tmp_path))
    require_places([target])
    mounts.write_text(line.format(os.path.realpath(target).replace(" ", "\\040")))
    with pytest.raises(RootletsError, match="is mounted there by itself"):
        require_places([target])


def test_what_only_an_attempt_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(122, "Disk quota exceeded")

    monkeypatch.setattr(places.os, "open", full)
    require_places([tmp_path / "new" / "t2.txt"])
    with pytest.raises(OutputError, match=r"Disk quota exceeded.*Make room") as caught:
        try_places([tmp_path / "new" / "t2.txt"])
    assert caught.value.path == str(tmp_path)


@pytest.mark.parametrize("is_posix", [True, False])
def test_what_is_read_only_cannot_be_replaced_on_windows(
    is_posix: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t2.txt").write_text("")
    monkeypatch.setattr(places, "IS_POSIX", is_posix)
    with unprivileged(tmp_path):
        Path("t2.txt").chmod(0o444)
        if is_posix:
            require_places([Path("t2.txt")])
            return
        with pytest.raises(RootletsError, match="is read-only"):
            require_places([Path("t2.txt")])
