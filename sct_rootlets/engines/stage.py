"""A network of the compact model, built from what its plans say, without nnU-Net itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.engines.architecture import check_architecture, network_part
from sct_rootlets.engines.runtime import checkpoint_files, read_checkpoint
from sct_rootlets.errors import ModelError

__all__ = ["Stage", "load_stage"]


@dataclass
class Stage:
    """One of the two networks, with what its plans say.

    Attributes
    ----------
    network : torch.nn.Module
        On its device, in evaluation mode.
    spacing_mm : (3,) array
        Along x, y, z.
    patch_zyx : (3,) tuple of int
    classes : dict of str to int
    dataset : dict
        Content of dataset.json.
    """

    network: Any
    spacing_mm: NDArray[np.float64]
    patch_zyx: tuple[int, int, int]
    classes: dict[str, int]
    dataset: dict[str, Any]


def load_stage(folder: Path, device: Any) -> Stage:
    """Load a network from what its plans.json says, without nnU-Net itself."""
    path = checkpoint_files(folder)[0]
    checkpoint = read_checkpoint(path)
    try:
        dataset = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
        plans = json.loads((folder / "plans.json").read_text(encoding="utf-8"))
        plan = plans["configurations"][checkpoint["init_args"]["configuration"]]
        architecture = plan["architecture"]
        classes = {str(name): int(value) for name, value in dataset["labels"].items()}
        patch = [int(n) for n in plan["patch_size"]]
        spacing = np.array(plan["spacing"], dtype=float)[::-1]
        straight = list(plans["transpose_forward"]) == [0, 1, 2]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"its plans.json or dataset.json cannot be used ({error!r})",
            path=folder,
            remedy="Reinstall sct_rootlets",
        ) from error
    if not straight or len(patch) != 3:
        raise ModelError("is no 3D model in plain z, y, x order", path=folder)
    network = _build(architecture, len(classes), folder)
    try:
        network.load_state_dict(checkpoint["network_weights"])
    except RuntimeError as error:
        raise ModelError(
            f"its weights do not fit its plans.json ({str(error).splitlines()[0]})", path=path
        ) from error
    network = network.to(device).eval()
    return Stage(network, spacing, (patch[0], patch[1], patch[2]), classes, dataset)


def _build(architecture: dict[str, Any], classes: int, folder: Path) -> Any:
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
