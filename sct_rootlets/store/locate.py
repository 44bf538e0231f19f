"""Find the folder of a model that a user named, and say what is missing from it."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sct_rootlets.errors import ModelError
from sct_rootlets.manifest import (
    BUNDLED,
    DEFAULT_ORIENTATION_SCT,
    InstalledModel,
    ModelEntry,
    load_manifest,
    read_meanings,
    require_orientation,
)

__all__ = ["folder_sha256", "locate"]

logger = logging.getLogger(__name__)

#: Checkpoints of a fold, in the order in which they are preferred.
CHECKPOINTS = ("checkpoint_final.pth", "checkpoint_best.pth")

_BUNDLED_FOLDER = Path(__file__).parents[1] / "models" / "compact"
_EXPECTED = (
    "Give the folder that holds dataset.json, plans.json and fold_*, usually named nnUNetTrainer*"
)
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")


def locate(reference: str | os.PathLike[str] = BUNDLED) -> InstalledModel:
    """Return the model that `reference` names.

    Parameters
    ----------
    reference : str or path-like
        ``"bundled"``, the bundled model's name or ``name@version``; or a path to an
        nnU-Net v2 model folder (dataset.json, plans.json, ``fold_*``) or to its parent.

    Raises
    ------
    ModelError
        If no such model is known, or its folder is incomplete; the missing part and the
        remedy are named.
    """
    manifest = load_manifest()
    text = os.fspath(reference)
    entry = manifest.find(text)
    if entry is not None and entry.is_bundled:
        return _describe(_model_folder(_BUNDLED_FOLDER), entry)
    if entry is None and Path(text).expanduser().exists():
        return _describe(_model_folder(Path(text).expanduser()), None)
    if entry is not None:
        address = next(url for asset in entry.assets for url in asset.urls)
        raise ModelError(
            f"the official model {entry.reference} is not installed by this version",
            remedy=f"Download {address}, unzip it, and give the path of its folder instead",
        )
    if text.lower().endswith(_ARCHIVES) or os.sep in text or text.startswith("."):
        raise ModelError("no such model folder", path=text, remedy="Check the path")
    known = ", ".join(known.reference for known in manifest.entries)
    raise ModelError(
        f"no model is named {text!r}, and there is no folder of that name",
        remedy=f"Known are {BUNDLED} and {known} (of these, only the bundled one is at hand: "
        "unzip an official release and give its folder)",
    )


def folder_sha256(files: Iterable[Path], root: Path) -> str:
    """Combine the hashes of `files` into one, independent of when and where they lie.

    It is the sha256 of the text that ``sha256sum`` prints for the files, named relative
    to `root` with forward slashes and sorted by that name: one line
    ``<sha256>  <name>\\n`` for each.

    Parameters
    ----------
    files : iterable of Path
    root : Path
        Folder that holds them.
    """
    lines = []
    for name, path in sorted((path.relative_to(root).as_posix(), path) for path in files):
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
        lines.append(f"{digest.hexdigest()}  {name}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _model_folder(path: Path) -> Path:
    """Return the folder with dataset.json: `path` itself, or the one folder right below it."""
    if path.is_file():
        if path.name.lower().endswith(_ARCHIVES):
            remedy = "Unzip it and give the folder"
        else:
            remedy = _EXPECTED
        raise ModelError("is a file, not a model folder", path=path, remedy=remedy)
    if path == _BUNDLED_FOLDER and not path.is_dir():
        raise ModelError(
            "the bundled model is missing from this installation",
            path=path,
            remedy="Reinstall sct_rootlets, or train it with the code of training/",
        )
    inside = [path, *sorted(child for child in path.iterdir() if child.is_dir())]
    with_dataset = [folder for folder in inside if (folder / "dataset.json").is_file()]
    if with_dataset[:1] == [path]:
        return path
    if not with_dataset:
        part = (path / "plans.json").is_file() or any(path.glob("fold_*"))
        problem = "has no dataset.json" if part else "is not an nnU-Net v2 model folder"
        raise ModelError(problem, path=path, remedy=_EXPECTED)
    full = [folder for folder in with_dataset if folder.name.endswith("3d_fullres")]
    if len(with_dataset) > 1 and len(full) != 1:
        names = ", ".join(folder.name for folder in with_dataset)
        raise ModelError(
            f"holds several models ({names})", path=path, remedy="Give the folder of one of them"
        )
    return full[0] if full else with_dataset[0]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(
            f"the model folder has no readable {path.name}", path=path.parent, remedy=_EXPECTED
        ) from error
    except ValueError as error:
        raise ModelError(
            f"is not valid JSON ({error})", path=path, remedy="Copy or unzip the model again"
        ) from error
    if not isinstance(content, dict):
        raise ModelError("is not a JSON object", path=path, remedy="Copy the model again")
    return content


def _files(folder: Path) -> list[Path]:
    """Return the files that inference reads, or raise naming what is missing."""
    plans = _read_json(folder / "plans.json")
    if "configurations" not in plans:
        raise ModelError(
            'its plans.json has no "configurations"',
            path=folder,
            remedy="It may be a model of nnU-Net version 1; version 2 is needed",
        )
    folds = sorted(path for path in folder.glob("fold_*") if path.is_dir())
    if not folds:
        raise ModelError("has no fold_* folder", path=folder, remedy=_EXPECTED)
    checkpoints = []
    for fold in folds:
        present = [fold / name for name in CHECKPOINTS if (fold / name).is_file()]
        checkpoints += present[:1]
    if not checkpoints:
        raise ModelError(
            f"has no {' or '.join(CHECKPOINTS)} in {', '.join(fold.name for fold in folds)}",
            path=folder,
            remedy="Copy or unzip the model again",
        )
    return [folder / "dataset.json", folder / "plans.json", *checkpoints]


def _describe(folder: Path, entry: ModelEntry | None) -> InstalledModel:
    dataset = _read_json(folder / "dataset.json")
    meanings = read_meanings(dataset, folder / "dataset.json")
    is_compact = "sct_rootlets" in dataset
    files = _files(folder)
    coarse = folder.with_name(folder.name.replace("3d_fullres", "3d_lowres"))
    if is_compact and coarse != folder and coarse.is_dir():
        files += _files(coarse) if (coarse / "dataset.json").is_file() else []
    orientation = dataset.get("image_orientation", DEFAULT_ORIENTATION_SCT)
    if entry is None:
        # The folder's own name says only how it was trained, its parent's which model it is.
        generic = folder.name.startswith("nnUNetTrainer") and folder.parent.name
        name, version = (folder.resolve().parent.name if generic else folder.name), "unknown"
    else:
        name, version = entry.name, entry.version
    return InstalledModel(
        name=name,
        version=version,
        folder=folder,
        sha256=folder_sha256(files, folder.parent),
        labels=meanings.names,
        orientation_sct=require_orientation(orientation, folder / "dataset.json"),
        has_level_identity=meanings.has_level_identity,
        is_compact=is_compact,
    )
