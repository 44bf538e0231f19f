"""What a model folder has to hold, and what a folder of unpacked files is as a model."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.checkpoint import converted_files
from sct_rootlets.errors import ModelError
from sct_rootlets.files.hashing import file_sha256
from sct_rootlets.files.json_files import object_if_readable
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.model_folder import EXPECTED, read_json, read_model_folder
from sct_rootlets.store.receipt import combined_sha256

__all__ = [
    "ARCHIVES",
    "BUNDLED_FOLDER",
    "describe",
    "folder_sha256",
    "model_folder",
    "model_folders",
]

logger = logging.getLogger(__name__)

#: Where the model inside this package lies.
BUNDLED_FOLDER = Path(__file__).parents[1] / "models" / "compact"

#: Endings of the archives that models come in.
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")


def folder_sha256(
    files: Iterable[Path], root: Path, known: Mapping[Path, str] | None = None
) -> str:
    r"""Combine the hashes of `files` into one, independent of when and where they lie.

    It is the sha256 of the text that ``sha256sum`` prints for the files, named relative
    to `root` with forward slashes and sorted by that name: one line
    ``<sha256>  <name>\n`` for each.

    Parameters
    ----------
    files : iterable of Path
    root : Path
        Folder that holds them.
    known : mapping of Path to str, optional
        sha256 of files that need not be hashed again.
    """
    known = known or {}
    return combined_sha256(
        {path.relative_to(root).as_posix(): known.get(path) or file_sha256(path) for path in files}
    )


def model_folder(path: Path) -> Path:
    """Return the folder with dataset.json: `path` itself, or the one folder right below it.

    Raises
    ------
    ModelError
        If there is none, or there are several that are no pair of the compact model.
    """
    if path.is_file():
        raise ModelError("is a file, not a model folder", path=path, remedy=EXPECTED)
    if path == BUNDLED_FOLDER and not path.is_dir():
        raise ModelError(
            "the bundled model is missing from this installation",
            path=path,
            remedy="Reinstall sct_rootlets, or train it with the code of training/",
        )
    try:
        inside = [path, *sorted(child for child in path.iterdir() if child.is_dir())]
        with_dataset = [folder for folder in inside if (folder / "dataset.json").is_file()]
    except OSError as error:
        raise ModelError(f"cannot be read ({error.strerror})", path=error.filename) from error
    if with_dataset[:1] == [path]:
        return path
    if not with_dataset:
        part = (path / "plans.json").is_file() or any(path.glob("fold_*"))
        problem = "has no dataset.json" if part else "is not an nnU-Net v2 model folder"
        raise ModelError(problem, path=path, remedy=EXPECTED)
    full = [folder for folder in with_dataset if folder.name.endswith("3d_fullres")]
    if len(with_dataset) > 1 and len(full) != 1:
        names = ", ".join(folder.name for folder in with_dataset)
        raise ModelError(
            f"holds several models ({names})", path=path, remedy="Give the folder of one of them"
        )
    return full[0] if full else with_dataset[0]


def model_folders(unpacked: Path) -> list[Path]:
    """Return the model folder in an unpacked archive: one, or the compact model's pair.

    It is the one that is named ``nnUNetTrainer*``, or, in an archive without that name,
    the one that holds dataset.json. None, or several, are a `ModelError`.
    """
    found = sorted(path.parent for path in unpacked.rglob("dataset.json") if path.is_file())
    named = [folder for folder in found if folder.name.startswith("nnUNetTrainer")] or found
    if len(named) == 1:
        return named
    if not named:
        raise ModelError(
            "the archive holds no nnU-Net v2 model: there is no dataset.json in it",
            remedy="It has to hold one nnUNetTrainer* folder",
        )
    full = [folder for folder in named if folder.name.endswith("3d_fullres")]
    together = len({folder.parent for folder in named}) == 1
    ours = all("sct_rootlets" in read_json(folder / "dataset.json") for folder in named)
    if len(named) == 2 and len(full) == 1 and together and ours:
        return named
    names = ", ".join(folder.relative_to(unpacked).as_posix() for folder in named)
    raise ModelError(
        f"the archive holds several models ({names})", remedy="Pack one nnUNetTrainer* folder"
    )


def describe(
    folder: Path,
    name: str | None = None,
    version: str = "unknown",
    hashes: Mapping[Path, str] | None = None,
    stated: Mapping[int, SpinalLevel] | None = None,
) -> InstalledModel:
    """Describe a complete model folder, the one with dataset.json.

    It is named after the folder by default, or its parent where its own name is nnU-Net's. Files
    whose sha256 is not among `hashes` are hashed. What a manifest has `stated` of the values counts
    where the names of the labels say nothing.

    Raises
    ------
    ModelError
        If something is missing or cannot be used.
    """
    hashes = hashes or {}
    model = read_model_folder(folder)
    networks = [model]
    coarse = folder.with_name(folder.name.replace("3d_fullres", "3d_lowres"))
    if model.is_compact and coarse != folder and (coarse / "dataset.json").is_file():
        networks.append(read_model_folder(coarse))
    checkpoints = [path for each in networks for path in each.folds.used]
    files = [path for each in networks for path in each.files()]
    known = {path: hashes.get(path) or file_sha256(path) for path in files}
    for checkpoint in checkpoints:
        _require_made_of(checkpoint, known[checkpoint])
    for each in networks:
        for remark in each.folds.aside:
            logger.warning("%s: %s", each.path, remark)
    if name is None:
        # The folder's own name says only how it was trained, its parent's which model it is.
        generic = folder.name.startswith("nnUNetTrainer") and folder.parent.name
        name = folder.resolve().parent.name if generic else folder.name
    return InstalledModel(
        name=name,
        version=version,
        folder=folder,
        sha256=folder_sha256(known, folder.parent, known),
        meanings=model.meanings(stated),
        orientation_sct=model.orientation_sct,
        is_compact=model.is_compact,
        checkpoints=tuple(path.relative_to(folder.parent).as_posix() for path in checkpoints),
    )


def _require_made_of(checkpoint: Path, sha256: str) -> None:
    """Raise a `ModelError` if the weights that engines read are those of another checkpoint."""
    weights, facts = converted_files(checkpoint)
    if not (weights.is_file() and facts.is_file()):
        return
    source = object_if_readable(facts).get("source")
    if not isinstance(source, dict) or source.get("sha256") != sha256:
        raise ModelError(
            f"was not made of the {checkpoint.name} beside it",
            path=weights,
            remedy=f"Remove it and {facts.name}: the checkpoint itself is read then",
        )
