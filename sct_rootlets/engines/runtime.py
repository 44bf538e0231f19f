"""What every engine needs of torch and nnU-Net: imports, devices, threads, checkpoints."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import pickle
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sct_rootlets.errors import MissingDependencyError, ModelError, UsageError

__all__ = [
    "checkpoint_files",
    "choose_device",
    "import_nnunet",
    "import_torch",
    "read_checkpoint",
    "usable_threads",
    "using_threads",
]

logger = logging.getLogger(__name__)

_REMEDY = 'Install it with: pip install "sct_rootlets[standalone]"'

_CHECKPOINTS = ("checkpoint_final.pth", "checkpoint_best.pth")

#: Everything besides tensors that nnU-Net's checkpoints hold: numbers of its logging.
_ALLOWED_GLOBALS = {
    ("collections", "OrderedDict"),
    ("_codecs", "encode"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("torch", "device"),
    ("torch", "Size"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch._utils", "_rebuild_parameter"),
}


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Send what nnU-Net prints and warns (about its environment variables, say) to the log."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for line in filter(None, printed.getvalue().splitlines()):
            logger.debug("nnU-Net: %s", line)


def import_torch() -> Any:
    """Return the module ``torch``, or raise a `MissingDependencyError` naming the remedy."""
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError(
            f"prediction needs PyTorch, which cannot be imported ({error})", remedy=_REMEDY
        ) from error
    return torch


def import_nnunet() -> SimpleNamespace:
    """Return what is used of ``nnunetv2`` (upstream, or SCT's fork of the same name).

    Returns
    -------
    SimpleNamespace
        With nnUNetPredictor, PlansManager, nnUNetTrainer, determine_num_input_channels,
        find_class and root (folder of the package).
    """
    import_torch()
    try:
        with quietly():
            import nnunetv2
            from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
            from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
            from nnunetv2.utilities.find_class_by_name import recursive_find_python_class
            from nnunetv2.utilities.label_handling.label_handling import (
                determine_num_input_channels,
            )
            from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
    except ImportError as error:
        raise MissingDependencyError(
            f"this model needs nnU-Net version 2, which cannot be imported ({error})",
            remedy=_REMEDY,
        ) from error
    return SimpleNamespace(
        root=Path(nnunetv2.__path__[0]),
        nnUNetPredictor=nnUNetPredictor,
        nnUNetTrainer=nnUNetTrainer,
        PlansManager=PlansManager,
        determine_num_input_channels=determine_num_input_channels,
        find_class=recursive_find_python_class,
    )


def choose_device(name: str) -> Any:
    """Return the ``torch.device`` of ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises
    ------
    UsageError
        If it is none of these, or this machine has no such device.
    """
    torch = import_torch()
    kind, _, index = name.lower().partition(":")
    if kind == "auto" and not index:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if kind not in ("cpu", "cuda", "mps") or (index and not index.isdigit()):
        raise UsageError(
            f"there is no device {name!r}", remedy="Choose auto, cpu, cuda, cuda:N or mps"
        )
    count = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": 0}[kind]
    if kind == "mps":
        count = int(torch.backends.mps.is_available())
    if int(index or 0) >= count:
        seen = f"PyTorch sees {count}" if count else "PyTorch sees none"
        raise UsageError(
            f"there is no device {name!r} on this machine ({seen} of that kind)",
            remedy="Choose auto or cpu",
        )
    return torch.device(name.lower())


def usable_threads() -> int:
    """Return how many cores this process may use, or ``OMP_NUM_THREADS`` where it is less."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # only Linux knows affinities
        cores = os.cpu_count() or 1
    wish = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return min(cores, int(wish)) if wish.isdigit() and int(wish) > 0 else cores


@contextlib.contextmanager
def using_threads(threads: int | None) -> Iterator[None]:
    """Let torch use `threads` threads within the block, and put its setting back after."""
    torch = import_torch()
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, threads if threads is not None else usable_threads()))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def checkpoint_files(folder: Path) -> list[Path]:
    """Return the checkpoints to average: that of fold_all alone, else every fold's.

    fold_all was trained on all the data, so that the single folds add time and little
    else.
    """
    found = [
        next((fold / name for name in _CHECKPOINTS if (fold / name).is_file()), None)
        for fold in [folder / "fold_all", *sorted(folder.glob("fold_[0-9]*"))]
    ]
    paths = [path for path in found if path is not None]
    if not paths:
        raise ModelError("has no checkpoint in any fold", path=folder)
    return paths[:1] if paths[0].parent.name == "fold_all" else paths


class _Unpickler(pickle.Unpickler):
    """Unpickler that knows tensors and numbers, and no other code."""

    def find_class(self, module: str, name: str) -> Any:
        plain_dtype = module in ("torch", "numpy.dtypes") and name.endswith(("Storage", "DType"))
        if (module, name) in _ALLOWED_GLOBALS or plain_dtype:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it holds {module}.{name}")


#: What torch.load wants as its pickle module; only torch before 2.4 is given it.
_RESTRICTED_PICKLE = SimpleNamespace(Unpickler=_Unpickler, load=None, __name__="restricted")


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read an nnU-Net checkpoint onto the CPU without running code that it may carry.

    Raises
    ------
    ModelError
        If it is damaged, holds anything but tensors and numbers, or lacks what nnU-Net
        needs of it.
    """
    torch = import_torch()
    try:
        checkpoint = _load(torch, path)
    except OSError as error:
        raise ModelError(f"the checkpoint cannot be read ({error.strerror})", path=path) from error
    except pickle.UnpicklingError as error:
        raise ModelError(
            "the checkpoint holds more than weights, and is not loaded because that could "
            f"run code ({_first_line(error)})",
            path=path,
            remedy="Use a checkpoint as nnU-Net saves it",
        ) from error
    except Exception as error:  # torch raises many kinds for a damaged archive
        raise ModelError(
            f"the checkpoint is damaged or no checkpoint ({_first_line(error)})",
            path=path,
            remedy="Copy or unzip the model again",
        ) from error
    missing = [
        key
        for key in ("network_weights", "trainer_name", "init_args")
        if not isinstance(checkpoint, dict) or key not in checkpoint
    ]
    if missing or "configuration" not in checkpoint["init_args"]:
        raise ModelError(
            f"the checkpoint lacks {', '.join(missing) or 'init_args.configuration'}",
            path=path,
            remedy="Use a checkpoint as nnU-Net version 2 saves it",
        )
    checkpoint["network_weights"] = {
        # Names differ where the model was trained compiled or on several GPUs.
        name.removeprefix("module.").removeprefix("_orig_mod."): tensor
        for name, tensor in checkpoint["network_weights"].items()
    }
    return dict(checkpoint)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _load(torch: Any, path: Path) -> Any:
    if not hasattr(torch.serialization, "safe_globals"):
        return _load_restricted(torch, path)
    import numpy as np

    core: Any = getattr(np, "_core", None) or np.core
    multiarray = core.multiarray
    kinds = {type(np.dtype(kind)) for kind in "fdilqQLIB?"}
    allowed: list[Any] = [np.dtype, np.ndarray, multiarray.scalar, multiarray._reconstruct, *kinds]
    # A checkpoint saved with numpy 1 names the module as numpy 1 did, and vice versa.
    allowed += [
        (getattr(multiarray, name), f"numpy.{package}.multiarray.{name}")
        for package in ("core", "_core")
        for name in ("scalar", "_reconstruct")
    ]
    with torch.serialization.safe_globals(allowed):
        return torch.load(path, map_location="cpu", weights_only=True)


def _load_restricted(torch: Any, path: Path) -> Any:
    """Load with torch before 2.5, whose ``weights_only`` cannot be told of numpy's numbers."""
    return torch.load(
        path, map_location="cpu", weights_only=False, pickle_module=_RESTRICTED_PICKLE
    )
