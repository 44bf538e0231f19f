"""Checkpoints of several MB that would take a careless reader hours, or all of the memory."""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests.checkpoint import hostile

__all__ = ["LARGE"]

_MB = 1 << 20


def _program(opcodes: bytes) -> bytes:
    return hostile.archive(b"\x80\x02" + opcodes)


def _extra(opcodes: bytes) -> bytes:
    return hostile.archive(hostile.content(extra=hostile.Raw(opcodes)))


def _numbers(step: int, count: int) -> bytes:
    return b"}(" + b"".join(hostile.encode(step * n) + b"N" for n in range(1, count)) + b"u"


def _named(count: int) -> bytes:
    """Return the bytes of a checkpoint of one tensor under many names."""
    first = hostile.encode("first") + hostile.encode(hostile.tensor()) + b"q\x00"
    names = b"".join(hostile.encode(f"{n:06d}{'x' * 200}") + b"h\x00" for n in range(count))
    weights = hostile.Raw(b"}(" + first + names + b"u")
    return hostile.archive({**hostile.content(), "network_weights": weights})


_SIZE = hostile.Raw(hostile.encode(2**2000) + b"q\x00(" + b"h\x00" * 1_000_000 + b"t")
LARGE: dict[str, Callable[[], bytes]] = {
    "16 million lists": lambda: _program(b"(" + b"]" * (15 * _MB) + b"t."),
    "3 million lists": lambda: _program(b"(" + b"]" * 3_000_000 + b"t."),
    "lists in lists": lambda: _extra(b"]" * 1_000_000 + b"a" * 999_999),
    "one list 7 million times": lambda: _extra(b"]q\x00](" + b"h\x00" * (7 * _MB) + b"e"),
    "3 million numbered objects": lambda: _program(
        b"".join(b"Nr" + struct.pack("<I", n) + b"0" for n in range(10))
        + b"("
        + b"".join(b"]r" + struct.pack("<I", n) for n in range(1_900_000))
        + b"t."
    ),
    "16 million marks": lambda: _program(b"(" * (15 * _MB) + b"t."),
    "2 million dictionaries": lambda: _program(b"(" + b"}" * 2_000_000 + b"t."),
    "a million ordered dictionaries": lambda: _extra(
        b"ccollections\nOrderedDict\nq\x00](" + b"h\x00)R" * 1_000_000 + b"e"
    ),
    "a million dtypes": lambda: _extra(
        b"cnumpy\ndtype\nq\x00X\x02\0\0\0f8q\x01](" + b"h\x00h\x01\x89\x88\x87R" * 600_000 + b"e"
    ),
    "keys that hash alike": lambda: _extra(_numbers(2**61 - 1, 300_000)),
    "keys of one slot": lambda: _extra(_numbers(1 << 20, 300_000)),
    "a text of 15 MB": lambda: _extra(hostile.encode("x" * (15 * _MB))),
    "a text of wide letters": lambda: _extra(hostile.encode("\U0001f9e0" + "x" * (15 * _MB))),
    "a text encoded 2000 times": lambda: _extra(
        hostile.encode("é" * 4_000_000) + b"q\x00](" + hostile._ENCODE_AGAIN * 2000 + b"e"
    ),
    "a size of a million axes": lambda: hostile.archive(
        hostile.content(hostile.tensor(size=_SIZE, stride=_SIZE))
    ),
    "3 million names": lambda: _program(b"cos\na\n" * 2_500_000 + b"."),
    "a million different names": lambda: _program(
        b"".join(b"cos\n%d\n" % n for n in range(1_000_000)) + b"."
    ),
    "a name of 15 MB": lambda: _program(b"c" + b"x" * (15 * _MB) + b"\nsystem\n."),
    "digits of 15 MB": lambda: _program(b"I" + b"9" * (15 * _MB) + b"\n."),
    "long digits of 15 MB": lambda: _program(b"L" + b"9" * (15 * _MB) + b"L\n."),
    "numbers of 255 bytes": lambda: _extra(b"](" + (b"\x8a\xff" + b"\x7f" * 255) * 60_000 + b"e"),
    "60,000 names of a weight": lambda: _named(60_000),
    "19,000 names of a weight": lambda: _named(19_000),
    "views of 16 MB": lambda: hostile._views(400, 2000),
    "a table of a million records": lambda: hostile.many_records(1_000_000),
    "a table of 70,000 records": lambda: hostile.many_records(70_000),
}
