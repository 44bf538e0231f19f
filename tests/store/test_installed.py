"""What is installed: found in several stores, removed, packed for another machine."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest

from sct_rootlets.errors import (
    IntegrityError,
    ModelError,
    RootletsError,
    StoreError,
    UsageError,
)
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.store import install, locate
from sct_rootlets.store.home import PATH, home
from sct_rootlets.store.installed import export, receipt_of
from sct_rootlets.store.receipt import RECEIPT
from sct_rootlets.store.trust import LOCK
from tests.store.killing import listed
from tests.store.server import Server
from tests.store.tiny import (
    TRAINER,
    assert_whole,
    entry,
    leftovers,
    near,
    pack,
    remove_installed,
    sha256_of,
    write_manifest,
    write_tiny,
)


def test_a_hash_of_a_receipt_is_compared_to_its_end(manifest: Path, tmp_path: Path) -> None:
    model = install(listed(manifest))
    path = model.folder.parent / RECEIPT
    text = path.read_text()
    place = home().place("tiny", "1")
    for name in ("checkpoint_final.safetensors", "plans.json"):
        (known,) = (file.sha256 for each, file in receipt_of(place).files.items() if name in each)
        path.write_text(text.replace(known, near(known)))
        with pytest.raises(IntegrityError, match=name):
            locate("tiny@1", manifest=manifest)
    with pytest.raises(IntegrityError, match="plans"):
        export(place, tmp_path / "packed.zip")


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
    with pytest.raises(ModelError, match=r"is damaged.*network"):
        locate("tiny@1", manifest=manifest)


def test_an_exported_model_installs_elsewhere(
    manifest: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = install(listed(manifest))
    place = home().place("tiny", "1")
    packed = tmp_path / "packed.zip"
    sha256 = export(place, packed)
    assert sha256 == sha256_of(packed)
    assert export(place, tmp_path / "again.zip") == sha256
    assert export(place, packed) == sha256
    with zipfile.ZipFile(packed) as archive:
        names = archive.namelist()
    assert f"tiny@1/{RECEIPT}" in names
    assert not [name for name in names if name.endswith(".safetensors")]
    monkeypatch.setenv("SCT_ROOTLETS_HOME", str(tmp_path / "elsewhere"))
    server.requests.clear()
    there = install(listed(manifest), file=packed, offline=True)
    assert server.requests == []
    assert there.sha256 == model.sha256
    first, second = receipt_of(place), receipt_of(home().place("tiny", "1"))
    assert second.archive_sha256 == first.archive_sha256
    assert second.source == first.source
    assert second.content_sha256 == first.content_sha256
    with pytest.raises(ModelError, match=r"holds tiny@1, not tiny@2"):
        install(listed(manifest, "tiny@2"), file=packed)


def test_another_file_of_that_name_is_kept(manifest: Path, tmp_path: Path) -> None:
    for reference in ("tiny@1", "tiny@2"):
        install(listed(manifest, reference))
    first, second = (home().place("tiny", version) for version in "12")
    target = tmp_path / "packed.zip"
    export(second, target)
    with pytest.raises(UsageError, match="belongs to another result"):
        export(first, target)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("note", "mine")
    with pytest.raises(UsageError, match="was changed since"):
        export(second, target)
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("note", "mine")
    for _ in range(2):
        with pytest.raises(UsageError, match="was not made by sct_rootlets"):
            export(second, target)
        target.write_text("no zip")
    (tmp_path / "file").write_text("")
    with pytest.raises(RootletsError, match="is not a folder"):
        export(second, tmp_path / "file" / "packed.zip")
    export(second, target, overwrite=True)
    export(second, target)
    assert {path.name for path in tmp_path.glob("packed*")} == {"packed.zip"}


def test_an_exported_model_that_was_changed_is_refused(
    manifest: Path,
    archives: dict[str, Path],
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(listed(manifest))
    place = home().place("tiny", "1")
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
