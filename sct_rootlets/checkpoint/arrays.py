"""Checkpoints as arrays of numpy: without torch, whose import takes longer than the reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sct_rootlets.checkpoint.archive import LookedThrough, look_through
from sct_rootlets.checkpoint.converted import converted_files, read_stored
from sct_rootlets.checkpoint.read import check_structure
from sct_rootlets.checkpoint.stand_ins import StoredTensor

__all__ = ["NoArrays", "read_arrays"]

#: What numpy can hold of the storages that weights come in.
_KINDS = {"DoubleStorage": "<f8", "FloatStorage": "<f4", "HalfStorage": "<f2"}


class NoArrays(Exception):
    """What holds the weights takes torch to read; the text says why."""


def read_arrays(path: Path) -> dict[str, Any]:
    """Read what inference needs of a checkpoint, its weights as read-only arrays.

    Parameters
    ----------
    path : Path
        A ``.pth``. Where the store has put the weights as safetensors beside it, those are
        read.

    Returns
    -------
    dict
        As of :func:`sct_rootlets.checkpoint.read_pth`, with arrays in place of tensors. A
        tensor that has several names is one array.

    Raises
    ------
    ModelError
        As of :func:`sct_rootlets.checkpoint.read_pth`.
    NoArrays
        If the weights are of a kind that numpy has not, or safetensors is not installed.
    """
    weights, facts = converted_files(path)
    if not (weights.is_file() and facts.is_file()):
        checkpoint, foreign = look_through(path, lambda seen: _with_arrays(seen, path))
        if foreign:
            raise NoArrays(f"its weights are in a {foreign[0]}")
        return checkpoint
    try:
        from safetensors.numpy import load_file
    except ImportError as error:
        raise NoArrays(str(error)) from error
    return read_stored(weights, facts, load_file, _weight)


def _weight(value: Any) -> Any:
    return value if getattr(getattr(value, "dtype", None), "kind", "") == "f" else None


def _with_arrays(seen: LookedThrough, path: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the checkpoint, and the kinds of storage that no array could be made of."""
    import numpy as np
    from numpy.lib.stride_tricks import as_strided

    records: dict[str, bytes] = {}
    made: dict[tuple[Any, ...], Any] = {}
    foreign: list[str] = []

    def array(tensor: Any) -> Any:
        if not isinstance(tensor, StoredTensor):
            return None
        code = _KINDS.get(tensor.kind)
        if code is None:
            foreign.append(tensor.kind)
            return tensor
        key = (tensor.record, tensor.first, tensor.shape, tensor.steps)
        if key not in made:
            if tensor.record not in records:
                records[tensor.record] = seen.read(tensor.record)
            numbers = np.frombuffer(records[tensor.record], dtype=code)[tensor.first :]
            strides = [step * numbers.itemsize for step in tensor.steps]
            made[key] = as_strided(numbers, tensor.shape, strides, writeable=False)
        return made[key]

    return check_structure(seen.content, path, array), foreign
