"""Every command on a model that is whole, damaged or unreadable, beside one that is whole.

What is absent, damaged and unreadable are three things: each is listed, verified, removed and
installed in its own way, and none hides the others.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.cli.main import main
from sct_rootlets.store.home import HOME, PATH
from sct_rootlets.store.receipt import RECEIPT
from sct_rootlets.store.trust import LOCK_FILE
from tests.store.server import Server
from tests.store.tiny import TRAINER, entry, leftovers, make_archive, write_manifest
from tests.synthetic import RAS_1MM, save_array
from tests.unprivileged import unprivileged

PLANS, FOLD = f"{TRAINER}/plans.json", f"{TRAINER}/fold_all"
WEIGHTS, PICKLE = f"{FOLD}/checkpoint_final.safetensors", f"{FOLD}/checkpoint_final.pth"


@dataclass(frozen=True)
class Done:
    """What a command answered: its status, and both its outputs without line breaks."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Stores:
    """A folder with a store of tiny@1 and tiny@2, and a server that has both."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def version(self) -> Path:
        """The folder of tiny@1, which a test damages."""
        return self.folder / "home" / "models" / "tiny" / "1"

    def run(self, *words: str) -> Done:
        """Run a command; no error may be one that nobody has thought of."""
        self.capsys.readouterr()
        status = main(list(words))
        out, err = self.capsys.readouterr()
        assert "unexpected" not in err, err
        assert "Traceback" not in err, err
        return Done(status, out, " ".join(err.split()))

    def rows(self) -> dict[str, list[dict[str, object]]]:
        """Return the rows of ``models list -json`` by reference."""
        found: dict[str, list[dict[str, object]]] = {}
        for row in json.loads(self.run("models", "list", "-json").out):
            found.setdefault(f"{row['name']}@{row['version']}", []).append(row)
        return found

    def words(self) -> dict[str, list[object]]:
        """Return the column ``installed`` of what is in the stores."""
        every = self.rows().items()
        return {ref: [row["installed"] for row in rows] for ref, rows in every if "tiny" in ref}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make the store once, and serve the archives; no test may change it."""
    folder = tmp_path_factory.mktemp("made")
    noise = np.random.default_rng(5).normal(100, 20, (12, 12, 12)).astype(np.float32)
    save_array(folder / "t2.nii.gz", noise, RAS_1MM)
    with Server() as server, pytest.MonkeyPatch.context() as patch:
        archives = {version: make_archive(folder, int(version)) for version in "12"}
        urls = {v: server.add(f"/{v}.zip", path.read_bytes()) for v, path in archives.items()}
        entries = [entry(version, [url]) for version, url in urls.items()]
        manifest = write_manifest(folder / "manifest.json", *entries)
        patch.setenv(HOME, str(folder / "home"))
        for version in urls:
            words = ["models", "install", f"tiny@{version}", "-manifest", str(manifest), "-v", "0"]
            assert main(words) == 0
        yield folder


@pytest.fixture
def stores(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Stores]:
    """Copy the store to where a user without rights could go as well."""
    folder = Path(tempfile.mkdtemp())
    shutil.copytree(made / "home", folder / "home")
    shutil.copytree(made / "home", folder / "copy")
    for name in ("manifest.json", "t2.nii.gz"):
        shutil.copy(made / name, folder)
    monkeypatch.setenv(HOME, str(folder / "home"))
    monkeypatch.setenv("SCT_ROOTLETS_MANIFEST", str(folder / "manifest.json"))
    monkeypatch.chdir(folder)
    yield Stores(folder, capsys)
    monkeypatch.undo()
    shutil.rmtree(folder)


def rewrite(path: Path, old: str = "", new: str = "", encoding: str = "utf-8") -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding=encoding)


def changes(old: str, new: str) -> Callable[[Path], None]:
    return partial(rewrite, old=old, new=new)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:40])


def alter(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


def into_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def into_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("in the way")


def into_link(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    path.symlink_to("nowhere")


def emptied(path: Path) -> None:
    shutil.rmtree(path)
    path.mkdir()


def into_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def by_hand(path: Path) -> None:
    """Leave what somebody would have unpacked there without this command."""
    (path / RECEIPT).unlink()
    for made_here in (path / TRAINER / "fold_all").glob("*.safetensors"):
        made_here.unlink()


# What is done to which file of tiny@1; how it is listed, and what is said; then what still goes:
# to use it (U), export it (E), remove it (R) and repair it by an install (I).
# fmt: off
STATES: dict[str, tuple[Callable[[Path], object], str, str, str, str]] = {
    "whole": (lambda path: None, "", "yes", "", "UERI"),
    "receipt with a BOM": (partial(rewrite, encoding="utf-8-sig"), RECEIPT, "yes", "", "UERI"),
    "receipt missing": (Path.unlink, RECEIPT, "damaged", "no receipt.json", "RI"),
    "receipt cut": (cut, RECEIPT, "damaged", "is not valid JSON", "RI"),
    "receipt a list":
        (partial(Path.write_text, data="[]"), RECEIPT, "damaged", "is not a JSON object", "RI"),
    "receipt without a field":
        (changes('"source"', '"origin"'), RECEIPT, "damaged", '"source" is missing', "RI"),
    "receipt that leads elsewhere":
        (changes(TRAINER, ".."), RECEIPT, "damaged", "which is no file of a model", "RI"),
    "receipt of another version":
        (changes('"version": "1"', '"version": "2"'), RECEIPT, "damaged", "is of tiny@2", "RI"),
    "receipt of a newer format":
        (changes('"format": 1', '"format": 2'), RECEIPT, "unreadable", "Update sct_rootlets", "R"),
    "receipt a folder": (into_folder, RECEIPT, "damaged", "is a folder, not a file", "RI"),
    "receipt a lost link": (into_link, RECEIPT, "damaged", "is a link that leads nowhere", "RI"),
    "checkpoint missing": (Path.unlink, PICKLE, "damaged", "is missing", "RI"),
    "checkpoint cut": (cut, PICKLE, "damaged", "has 40 bytes, not ", "RI"),
    "checkpoint altered": (alter, PICKLE, "damaged", "has other bytes", "URI"),
    "weights altered": (alter, WEIGHTS, "damaged", "has other bytes", "ERI"),
    "weights cut": (cut, WEIGHTS, "damaged", "has 40 bytes, not ", "RI"),
    "weights a pipe": (into_pipe, WEIGHTS, "damaged", "is no ordinary file", "RI"),
    "dataset missing": (Path.unlink, f"{TRAINER}/dataset.json", "damaged", "is missing", "RI"),
    "plans cut": (cut, PLANS, "damaged", "has 40 bytes, not ", "RI"),
    "plans a pipe": (into_pipe, PLANS, "damaged", "is no ordinary file", "RI"),
    "plans a folder": (into_folder, PLANS, "damaged", "is a folder, not a file", "RI"),
    "plans a lost link": (into_link, PLANS, "damaged", "is a link that leads nowhere", "RI"),
    "fold a file": (into_file, FOLD, "damaged", f"{PICKLE} is missing", "RI"),
    "folder empty": (emptied, "", "damaged", "an empty folder", "RI"),
    "folder a lost link": (into_link, "", "damaged", "a link that leads nowhere", "RI"),
    "folder a file": (into_file, "", "damaged", "a file, not a folder", ""),
    "folder of somebody": (by_hand, "", "damaged", "nothing shows that an install made it", ""),
    "folder gone": (shutil.rmtree, "", "no", "", "I"),
}
# fmt: on


def check_said(stores: Stores, listed: str, told: str, works: str) -> None:
    """Check what every command says of tiny@1 that only looks at it."""
    row = stores.rows()["tiny@1"][0]
    assert row["installed"] == listed
    assert told in f"{'; '.join(row['problems'])}. {row['remedy']}"  # type: ignore[arg-type]
    table = stores.run("models", "list")
    assert table.status == 0
    line = next(line for line in table.out.splitlines() if line.startswith("tiny@1"))
    assert f" {listed}" in line
    assert told in table.out
    shown = stores.run("models", "show", "tiny@1", "-json")
    assert shown.status == 0
    installation = json.loads(shown.out)["installation"]
    if listed == "no":
        assert installation == "none"
    else:
        assert installation["state"] == {"yes": "whole"}.get(listed, listed)
        assert installation.get("problems", []) == row["problems"]
    verified = stores.run("models", "verify", "tiny@1")
    assert verified.status == (listed != "yes")
    assert stores.run("models", "verify").status == (listed not in ("yes", "no"))
    if listed == "no":
        assert "tiny@1 is not installed" in verified.err
    else:
        assert f"tiny@1: {'whole' if listed == 'yes' else ''}" in verified.out
    if listed == "damaged":
        assert told in verified.out
    path = stores.run("models", "path", "tiny@1")
    exported = stores.run("models", "export", "tiny@1", "-o", "packed.zip")
    asked = [(path, "U"), (exported, "E")]
    if "U" not in works:
        words = ["segment", "-i", "t2.nii.gz", "-model", "tiny@1", "-offline"]
        asked.append((stores.run(*words), "U"))
    for done, needed in asked:
        assert done.status == (needed not in works), done
        if done.status:
            assert "tiny@1" in done.err
            assert ("not installed" in done.err) == (listed == "no")
            assert "Traceback" not in done.err
    assert (stores.folder / "packed.zip").exists() == ("E" in works)


@pytest.mark.parametrize("state", STATES)
def test_a_model_beside_a_whole_one(stores: Stores, state: str) -> None:
    damage, file, listed, told, works = STATES[state]
    damage(stores.version / file)
    check_said(stores, listed, told, works)
    assert stores.words()["tiny@2"] == ["yes"]
    assert "tiny@2: whole" in stores.run("models", "verify").out
    removed = stores.run("models", "remove", "tiny@1")
    assert removed.status == ("R" not in works)
    if "R" in works:
        assert stores.words() == {"tiny@1": ["no"], "tiny@2": ["yes"]}
        assert not os.path.lexists(stores.version)
        shutil.rmtree(stores.folder / "home")
        shutil.copytree(stores.folder / "copy", stores.folder / "home")
        damage(stores.version / file)
    installed = stores.run("models", "install", "tiny@1")
    assert installed.status == ("I" not in works)
    if "I" in works:
        assert stores.run("models", "verify").out.count("whole") == 2
        assert ("installed anew" in installed.err) == (listed == "damaged")
    assert leftovers(stores.folder / "home") == []
    assert stores.words()["tiny@2"] == ["yes"]


@pytest.mark.parametrize(
    ("closed", "removable"),
    [
        (f"home/models/tiny/1/{RECEIPT}", True),
        (f"home/models/tiny/1/{WEIGHTS}", True),
        (f"home/models/tiny/1/{FOLD}", True),
        ("home/models/tiny/1", False),
        ("home/models/tiny", False),
        ("home/models", False),
        ("home", False),
    ],
)
def test_what_cannot_be_read_is_neither_absent_nor_damaged(
    stores: Stores, closed: str, removable: bool
) -> None:
    hidden = closed.count("/") < 3  # with all that is in it
    # As the superuser first, who can read all of it, and because modules are loaded where used.
    check_said(stores, "yes", "", "UE")
    assert stores.run("segment", "-i", "none.nii.gz", "-model", "tiny@1").status == 1
    (stores.folder / "packed.zip").unlink()
    with unprivileged(stores.folder):
        os.chmod(closed, 0)
        before = stores.version.lstat if not hidden else stores.folder.lstat
        then = before().st_ino
        check_said(stores, "unreadable", "Permission denied", "")
        assert stores.words()["tiny@2"] == ["unreadable" if hidden else "yes"]
        listed = stores.run("models", "list")
        assert ("Warning" in listed.err) == hidden
        assert (f"{stores.folder}/{closed}: cannot be read" in listed.err) == (
            closed != "home" and hidden
        )
        installed = stores.run("models", "install", "tiny@1")
        assert installed.status == 1
        assert "tiny@1 is unreadable" in installed.err
        assert before().st_ino == then
        removed = stores.run("models", "remove", "tiny@1")
        assert removed.status == (not removable)
        if removable:
            assert stores.words() == {"tiny@1": ["no"], "tiny@2": ["yes"]}
            assert leftovers(stores.folder / "home") == []
        else:
            os.chmod(closed, 0o700)
            assert stores.words() == {"tiny@1": ["yes"], "tiny@2": ["yes"]}


@pytest.mark.parametrize("damage", [cut, alter, into_folder])
def test_a_damaged_model_of_a_shared_store_does_not_hide_a_whole_one(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], None]
) -> None:
    shared = stores.folder / "copy"
    damage(shared / "models" / "tiny" / "1" / PLANS)
    before = sorted((path, path.lstat().st_mtime_ns) for path in shared.rglob("*"))
    monkeypatch.setenv(PATH, str(shared))
    assert stores.words() == {"tiny@1": ["yes", "damaged"], "tiny@2": ["yes"]}
    first, second = stores.rows()["tiny@1"]
    assert first["folder"] == str(stores.version)
    assert str(second["folder"]).startswith(str(shared))
    assert "whoever owns that store" in str(second["remedy"])
    verified = stores.run("models", "verify", "tiny@1")
    assert verified.status == 1
    assert f"tiny@1: whole ({stores.version})" in verified.out
    assert f"{PLANS} " in verified.out
    for words in (["path", "tiny@1"], ["install", "tiny@1", "-offline"]):
        done = stores.run("models", *words)
        assert done.status == 0
        assert PLANS in done.err
        assert str(shared) in done.err
    assert stores.run("models", "export", "tiny@1", "-o", "packed.zip").status == 0
    removed = stores.run("models", "remove", "tiny@1")
    assert removed.status == 0
    assert str(shared) in removed.out
    assert stores.version.with_name("2").is_dir()
    assert "tiny@2 is removed" in stores.run("models", "remove", "tiny@2").out  # one's own of two
    assert stores.words()["tiny@2"] == ["yes"]
    # Now it is the only one, and is repaired by one of the user's own.
    assert stores.words()["tiny@1"] == ["damaged"]
    removed = stores.run("models", "remove", "tiny@1")
    assert removed.status == 1
    assert "only read here" in removed.err
    offline = stores.run("models", "install", "tiny@1", "-offline")
    assert offline.status == 1
    assert "tiny@1 is damaged" in offline.err
    assert stores.run("models", "install", "tiny@1").status == 0
    assert stores.words()["tiny@1"] == ["yes", "damaged"]
    assert stores.run("models", "path", "tiny@1").out.startswith(str(stores.version))
    assert before == sorted((path, path.lstat().st_mtime_ns) for path in shared.rglob("*"))


def test_one_damaged_model_hides_no_other(stores: Stores) -> None:
    rewrite(stores.version / RECEIPT, '"format": 1', '"format": "x"')
    into_folder(stores.version.with_name("2") / RECEIPT)
    for name in ("a", "b"):
        shutil.copytree(
            stores.folder / "copy" / "models" / "tiny" / "1", stores.version.with_name(name)
        )
        rewrite(stores.version.with_name(name) / RECEIPT, '"version": "1"', f'"version": "{name}"')
    cut(stores.version.with_name("a") / PLANS)
    assert stores.words() == {
        "tiny@1": ["damaged"],
        "tiny@2": ["damaged"],
        "tiny@a": ["damaged"],
        "tiny@b": ["yes"],
    }
    verified = stores.run("models", "verify")
    assert verified.status == 1
    assert "tiny@b: whole" in verified.out
    assert "tiny@1, tiny@2, tiny@a: not as installed" in verified.err
    assert stores.run("models", "verify", "tiny@b").status == 0


@pytest.mark.parametrize("damage", [cut, into_folder, partial(rewrite, encoding="utf-8-sig")])
def test_a_damaged_lock_file_hides_no_model(stores: Stores, damage: Callable[[Path], None]) -> None:
    damage(stores.folder / "home" / LOCK_FILE)
    is_read = isinstance(damage, partial)  # a BOM is no damage
    assert stores.words() == {"tiny@1": ["yes"], "tiny@2": ["yes"]}
    verified = stores.run("models", "verify")
    assert verified.status == (not is_read)
    for version in "12":
        told = "whole" if is_read else "the lock file of model hashes is damaged"
        assert f"tiny@{version}: {told}" in verified.out
    # What was recorded cannot be compared, so that nothing is used and nothing installed.
    for words in (["path", "tiny@1"], ["install", "tiny@1"]):
        done = stores.run("models", *words)
        assert done.status == (not is_read)
        assert is_read or LOCK_FILE in done.err
    assert stores.run("models", "remove", "tiny@1").status == 0


def test_a_shared_store_that_cannot_be_read_is_passed_over(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = stores.folder / "copy"
    monkeypatch.setenv(PATH, str(shared))
    assert stores.run("models", "path", "tiny@1").out.startswith(str(shared))
    with unprivileged(stores.folder):
        shared.chmod(0)
        path = stores.run("models", "path", "tiny@1")
        assert path.out.startswith(str(stores.version))
        assert f"{shared}/models/tiny/1: tiny@1 is unreadable: Permission denied" in path.err
        assert stores.words() == {"tiny@1": ["yes", "unreadable"], "tiny@2": ["yes", "unreadable"]}
        installed = stores.run("models", "install", "tiny@1")
        assert installed.status == 0
        assert "passed over" in installed.err
        shared.chmod(0o700)


def test_a_version_that_is_a_link_is_a_model_and_only_the_link_is_removed(stores: Stores) -> None:
    elsewhere = stores.folder / "elsewhere"
    stores.version.rename(elsewhere)
    stores.version.symlink_to(elsewhere)
    check_said(stores, "yes", "", "UE")
    cut(elsewhere / PLANS)
    (stores.folder / "packed.zip").unlink()
    check_said(stores, "damaged", "has 40 bytes", "")
    assert stores.run("models", "install", "tiny@1").status == 0
    assert not stores.version.is_symlink()
    assert (elsewhere / PLANS).stat().st_size == 40
    assert stores.run("models", "verify").status == 0
    assert leftovers(stores.folder / "home") == []


def test_what_dead_installs_left_changes_nothing(stores: Stores) -> None:
    cut(stores.version / PLANS)
    staged = stores.folder / "home" / "staging" / "tiny@1-0123456789abcdef"
    (staged / "unpacked").mkdir(parents=True)
    (staged / "unpacked" / RECEIPT).write_text("{")
    lock = stores.folder / "home" / "locks" / "tiny@1.lock"
    lock.touch()
    os.utime(lock, (0, 0))
    check_said(stores, "damaged", "has 40 bytes", "")
    assert stores.run("models", "remove", "tiny@1").status == 0
    assert stores.words() == {"tiny@1": ["no"], "tiny@2": ["yes"]}
    assert stores.run("models", "install", "tiny@1").status == 0
    assert leftovers(stores.folder / "home") == []


@pytest.mark.parametrize("broken", [into_file, into_link])
@pytest.mark.parametrize("folder", ["home", "home/models", "home/models/tiny", "home/staging"])
def test_a_store_that_is_none_is_said_before_anything_is_downloaded(
    stores: Stores, folder: str, broken: Callable[[Path], None]
) -> None:
    shutil.rmtree(stores.version)
    broken(stores.folder / folder)
    is_seen = folder in ("home", "home/models") or (folder, broken) == (
        "home/models/tiny",
        into_link,
    )
    told = "leads nowhere" if broken is into_link else "Not a directory"
    listed = stores.run("models", "list")
    verified = stores.run("models", "verify")
    assert listed.status == 0
    assert stores.words()["tiny@2"] == ["yes" if folder == "home/staging" else "no"]
    assert (told in listed.err) == (told in verified.out) == is_seen
    assert (f"{stores.folder}/{folder}" in listed.err) == is_seen
    assert verified.status == is_seen
    installed = stores.run("models", "install", "tiny@1")
    assert installed.status == 1
    assert "the store of models cannot be written to" in installed.err
    assert "Downloading" not in installed.err
