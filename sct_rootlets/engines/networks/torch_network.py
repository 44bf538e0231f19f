"""The networks of a model folder: one a fold, ready to score tiles.

A `Network` is what the sliding windows see; behind it stands torch, or OpenVINO (see
:mod:`sct_rootlets.engines.networks.openvino_network`), which is fed from what is built here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.engines.networks.architecture import build_network
from sct_rootlets.engines.networks.fitting import built_to_fit
from sct_rootlets.engines.networks.runtime import (
    has_plain_trainer,
    import_nnunet,
    import_torch,
    read_checkpoint,
    using_threads,
)
from sct_rootlets.engines.networks.trainer import build_by_trainer, find_trainer, read_plans
from sct_rootlets.errors import ModelError
from sct_rootlets.model_folder import ModelFolder, Plan, read_model_folder

__all__ = ["Facts", "Network", "TorchNetwork", "build_modules"]

_Array = NDArray[np.float32]


class Network(Protocol):
    """A loaded network."""

    def scores(self, tiles: _Array) -> _Array:
        """Return the class scores (N, classes, *patch), logits, of tiles (N, *patch).

        The answer may be overwritten by the next call.
        """
        ...


@dataclass(frozen=True)
class Facts:
    """What the checkpoints of a folder say besides the weights.

    Attributes
    ----------
    configuration : str
        Such as ``"3d_fullres"``.
    mirror_axes : tuple of int
        Axes of the patch along which mirroring is allowed.
    folds : tuple of str
        Names of the folders whose networks are averaged.
    """

    configuration: str
    mirror_axes: tuple[int, ...]
    folds: tuple[str, ...]

    @classmethod
    def of(cls, checkpoints: Sequence[Mapping[str, Any]], model: ModelFolder) -> Facts:
        """Return what the checkpoints of a model say, and where they differ the first one."""
        axes: Sequence[int] = checkpoints[0].get("inference_allowed_mirroring_axes") or ()
        names = [str(checkpoint["init_args"]["configuration"]) for checkpoint in checkpoints]
        return cls(
            configuration=model.one_configuration(names),
            mirror_axes=tuple(int(axis) for axis in axes),
            folds=tuple(path.parent.name for path in model.folds.used),
        )


class TorchNetwork:
    """A network in torch.

    Parameters
    ----------
    module : torch.nn.Module
        From patches (N, 1, *patch) to scores (N, classes, *patch).
    device : torch.device
    threads : int, optional
        As in :func:`sct_rootlets.engines.load_engine`.

    Notes
    -----
    On CUDA it runs under autocast, as nnU-Net's own predictor does; elsewhere in float32.
    """

    def __init__(self, module: Any, device: Any, threads: int | None = None) -> None:
        self._module = module.to(device).eval()
        self._device = device
        self._threads = threads

    def scores(self, tiles: _Array) -> _Array:
        """Score tiles; see :class:`Network`.

        Tiles that do not fit into a GPU's memory together are scored one by one.

        Raises
        ------
        ModelError
            If not even one does.
        """
        torch = import_torch()
        try:
            return self._scored(tiles)
        except torch.cuda.OutOfMemoryError as error:
            # Not the error itself: the frames of its traceback hold what filled the memory.
            reason = (str(error).splitlines() or [""])[0]
        except MemoryError:
            raise
        except Exception as error:  # arguments of layers that none of them looked at when built
            raise ModelError(f"its network cannot score a tile ({error!s:.200})") from error
        torch.cuda.empty_cache()
        if len(tiles) > 1:
            return np.concatenate([self.scores(tile[None]) for tile in tiles])
        raise ModelError(
            f"the memory of {self._device} does not hold one tile of it ({reason:.200})",
            remedy="Choose -device cpu, or leave that device to this program alone",
        )

    def _scored(self, tiles: _Array) -> _Array:
        torch = import_torch()
        half = torch.autocast("cuda", enabled=self._device.type == "cuda")
        with using_threads(self._threads), torch.inference_mode(), half:
            given = torch.from_numpy(np.ascontiguousarray(tiles[:, None])).to(self._device)
            result: _Array = self._module(given).float().cpu().numpy()
        return result


def build_modules(folder: Path) -> tuple[list[Any], Facts]:
    """Return the torch modules of a model folder, one a fold, and what goes with them.

    The network of a plain trainer is built from what plans.json says of it; any other, and
    those of plans before nnU-Net 2.5, by the trainer's own method in nnU-Net.

    Raises
    ------
    ModelError
        If the folder is incomplete, no engine runs it, or its weights do not fit its plans.
    MissingDependencyError
        If torch or nnU-Net is missing.
    UnsupportedPlan
        If only nnU-Net's own predictor runs it.
    """
    model = read_model_folder(folder)
    checkpoints = [read_checkpoint(path) for path in model.folds.used]
    facts = Facts.of(checkpoints, model)
    plan = model.plan(facts.configuration)
    build, is_installed = _builder(model, plan, checkpoints[0]["trainer_name"])
    modules = [
        built_to_fit(build, checkpoint, path, is_installed)
        for checkpoint, path in zip(checkpoints, model.folds.used, strict=True)
    ]
    return modules, facts


def _builder(model: ModelFolder, plan: Plan, trainer_name: str) -> tuple[Callable[[], Any], bool]:
    """Return what builds the network, and whether that is code which the user installed."""
    architecture = plan.settings.get("architecture")
    if architecture is not None and has_plain_trainer(trainer_name):
        return (lambda: build_network(architecture, plan.classes, model.path)), False
    nnunet = import_nnunet()
    plans = read_plans(nnunet, model, plan.configuration)
    trainer = find_trainer(nnunet, trainer_name)
    return (lambda: build_by_trainer(trainer, *plans)), trainer is not nnunet.nnUNetTrainer
