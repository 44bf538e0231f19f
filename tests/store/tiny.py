"""Tiny nnU-Net models, archives of them, and a manifest that lists these."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from sct_rootlets.manifest import load_manifest
from sct_rootlets.store.condition import Depth, condition_of
from sct_rootlets.store.home import Store, home
from sct_rootlets.store.installed import find, remove

REPOSITORY = Path(__file__).parents[2]
LEVELS = {"background": 0, **{f"lvl{value}": value for value in range(1, 4)}}
#: As an official release has them.
SPINAL = {"background": 0, **{f"lvl{value}": value for value in range(1, 10)}}
TRAINER = "nnUNetTrainer_2000epochs__nnUNetPlans__3d_fullres"


def write_tiny(folder: Path, seed: int = 0, *, padding: int = 0, **options: Any) -> Path:
    """Write a model folder that nnU-Net can run; `seed` decides its weights.

    Parameters
    ----------
    folder : Path
        The nnUNetTrainer* folder.
    seed : int
    padding : int
        Bytes of a file beside the weights that makes the archive larger.
    **options
        Of :func:`training.export.write_nnunet_folder`.
    """
    pytest.importorskip("safetensors")
    torch = pytest.importorskip("torch")
    pytest.importorskip("dynamic_network_architectures")
    from training.export import build_network, plain_conv_unet_kwargs, write_nnunet_folder

    kwargs = plain_conv_unet_kwargs((2, 2), (1, 2), convolutions=1)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        weights = build_network(kwargs, classes=len(LEVELS)).state_dict()
    options = {"labels": LEVELS, **options}
    write_nnunet_folder(folder, "3d_fullres", [1.0] * 3, [16] * 3, kwargs, weights, **options)
    if padding:
        noise = hashlib.shake_256(str(seed).encode()).digest(padding)
        (folder / "training_log.txt").write_bytes(noise)
    return folder


def write_fake(folder: Path, labels: dict[str, int] | None = None, **extra: Any) -> Path:
    """Write what locate() looks at; the checkpoint is not opened by it."""
    (folder / "fold_all").mkdir(parents=True)
    dataset = {"labels": labels or SPINAL, **extra}
    (folder / "dataset.json").write_text(json.dumps(dataset))
    (folder / "plans.json").write_text('{"configurations": {}}')
    (folder / "fold_all" / "checkpoint_final.pth").write_bytes(b"weights")
    return folder


def pack(root: Path, target: Path, prefix: str = "") -> Path:
    """Zip everything below `root`; the same files give the same bytes."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(root.rglob("*")):
            if path.is_file():
                name = prefix + path.relative_to(root).as_posix()
                archive.writestr(zipfile.ZipInfo(name), path.read_bytes())
    return target


def make_archive(folder: Path, seed: int = 0, **options: Any) -> Path:
    """Make a zip with one folder that holds a model, as the official releases do."""
    root = folder / f"model-{seed}"
    write_tiny(root / TRAINER, seed, **options)
    return pack(root, folder / f"model-{seed}.zip", f"model-{seed}/")


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def near(sha256: str) -> str:
    """Return a hash that agrees with another in its first eight digits only."""
    return sha256[:8] + "".join("1" if digit == "0" else "0" for digit in sha256[8:])


def entry(
    version: str, urls: Sequence[str], sha256: str | None = None, **asset: Any
) -> dict[str, Any]:
    """Return an entry of a manifest for a version of the model ``tiny``."""
    known = load_manifest().find("rootlets@r20250318")
    assert known is not None
    official = known.details
    (first,) = official["assets"]
    return {
        **official,
        "name": "tiny",
        "version": version,
        "title": "For tests",
        "assets": [{**first, "urls": list(urls), "sha256": sha256, **asset}],
    }


def write_manifest(path: Path, *entries: Mapping[str, Any]) -> Path:
    """Write a manifest with these entries."""
    path.write_text(json.dumps({"schema": 1, "models": list(entries)}), encoding="utf-8")
    return path


def leftovers(store: Path | None = None) -> list[str]:
    """Return what lies in a store besides models and the lock file."""
    folder = home().folder if store is None else store
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.relative_to(folder).parts[0] != "models"
        and path.name not in ("staging", "locks", "models.lock.json")
    ]


def assert_whole(store: Path | None = None) -> list[str]:
    """Check that every folder of a version is a verified model; return their names."""
    folder = home().folder if store is None else store
    for path in (folder / "models").glob("*/*"):
        found = condition_of(Store(folder, True).place(path.parent.name, path.name), Depth.ALL)
        assert found is not None
        assert found.problems == ()
    return [place.reference for place in Store(folder, True).survey()[0]]


def environment(store: Path, **more: str) -> dict[str, str]:
    """Return the environment of a process that installs into `store`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCT_")}
    return {**kept, "PYTHONPATH": str(REPOSITORY), "SCT_ROOTLETS_HOME": str(store), **more}


def remove_installed(name: str, version: str) -> None:
    place = find(name, version)
    assert place is not None
    remove(place)
