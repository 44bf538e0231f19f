"""The classes that a plans.json names, found without running anything else it may name.

nnU-Net imports whatever ``network_class_name`` says and calls it. A name such as
``torch.nn.modules.module.torch.hub.load`` would run a file of the model's folder that way;
so that every name has to be that of a layer or network of the two packages that have them.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sct_rootlets.engines.networks.runtime import import_torch
from sct_rootlets.errors import MissingDependencyError, ModelError

__all__ = ["build_network", "check_architecture", "load_weights", "network_part"]

_PACKAGES = ("torch.nn", "dynamic_network_architectures")


def network_part(name: object, folder: Path) -> Any:
    """Return the class called `name`, a ``torch.nn.Module`` of torch or nnU-Net's networks.

    Parameters
    ----------
    name : object
        Such as ``"torch.nn.modules.conv.Conv3d"``, as plans.json has it.
    folder : Path
        Of the model, for messages.

    Raises
    ------
    ModelError
        If it is anything else.
    MissingDependencyError
        If the package that has it is not installed.
    """
    torch = import_torch()
    foreign = ModelError(
        f"asks for {name!r:.100}, which is no part of a network",
        path=folder,
        remedy="Use the plans.json that nnU-Net wrote",
    )
    if not isinstance(name, str) or not name.startswith(tuple(f"{each}." for each in _PACKAGES)):
        raise foreign
    module_name, _, class_name = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module_name), class_name, None)
    except ImportError as error:
        if (error.name or "").startswith(_PACKAGES[0]):  # torch itself is there
            raise foreign from error
        raise MissingDependencyError(
            f"the model needs {name}, which cannot be imported",
            remedy='Install it with: pip install "sct_rootlets[standalone]"',
        ) from error
    if found is None:
        raise MissingDependencyError(
            f"the model needs {name}, which the installed {module_name.partition('.')[0]} "
            "does not have",
            remedy="Use the releases of torch and nnU-Net that the model was trained with",
        )
    if not (isinstance(found, type) and issubclass(found, torch.nn.Module)):
        raise foreign
    return found


def check_architecture(architecture: object, folder: Path) -> None:
    """Raise unless all that the ``architecture`` of plans.json names are parts of networks.

    Parameters
    ----------
    architecture : object
        None is what plans of nnU-Net before 2.5 have: they named no classes.
    folder : Path
        Of the model, for messages.

    Raises
    ------
    ModelError
        Also if it is not as nnU-Net writes it.
    """
    if architecture is None:
        return
    whole = architecture if isinstance(architecture, dict) else {}
    arguments, keys = whole.get("arch_kwargs", {}), whole.get("_kw_requires_import", [])
    names = isinstance(keys, list) and all(isinstance(key, str) for key in keys)
    if not whole or not isinstance(arguments, dict) or not names:
        raise ModelError(
            "has an architecture in plans.json that is not as nnU-Net writes it", path=folder
        )
    for name in [whole.get("network_class_name"), *(arguments.get(key) for key in keys)]:
        if name is not None:
            network_part(name, folder)


def build_network(architecture: dict[str, Any], classes: int, folder: Path) -> Any:
    """Build the ``torch.nn.Module`` that the ``architecture`` of plans.json describes.

    As ``get_network_from_plans`` of nnU-Net does, for one input channel and without deep
    supervision, and without the imports of nnU-Net itself.

    Raises
    ------
    ModelError
        If it names what is no part of a network, or cannot be built here.
    MissingDependencyError
        If a package that it needs is not installed.
    """
    check_architecture(architecture, folder)
    try:
        kwargs = dict(architecture["arch_kwargs"])
        for name in architecture["_kw_requires_import"]:
            kwargs[name] = None if kwargs[name] is None else network_part(kwargs[name], folder)
        return network_part(architecture["network_class_name"], folder)(
            input_channels=1, num_classes=classes, deep_supervision=False, **kwargs
        )
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise ModelError(
            f"the network of its plans.json cannot be built ({error!r})",
            path=folder,
            remedy="Use the releases of torch and nnU-Net that the model was trained with",
        ) from error


def load_weights(module: Any, checkpoint: Mapping[str, Any], path: Path) -> None:
    """Put the weights of a checkpoint into a network.

    Parameters
    ----------
    module : torch.nn.Module
    checkpoint : mapping
        Of :func:`sct_rootlets.engines.networks.runtime.read_checkpoint`.
    path : Path
        Of the model or checkpoint, for messages.

    Raises
    ------
    ModelError
        If they do not fit.
    """
    try:
        module.load_state_dict(checkpoint["network_weights"])
    except RuntimeError as error:
        raise ModelError(
            f"its weights do not fit the network of its plans.json (trainer "
            f"{checkpoint['trainer_name']}; {str(error).splitlines()[0]})",
            path=path,
            remedy="It may need a trainer class that this nnU-Net does not have",
        ) from error
