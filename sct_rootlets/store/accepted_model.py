"""From unpacked files to a model as the store keeps it: structure, code, weights."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.checkpoint import read_arrays
from sct_rootlets.errors import ModelError
from sct_rootlets.files.json_files import read_object
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.model_folder import read_json, read_model_folder, shown
from sct_rootlets.store.folder import model_folder, model_folders

__all__ = ["accept_model", "require_no_code", "require_runnable"]

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")


def accept_model(
    unpacked: Path,
    target: Path,
    *,
    trust_code: bool = False,
    stated: Mapping[int, SpinalLevel] | None = None,
) -> list[Path]:
    """Check an unpacked archive, convert its checkpoints, and move the model to `target`.

    Parameters
    ----------
    unpacked : Path
        What came out of the archive.
    target : Path
        Folder to make, on the same file system: that of a version, with one
        ``nnUNetTrainer*`` folder in it (two for a compact model).
    trust_code : bool
        Accept files and checkpoints that could run code.
    stated : mapping of int to SpinalLevel, optional
        What a manifest says of the values of its output.

    Returns
    -------
    list of Path
        Files below `target` that were made here, the converted weights.

    Raises
    ------
    ModelError
        If it is no nnU-Net v2 model, is incomplete, holds code, or is none that engines run.
    """
    from sct_rootlets.store.weights import convert_checkpoint

    folders = model_folders(unpacked)
    is_named = folders[0].name.startswith("nnUNetTrainer")
    root = folders[0].parent if is_named else folders[0]
    require_no_code(root, trust_code=trust_code)
    made: list[Path] = []
    for folder in folders:
        model = read_model_folder(folder)
        model.files()
        model.meanings(stated)
        names = []
        for checkpoint in model.folds.used:
            pair = convert_checkpoint(checkpoint, checkpoint.parent, trust_code=trust_code)
            names.append(str(read_object(pair[1]).get("configuration")))
            made += pair
        model.require_runnable(model.one_configuration(names))
    inside = target
    if not is_named:
        # An older release comes without the folder that nnU-Net and SCT look for.
        target.mkdir()
        inside = target / _trainer_folder_name(folders[0], made[1])
    os.rename(root, inside)
    model_folder(target)
    return [inside / path.relative_to(root) for path in made]


def require_runnable(model: InstalledModel) -> None:
    """Raise a `ModelError` if no engine runs a model that is there, as its install would."""
    paths = [model.folder.parent / name for name in model.checkpoints]
    for folder, checkpoints in groupby(paths, key=lambda path: path.parent.parent):
        names = [str(read_arrays(path)["init_args"]["configuration"]) for path in checkpoints]
        found = read_model_folder(folder)
        found.require_runnable(found.one_configuration(names))


def require_no_code(folder: Path, *, trust_code: bool = False) -> None:
    """Raise a `ModelError` if files that could run as code lie in a model folder.

    With `trust_code` they are accepted; nothing of them is run by this package even then.
    """
    from sct_rootlets.store.weights import code_files

    found = [] if trust_code else code_files(folder)
    if found:
        names = ", ".join(str(path.relative_to(folder)) for path in found[:5])
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise ModelError(
            f"the model comes with code ({names}{more}), which a model does not need",
            path=folder,
            remedy="Ask its authors for the nnU-Net folder alone. If you trust them: -trust-code",
        )


def _trainer_folder_name(folder: Path, facts: Path) -> str:
    """Return how nnU-Net names the folder: trainer, plans and configuration."""
    content = read_object(facts)
    plans = read_json(folder / "plans.json").get("plans_name", "nnUNetPlans")
    words = [str(content["trainer_name"]), str(plans), str(content["configuration"])]
    if not all(_NAME.fullmatch(word) for word in words) or not words[0].startswith("nnUNet"):
        raise ModelError(
            f"its names are not nnU-Net's ({', '.join(map(shown, words))})",
            path=folder,
            remedy="Pack it inside its nnUNetTrainer* folder",
        )
    return "__".join(words)
