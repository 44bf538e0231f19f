"""Read a ``.pth`` of nnU-Net into tensors, from an archive that has been looked through."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sct_rootlets.checkpoint.archive import damaged, look_through
from sct_rootlets.checkpoint.stand_ins import StoredTensor, shown
from sct_rootlets.errors import MissingDependencyError, ModelError

__all__ = ["check_structure", "import_torch", "plain_tensor", "read_archive", "read_pth"]

_WEIGHT_NAME = re.compile(r"[\w.-]{1,300}", re.ASCII)
_TRAINER_NAME = re.compile(r"[A-Za-z_]\w{0,199}", re.ASCII)

#: nnU-Net's largest networks have some thousand, most of them under several names.
_MOST_WEIGHTS = 20_000

#: Of the name of a configuration, such as ``3d_fullres``.
_MOST_LETTERS = 200


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
        What inference needs: network_weights (plain names to tensors), trainer_name,
        init_args (with configuration) and inference_allowed_mirroring_axes.

    Raises
    ------
    ModelError
        If it is damaged, holds anything but tensors and numbers (which is named), or
        lacks what nnU-Net needs of it.
    """
    torch = import_torch()
    try:
        return read_archive(
            path, _numbers, lambda n, of: n.as_strided(of.shape, of.steps, of.first)
        )
    except ModelError:
        if not trust_code:
            raise
    return check_structure(_load_anything(torch, path), path, plain_tensor)


def _numbers(kind: str, record: bytes) -> Any:
    torch = import_torch()
    # A bytearray, as torch wants memory that it may write to; an empty one it refuses.
    memory = torch.frombuffer(bytearray(record or 8), dtype=torch.uint8)
    return memory.view(getattr(torch, kind))


def read_archive(
    path: Path,
    numbers_of: Callable[[str, bytes], Any],
    weight_of: Callable[[Any, StoredTensor], Any],
) -> dict[str, Any]:
    """Read what inference needs of an archive that has been looked through.

    Parameters
    ----------
    path : Path
    numbers_of : callable
        Returns all numbers of a record, given their kind and its bytes.
    weight_of : callable
        Returns a weight, given the numbers and where it is among them.

    Raises
    ------
    ModelError
        As :func:`read_pth` does.
    """

    def take(content: Any, read: Callable[[str], bytes]) -> dict[str, Any]:
        numbers: dict[str, Any] = {}
        made: dict[tuple[Any, ...], Any] = {}
        # A tensor usually has a record of its own. Of one record a few bytes each could make any
        # number of tensors, which take memory where they are copied.
        left = 2 * path.stat().st_size

        def weight(of: Any) -> Any:
            if not isinstance(of, StoredTensor):
                return None
            nonlocal left
            if of.record not in numbers:
                numbers[of.record] = numbers_of(of.kind, read(of.record))
            key = (of.record, of.first, of.shape, of.steps)
            if key not in made:
                left -= of.size_bytes
                if left < 0:
                    raise damaged(path, "its weights are larger than the file")
                made[key] = weight_of(numbers[of.record], of)
            return made[key]

        return check_structure(content, path, weight)

    return look_through(path, take)


def plain_tensor(value: Any) -> Any:
    """Return a plain tensor of torch on the CPU without its gradient, None if it is none."""
    torch = import_torch()
    dense = isinstance(value, torch.Tensor) and value.layout == torch.strided
    return value.detach() if dense and value.device.type == "cpu" else None


def check_structure(checkpoint: Any, path: Path, weight_of: Callable[[Any], Any]) -> dict[str, Any]:
    """Return the parts of a checkpoint that inference uses, each as nnU-Net has it.

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
    has_one = isinstance(initial, Mapping) and "configuration" in initial
    need(has_one, "lacks init_args.configuration")
    configuration = initial["configuration"]
    is_text = isinstance(configuration, str) and 0 < len(configuration) <= _MOST_LETTERS
    is_text = is_text and configuration.isprintable()
    need(is_text, f"has the init_args.configuration {shown(configuration)}, which is no name")
    is_name = isinstance(trainer, str) and _TRAINER_NAME.fullmatch(trainer)
    need(bool(is_name), f"has the trainer_name {shown(trainer)}, which names no class")
    are_axes = axes is None or _are_axes(axes)
    need(are_axes, f"has inference_allowed_mirroring_axes of {shown(axes)}")
    need(isinstance(weights, dict) and bool(weights), "has network_weights that are no weights")
    need(len(weights) <= _MOST_WEIGHTS, f"has {len(weights)} weights, more than {_MOST_WEIGHTS}")
    plain: dict[str, Any] = {}
    for name, tensor in weights.items():
        good = isinstance(name, str) and _WEIGHT_NAME.fullmatch(name)
        need(bool(good), f"has a weight named {shown(name)}")
        # Names differ where the model was trained compiled or on several GPUs.
        short = name.removeprefix("module.").removeprefix("_orig_mod.")
        need(short not in plain, f"has two weights named {short}")
        plain[short] = weight_of(tensor)
        need(plain[short] is not None, f"has no plain tensor as {name}")
    return {
        "network_weights": plain,
        "trainer_name": trainer,
        "init_args": {"configuration": configuration},
        "inference_allowed_mirroring_axes": None if axes is None else tuple(axes),
    }


def _are_axes(axes: Any) -> bool:
    """Whether a patch has these axes; each of them doubles the views that are predicted."""
    if not isinstance(axes, (list, tuple)) or not all(type(n) is int for n in axes):
        return False
    return set(axes) <= {0, 1, 2} and len(set(axes)) == len(axes)


def _load_anything(torch: Any, path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=False)
    except Exception as error:  # the code of the checkpoint may raise anything
        raise damaged(path, _first_line(error)) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
