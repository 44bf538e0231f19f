"""Stand-ins for what the pickle of a checkpoint may call, so that none of it is called.

A pickle is a program: reading it can call anything that it names. Here are stand-ins that only
compare what they are given with what nnU-Net saves (tensors, numbers, plain containers).
Nothing of torch or numpy is called, and no tensor is made; what the pickle says of one is kept.

What they are given may be anything that a few bytes can build, such as a list that holds itself
2^60 times. So nothing of it is hashed, compared or shown before its type is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["ALLOWED_GLOBALS", "StandIn", "StandIns", "StoredTensor", "shown"]

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

#: A convolution in three dimensions has five axes.
_MOST_AXES = 8

#: More than any memory holds of anything.
_MOST_COUNT = 1 << 48

# Each stand-in takes what the real one would take, and raises ValueError unless it is as
# nnU-Net's checkpoints have it.


def shown(value: Any) -> str:
    """Return a value for a message: text and numbers short, of anything else the type.

    Examples
    --------
    >>> shown("C5"), shown("x" * 100)[-3:], shown((0, 7)), shown([[]])
    ("'C5'", '...', '(0, 7)', 'a list')
    """
    if type(value) is int:
        return str(value) if abs(value) < _MOST_COUNT else f"a number of {value.bit_length()} bits"
    if type(value) is str:
        return repr(value) if len(value) <= 60 else f"{value[:57]!r}..."
    if type(value) in (list, tuple) and len(value) <= _MOST_AXES:
        small = all(type(each) is int and abs(each) < _MOST_COUNT for each in value)
        return repr(value) if small else f"a {type(value).__name__}"
    return f"a {type(value).__name__.strip('_')}"


def _require(good: bool, problem: str) -> None:
    if not good:
        raise ValueError(problem)


class StandIn:
    """What a pickle makes instead of what it names."""

    __slots__ = ()

    def change(self, state: Any) -> None:
        """Take the state that the pickle sets by BUILD; most have none."""
        raise ValueError(f"a changed {type(self).__name__.strip('_')}")


class _Kind(StandIn):
    """A type that may be named and not called, such as ``torch.FloatStorage``."""

    __slots__ = ("item_bytes", "name")

    def __init__(self, name: str = "", item_bytes: int = 0) -> None:
        self.name, self.item_bytes = name, item_bytes


class _Storage(StandIn):
    __slots__ = ("count", "kind", "record")

    def __init__(self, kind: _Kind, count: int, record: str) -> None:
        self.kind, self.count, self.record = kind, count, record


class _Built(StandIn):
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
    size_bytes : int
        Of its numbers, where they do not share memory.
    """

    __slots__ = ("first", "kind", "record", "shape", "size_bytes", "steps")

    def __init__(
        self, storage: _Storage, first: int, shape: tuple[int, ...], steps: tuple[int, ...]
    ) -> None:
        self.record, self.kind = storage.record, storage.kind.name
        self.first, self.shape, self.steps = first, shape, steps
        self.size_bytes = math.prod(shape) * storage.kind.item_bytes


class _OrderedDict(StandIn, dict[Any, Any]):
    """State dicts carry ``_metadata``, the versions of their modules."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()

    def change(self, state: Any) -> None:
        _require(isinstance(state, dict) and set(state) <= {"_metadata"}, "a changed OrderedDict")


class _DType(StandIn):
    __slots__ = ("item_bytes",)

    def __init__(self, name: Any, align: Any, copy: Any) -> None:
        _require(type(name) is str and name in _NUMBERS, f"the dtype {shown(name)} of numpy")
        _require(align is False and copy is True, "an unusual dtype of numpy")
        self.item_bytes = int(name[1:])

    def change(self, state: Any) -> None:
        good = type(state) is tuple and len(state) == 8 and type(state[1]) is str
        good = good and state[1] in ("<", "|", "=")
        _require(good and state[2:] == (None, None, None, -1, -1, 0), "a changed dtype")


class _Array(_Built):
    __slots__ = ()

    def change(self, state: Any) -> None:
        _require(type(state) is tuple and len(state) == 5, "an unusual array of numpy")
        _version, shape, dtype, _fortran, content = state
        _require(isinstance(dtype, _DType) and type(content) is bytes, "an array of objects")
        _require(len(content) == math.prod(_counts(shape)) * dtype.item_bytes, "a cut array")


_NDARRAY = _Kind()


def _counts(values: Any) -> tuple[int, ...]:
    _require(type(values) is tuple, f"a shape that is {shown(values)}")
    _require(len(values) <= _MOST_AXES, f"a shape of {len(values)} axes")
    for n in values:
        _require(type(n) is int and 0 <= n < _MOST_COUNT, f"a shape with {shown(n)}")
    return tuple(values)


def _scalar(dtype: Any, content: Any) -> _Built:
    good = isinstance(dtype, _DType) and type(content) is bytes
    _require(good and len(content) == dtype.item_bytes, "a number of numpy that is none")
    return _Built()


def _reconstruct(kind: Any, shape: Any, code: Any) -> _Array:
    good = kind is _NDARRAY and _counts(shape) == (0,) and type(code) is bytes and code == b"b"
    _require(good, "an unusual array of numpy")
    return _Array()


def _device(kind: Any, index: Any = 0) -> _Built:
    _require(type(kind) is str and type(index) is int, "an unusual torch.device")
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
    fits = reach <= storage.count and count <= storage.count
    if count == 0:
        fits = first <= storage.count and math.prod(n or 1 for n in shape) < _MOST_COUNT
    _require(fits, f"a tensor of shape {shape} that its {storage.count} numbers do not fill")
    return StoredTensor(storage, first, shape, steps)


def _parameter(tensor: Any, _grad: Any, hooks: Any) -> StoredTensor:
    _require(isinstance(tensor, StoredTensor) and not hooks, "an unusual parameter")
    return tensor


_KNOWN: dict[str, Callable[..., Any] | _Kind] = {
    "collections.OrderedDict": _OrderedDict,
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
_ENCODE = "_codecs.encode"

#: Everything that the pickle of a checkpoint may name: tensors, and the numbers of the log.
ALLOWED_GLOBALS = frozenset((*_KNOWN, _ENCODE))


class _Named(StandIn):
    """A function that the pickle named and may call."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function


class StandIns:
    """The stand-ins for what one pickle names.

    Every method raises an error of any kind for what is not as nnU-Net saves it.

    Parameters
    ----------
    record_bytes : mapping of str to int
        Size of each record of the archive, such as ``data/0``.
    most_bytes : int
        How many bytes texts may be encoded to, all together. A pickle of nnU-Net has each text
        once; another could encode one of them over and over.
    """

    def __init__(self, record_bytes: Mapping[str, int], most_bytes: int) -> None:
        self._record_bytes = record_bytes
        self._left_bytes = most_bytes
        self._storages: dict[str, _Storage] = {}
        self._named: dict[str, StandIn] = {}

    def named(self, name: str) -> StandIn:
        """Return the stand-in for what the pickle names, such as ``"torch.device"``."""
        if name not in self._named:
            known = self._encode if name == _ENCODE else _KNOWN[name]
            self._named[name] = known if isinstance(known, _Kind) else _Named(known)
        return self._named[name]

    def called(self, what: Any, arguments: Any) -> Any:
        """Return what comes of a call, of what was named and may be called."""
        if not isinstance(what, _Named):
            raise ValueError(f"a call of a {type(what).__name__}")
        _require(type(arguments) is tuple, "a call without arguments")
        return what.function(*arguments)

    def storage(self, saved: Any) -> _Storage:
        """Return the storage that the pickle asks for, if its record is as long as that."""
        _require(type(saved) is tuple and len(saved) == 5, "an unusual storage")
        word, kind, key, location, count = saved
        texts = all(type(each) is str for each in (word, key, location))
        _require(texts and word == "storage", "an unusual storage")
        _require(isinstance(kind, _Kind) and kind.item_bytes > 0, "an unusual storage")
        _counts((count,))
        name = f"data/{key}"
        held = self._record_bytes.get(name, -1)
        _require(
            held == count * kind.item_bytes,
            f"storage {shown(key)} has {held} bytes, not what its type takes",
        )
        known = self._storages.setdefault(name, _Storage(kind, count, name))
        _require(known.kind is kind, f"storage {shown(key)} as two kinds of number")
        return known

    def _encode(self, text: Any, encoding: Any = "") -> bytes:
        good = type(text) is str and type(encoding) is str and encoding == "latin1"
        _require(good, f"text in {shown(encoding)}")
        self._left_bytes -= len(text)
        _require(self._left_bytes >= 0, "more bytes than its texts have")
        encoded: bytes = text.encode("latin1")
        return encoded
