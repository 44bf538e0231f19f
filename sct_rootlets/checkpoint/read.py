"""Read a ``.pth`` of nnU-Net with torch, once its archive has been looked through."""

from __future__ import annotations

import io
import pickle
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sct_rootlets.checkpoint.archive import checked_archive, damaged
from sct_rootlets.checkpoint.stand_ins import STORAGE_BYTES
from sct_rootlets.errors import MissingDependencyError, ModelError

__all__ = ["allowed_objects", "check_structure", "import_torch", "plain_tensor", "read_pth"]

_WEIGHT_NAME = re.compile(r"[\w.-]{1,300}", re.ASCII)
_TRAINER_NAME = re.compile(r"[A-Za-z_]\w{0,199}", re.ASCII)


def import_torch() -> Any:
    """Return the module ``torch``, or raise a `MissingDependencyError` naming the remedy."""
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError(
            f"a model's weights need PyTorch, which cannot be imported ({error})",
            remedy='Install it with: pip install "sct_rootlets[standalone]"',
        ) from error
    return torch


def read_pth(path: Path, *, trust_code: bool = False) -> dict[str, Any]:
    """Read an nnU-Net checkpoint onto the CPU without running code that it may carry.

    Parameters
    ----------
    path : Path
        File that nnU-Net version 2 saved.
    trust_code : bool
        Where the checkpoint holds more than weights, read it all the same, and so run
        whatever code it carries.

    Returns
    -------
    dict
        What the file holds. Its ``network_weights`` map plain names to tensors.

    Raises
    ------
    ModelError
        If it is damaged, holds anything but tensors and numbers (which is named), or
        lacks what nnU-Net needs of it.
    """
    torch = import_torch()
    try:
        checkpoint = _load(torch, checked_archive(path), path)
    except ModelError:
        if not trust_code:
            raise
        checkpoint = _load_anything(torch, path)
    return check_structure(checkpoint, path, plain_tensor)


def plain_tensor(value: Any) -> Any:
    """Return a plain tensor of torch on the CPU without its gradient, None if it is none."""
    torch = import_torch()
    dense = isinstance(value, torch.Tensor) and value.layout == torch.strided
    return value.detach() if dense and value.device.type == "cpu" else None


def check_structure(checkpoint: Any, path: Path, weight_of: Callable[[Any], Any]) -> dict[str, Any]:
    """Return a checkpoint of which every part that inference uses is as nnU-Net has it.

    Parameters
    ----------
    checkpoint : object
    path : Path
        For messages.
    weight_of : callable
        Returns a weight as it is to be had, None for what is no weight.

    Raises
    ------
    ModelError
        If a part is missing or of another kind; it is named.
    """

    def need(good: bool, problem: str) -> None:
        if not good:
            raise ModelError(
                f"the checkpoint {problem}",
                path=path,
                remedy="Use a checkpoint as nnU-Net version 2 saves it",
            )

    need(isinstance(checkpoint, dict), "lacks network_weights, trainer_name, init_args")
    missing = [k for k in ("network_weights", "trainer_name", "init_args") if k not in checkpoint]
    need(not missing, f"lacks {', '.join(missing)}")
    weights, initial = checkpoint["network_weights"], checkpoint["init_args"]
    trainer, axes = checkpoint["trainer_name"], checkpoint.get("inference_allowed_mirroring_axes")
    need(
        isinstance(initial, Mapping) and "configuration" in initial, "lacks init_args.configuration"
    )
    need(
        isinstance(initial["configuration"], str), "has an init_args.configuration that is no text"
    )
    is_name = isinstance(trainer, str) and _TRAINER_NAME.fullmatch(trainer)
    need(bool(is_name), f"has the trainer_name {trainer!r:.100}, which names no class")
    known_axes = isinstance(axes, Sequence) and all(n in (0, 1, 2) for n in axes)
    need(axes is None or known_axes, f"has inference_allowed_mirroring_axes of {axes!r:.100}")
    need(isinstance(weights, dict) and bool(weights), "has network_weights that are no weights")
    plain: dict[str, Any] = {}
    for name, tensor in weights.items():
        good = isinstance(name, str) and _WEIGHT_NAME.fullmatch(name)
        need(bool(good), f"has a weight named {name!r:.100}")
        # Names differ where the model was trained compiled or on several GPUs.
        short = name.removeprefix("module.").removeprefix("_orig_mod.")
        need(short not in plain, f"has two weights named {short}")
        plain[short] = weight_of(tensor)
        need(plain[short] is not None, f"has no plain tensor as {name}")
    return {
        **checkpoint,
        "network_weights": plain,
        "inference_allowed_mirroring_axes": None if axes is None else tuple(map(int, axes)),
    }


def allowed_objects(torch: Any) -> dict[str, Any]:
    """Return what each of :data:`ALLOWED_GLOBALS` is in this environment."""
    import codecs
    import collections
    import importlib

    import numpy as np

    # numpy 1.26 has a numpy._core as well, without most of what is in it.
    core = "numpy.core" if np.__version__.startswith("1.") else "numpy._core"
    multiarray = importlib.import_module(f"{core}.multiarray")
    numbers = {
        # A checkpoint saved with numpy 1 names the module as numpy 1 did, and vice versa.
        f"numpy.{package}.multiarray.{name}": getattr(multiarray, name)
        for package in ("core", "_core")
        for name in ("scalar", "_reconstruct")
    }
    return {
        "collections.OrderedDict": collections.OrderedDict,
        "_codecs.encode": codecs.encode,
        "numpy.dtype": np.dtype,
        "numpy.ndarray": np.ndarray,
        **numbers,
        "torch.device": torch.device,
        "torch.Size": torch.Size,
        "torch._utils._rebuild_tensor_v2": torch._utils._rebuild_tensor_v2,
        "torch._utils._rebuild_parameter": torch._utils._rebuild_parameter,
        **{f"torch.{name}": getattr(torch, name) for name in STORAGE_BYTES},
    }


def _load(torch: Any, archive: io.BytesIO, path: Path) -> Any:
    """Load a checked archive, with a reader that by itself would run no code either."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of deprecated storages: the formats are the files'
            return (_load_weights_only if _knows_names(torch) else _load_restricted)(torch, archive)
    except MemoryError:
        raise
    except Exception as error:  # torch raises many kinds for a damaged archive
        raise damaged(path, _first_line(error)) from error


def _knows_names(torch: Any) -> bool:
    """Whether ``weights_only`` can be told of numpy's numbers under both of their names.

    Since 2.6, which is also the first whose ``weights_only`` keeps what it promises.
    """
    version = re.match(r"(\d+)\.(\d+)", str(torch.__version__))
    return version is not None and (int(version[1]), int(version[2])) >= (2, 6)


def _load_weights_only(torch: Any, archive: io.BytesIO) -> Any:
    import numpy as np

    known = allowed_objects(torch)
    allowed: list[Any] = [(known[name], name) for name in known if not name.startswith("torch.")]
    allowed += {type(np.dtype(kind)) for kind in "efdbhilqBHILQ?"}
    with torch.serialization.safe_globals(allowed):
        return torch.load(archive, map_location="cpu", weights_only=True)


def _load_restricted(torch: Any, archive: io.BytesIO) -> Any:
    known = allowed_objects(torch)

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if f"{module}.{name}" in known:
                return known[f"{module}.{name}"]
            raise pickle.UnpicklingError(f"it holds {module}.{name}")

    restricted = SimpleNamespace(Unpickler=Unpickler, load=None, __name__="restricted")
    return torch.load(archive, map_location="cpu", weights_only=False, pickle_module=restricted)


def _load_anything(torch: Any, path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=False)
    except Exception as error:  # the code of the checkpoint may raise anything
        raise damaged(path, _first_line(error)) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
