"""Installs from a real server on loopback: what arrives, what is refused, what is left."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from sct_rootlets.errors import (
    ArchiveError,
    DownloadError,
    IntegrityError,
    ModelError,
    RootletsError,
    StoreError,
    UsageError,
)
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.store import install, locate
from sct_rootlets.store.custom import install_custom
from sct_rootlets.store.home import PATH, home
from sct_rootlets.store.installed import export, find, receipt_of, remove
from sct_rootlets.store.receipt import RECEIPT, read_receipt
from sct_rootlets.store.trust import LOCK
from tests.store.killing import listed
from tests.store.server import Fault, Server
from tests.store.tiny import (
    LEVELS,
    TRAINER,
    assert_whole,
    entry,
    environment,
    leftovers,
    make_archive,
    near,
    pack,
    sha256_of,
    write_manifest,
    write_tiny,
)


def test_an_installed_model_is_complete_and_has_a_receipt(
    manifest: Path, archives: dict[str, Path], server: Server, store_home: Path
) -> None:
    model = install(listed(manifest))
    folder = store_home / "models" / "tiny" / "1"
    assert model.folder == folder / TRAINER
    assert model.reference == "tiny@1"
    receipt = read_receipt(folder)
    assert receipt is not None
    assert receipt.archive_sha256 == sha256_of(archives["1"])
    assert receipt.archive_bytes == archives["1"].stat().st_size
    assert receipt.source == f"{server.base}/1.zip"
    made = {name.rpartition("/")[2] for name, file in receipt.files.items() if file.made}
    assert made == {"checkpoint_final.safetensors", "checkpoint_final.json"}
    assert assert_whole() == ["tiny@1"]
    assert leftovers() == []


def test_the_hash_is_that_of_the_folder_it_was_made_from(
    manifest: Path, archives: dict[str, Path]
) -> None:
    assert install(listed(manifest)).sha256 == locate(archives["1"].with_suffix("")).sha256


def test_an_installed_model_touches_the_network_no_more(manifest: Path, server: Server) -> None:
    for _ in range(3):
        install(listed(manifest))
        locate("tiny@1", manifest=manifest)
    assert len(server.requests) == 1


def test_progress_is_told_in_order(manifest: Path) -> None:
    told: list[tuple[str, int, int]] = []
    install(listed(manifest), progress=lambda *step: told.append(step))
    stages = list(dict.fromkeys(stage for stage, _, _ in told))
    assert stages == ["downloading tiny@1", "unpacking tiny@1", "checking tiny@1"]
    last = {stage: (done, total) for stage, done, total in told}
    assert all(done == total > 0 for done, total in last.values())


# --- trust on first use --------------------------------------------------------------------


def test_the_first_hash_is_recorded_and_said(
    manifest: Path,
    archives: dict[str, Path],
    store_home: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    install(listed(manifest))
    content = json.loads((store_home / "models.lock.json").read_text())
    assert content["models"]["tiny@1"]["sha256"] == sha256_of(archives["1"])
    (message,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "nobody has published a hash of tiny@1" in message
    assert sha256_of(archives["1"]) in message


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


def test_a_hash_of_a_receipt_is_compared_to_its_end(manifest: Path, tmp_path: Path) -> None:
    model = install(listed(manifest))
    path = model.folder.parent / RECEIPT
    text = path.read_text()
    place = find("tiny", "1")
    assert place is not None
    for name in ("checkpoint_final.safetensors", "plans.json"):
        (known,) = (file.sha256 for each, file in receipt_of(place).files.items() if name in each)
        path.write_text(text.replace(known, near(known)))
        with pytest.raises(IntegrityError, match=name):
            locate("tiny@1", manifest=manifest)
    with pytest.raises(IntegrityError, match="plans"):
        export(place, tmp_path / "packed.zip")


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


# --- what goes wrong, and comes right ------------------------------------------------------


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


def test_what_another_install_left_is_removed(manifest: Path, server: Server) -> None:
    server.files["/1.zip"].faults = [Fault(cut_after=999), *[Fault(status=404)] * 9]
    with pytest.raises(DownloadError):
        install(listed(manifest))
    assert leftovers() != []
    install(listed(manifest, "tiny@2"))
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


def broken(tmp_path: Path, kind: str) -> Path:
    """Make the zip of a model with one thing wrong."""
    root = tmp_path / "broken"
    folder = write_tiny(root / TRAINER)
    checkpoint = folder / "fold_all" / "checkpoint_final.pth"
    if kind == "code":
        (root / "trainer_class.py").write_text("raise SystemExit('run')")
    elif kind == "two":
        shutil.copytree(folder, root / "nnUNetTrainer__nnUNetPlans__3d_lowres")
    elif kind == "no checkpoint":
        checkpoint.rename(checkpoint.with_name("progress.png"))
    elif kind == "damaged checkpoint":
        checkpoint.write_bytes(checkpoint.read_bytes()[:500])
    elif kind == "no plans":
        (folder / "plans.json").unlink()
    elif kind == "other plans":
        text = (folder / "plans.json").read_text()
        (folder / "plans.json").write_text(text.replace("3d_fullres", "2d"))
    elif kind == "no rootlets":
        (folder / "dataset.json").write_text('{"labels": {"background": 0, "lesion": 1, "a": 2}}')
    elif kind == "nothing":
        shutil.rmtree(folder)
        (root / "readme.txt").write_text("no model")
    return pack(root, tmp_path / "broken.zip")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("code", r"trainer_class\.py.*-trust-code"),
        ("two", "several models"),
        ("no checkpoint", r"no checkpoint_final\.pth"),
        ("damaged checkpoint", "checkpoint"),
        ("no plans", r"plans\.json"),
        ("other plans", "no configuration"),
        ("no rootlets", "no label that can be rootlets"),
        ("nothing", "no nnU-Net v2 model"),
    ],
)
def test_what_is_no_complete_model_is_refused(tmp_path: Path, kind: str, told: str) -> None:
    with pytest.raises(ModelError, match=told) as caught:
        install(broken(tmp_path, kind))
    assert "staging" not in str(caught.value)
    assert assert_whole() == []
    assert leftovers() == []


def test_code_is_accepted_only_where_the_user_says_so_and_is_not_run(tmp_path: Path) -> None:
    model = install(broken(tmp_path, "code"), trust_code=True)
    receipt = read_receipt(model.folder.parent)
    assert receipt is not None
    assert receipt.trusted_code


def test_a_release_without_the_trainer_folder_gets_it(tmp_path: Path) -> None:
    root = tmp_path / "model-spinal-rootlets"
    write_tiny(root, trainer_name="nnUNetTrainer_2000epochs")
    model = install(pack(root, tmp_path / "M5.zip"))
    assert model.folder.name == TRAINER
    assert model.has_level_identity
    assert len(assert_whole()) == 1


def test_the_pair_of_a_compact_model_is_installed_together(tmp_path: Path) -> None:
    root = tmp_path / "pair"
    labels = {"background": 0, "cord": 1, "csf": 2, "rootlet": 3}
    for name in ("3d_fullres", "3d_lowres"):
        write_tiny(
            root / f"nnUNetTrainer__nnUNetPlans__{name}",
            labels=labels,
            dataset_json_extra={"sct_rootlets": {}},
        )
    model = install(pack(root, tmp_path / "pair.zip"))
    assert model.is_compact
    assert model.sha256 == locate(root).sha256
    assert len(list(model.folder.parent.rglob("*.safetensors"))) == 2


# --- the store -----------------------------------------------------------------------------


def remove_installed(name: str, version: str) -> None:
    place = find(name, version)
    assert place is not None
    remove(place)


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
        with pytest.raises(RootletsError) as caught:
            install(listed(manifest), offline=offline)
        assert isinstance(caught.value, ModelError if offline else StoreError)
    assert sorted(path.name for path in folder.iterdir()) == [TRAINER]
    assert server.requests == []
    assert locate(folder).has_level_identity


def kept_of(model: InstalledModel) -> list[Path]:
    """Put what an engine would keep of a model where it would."""
    folder = home().compiled / f"{model.sha256[:32]}-3d_fullres-1"
    folder.mkdir(parents=True)
    (folder / "facts.json").write_text("{}")
    proof = folder.with_name(f"{model.sha256[:32]}-bf16.json")
    proof.write_text("{}")
    return [folder, proof]


def test_a_model_is_removed_and_the_others_stay(manifest: Path) -> None:
    for version in "12":
        install(listed(manifest, f"tiny@{version}"))
    made = {version: kept_of(locate(f"tiny@{version}", manifest=manifest)) for version in "12"}
    remove_installed("tiny", "1")
    assert assert_whole() == ["tiny@2"]
    assert [name for name in leftovers() if not name.startswith("compiled")] == []
    assert not any(path.exists() for path in made["1"])
    assert all(path.exists() for path in made["2"])


def test_stores_of_the_path_come_first_and_are_only_read(
    manifest: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    monkeypatch.setenv("SCT_ROOTLETS_HOME", str(shared))
    install(listed(manifest))
    before = sorted((path, path.lstat().st_mtime_ns) for path in shared.rglob("*"))
    monkeypatch.setenv("SCT_ROOTLETS_HOME", str(tmp_path / "own"))
    monkeypatch.setenv(PATH, f"{tmp_path / 'nowhere'}{os.pathsep}{shared}")
    assert shared in locate("tiny@1", manifest=manifest).folder.parents
    assert shared in install(listed(manifest)).folder.parents
    with pytest.raises(StoreError, match="only read"):
        remove_installed("tiny", "1")
    install(listed(manifest, "tiny@2"))
    assert assert_whole(tmp_path / "own") == ["tiny@2"]
    assert before == sorted((path, path.lstat().st_mtime_ns) for path in shared.rglob("*"))
    assert len(server.requests) == 2
    (shared / "models" / "tiny" / "1" / TRAINER / "plans.json").write_text("{}")
    monkeypatch.setenv("SCT_ROOTLETS_OFFLINE", "1")
    with pytest.raises(ModelError, match="not installed"):
        locate("tiny@1", manifest=manifest)


def in_mounted(mount: str, words: list[str], store: Path) -> subprocess.CompletedProcess[str]:
    """Run the command of the package where `store` was mounted first; then list its files."""
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare, of Linux, to mount a file system with")
    probe = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mount], capture_output=True, text=True, check=False
    )
    if probe.returncode:
        pytest.skip(f"no file system can be mounted in a namespace here ({probe.stderr.strip()})")
    script = f'{mount} && "$0" -m sct_rootlets "$@"; s=$?; find "{store}" -type f; exit $s'
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, sys.executable, *words],
        env=environment(store),
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_store_on_a_read_only_file_system(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    for folder in ("models", "staging", "locks"):
        (store / folder).mkdir(parents=True)
    mount = f"mount --bind '{store}' '{store}' && mount -o remount,bind,ro '{store}'"
    words = ["models", "install", "tiny@1", "-manifest", str(manifest)]
    done = in_mounted(mount, words, store)
    assert done.returncode == 1
    for told in (str(store), "cannot be written to", "SCT_ROOTLETS_HOME"):
        assert told in done.stderr
    assert done.stdout == ""
    monkeypatch.setenv("SCT_ROOTLETS_HOME", str(store))
    install(listed(manifest))
    done = in_mounted(mount, ["models", "path", "tiny@1", "-manifest", str(manifest)], store)
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
    done = in_mounted(f"mount -t tmpfs -o size={size} none '{store}'", words, store)
    assert done.returncode == 1
    assert "full" in done.stderr or "no room" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


# --- files, URLs, zips for another machine -------------------------------------------------


def test_a_file_brought_by_hand_is_the_same_model(
    manifest: Path, archives: dict[str, Path], server: Server
) -> None:
    model = install(listed(manifest), file=archives["1"], offline=True)
    assert model.reference == "tiny@1"
    assert server.requests == []
    remove_installed("tiny", "1")
    with pytest.raises(IntegrityError, match="seen before"):
        install(listed(manifest), file=archives["2"])
    assert assert_whole() == []


def test_an_exported_model_installs_elsewhere(
    manifest: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = install(listed(manifest))
    place = find("tiny", "1")
    assert place is not None
    packed = tmp_path / "packed.zip"
    sha256 = export(place, packed)
    assert sha256 == sha256_of(packed)
    assert export(place, tmp_path / "again.zip") == sha256
    with zipfile.ZipFile(packed) as archive:
        names = archive.namelist()
    assert f"tiny@1/{RECEIPT}" in names
    assert not [name for name in names if name.endswith(".safetensors")]
    monkeypatch.setenv("SCT_ROOTLETS_HOME", str(tmp_path / "elsewhere"))
    server.requests.clear()
    there = install(listed(manifest), file=packed, offline=True)
    assert server.requests == []
    assert there.sha256 == model.sha256
    first = read_receipt(place.folder)
    second = read_receipt(there.folder.parent)
    assert first is not None
    assert second is not None
    assert second.archive_sha256 == first.archive_sha256
    assert second.source == first.source
    assert second.content_sha256 == first.content_sha256
    with pytest.raises(ModelError, match=r"holds tiny@1, not tiny@2"):
        install(listed(manifest, "tiny@2"), file=packed)


def test_an_exported_model_that_was_changed_is_refused(
    manifest: Path,
    archives: dict[str, Path],
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(listed(manifest))
    place = find("tiny", "1")
    assert place is not None
    export(place, tmp_path / "packed.zip")
    forged = tmp_path / "forged"
    with zipfile.ZipFile(tmp_path / "packed.zip") as archive:
        archive.extractall(forged)
    folder = forged / "tiny@1" / TRAINER
    write_tiny(folder, 5)
    changed = pack(forged, tmp_path / "changed.zip")
    monkeypatch.setenv("SCT_ROOTLETS_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(IntegrityError, match="not those of the receipt"):
        install(listed(manifest), file=changed)
    # One who forges the receipt as well is caught by a lock file that is shared ...
    receipt = json.loads((forged / "tiny@1" / RECEIPT).read_text())
    for name, record in receipt["files"].items():
        path = forged / "tiny@1" / name
        if path.exists():
            record.update(sha256=sha256_of(path), size_bytes=path.stat().st_size)
    (forged / "tiny@1" / RECEIPT).write_text(json.dumps(receipt))
    forged_whole = pack(forged, tmp_path / "forged.zip")
    monkeypatch.setenv(LOCK, str(place.store.folder / "models.lock.json"))
    with pytest.raises(IntegrityError, match="not those that were recorded"):
        install(listed(manifest), file=forged_whole)
    # ... and a published hash asks for the hash of the zip itself.
    monkeypatch.delenv(LOCK)
    hashed = entry("1", [f"{server.base}/1.zip"], sha256_of(archives["1"]))
    strict = listed(write_manifest(tmp_path / "strict.json", hashed))
    with pytest.raises(IntegrityError, match="nothing proves"):
        install(strict, file=forged_whole)
    assert assert_whole() == []
    packed = tmp_path / "packed.zip"
    assert install(strict, file=packed, sha256=sha256_of(packed)).reference == "tiny@1"


def test_a_url_needs_its_hash_and_is_found_again(server: Server, archives: dict[str, Path]) -> None:
    url = server.add("/My%20model.zip", archives["1"].read_bytes())
    sha256 = sha256_of(archives["1"])
    with pytest.raises(UsageError, match="-sha256"):
        locate(url)
    with pytest.raises(IntegrityError):
        locate(url, sha256=sha256_of(archives["2"]))
    model = locate(url, sha256=sha256)
    assert model.reference == f"url-My-model@{sha256[:12]}"
    assert locate(url, sha256=sha256, offline=True).folder == model.folder
    with pytest.raises(UsageError, match="https"):
        locate("http://example.org/model.zip", sha256=sha256)


def test_an_archive_by_its_path(archives: dict[str, Path]) -> None:
    model = locate(archives["1"], offline=True)
    sha256 = sha256_of(archives["1"])
    assert model.reference == f"file-model-1@{sha256[:12]}"
    assert locate(archives["1"]).folder == model.folder
    assert locate(model.reference).folder == model.folder
    with pytest.raises(IntegrityError):
        locate(archives["1"], sha256=near(sha256))


def test_labels_of_the_tiny_model_are_levels(archives: dict[str, Path]) -> None:
    assert list(locate(archives["1"]).labels) == list(LEVELS.values())[1:]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no umask")
@pytest.mark.parametrize("umask", [0o022, 0o002])
def test_all_may_read_a_store_whom_the_umask_lets(
    manifest: Path, archives: dict[str, Path], store_home: Path, umask: int
) -> None:
    before = os.umask(umask)
    try:
        install(listed(manifest))
        install_custom("tiny", str(archives["2"]))
        place = find("tiny", "1")
        assert place is not None
        export(place, store_home / "tiny.zip")
    finally:
        os.umask(before)
    found = [store_home, *store_home.rglob("*")]
    assert {"custom.json", "models.lock.json", "receipt.json"} <= {path.name for path in found}
    for path in found:
        mode = 0o777 if path.is_dir() else 0o666
        assert stat.S_IMODE(path.stat().st_mode) == mode & ~umask, path
