"""``sct_rootlets models``: what it prints, and where the network is down."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.manifest import load_manifest
from tests.cli.conftest import Command
from tests.store.server import Server
from tests.store.tiny import TRAINER, environment, leftovers, sha256_of
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
