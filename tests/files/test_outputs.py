"""Outputs appear whole, all of them or none."""

from __future__ import annotations

import errno
import os
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sct_rootlets.errors import RootletsError
from sct_rootlets.files import outputs as module
from sct_rootlets.files.outputs import OutputSet
from tests.unprivileged import IS_SUPERUSER, unprivileged

NAMES = ("first.nii.gz", "new/deep/second.tsv", "link.json", "last.txt")
#: What is there when they are written.
WRITTEN = {name: f"new {name}" for name in NAMES} | {"new": "", "new/deep": ""}


def failing(error: BaseException) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


refuse = failing(OSError(errno.EOPNOTSUPP, "not supported"))
interrupt = failing(KeyboardInterrupt())


def close(folder: str) -> None:
    Path(folder).chmod(0o500)


def content(folder: Path) -> dict[str, str]:
    """Return everything below a folder: texts of files, and where links lead."""
    return {
        path.relative_to(folder).as_posix(): os.readlink(path)
        if path.is_symlink()
        else ("" if path.is_dir() else path.read_text())
        for path in folder.rglob("*")
    }


@pytest.fixture
def before(tmp_path: Path) -> dict[str, str]:
    """Make what is there before: two old files and a link to a third."""
    for name in ("first.nii.gz", "last.txt", "elsewhere"):
        (tmp_path / name).write_text(f"old {name}")
    (tmp_path / "link.json").symlink_to("elsewhere")
    return content(tmp_path)


def write_all(folder: Path, *names: str, then: Callable[[], None] = lambda: None) -> None:
    with OutputSet() as outputs:
        for name in names or NAMES:
            outputs.write(folder / name, f"new {name}")
        then()


@pytest.fixture
def at_move(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that has something done before an output is moved in."""

    def plan(name: str, act: Callable[[], None]) -> None:
        actual, acts = os.replace, [act]

        def replace(source: Path, target: Path) -> None:
            if Path(target).name == name and acts:
                acts.pop()()
            actual(source, target)

        monkeypatch.setattr(module.os, "replace", replace)

    return plan


def test_outputs_replace_what_is_there_and_have_the_modes_of_the_umask(
    tmp_path: Path, before: dict[str, str]
) -> None:
    (tmp_path / "last.txt").chmod(0o600)
    old = os.umask(0o027)
    try:
        write_all(tmp_path)
    finally:
        os.umask(old)
    # The link was replaced, and not what it leads to.
    assert content(tmp_path) == before | WRITTEN
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in NAMES} == {0o640}


def test_nothing_is_left_of_a_set_that_is_not_finished(
    tmp_path: Path, before: dict[str, str]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_all(tmp_path, then=interrupt)
    assert content(tmp_path) == before


@pytest.mark.parametrize("kept", ["by a link", "without links", "on Windows"])
@pytest.mark.parametrize("name", ["second.tsv", "last.txt"])
def test_when_a_move_fails_everything_is_as_before(
    name: str,
    kept: str,
    tmp_path: Path,
    before: dict[str, str],
    at_move: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if kept == "without links":
        monkeypatch.setattr(module.os, "link", refuse)
    elif kept == "on Windows":
        monkeypatch.setattr(module, "_IS_POSIX", False)
    at_move(name, failing(PermissionError(errno.EACCES, "Permission denied")))
    with pytest.raises(RootletsError, match=rf"{name}: cannot be written \(Perm.*\. Close it"):
        write_all(tmp_path)
    assert content(tmp_path) == before
    at_move(name, interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_all(tmp_path, "first.nii.gz", *NAMES)  # a file that is written twice
    assert content(tmp_path) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_while_outputs_are_moved_in_waits_for_the_last(
    number: signal.Signals, tmp_path: Path, before: dict[str, str], at_move: Callable[..., None]
) -> None:
    old = signal.signal(number, interrupt)
    try:
        at_move("second.tsv", lambda: signal.raise_signal(number))
        with pytest.raises(KeyboardInterrupt):
            write_all(tmp_path)
        assert signal.getsignal(number) is interrupt
    finally:
        signal.signal(number, old)
    assert content(tmp_path) == before | WRITTEN


def test_what_cannot_be_put_back_is_said_and_kept(
    tmp_path: Path, before: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([None, PermissionError(errno.EACCES, "no"), PermissionError(errno.EACCES, "no")])
    actual = os.replace

    def replace(source: Path, target: Path) -> None:
        error = next(answers)
        if error is not None:
            raise error
        actual(source, target)

    monkeypatch.setattr(module.os, "replace", replace)
    with pytest.raises(RootletsError) as caught:
        write_all(tmp_path, "first.nii.gz", "new.txt")
    assert caught.value.path == str(tmp_path / "new.txt")
    hidden = [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert [path.read_text() for path in hidden] == ["old first.nii.gz"]
    assert f"first.nii.gz could not be put back; it is {hidden[0]}" in str(caught.value)


@pytest.fixture
def mixed(tmp_path: Path) -> Iterator[Path]:
    """Return a folder with old files in `open` and `closed`."""
    for name in ("open", "closed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text("old")
    yield tmp_path
    (tmp_path / "closed").chmod(0o700)


def test_a_folder_that_is_closed_at_the_last_moment(
    mixed: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = content(mixed)
    names = ("open/a.txt", "new/a.txt", "closed/a.txt")
    told = r"closed/a\.txt: cannot be written"
    with unprivileged(mixed), pytest.raises(RootletsError, match=told):
        write_all(Path(), *names, then=lambda: close("closed"))
    # Nobody could have removed the temporary file there, so that a warning names it.
    hidden = next(path for path in (mixed / "closed").iterdir() if path.name != "a.txt")
    assert f"{hidden.name} could not be removed" in caplog.text
    assert content(mixed) == before | {f"closed/{hidden.name}": "new closed/a.txt"}


def test_what_is_read_only_on_windows_stays(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_IS_POSIX", False)
    (mixed / "closed" / "a.txt").chmod(0o444)
    before = content(mixed)
    with unprivileged(mixed), pytest.raises(RootletsError, match="it is read-only"):
        write_all(Path(), "open/a.txt", "closed/a.txt")
    assert content(mixed) == before


@pytest.mark.skipif(not IS_SUPERUSER, reason="only the superuser can make files of others")
def test_a_file_of_somebody_else_in_a_folder_like_tmp(mixed: Path) -> None:
    before = content(mixed)
    (mixed / "closed").chmod(0o1777)
    with unprivileged(mixed):
        os.setresuid(0, 0, 0)
        os.chown("closed", 0, -1)
        os.chown("closed/a.txt", 0, -1)
        os.chmod("closed/a.txt", 0o666)
        os.setresuid(65534, 65534, 0)
        with pytest.raises(RootletsError, match=r"closed/a\.txt: cannot be written"):
            write_all(Path(), "open/a.txt", "closed/a.txt")
    assert content(mixed) == before


def test_a_full_disk_is_said_of_the_file(tmp_path: Path) -> None:
    fail = failing(OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(RootletsError, match=r"a\.txt: cannot be written \(No space.*Make room"):
        write_all(tmp_path, "new/a.txt", then=fail)
    assert content(tmp_path) == {}


def test_names_as_long_as_the_file_system_has_them(tmp_path: Path) -> None:
    name = "é" * 120 + ".nii.gz"
    for _ in ("new", "replaced"):
        write_all(tmp_path, name)
    assert content(tmp_path) == {name: f"new {name}"}


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda folder: (folder / NAMES[1]).mkdir(parents=True), "is a folder"),
        (lambda folder: (folder / "new").write_text(""), "its folder cannot be made"),
    ],
)
def test_what_is_in_the_way_is_said(
    make: Callable[[Path], None], problem: str, tmp_path: Path
) -> None:
    make(tmp_path)
    before = content(tmp_path)
    with pytest.raises(RootletsError, match=problem):
        write_all(tmp_path)
    assert content(tmp_path) == before


def test_what_is_removed_goes_with_the_rest_or_stays_with_it(
    tmp_path: Path, before: dict[str, str], at_move: Callable[..., None]
) -> None:
    def replace_and_remove() -> None:
        with OutputSet() as outputs:
            outputs.write(tmp_path / "first.nii.gz", "new first.nii.gz")
            outputs.remove(tmp_path / "last.txt")
            outputs.remove(tmp_path / "link.json")
            outputs.remove(tmp_path / "never.there")

    at_move("first.nii.gz", failing(OSError(errno.EIO, "broken")))
    with pytest.raises(RootletsError, match=r"first\.nii\.gz: cannot be written \(broken"):
        replace_and_remove()
    assert content(tmp_path) == before
    replace_and_remove()
    assert content(tmp_path) == {"first.nii.gz": "new first.nii.gz", "elsewhere": "old elsewhere"}


def test_files_are_on_the_disk_before_any_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    flushed, replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        events.append("flush")
        flushed(descriptor)

    def move(source: Path, target: Path) -> None:
        events.append(Path(target).name)
        replace(source, target)

    monkeypatch.setattr(module.os, "fsync", fsync)
    monkeypatch.setattr(module.os, "replace", move)
    write_all(tmp_path, "a.txt", "b.txt")
    assert events == ["flush", "flush", "a.txt", "b.txt", "flush"]  # the last one is the folder


@pytest.mark.parametrize(
    ("number", "told"), [(errno.EINVAL, ""), (errno.EIO, "b.txt: cannot be written"),
                         (errno.ENOSPC, "a.txt: cannot be written .*Make room")],
)  # fmt: skip
def test_a_disk_that_is_full_only_when_files_are_flushed(
    number: int, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed, left = os.fsync, [1] if "b.txt" in told else []

    def fsync(descriptor: int) -> None:
        if left:
            left.pop()
            return flushed(descriptor)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(module.os, "fsync", fsync)
    if not told:  # a file system that cannot flush
        write_all(tmp_path, "a.txt", "b.txt")
        assert sorted(content(tmp_path)) == ["a.txt", "b.txt"]
        return
    with pytest.raises(RootletsError, match=told):
        write_all(tmp_path, "a.txt", "b.txt")
    assert content(tmp_path) == {}


def test_ctrl_c_while_files_are_flushed_leaves_nothing(
    tmp_path: Path, before: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_all(tmp_path)
    assert content(tmp_path) == before
