"""The classes that a plans.json names, found without running anything else it may name.

nnU-Net imports whatever ``network_class_name`` says and calls it. A name such as
``torch.nn.modules.module.torch.hub.load`` would run a file of the model's folder that way;
so that every name has to be that of a layer or network of the two packages that have them. Of
layers only those may be named that give as many voxels as they take: with ``Upsample`` as its
activation a network of any size fills the memory.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sct_rootlets.engines.networks.runtime import import_torch
from sct_rootlets.errors import MissingDependencyError, ModelError, RootletsError

__all__ = ["build_network", "check_architecture", "load_weights", "network_part"]

_PACKAGES = ("torch.nn", "dynamic_network_architectures")

_NORMS = ("batchnorm", "instancenorm", "normalization")

#: Modules of ``torch.nn.modules`` that have the layers which an argument may be.
_KINDS = {
    "conv_op": ("conv",),
    "norm_op": _NORMS,
    "dropout_op": ("dropout",),
    "nonlin": ("activation",),
}
_ANY_KIND = ("conv", *_NORMS, "dropout", "activation")

_NAME = re.compile(r"[\w.]{1,200}", re.ASCII)


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
        f"asks for {_shown(name)}, which is no part of a network",
        path=folder,
        remedy="Use the plans.json that nnU-Net wrote",
    )
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise foreign
    if not name.startswith(tuple(f"{each}." for each in _PACKAGES)):
        raise foreign
    module_name, _, class_name = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module_name), class_name, None)
    except Exception as error:  # of what it imports in turn, which may fail in any way
        if str(getattr(error, "name", None)).startswith(_PACKAGES[0]):  # torch itself is there
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


def _shown(name: object) -> str:
    return f"{name[:100]!r}" if isinstance(name, str) else f"a {type(name).__name__}"


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
    if whole.get("network_class_name") is not None:
        network_part(whole["network_class_name"], folder)
    for key in keys:
        if arguments.get(key) is not None:
            _check_kind(network_part(arguments[key], folder), key, folder)


def _check_kind(layer: Any, key: str, folder: Path) -> None:
    """Raise unless a layer of torch is of the kind that the argument `key` has to be."""
    package, _, module = layer.__module__.rpartition(".")
    is_known = package == "torch.nn.modules" and module in _KINDS.get(key, _ANY_KIND)
    if module == "conv":
        is_known = is_known and re.fullmatch(r"Conv[123]d", layer.__name__) is not None
    if key not in _KINDS:
        is_known = is_known or package.startswith(_PACKAGES[1])
    if not is_known and layer is not import_torch().nn.Identity:
        raise ModelError(
            f"asks for {layer.__name__} as the {key} of its network, which is none",
            path=folder,
            remedy="Use the plans.json that nnU-Net wrote",
        )


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
    except (RootletsError, MemoryError):
        raise
    except Exception as error:  # networks check their arguments in many ways, or by using them
        raise ModelError(
            f"the network of its plans.json cannot be built ({error!r:.200})",
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
        said = " ".join(line.strip() for line in str(error).splitlines()[:2])
        raise ModelError(
            f"its weights do not fit the network of its plans.json (trainer "
            f"{checkpoint['trainer_name']}; {said:.300})",
            path=path,
            remedy="It may need a trainer class that this nnU-Net does not have",
        ) from error
