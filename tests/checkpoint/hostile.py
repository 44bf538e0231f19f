"""Checkpoints that would run code or break memory, each written byte for byte.

Where one runs code, that makes the folder `marker`; a reader that is not protected does
make it, which the tests check too.
"""

from __future__ import annotations

import io
import os
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

Mapping = dict[str, Any]


@dataclass
class Name:
    """What a pickle names."""

    module: str
    name: str


@dataclass
class Call:
    """What a pickle calls, or makes a new object of, and then changes by BUILD."""

    what: Name
    arguments: tuple[Any, ...] = ()
    state: Any = None
    new: bool = False


@dataclass
class Stored:
    """A storage: its kind, its record and how many numbers it is said to hold."""

    kind: str = "FloatStorage"
    key: str = "0"
    count: int = 4


@dataclass
class Raw:
    """Opcodes as they are."""

    opcodes: bytes


def encode(value: Any) -> bytes:
    """Return the opcodes, of protocol 2, that build `value`."""
    if isinstance(value, Raw):
        return value.opcodes
    if isinstance(value, Name):
        return f"c{value.module}\n{value.name}\n".encode()
    if isinstance(value, Call):
        code = encode(value.what) + encode(value.arguments) + (b"\x81" if value.new else b"R")
        return code + (b"" if value.state is None else encode(value.state) + b"b")
    if isinstance(value, Stored):
        kind = Name("torch", value.kind)
        return encode(("storage", kind, value.key, "cpu", value.count)) + b"Q"
    if isinstance(value, dict):
        inside = b"".join(encode(key) + encode(item) for key, item in value.items())
        return b"}(" + inside + b"u"
    if isinstance(value, (tuple, list)):
        inside = b"".join(map(encode, value))
        return b"(" + inside + b"t" if isinstance(value, tuple) else b"](" + inside + b"e"
    if isinstance(value, bytes):
        return encode(Call(Name("_codecs", "encode"), (value.decode("latin1"), "latin1")))
    if isinstance(value, str):
        text = value.encode()
        return b"X" + struct.pack("<I", len(text)) + text
    if isinstance(value, bool) or value is None:
        return {True: b"\x88", False: b"\x89", None: b"N"}[value]
    digits = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(digits)]) + digits


def tensor(
    storage: Any = None,
    offset: int = 0,
    size: Any = (2, 2),
    stride: Any = (2, 1),
    hooks: Any = None,
) -> Call:
    hooks = Call(Name("collections", "OrderedDict")) if hooks is None else hooks
    arguments = (Stored() if storage is None else storage, offset, size, stride, False, hooks)
    return Call(Name("torch._utils", "_rebuild_tensor_v2"), arguments)


def content(weight: Any = None, **more: Any) -> Mapping:
    """Return what a good checkpoint holds, with another weight or more keys."""
    return {
        "network_weights": {"a.weight": tensor() if weight is None else weight},
        "trainer_name": "nnUNetTrainer",
        "init_args": {"configuration": "3d_fullres"},
        "inference_allowed_mirroring_axes": (0, 1, 2),
        **more,
    }


def program(value: Any) -> bytes:
    return b"\x80\x02" + encode(value) + b"."


NUMBERS = struct.pack("<4f", 1, 2, 3, 4)


def archive(value: Any, **records: bytes) -> bytes:
    """Return the bytes of an archive as torch.save writes it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as copy:
        copy.writestr("m/data.pkl", value if isinstance(value, bytes) else program(value))
        copy.writestr("m/data/0", NUMBERS)
        copy.writestr("m/version", b"3\n")
        for name, data in records.items():
            copy.writestr("m/" + name.replace("__", "/").replace("_pkl", ".pkl"), data)
    return made.getvalue()


def _calls(*parts: str, arguments: Callable[[str], tuple[Any, ...]], **how: Any):
    return lambda marker: archive(content(extra=Call(Name(*parts), arguments(marker), **how)))


def _mkdir(marker: str) -> Call:
    return Call(Name(os.mkdir.__module__, "mkdir"), (marker,))


def _tar(marker: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:", format=tarfile.USTAR_FORMAT) as tar:
        for name in ("sys_info", "storages", "tensors", "pickle"):
            parts = {"storages": [0, []], "pickle": [_mkdir(marker)]}.get(name, [0])
            data = b"".join(map(program, parts))
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return made.getvalue()


def _jit(marker: str) -> bytes:
    return archive(content(extra=_mkdir(marker)), constants_pkl=b"", code__a=b"")


def _protocol_4(marker: str) -> bytes:
    # STACK_GLOBAL takes its names from the stack, and follows dots from a harmless module.
    name = encode("torch.serialization") + encode("os.mkdir") + b"\x93"
    return archive(b"\x80\x04" + name + encode((marker,)) + b"R.")


def _two_directories(marker: str) -> bytes:
    """Return an archive in which zip readers disagree where the directory is.

    Python's looks right before the end record, and finds harmless records; torch's looks
    where that record says, and finds those that run code.
    """
    evil = archive(content(extra=[_mkdir(marker), "x" * 500]))
    good = archive(content())

    def parts(data: bytes) -> tuple[bytes, bytes, bytes]:
        size, offset = struct.unpack("<II", data[-10:-2])
        return data[:offset], data[offset : offset + size], data[offset + size :]

    evil_records, evil_directory, end = parts(evil)
    good_records, good_directory, _ = parts(good)
    # Python adds to every offset how far the directory is from where it should be.
    moved = bytearray(good_directory)
    at = 0
    while at < len(moved):
        name, extra, comment = struct.unpack("<HHH", moved[at + 28 : at + 34])
        (offset,) = struct.unpack("<I", moved[at + 42 : at + 46])
        offset += len(evil_records) - len(good_records)
        moved[at + 42 : at + 46] = struct.pack("<I", offset)
        at += 46 + name + extra + comment
    return evil_records + evil_directory + good_records + bytes(moved) + end


def _command(marker: str) -> str:
    return f"mkdir '{marker}'"


def _code(marker: str) -> str:
    return f"__import__('os').mkdir({marker!r})"


def _dtype(*arguments: Any, state: Any = None) -> Call:
    return Call(Name("numpy", "dtype"), arguments or ("f8", False, True), state)


def _number(dtype: Call, held: bytes) -> Call:
    return Call(Name("numpy.core.multiarray", "scalar"), (dtype, held))


def _array(shape: Any, held: Any, first: Any = (0,), dtype: Call | None = None) -> Call:
    made = (Name("numpy", "ndarray"), first, b"b")
    state = (1, shape, dtype or _dtype(), False, held)
    return Call(Name("numpy.core.multiarray", "_reconstruct"), made, state)


def _changed(what: Any, **slots: Any) -> Raw:
    """Set slots, as BUILD does with the second of two states."""
    return Raw(encode(what) + encode((None, slots)) + b"b")


_PARAMETER = Name("torch._utils", "_rebuild_parameter")
_ORDERED = Name("collections", "OrderedDict")

#: Each returns the bytes of a checkpoint that runs code in a reader that is not protected.
RUNS: dict[str, Callable[[str], bytes]] = {
    "os.system": _calls("os", "system", arguments=lambda marker: (_command(marker),)),
    "eval": _calls("builtins", "eval", arguments=lambda marker: (_code(marker),)),
    "as a weight": lambda marker: archive(content(_mkdir(marker))),
    "as the name of a weight": lambda marker: archive(
        content() | {"network_weights": Raw(b"}" + encode(_mkdir(marker)) + b"Ns")}
    ),
    "in the hooks of a tensor": lambda marker: archive(content(tensor(hooks=_mkdir(marker)))),
    "as the place of a storage": lambda marker: archive(content(tensor(_mkdir(marker)))),
    "subprocess.call": _calls("subprocess", "call", arguments=lambda m: (["mkdir", m],)),
    "INST": lambda marker: archive(
        content(extra=Raw(b"(" + encode(marker) + b"i" + b"os\nmkdir\n"))
    ),
    "OBJ": lambda marker: archive(content(extra=Raw(b"(cos\nmkdir\n" + encode(marker) + b"o"))),
    "protocol 4": _protocol_4,
    "numpy's objects": lambda marker: archive(
        content(extra=_array((1,), [_mkdir(marker)], dtype=_dtype("O8", False, True)))
    ),
    "a pickle in a pickle": _calls(
        "pickle", "loads", arguments=lambda marker: (program(_mkdir(marker)),)
    ),
    "inside a call that torch allows": _calls(
        "torch._utils",
        "_rebuild_device_tensor_from_numpy",
        arguments=lambda m: (_mkdir(m), 0, 0, 0),
    ),
    "functools.reduce": _calls(
        "functools", "reduce", arguments=lambda m: (Name("os", "mkdir"), [m, 511])
    ),
    "zip of a TorchScript program": _jit,
    "two directories": _two_directories,
    "bare pickle": lambda marker: program(_mkdir(marker)),
    "tar": _tar,
}


def _compressed() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as copy:
        copy.writestr("m/data.pkl", program(content()))
        copy.writestr("m/data/0", b"\0" * (1 << 24))
    return made.getvalue()


def _twice(name: str) -> bytes:
    made = io.BytesIO(archive(content()))
    with warnings.catch_warnings(), zipfile.ZipFile(made, "a") as copy:
        warnings.simplefilter("ignore")  # of the same name twice
        copy.writestr(name, program(content()))
    return made.getvalue()


def _overlapping() -> bytes:
    """Let the directory say that two records, each the whole file, are the same bytes."""
    data = bytearray(archive(content(), data__1=NUMBERS * 400))
    large = len(NUMBERS) * 400
    at = data.index(b"PK\x01\x02")
    while data[at : at + 4] == b"PK\x01\x02":
        name, extra, comment = struct.unpack("<HHH", data[at + 28 : at + 34])
        if data[at + 46 : at + 46 + name] == b"m/version":
            data[at + 20 : at + 28] = struct.pack("<II", large, large)
        at += 46 + name + extra + comment
    return bytes(data)


#: Weights and other content of a checkpoint that is damaged, or would break a careless reader.
_BAD_WEIGHTS: Mapping = {
    "a shape larger than its storage": tensor(size=(10**12,), stride=(1,)),
    "a negative shape": tensor(size=(-2, 2)),
    "a negative stride": tensor(stride=(-2, 1)),
    "an offset beyond its storage": tensor(offset=1),
    "a negative offset": tensor(offset=-1),
    "one number as 10^12": tensor(size=(10**12,), stride=(0,)),
    "fewer strides than axes": tensor(stride=(1,)),
    "a storage longer than its record": tensor(Stored(count=4000)),
    "a storage that is not there": tensor(Stored(key="7")),
    "a storage from elsewhere": tensor(Stored(key="../version")),
    "a storage of negative length": tensor(Stored(count=-4)),
    "a tensor changed after": replace(tensor(), state=(Stored(), 0, (10**9,), (1,))),
    "items put into a tensor": Raw(encode(tensor()) + encode(0) + encode(10**6) + b"s"),
    "a parameter of no tensor": Call(_PARAMETER, ({}, False, {})),
    "a weight that is a number": 3,
}
_BAD_EXTRAS: Mapping = {
    # Of one size, so that nothing else is wrong with it.
    "a storage of two kinds": tensor(Stored("IntStorage")),
    "a new array of any size": Call(Name("numpy", "ndarray"), ((10**12,),), new=True),
    "a reconstructed array of any size": _array((10**12,), b"", first=(10**12,)),
    "an array larger than its bytes": _array((10**12,), b"x" * 8),
    "a number of objects": _number(_dtype("O8", False, True), b"x" * 8),
    "a number shorter than its type": _number(_dtype(), b"x"),
    "a changed dtype": _dtype(state=(3, "<", None, ("a",), {"a": (None, 99)}, 64, 8, 0)),
    "text in a strange encoding": Call(Name("_codecs", "encode"), ("x", "unicode_escape")),
    "a memo of 2^31 objects": Raw(b"Nr\xff\xff\xff\x7f"),
    "a changed kind": _changed(Name("torch", "FloatStorage"), item_bytes=1),
    "a changed storage": _changed(Stored(), count=10**9),
    "a changed tensor": _changed(tensor(), first=9),
    "an extension": Raw(b"\x82\x01"),
}
_BAD_PARTS: dict[str, Mapping] = {
    "no weights": {"network_weights": {}},
    "weights in a list": {"network_weights": [tensor()]},
    "a changed dictionary": {"network_weights": Call(_ORDERED, (), {"items": tensor()})},
    "a weight named as a path": {"network_weights": {"../a": tensor()}},
    "two weights of one name": {"network_weights": {"a": tensor(), "module.a": tensor()}},
    "a trainer that is no name": {"trainer_name": "os; x"},
    "a configuration that is no text": {"init_args": {"configuration": 3}},
    "axes that are none": {"inference_allowed_mirroring_axes": (7,)},
}
_GOOD = archive(content())

#: The bytes of each such checkpoint.
BREAKS: dict[str, bytes] = {
    **{name: archive(content(weight)) for name, weight in _BAD_WEIGHTS.items()},
    **{name: archive(content(extra=extra)) for name, extra in _BAD_EXTRAS.items()},
    **{name: archive(content() | part) for name, part in _BAD_PARTS.items()},
    "a text of 4 GB": archive(b"\x80\x02X\xff\xff\xff\xffabc."),
    "a pickle that does not stop": archive(program(content())[:-1]),
    "an empty pickle": archive(b""),
    "a large pickle": archive(content(extra="x" * (17 << 20))),
    "two data.pkl of one name": _twice("m/data.pkl"),
    "two data.pkl in two folders": _twice("n/data.pkl"),
    "compressed": _compressed(),
    "overlapping records": _overlapping(),
    "big-endian": archive(content(), byteorder=b"big"),
    "cut": _GOOD[:-60],
    "a changed weight": _GOOD.replace(NUMBERS, NUMBERS[::-1], 1),
    "nothing": b"",
    "a page": b"<html>404</html>",
    "safetensors with a long header": struct.pack("<Q", 1 << 60) + b"{}",
    "no dictionary": archive([1]),
}


def _nested(first: Any, levels: int = 60) -> Raw:
    """Return a tuple of two of a tuple of two of ...: a few bytes a level, and 2^60 in all."""
    memo = range(levels)
    packed = b"".join(b"h" + bytes([n]) + b"\x86q" + bytes([n + 1]) for n in memo)
    return Raw(encode(first) + b"q\x00" + packed)


_TUPLE, _LIST = _nested("a"), Raw(_nested([]).opcodes + b"\x85")
_ENCODE_AGAIN = b"c_codecs\nencode\nh\x00" + encode("latin1") + b"\x86R"

_SLOW_EXTRAS: Mapping = {
    "a key": Raw(b"}" + encode(_TUPLE) + b"Ns"),
    "a number as key": Raw(b"}" + encode(2**61) + b"Ns"),
    "a truth as key": Raw(b"}\x88Ns"),
    "the name of a dtype": _dtype(_TUPLE, False, True),
    "a dtype that is aligned": _dtype("f8", _LIST, True),
    "a dtype that is copied": _dtype("f8", False, _TUPLE),
    "the state of a dtype": _dtype(state=_TUPLE),
    "the order of a dtype": _dtype(state=(3, _LIST, None, None, None, -1, -1, 0)),
    "the flags of a dtype": _dtype(state=(3, "<", None, None, None, _TUPLE, -1, 0)),
    "an encoding": Call(Name("_codecs", "encode"), ("x", _LIST)),
    "a text to encode": Call(Name("_codecs", "encode"), (_TUPLE, "latin1")),
    "a text encoded over and over": Raw(
        encode("x" * (1 << 20)) + b"q\x00](" + _ENCODE_AGAIN * 2000 + b"e"
    ),
    "the shape of an array": _array(_LIST, b""),
    "the first shape of an array": _array((1,), b"x" * 8, first=_TUPLE),
    "a number in the shape of an array": _array((_LIST,), b""),
    "the content of an array": _array((1,), _TUPLE),
    "the state of an array": Raw(encode(_array((1,), b"x" * 8)) + encode(_TUPLE) + b"b"),
    "a number of numpy": Call(Name("numpy.core.multiarray", "scalar"), (_dtype(), _TUPLE)),
    "a device": Call(Name("torch", "device"), (_TUPLE, _LIST)),
    "the state of a dictionary": Call(_ORDERED, (), _TUPLE),
    "what is called": Raw(encode(_TUPLE) + b")R"),
    "what it is called with": Raw(encode(_ORDERED) + encode(_TUPLE) + b"R"),
    "what is changed": Raw(encode(_TUPLE) + b"}b"),
    "what is added to": Raw(encode(_TUPLE) + b"Na"),
    "what has items": Raw(encode(_TUPLE) + encode("a") + b"Ns"),
    "a storage": Raw(encode(_TUPLE) + b"Q"),
    "the word of a storage": Raw(encode((_TUPLE, 1, 2, 3, 4)) + b"Q"),
    "the kind of a storage": Raw(encode(("storage", _TUPLE, "0", "cpu", 4)) + b"Q"),
    "the number of a memo": Raw(b"Nr\x40\x42\x0f\x7f"),
    "a decimal number": Raw(b"I" + b"9" * (1 << 20) + b"\n"),
    "a long decimal number": Raw(b"L" + b"9" * (1 << 20) + b"L\n"),
}
_SLOW_WEIGHTS: Mapping = {
    "a size": tensor(size=_LIST),
    "a size of sizes": tensor(size=(_LIST, 2)),
    "a size of many axes": tensor(size=(1,) * 10_000, stride=(1,) * 10_000),
    "a size of large numbers": tensor(size=(2**2000,) * 1000, stride=(1,) * 1000),
    "a large number in a size": tensor(size=(2**60,), stride=(0,)),
    "an empty size of large numbers": tensor(size=(0, 2**40, 2**40), stride=(1, 1, 1)),
    "a stride": tensor(stride=_TUPLE),
    "an offset": tensor(offset=_LIST),
    "hooks": tensor(hooks=_TUPLE),
    "the name of a storage": tensor(Stored(key=_LIST)),
    "the length of a storage": tensor(Stored(count=_TUPLE)),
    "a parameter": Call(_PARAMETER, (_LIST, False, ())),
    "no weight": _TUPLE,
}
_SLOW_PARTS: dict[str, Mapping] = {
    "the name of a weight": {"network_weights": Raw(b"}" + encode(_TUPLE) + b"Ns")},
    "the weights": {"network_weights": _TUPLE},
    "the trainer": {"trainer_name": _LIST},
    "the configuration": {"init_args": {"configuration": _TUPLE}},
    "a long configuration": {"init_args": {"configuration": "x" * (1 << 20)}},
    "the arguments": {"init_args": _LIST},
    "the axes": {"inference_allowed_mirroring_axes": _TUPLE},
    "an axis": {"inference_allowed_mirroring_axes": (_LIST,)},
    "40 axes": {"inference_allowed_mirroring_axes": (0,) * 40},
    "an axis twice": {"inference_allowed_mirroring_axes": (0, 0)},
}


def _views(count: int, side: int) -> bytes:
    """Return the bytes of a checkpoint of one record and many weights, each all of it turned."""
    held = Stored(key="9", count=side**2)
    weights = {
        f"w{number}": tensor(held, number, (side - 1, side - 1), (side, 1))
        for number in range(count)
    }
    return archive(content() | {"network_weights": weights}, data__9=bytes(4 * side**2))


def many_records(count: int) -> bytes:
    """Return the bytes of a checkpoint whose table of contents has so many records more."""
    data = archive(content())
    size, offset = struct.unpack("<II", data[-10:-2])
    (first,) = struct.unpack("<H", data[offset + 28 : offset + 30])
    entry = data[offset : offset + 46 + first]
    table = entry * count + data[offset : offset + size]
    lengths = struct.pack("<HHII", 0xFFFF & count, 0xFFFF & count, len(table), offset)
    return data[:offset] + table + data[-22:-14] + lengths + data[-2:]


#: The bytes of checkpoints of a few kB that take a careless reader hours, or all of the memory.
HANGS: dict[str, bytes] = {
    **{name: archive(content(extra=extra)) for name, extra in _SLOW_EXTRAS.items()},
    **{name: archive(content(weight)) for name, weight in _SLOW_WEIGHTS.items()},
    **{name: archive(content() | part) for name, part in _SLOW_PARTS.items()},
    "the whole": archive(_TUPLE),
    "many weights of one tensor": _views(200, 400),
    "many records": many_records(100_000),
}


class Unusual:
    """Harmless, and still code: it says so by what it makes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __setstate__(self, state: Mapping) -> None:
        state["folder"].mkdir()


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
