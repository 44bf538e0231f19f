"""Our task and its model as entries of the two dictionaries that ``sct_deepseg`` is built from.

They are what ``sct_deepseg -h`` and ``-task-details`` show. SCT finds the model where our
store has it, and neither downloads nor replaces it: the task itself is done by our command
(see `handover`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sct_rootlets import __version__
from sct_rootlets.errors import RootletsError
from sct_rootlets.sct.task import TASK, warn

if TYPE_CHECKING:
    from sct_rootlets.manifest import ModelEntry

__all__ = ["MARK", "MODEL", "add", "default_model", "installed_folder"]

#: Model of the task; the name alone means the version that the manifest recommends.
MODEL = "rootlets"

#: Key of our entry that no task of SCT has, by which it is told from one of the same name.
MARK = "sct_rootlets"

#: From this version on tasks are words of the command line of their own.
_OLDEST_SCT = (7, 0)

_USED_DICTIONARIES = ("TASKS", "MODELS")
_USED_FUNCTIONS = ("folder", "find_model_folder_paths", "is_valid", "install_model")


def default_model() -> ModelEntry:
    """Return the model of the task, as the manifest of this package lists it.

    What a user's own manifest adds does not change what a name alone means.
    """
    from sct_rootlets.manifest import load_manifest

    # Not checked against the schema, which would take longer than all the rest of this.
    entry = load_manifest(check=False).find(MODEL)
    if entry is None:
        raise RootletsError(f"no model is named {MODEL!r}")
    return entry


def installed_folder(
    entry: ModelEntry, sct_dir: str | os.PathLike[str] | None = None
) -> Path | None:
    """Return where a model is installed, by us or by SCT; None where it is not.

    After ``-install -custom-url`` it is the folder of what that installed, as in SCT.

    Parameters
    ----------
    entry : ModelEntry
    sct_dir : path-like, optional
        Folder of SCT, where ``SCT_DIR`` does not name it.
    """
    from sct_rootlets.store.custom import custom_version
    from sct_rootlets.store.installed import find
    from sct_rootlets.store.sct_copy import find_sct_copy

    custom = custom_version(entry.name)
    if custom is not None:
        name, _, version = custom.reference.partition("@")
        place = find(name, version)
        return None if place is None else place.folder
    place = find(entry.name, entry.version)
    return find_sct_copy(entry, sct_dir) if place is None else place.folder


def add(models: ModuleType) -> None:
    """Add our task to SCT's; all of it, or nothing where something is not as expected.

    Parameters
    ----------
    models : module
        ``spinalcordtoolbox.deepseg.models``.

    Raises
    ------
    RootletsError
        If SCT is too old or lacks a name that is needed, or has a task or a model of the same
        name, which stays.
    """
    from spinalcordtoolbox.utils import shell

    from sct_rootlets.sct.handover import hand_over

    _require(models)
    sct_dir = str(_sct_dir(models))
    model = default_model()
    for dictionary, key in ((models.TASKS, TASK), (models.MODELS, model.reference)):
        if key in dictionary:
            raise RootletsError(f"SCT itself has a {key!r}, which stays")
    with ExitStack() as undo:
        models.MODELS[model.reference] = _model_entry(model)
        undo.callback(models.MODELS.pop, model.reference, None)
        models.TASKS[TASK] = _task_entry(model)
        undo.callback(models.TASKS.pop, TASK, None)
        for name, function in (("folder", _folder), ("install_model", _install_model)):
            original = getattr(models, name)
            undo.callback(setattr, models, name, original)
            setattr(models, name, function(original, model, sct_dir))
        undo.callback(hand_over(shell.SCTArgumentParser, sct_dir))
        undo.pop_all()


def _require(models: ModuleType) -> None:
    """Raise a `RootletsError` that names what this SCT lacks."""
    text = _version_text(models)
    numbers = [int(word) if word.isdigit() else 0 for word in text.split(".")[:2]]
    if numbers and tuple(numbers) < _OLDEST_SCT and numbers[0]:
        raise RootletsError(f"SCT {text} is too old, its tasks can be added to from 7.0 on")
    missing = [
        name for name in _USED_DICTIONARIES if not isinstance(getattr(models, name, None), dict)
    ]
    missing += [name for name in _USED_FUNCTIONS if not callable(getattr(models, name, None))]
    if missing:
        raise RootletsError(
            f"SCT {text or 'of this version'} has no {', '.join(missing)} in {models.__name__}",
            remedy="A newer version of sct_rootlets may know this SCT",
        )


def _sct_dir(models: ModuleType) -> Path:
    """Return the folder of SCT, by SCT's own rule from the place of its modules."""
    return Path(models.__file__ or ".").resolve().parents[2]


def _version_text(models: ModuleType) -> str:
    try:
        path = _sct_dir(models) / "spinalcordtoolbox" / "version.txt"
        return path.read_text(encoding="utf-8").strip()
    except OSError:  # the names decide then
        return ""


def _urls(model: ModelEntry) -> list[str]:
    return [url for asset in model.assets for url in asset.urls]


def _model_entry(model: ModelEntry) -> dict[str, Any]:
    return {
        "url": _urls(model),
        "description": "Spinal nerve rootlets by level, in the store of sct_rootlets",
        "contrasts": list(model.contrasts),
        "framework": "nnunetv2",
        "thr": None,
        "default": False,
    }


def _task_entry(model: ModelEntry) -> dict[str, Any]:
    return {
        "description": "Spinal nerve rootlets, and the spinal levels they define "
        f"({model.reference}, by sct_rootlets {__version__})",
        "long_description": "Segments the spinal nerve rootlets as the task 'rootlets' does, with "
        f"the model {model.reference}, and derives from them the spinal levels along the cord: as "
        "a label image, and as a table with uncertainties. The cord mask is the one given, else "
        "one is made. It is done by sct_rootlets "
        f"{__version__}, with its own store of models and its own engines; "
        f"'sct_deepseg {TASK} -h' shows its options, and 'sct_rootlets sct disable' removes it.",
        # Where the releases are, if they are where GitHub has them.
        "url": _urls(model)[0].partition("/releases/")[0],
        "models": [model.reference],
        "citation": None,
        MARK: __version__,
    }


def _folder(original: Callable[..., str], model: ModelEntry, sct_dir: str) -> Callable[..., str]:
    """Return SCT's `folder` that finds our model in our store."""

    def folder(name_model: str) -> str:
        if name_model != model.reference:
            return original(name_model)
        try:
            found = installed_folder(model, sct_dir)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - SCT goes on whatever it was
            warn(error, f"sct_deepseg shows {model.reference} as not installed")
            found = None
        # Where it is not, a path that is none, so that nothing there is taken for the model.
        return os.path.join(original(name_model), "in no store") if found is None else str(found)

    folder.__doc__ = original.__doc__
    return folder


def _install_model(
    original: Callable[..., None], model: ModelEntry, sct_dir: str
) -> Callable[..., None]:
    """Return SCT's `install_model` that leaves our model to our store."""

    def install_model(name_model: str, custom_url: Any = None) -> None:
        if name_model != model.reference:
            return original(name_model) if custom_url is None else original(name_model, custom_url)
        from sct_rootlets.sct.handover import run_command

        if custom_url:
            raise ValueError(f"{model.reference} is installed from its own address only")
        status = run_command(["models", "install", model.reference], sct_dir)
        if status:
            raise RuntimeError(f"'sct_rootlets models install {model.reference}' failed: {status}")
        return None

    install_model.__doc__ = original.__doc__
    return install_model
