"""Stand-ins for what the pickle of a checkpoint may call, so that none of it is called.

A pickle is a program: reading it can call anything that it names. :class:`Reader` reads it
with stand-ins that only compare what they are given with what nnU-Net saves (tensors,
numbers, plain containers). Nothing of torch or numpy is called, and no tensor is made; what
the pickle says of one is kept.
"""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Callable
from typing import Any

__all__ = ["ALLOWED_GLOBALS", "Reader", "StoredTensor"]

#: The storages that weights come in: torch's name of their numbers, and bytes of one.
_STORAGES = {
    "DoubleStorage": ("float64", 8),
    "FloatStorage": ("float32", 4),
    "HalfStorage": ("float16", 2),
    "BFloat16Storage": ("bfloat16", 2),
    "LongStorage": ("int64", 8),
    "IntStorage": ("int32", 4),
    "ShortStorage": ("int16", 2),
    "CharStorage": ("int8", 1),
    "ByteStorage": ("uint8", 1),
    "BoolStorage": ("bool", 1),
}

_NUMBERS = {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"}

# Each stand-in takes what the real one would take, and raises ValueError unless it is as
# nnU-Net's checkpoints have it.


def _require(good: bool, problem: str) -> None:
    if not good:
        raise ValueError(problem)


class _Fixed:
    """Nothing about it can be changed by pickle's BUILD, which would also set slots."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        raise ValueError(f"a changed {type(self).__name__.strip('_')}")


class _Kind(_Fixed):
    """A type that may be named and not called, such as ``torch.FloatStorage``."""

    __slots__ = ("item_bytes", "name")

    def __init__(self, name: str = "", item_bytes: int = 0) -> None:
        self.name, self.item_bytes = name, item_bytes


class _Storage(_Fixed):
    __slots__ = ("count", "kind", "record")

    def __init__(self, kind: _Kind, count: int, record: str) -> None:
        self.kind, self.count, self.record = kind, count, record


class _Built(_Fixed):
    """Anything that the real reader builds and that is done with."""

    __slots__ = ()


class StoredTensor(_Built):
    """Where the numbers of a tensor are in the archive.

    Attributes
    ----------
    record : str
        Such as ``"data/0"``.
    kind : str
        Of its numbers, such as ``"float16"``.
    first : int
        Number of its first element in the record.
    shape, steps : tuple of int
        Elements along each axis, and elements of the record from one to the next.
    """

    __slots__ = ("first", "kind", "record", "shape", "steps")

    def __init__(
        self, storage: _Storage, first: int, shape: tuple[int, ...], steps: tuple[int, ...]
    ) -> None:
        self.record, self.kind = storage.record, storage.kind.name
        self.first, self.shape, self.steps = first, shape, steps


class _OrderedDict(dict[Any, Any]):
    """State dicts carry ``_metadata``, the versions of their modules."""

    def __setstate__(self, state: Any) -> None:
        _require(isinstance(state, dict) and set(state) <= {"_metadata"}, "a changed OrderedDict")


class _DType:
    __slots__ = ("item_bytes",)
    item_bytes: int

    def __new__(cls, *arguments: Any) -> _DType:
        good = len(arguments) == 3 and arguments[1:] == (False, True)
        _require(good and arguments[0] in _NUMBERS, f"numpy's dtype {arguments!r:.60}")
        made = super().__new__(cls)
        made.item_bytes = int(arguments[0][1:])
        return made

    def __setstate__(self, state: Any) -> None:
        rest = (None, None, None, -1, -1, 0)
        good = isinstance(state, tuple) and len(state) == 8 and state[1] in ("<", "|", "=")
        _require(good and state[2:] == rest, f"a changed dtype {state!r:.60}")


class _Array(_Built):
    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        _version, shape, dtype, _fortran, content = state
        _require(isinstance(dtype, _DType) and isinstance(content, bytes), "an array of objects")
        _require(len(content) == math.prod(_counts(shape)) * dtype.item_bytes, "a cut array")


_NDARRAY = _Kind()


def _counts(values: Any) -> tuple[int, ...]:
    good = isinstance(values, tuple) and all(type(n) is int and n >= 0 for n in values)
    _require(good, f"a shape of {values!r:.60}")
    return tuple(values)


def _encode(text: str, encoding: str = "") -> bytes:
    _require(isinstance(text, str) and encoding == "latin1", f"text in {encoding!r:.60}")
    return text.encode("latin1")


def _scalar(dtype: Any, content: Any) -> _Built:
    good = isinstance(dtype, _DType) and isinstance(content, bytes)
    _require(good and len(content) == dtype.item_bytes, "a number of numpy that is none")
    return _Built()


def _reconstruct(kind: Any, shape: Any, code: Any) -> _Array:
    _require(kind is _NDARRAY and shape == (0,) and code == b"b", "an unusual array of numpy")
    return _Array()


def _device(kind: Any, index: Any = 0) -> _Built:
    _require(isinstance(kind, str) and type(index) is int, "an unusual torch.device")
    return _Built()


def _tensor(
    storage: Any, offset: Any, size: Any, stride: Any, _grad: Any, hooks: Any, extra: Any = None
) -> StoredTensor:
    _require(isinstance(storage, _Storage) and not hooks and not extra, "an unusual tensor")
    (first,), shape, steps = _counts((offset,)), _counts(size), _counts(stride)
    _require(len(shape) == len(steps), "a tensor with another number of strides")
    count = math.prod(shape)
    reach = first + sum((n - 1) * step for n, step in zip(shape, steps, strict=True)) + 1
    # torch itself would enlarge the storage instead, with whatever the memory held before.
    fits = count == 0 or (reach <= storage.count and count <= storage.count)
    _require(fits, f"a tensor of shape {shape!r:.60} that its {storage.count} numbers do not fill")
    return StoredTensor(storage, first, shape, steps)


def _parameter(tensor: Any, _grad: Any, hooks: Any) -> StoredTensor:
    _require(isinstance(tensor, StoredTensor) and not hooks, "an unusual parameter")
    return tensor


_STAND_INS: dict[str, Callable[..., Any] | _Kind] = {
    "collections.OrderedDict": _OrderedDict,
    "_codecs.encode": _encode,
    "numpy.dtype": _DType,
    "numpy.ndarray": _NDARRAY,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy._core.multiarray._reconstruct": _reconstruct,
    "torch.device": _device,
    "torch.Size": _counts,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    **{f"torch.{name}": _Kind(*kind) for name, kind in _STORAGES.items()},
}

#: Everything that the pickle of a checkpoint may name: tensors, and the numbers of the log.
ALLOWED_GLOBALS = frozenset(_STAND_INS)


class Reader(pickle.Unpickler):
    """Reads a pickle with the stand-ins.

    ``load`` raises an error of any kind for a pickle that is not as nnU-Net saves it.

    Parameters
    ----------
    program : bytes
        The pickle.
    record_bytes : dict of str to int
        Size of each record of the archive, such as ``data/0``.
    """

    def __init__(self, program: bytes, record_bytes: dict[str, int]) -> None:
        super().__init__(io.BytesIO(program))
        self._record_bytes = record_bytes
        self._storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in for what the pickle names."""
        return _STAND_INS[f"{module}.{name}"]

    def persistent_load(self, saved: Any) -> _Storage:
        """Return the storage that the pickle asks for, if its record is as long as that."""
        _require(isinstance(saved, tuple) and len(saved) == 5, "an unusual storage")
        word, kind, key, location, count = saved
        texts = word == "storage" and isinstance(key, str) and isinstance(location, str)
        _require(texts and isinstance(kind, _Kind) and kind.item_bytes > 0, "an unusual storage")
        _counts((count,))
        name = f"data/{key}"
        held = self._record_bytes.get(name, -1)
        _require(
            held == count * kind.item_bytes,
            f"storage {key!r:.60} has {held} bytes, not what its type takes",
        )
        known = self._storages.setdefault(name, _Storage(kind, count, name))
        _require(known.kind is kind, f"storage {key!r:.60} as two kinds of number")
        return known
