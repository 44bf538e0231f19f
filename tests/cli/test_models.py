"""``sct_rootlets models``: what it prints, and where the network is down."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.manifest import load_manifest
from sct_rootlets.store import locate
from tests.cli.conftest import Command
from tests.store.server import Server
from tests.store.tiny import (
    TRAINER,
    entry,
    environment,
    leftovers,
    make_archive,
    pack,
    sha256_of,
    write_manifest,
)
from tests.synthetic import RAS_1MM, save_array


def test_the_list_is_a_table_and_json(manifest: Path, command: Command, store_home: Path) -> None:
    command(f"models install tiny@2 -manifest {manifest}")
    table = command(f"models list -manifest {manifest}").out
    lines = {line.split()[0]: line for line in table.splitlines() if line}
    header = lines["model"]
    assert header.split() == ["model", "contrasts", "levels", "size", "installed", "where"]
    assert "bundled" in lines[f"{load_manifest().bundled.reference}*"]
    assert "C2-T1" in lines["rootlets@r20250318*"]
    assert "T2w" in lines["rootlets@r20250318*"]
    assert lines["tiny@2"].endswith(str(store_home / "models" / "tiny" / "2"))
    assert lines["tiny@1*"].rstrip().endswith("no")
    listed = json.loads(command("models list -json").out)
    rows = {f"{r['name']}@{r['version']}": r for r in listed}
    assert rows["tiny@2"]["installed"] == "yes"
    assert rows["tiny@2"]["levels"] == "in no manifest"
    assert rows["rootlets@r20240523"]["folder"] is None
    assert {"contrasts", "levels", "size_bytes", "sha256"} <= set(rows["rootlets@r20240523"])


def test_a_model_is_shown(manifest: Path, command: Command) -> None:
    out = command("models show rootlets").out
    assert "version: r20250318" in out
    assert "installation: none" in out
    assert command(f"models install tiny -manifest {manifest} -v 0").out == ""
    content = json.loads(command(f"models show tiny -json -manifest {manifest}").out)
    assert content["installation"]["trusted_code"] is False
    assert content["title"] == "For tests"
    assert "unheard-of" in command("models show unheard-of", status=1).err


def test_from_install_to_removal(
    manifest: Path, store_home: Path, tmp_path: Path, command: Command
) -> None:
    listed = f"-manifest {manifest}"
    assert "models install tiny@1" in command(f"models path tiny@1 {listed}", status=1).err
    out, err = command(f"models install tiny@1 {listed}")
    assert "tiny@1 is installed and whole" in out
    assert "nobody has published a hash of tiny@1" in " ".join(err.split())
    folder = store_home / "models" / "tiny" / "1" / TRAINER
    assert command("models path tiny@1").out.strip() == str(folder)
    assert "tiny@1: whole" in command("models verify").out
    told = command(f"models export tiny@1 -o {tmp_path}/packed.zip").out.splitlines()[-1].split()
    assert told[:4] == ["sct_rootlets", "models", "install", "tiny@1"]
    command("models remove tiny", status=2)
    command("models remove tiny@1")
    command("models remove tiny@1", status=1)
    words = [str(tmp_path / word) if word.endswith(".zip") else word for word in told[2:]]
    command("models", *words, *f"-offline {listed}".split())
    (folder / "plans.json").write_text("{}")
    out, err = command("models verify", status=1)
    assert "plans.json has 2 bytes" in out
    assert "tiny@1: not as installed" in err
    assert leftovers() == []


@pytest.fixture
def own(
    manifest: Path, archives: dict[str, Path], server: Server, tmp_path: Path
) -> dict[str, list[str]]:
    """Return how models of one's own are installed: the words after ``models install``."""
    (tmp_path / "mine.zip").write_bytes(archives["2"].read_bytes())
    # What its labels mean is in a manifest only, and not what the official ones mean.
    names = {"background": 0, "a": 1, "b": 2, "c": 3}
    unnamed = server.add("/4.zip", make_archive(tmp_path, 4, labels=names).read_bytes())
    described = entry("4", [unnamed])
    meaning = described["labels"]["2"]
    levels = zip("123", ("C4", "C5", "C6"), strict=True)
    described["labels"] = {value: {**meaning, "level": level} for value, level in levels}
    mine = write_manifest(tmp_path / "mine.json", described)
    return {
        "an archive": [str(tmp_path / "mine.zip")],
        "an address": [f"{server.base}/2.zip", "-sha256", sha256_of(archives["2"])],
        "a manifest": ["tiny@3", "-manifest", str(manifest)],
        "labels of a manifest": ["tiny@4", "-manifest", str(mine)],
    }


def only_one(command: Command) -> str:
    """Return the reference of the one model that is installed and in no manifest."""
    rows = json.loads(command("models list -json").out)
    (row,) = [row for row in rows if row["levels"] == "in no manifest"]
    assert row["installed"] == "yes"
    return f"{row['name']}@{row['version']}"


def came_from(folder: Path) -> dict[str, object]:
    """Return what a receipt says of where a model came from, and of its published files."""
    content = json.loads((folder / "receipt.json").read_text())
    files = {name: file for name, file in content["files"].items() if not file["made"]}
    kept = ("name", "version", "archive_sha256", "archive_bytes", "source")
    return {**{name: content[name] for name in kept}, "files": files}


KINDS = ("an archive", "an address", "a manifest", "labels of a manifest")


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_of_ones_own_is_carried_by_the_printed_command(
    own: dict[str, list[str]],
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: Command,
) -> None:
    command("models install", *own[kind])
    reference = only_one(command)
    there, machine = locate(reference), tmp_path / "machine B"
    if "-manifest" in own[kind]:
        assert there.labels == locate(reference, manifest=own[kind][-1]).labels
    is_c4 = kind == "labels of a manifest"
    assert there.labels[4 if is_c4 else 1] == f"{'C4' if is_c4 else 'C1'} spinal nerve rootlets"
    packed = "my own model.zip"
    out = command(f"models export {reference} -o", str(tmp_path / packed)).out
    program, models, *words = shlex.split(out.splitlines()[-1])
    assert [program, models, words[:2]] == ["sct_rootlets", "models", ["install", reference]]
    machine.mkdir()
    (tmp_path / packed).rename(machine / packed)
    monkeypatch.chdir(machine)
    monkeypatch.setenv("SCT_ROOTLETS_HOME", str(machine / "store"))
    monkeypatch.setenv("SCT_ROOTLETS_OFFLINE", "1")
    command(f"models path {reference}", status=1)
    command("models", *words)
    assert only_one(command) == reference
    here = locate(reference)
    assert here.folder != there.folder
    assert (here.reference, here.sha256, here.labels) == (reference, there.sha256, there.labels)
    assert came_from(here.folder.parent) == came_from(there.folder.parent)
    command(f"models verify {reference}")
    # Once more changes nothing, and the zip alone proves nothing.
    command("models", *words)
    command(f"models remove {reference}")
    if "-manifest" in own[kind]:
        Path("store/models.lock.json").unlink()
    assert words[-2] == "-sha256"
    assert "-sha256" in command("models", *words[:-2], status=1).err
    err = command("models install other@1", *words[2:], status=1).err
    assert f"holds {reference}, not other@1" in err
    assert leftovers() == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_model_of_ones_own_is_repaired_by_its_reference(
    own: dict[str, list[str]], kind: str, tmp_path: Path, command: Command
) -> None:
    command("models install", *own[kind])
    reference = only_one(command)
    command(f"models export {reference} -o {tmp_path}/packed.zip")
    before, needs_file = locate(reference), kind == "an archive"
    for file in (f"{tmp_path}/packed.zip", own["an archive"][0]):
        (before.folder / "plans.json").write_text("{")
        command(f"models verify {reference}", status=1)
        told = command(f"models path {reference}", status=1).err
        assert f"sct_rootlets models install {reference}" in told
        # What is said there is true: the address is known, or else a file is needed.
        assert ("-from-file" in told) == needs_file
        err = command(f"models install {reference}", status=int(needs_file)).err
        if needs_file:
            assert f"{reference} is damaged" in err
            command(f"models install {reference} -from-file {file}")
        command(f"models verify {reference}")
        assert locate(reference) == before


def test_a_file_that_nothing_proves_is_not_installed_by_a_reference(
    own: dict[str, list[str]], archives: dict[str, Path], command: Command
) -> None:
    command("models install", *own["an archive"])
    reference = only_one(command)
    (locate(reference).folder / "plans.json").unlink()
    for each in (reference, "mine@1"):
        err = command(f"models install {each} -from-file {archives['1']}", status=1).err
        assert f"that of {each}" in err
    command(f"models remove {reference}")
    assert "no model is named" in command(f"models install {reference}", status=1).err
    assert leftovers() == []


def test_code_that_was_trusted_has_to_be_trusted_there(
    archives: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    with_code = tmp_path / "code"
    shutil.copytree(archives["1"].with_suffix(""), with_code)
    (with_code / TRAINER / "trainer_class.py").write_text("raise SystemExit")
    pack(with_code, tmp_path / "code.zip")
    command(f"models install {tmp_path}/code.zip -trust-code")
    reference = only_one(command)
    out = command(f"models export {reference} -o {tmp_path}/packed.zip").out
    assert "It was installed with -trust-code" in out
    words = shlex.split(out.splitlines()[-1])[2:]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCT_ROOTLETS_HOME", str(tmp_path / "elsewhere"))
    assert "trainer_class.py" in command("models", *words[:-1], status=1).err
    command("models", *words)
    assert only_one(command) == reference


def test_a_folder_is_packed_before_it_is_carried(
    archives: dict[str, Path], command: Command
) -> None:
    folder = archives["1"].with_suffix("")
    assert "pack it as a zip" in command(f"models export {folder} -o packed.zip", status=1).err


def test_a_name_alone_is_the_default_or_the_only_version(manifest: Path, command: Command) -> None:
    command(f"models install tiny@2 -manifest {manifest}")
    assert "tiny@2 is installed and whole" in command("models install tiny").out  # unlisted now
    command(f"models install tiny@1 -manifest {manifest}")
    out = command(f"models install tiny -manifest {manifest}").out
    assert "tiny@1 is installed and whole" in out
    assert "tiny@1 or tiny@2" in command("models install tiny", status=2).err


def test_a_model_of_ones_own_manifest_is_removed_with_it(manifest: Path, command: Command) -> None:
    command(f"models install tiny@1 -manifest {manifest}")
    assert "tiny@1 is removed." in command(f"models remove tiny@1 -manifest {manifest}").out
    command(f"models remove tiny@1 -manifest {manifest}", status=1)
    command(f"models remove compact -manifest {manifest}", status=2)


@pytest.mark.parametrize("words", ["segment", "run -ofolder out", "deepseg rootlets"])
def test_a_custom_model_of_sct_is_mentioned_when_ours_is_taken(
    manifest: Path, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    image = np.random.default_rng(5).normal(100, 20, (20, 20, 20)).astype(np.float32)
    save_array(tmp_path / "t2.nii.gz", image, RAS_1MM)
    monkeypatch.setenv("SCT_ROOTLETS_MANIFEST", str(manifest))
    monkeypatch.setenv("SCT_DIR", str(tmp_path / "sct"))
    monkeypatch.setenv("SCT_ROOTLETS_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    custom = tmp_path / "sct" / "data" / "deepseg_models" / "model_tiny"
    custom.mkdir(parents=True)
    source = {"model_name": "model_tiny", "model_urls": "https://a.org/m.zip", "custom": True}
    (custom / "source.json").write_text(json.dumps(source))
    # Ours would be installed, were there a network.
    err = " ".join(command(f"{words} -i t2.nii.gz -model tiny", status=1).err.split())
    assert "SCT uses another model for its own task, from https://a.org/m.zip" in err
    assert f"-model {custom}, or -model tiny@1" in err
    err = command(f"{words} -i t2.nii.gz -model tiny@1", status=1).err
    assert "SCT uses" not in err


def test_what_ships_with_the_package_is_there(command: Command) -> None:
    assert "there already" in command("models install bundled").out
    for words in ("verify bundled", "export bundled -o x.zip"):
        assert "part of this package" in command(f"models {words}", status=1).err


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        ("install unheard-of", 1, "unheard-of"),
        ("install unheard-of -from-file m.zip", 2, "no manifest lists"),
        ("install rootlets -offline", 1, "-from-file"),
        ("install rootlets -from-file none.zip", 1, "none.zip"),
        ("install rootlets -sha256 abc", 2, "64 hex"),
        ("install https://example.org/m.zip", 2, "-sha256"),
        ("install rootlets -accept-change rootlets@other", 2, "rootlets@other"),
        ("export rootlets -o m.zip", 1, "is not installed"),
        ("list -manifest none.json", 1, "none.json"),
    ],
)
def test_wrong_words(words: str, status: int, told: str, command: Command) -> None:
    err = command(f"models {words}", status=status).err
    assert told in err
    assert "Traceback" not in err
    assert leftovers() == []


@pytest.mark.slow
def test_segment_installs_what_is_missing_and_then_runs_without_a_network(
    manifest: Path,
    archives: dict[str, Path],
    server: Server,
    store_home: Path,
    tmp_path: Path,
) -> None:
    pytest.importorskip("nnunetv2")
    image = np.random.default_rng(5).normal(100, 20, (20, 20, 20)).astype(np.float32)
    save_array(tmp_path / "t2.nii.gz", image, RAS_1MM)
    words = [sys.executable, "-m", "sct_rootlets", "segment", "-i", "t2.nii.gz", "-device", "cpu"]
    words += ["-threads", "1", "-manifest", str(manifest), "-model", "tiny@1"]

    def segment(*before: str, more: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*before, *words, *more],
            cwd=tmp_path,
            env=environment(store_home),
            capture_output=True,
            text=True,
            check=False,
        )

    done = segment(more=("-offline",))
    assert done.returncode == 1
    assert "models install tiny@1 -from-file" in done.stderr
    assert server.requests == []
    done = segment(more=("-sha256", sha256_of(archives["1"])))
    assert done.returncode == 0, done.stderr
    assert "Model: tiny 1" in done.stdout
    assert len(server.requests) == 1
    sidecar = json.loads((tmp_path / "t2_rootlets.json").read_text())
    assert "tiny" in json.dumps(sidecar)
    (tmp_path / "t2_rootlets.nii.gz").unlink()
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare, of Linux, to take the network away with")
    probe = subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("this system lets nobody make a network namespace")
    done = segment("unshare", "-rn")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "t2_rootlets.nii.gz").exists()
    assert len(server.requests) == 1
