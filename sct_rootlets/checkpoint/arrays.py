"""Checkpoints as arrays of numpy: without torch, whose import takes longer than the reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sct_rootlets.checkpoint.converted import converted_files, read_stored
from sct_rootlets.checkpoint.read import read_archive
from sct_rootlets.checkpoint.stand_ins import StoredTensor
from sct_rootlets.errors import ModelError

__all__ = ["NoArrays", "read_arrays"]

#: What numpy can hold of the numbers that weights are.
_KINDS = {"float64": "<f8", "float32": "<f4", "float16": "<f2"}


class NoArrays(ModelError):
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
        return read_archive(path, _numbers, _array)
    try:
        from safetensors.numpy import load_file
    except ImportError as error:
        raise NoArrays(str(error)) from error
    return read_stored(weights, facts, load_file, _weight)


def _weight(value: Any) -> Any:
    return value if getattr(getattr(value, "dtype", None), "kind", "") == "f" else None


def _numbers(kind: str, record: bytes) -> Any:
    import numpy as np

    if kind not in _KINDS:
        raise NoArrays(f"its weights are of the kind {kind}")
    return np.frombuffer(record, dtype=_KINDS[kind])


def _array(numbers: Any, tensor: StoredTensor) -> Any:
    from numpy.lib.stride_tricks import as_strided

    strides = [step * numbers.itemsize for step in tensor.steps]
    return as_strided(numbers[tensor.first :], tensor.shape, strides, writeable=False)
