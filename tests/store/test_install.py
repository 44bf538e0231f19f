"""Installs from a real server on loopback: what arrives, what is refused, what is left."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest

from sct_rootlets.errors import (
    ArchiveError,
    DownloadError,
    IntegrityError,
    RootletsError,
    StoreError,
    UsageError,
)
from sct_rootlets.store import home, install, locate
from sct_rootlets.store.custom import install_custom
from sct_rootlets.store.installed import export, receipt_of, remove
from sct_rootlets.store.trust import LOCK
from tests.store.killing import listed
from tests.store.mounted import in_mounted
from tests.store.server import Fault, Server
from tests.store.tiny import (
    TRAINER,
    assert_whole,
    entry,
    leftovers,
    make_archive,
    near,
    remove_installed,
    sha256_of,
    write_manifest,
)


def test_an_installed_model_has_a_receipt_and_its_first_hash_is_recorded_and_said(
    manifest: Path,
    archives: dict[str, Path],
    server: Server,
    store_home: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = install(listed(manifest))
    folder = store_home / "models" / "tiny" / "1"
    assert model.folder == folder / TRAINER
    assert model.reference == "tiny@1"
    receipt = receipt_of(home().place("tiny", "1"))
    sha256 = sha256_of(archives["1"])
    assert receipt.archive_sha256 == sha256
    assert receipt.archive_bytes == archives["1"].stat().st_size
    assert receipt.source == f"{server.base}/1.zip"
    made = {name.rpartition("/")[2] for name, file in receipt.files.items() if file.made}
    assert made == {"checkpoint_final.safetensors", "checkpoint_final.json"}
    content = json.loads((store_home / "models.lock.json").read_text())
    assert content["models"]["tiny@1"]["sha256"] == sha256
    (message,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "nobody has published a hash of tiny@1" in message
    assert sha256 in message
    assert assert_whole() == ["tiny@1"]
    assert leftovers() == []


def test_progress_is_told_in_order(manifest: Path) -> None:
    told: list[tuple[str, int, int]] = []
    install(listed(manifest), progress=lambda *step: told.append(step))
    stages = list(dict.fromkeys(stage for stage, _, _ in told))
    assert stages == ["downloading tiny@1", "unpacking tiny@1", "checking tiny@1"]
    last = {stage: (done, total) for stage, done, total in told}
    assert all(done == total > 0 for done, total in last.values())


def test_other_bytes_are_refused_until_the_change_is_accepted_by_name(
    manifest: Path, archives: dict[str, Path], server: Server
) -> None:
    install(listed(manifest))
    remove_installed("tiny", "1")
    server.files["/1.zip"].content = archives["2"].read_bytes()
    with pytest.raises(IntegrityError, match=r"was recorded on .*-accept-change tiny@1"):
        install(listed(manifest))
    assert assert_whole() == []
    assert leftovers() == []
    with pytest.raises(UsageError, match="tiny@2"):
        install(listed(manifest), accept_change="tiny@2")
    install(listed(manifest), accept_change="tiny@1")
    remove_installed("tiny", "1")
    install(listed(manifest))
    server.files["/1.zip"].content = archives["1"].read_bytes()
    remove_installed("tiny", "1")
    with pytest.raises(IntegrityError):
        install(listed(manifest))


def test_an_accepted_change_replaces_what_is_installed(
    manifest: Path, archives: dict[str, Path], server: Server
) -> None:
    before = install(listed(manifest)).sha256
    server.files["/1.zip"].content = archives["2"].read_bytes()
    assert install(listed(manifest)).sha256 == before
    assert install(listed(manifest), accept_change="tiny@1").sha256 != before
    assert assert_whole() == ["tiny@1"]
    assert leftovers() == []


def test_a_lock_file_can_be_shared(
    manifest: Path,
    archives: dict[str, Path],
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(LOCK, str(tmp_path / "lab" / "lock.json"))
    install(listed(manifest))
    monkeypatch.setenv("SCT_ROOTLETS_HOME", str(tmp_path / "colleague"))
    server.files["/1.zip"].content = archives["2"].read_bytes()
    with pytest.raises(IntegrityError, match="lab"):
        install(listed(manifest))
    monkeypatch.delenv(LOCK)
    install(listed(manifest))
    monkeypatch.setenv(LOCK, str(tmp_path / "lab" / "lock.json"))
    with pytest.raises(IntegrityError, match="To install what was recorded"):
        locate("tiny@1", manifest=manifest)
    server.files["/1.zip"].content = archives["1"].read_bytes()
    install(listed(manifest))
    assert locate("tiny@1", manifest=manifest).reference == "tiny@1"


def test_a_damaged_lock_file_is_no_permission(manifest: Path, store_home: Path) -> None:
    store_home.mkdir()
    (store_home / "models.lock.json").write_text("{")
    with pytest.raises(StoreError, match=r"models\.lock\.json.*damaged"):
        install(listed(manifest))
    assert assert_whole() == []


def test_a_hash_of_the_manifest_or_of_the_user_has_to_match(
    server: Server, archives: dict[str, Path], tmp_path: Path
) -> None:
    url = server.add("/m.zip", archives["1"].read_bytes())
    right = sha256_of(archives["1"])
    wrong = near(right)
    bad = write_manifest(tmp_path / "bad.json", entry("1", [url], wrong))
    with pytest.raises(IntegrityError):
        install(listed(bad))
    free = write_manifest(tmp_path / "free.json", entry("1", [url]))
    with pytest.raises(IntegrityError):
        install(listed(free), sha256=wrong)
    with pytest.raises(IntegrityError):
        install(listed(bad), file=archives["1"])
    with pytest.raises(UsageError, match="64 hex"):
        install(listed(free), sha256="abc")
    assert assert_whole() == []
    good = write_manifest(tmp_path / "good.json", entry("1", [url], right))
    install(listed(good), sha256=right.upper())
    assert not (tmp_path / "home" / "models.lock.json").exists()
    with pytest.raises(IntegrityError, match="of the manifest"):
        locate("tiny@1", manifest=bad)
    with pytest.raises(IntegrityError, match="you gave"):
        locate("tiny@1", manifest=good, sha256=wrong)


def test_a_cut_download_is_continued_by_the_next_install(
    manifest: Path, archives: dict[str, Path], server: Server
) -> None:
    size = archives["1"].stat().st_size
    always = server.files["/1.zip"]
    always.always = Fault(cut_after=size // 2)
    always.faults = [Fault(cut_after=size // 2), *[Fault(status=404)] * 9]
    with pytest.raises(DownloadError, match=r"tiny@1 could not be downloaded.*-from-file"):
        install(listed(manifest))
    assert any(name.endswith("archive.part") for name in leftovers())
    always.faults, always.always = [], Fault()
    server.requests.clear()
    install(listed(manifest))
    assert server.asked("/1.zip")[0]["range"] == f"bytes={size // 2}-"
    assert assert_whole() == ["tiny@1"]
    assert leftovers() == []


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"<!doctype html><html>Log in to the hospital's network</html>", DownloadError),
        (b"PK\x03\x04" + bytes(400), ArchiveError),
    ],
)
def test_what_is_no_archive_is_refused(
    manifest: Path, server: Server, content: bytes, error: type[RootletsError]
) -> None:
    server.files["/1.zip"].content = content
    with pytest.raises(error):
        install(listed(manifest))
    assert assert_whole() == []
    assert leftovers() == []


def test_a_damaged_model_is_seen_and_installed_anew(manifest: Path, server: Server) -> None:
    folder = install(listed(manifest)).folder
    weights = folder / "fold_all" / "checkpoint_final.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    with pytest.raises(IntegrityError, match=r"checkpoint_final\.safetensors.*models install"):
        locate("tiny@1", manifest=manifest)
    install(listed(manifest))
    assert assert_whole() == ["tiny@1"]
    (folder / "plans.json").unlink()
    assert locate("tiny@1", manifest=manifest).folder == folder
    assert assert_whole() == ["tiny@1"]
    assert len(server.requests) == 3
    assert leftovers() == []


def test_a_folder_that_somebody_put_there_is_left_alone(
    manifest: Path, archives: dict[str, Path], store_home: Path, server: Server
) -> None:
    folder = store_home / "models" / "tiny" / "1"
    shutil.copytree(archives["1"].with_suffix(""), folder)
    for offline in (True, False):
        with pytest.raises(StoreError, match=r"no receipt\.json; nothing shows that an install"):
            install(listed(manifest), offline=offline)
    with pytest.raises(StoreError, match="Move it away"):
        remove(home().place("tiny", "1"))
    assert sorted(path.name for path in folder.iterdir()) == [TRAINER]
    assert server.requests == []
    assert locate(folder).has_level_identity


def test_a_store_on_a_read_only_file_system(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    for folder in ("models", "staging", "locks"):
        (store / folder).mkdir(parents=True)
    mount = f"mount --bind '{store}' '{store}' && mount -o remount,bind,ro '{store}'"
    words = ["-m", "sct_rootlets", "models", "install", "tiny@1", "-manifest", str(manifest)]
    done = in_mounted(mount, words, store)
    assert done.returncode == 1
    for told in (str(store), "cannot be written to", "SCT_ROOTLETS_HOME"):
        assert told in done.stderr
    assert done.stdout == ""
    monkeypatch.setenv("SCT_ROOTLETS_HOME", str(store))
    install(listed(manifest))
    words[3] = "path"
    done = in_mounted(mount, words, store)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].endswith(TRAINER)


@pytest.mark.parametrize("size", ["64k", "220k", "320k"])
def test_a_full_disk(tmp_path: Path, size: str, server: Server) -> None:
    """It is full while downloading, while unpacking, and while converting."""
    archive = make_archive(tmp_path, 7, padding=150_000)
    url = server.add("/large.zip", archive.read_bytes())
    manifest = write_manifest(tmp_path / "m.json", entry("7", [url]))
    store = tmp_path / "store"
    store.mkdir()
    words = ["models", "install", "tiny@7", "-manifest", str(manifest), "-v", "0"]
    left = f"find '{store}' -type f"
    mount = f"mount -t tmpfs -o size={size} none '{store}'"
    done = in_mounted(mount, ["-m", "sct_rootlets", *words], store, then=left)
    assert done.returncode == 1
    assert "full" in done.stderr or "no room" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_all_may_read_a_store_whom_the_umask_lets(
    manifest: Path, archives: dict[str, Path], store_home: Path, umask: int
) -> None:
    install(listed(manifest))
    install_custom("tiny", str(archives["2"]))
    export(home().place("tiny", "1"), store_home / "tiny.zip")
    found = [store_home, *store_home.rglob("*")]
    assert {"custom.json", "models.lock.json", "receipt.json"} <= {path.name for path in found}
    for path in found:
        mode = 0o777 if path.is_dir() else 0o666
        assert stat.S_IMODE(path.stat().st_mode) == mode & ~umask, path
