"""Tar files, hostile and unusual."""

from __future__ import annotations

import gzip
import random
import tarfile

import pytest

from tests.store.archives.building import GOOD_TAR, GOOD_TGZ, corrupt, tar_of


def header_of(**fields) -> bytes:
    """Return one tar header whose numbers may be anything, with a right checksum."""
    info = tarfile.TarInfo(fields.pop("name", "a"))
    raw = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    for start, value in fields.pop("raw", {}).items():
        raw[start : start + len(value)] = value
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw)
    return bytes(raw)


def pax_record(key: str, value: str) -> bytes:
    body = f" {key}={value}\n".encode()
    length = len(body) + 1
    while len(str(length)) + len(body) != length:
        length = len(str(length)) + len(body)
    return str(length).encode() + body


def tar_with_pax(*records, kind=b"x", content=b"abc") -> bytes:
    data = b"".join(pax_record(*record) for record in records)
    header = header_of(name="pax", raw={156: kind, 124: b"%011o\0" % len(data)})
    return header + padded(data) + tar_of(("a", content), compress=False)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


END = bytes(1024)


LINK = {"type": tarfile.SYMTYPE, "linkname": "../outside"}
GNU = tarfile.GNU_FORMAT

HOSTILE_TARS = {
    "parent as a folder": (tar_of(("..", b"", {"type": tarfile.DIRTYPE})), "leads out"),
    "link": (tar_of(("link", b"", LINK)), "is a link"),
    "link, then through it": (tar_of(("a", b"", LINK), ("a/evil", b"x")), "is a link"),
    "link to an absolute path": (
        tar_of(("a", b"", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"})),
        "is a link",
    ),
    "hard link": (
        tar_of(("a", b"x"), ("b", b"", {"type": tarfile.LNKTYPE, "linkname": "a"})),
        "is a hard link",
    ),
    "hard link outside": (
        tar_of(("b", b"", {"type": tarfile.LNKTYPE, "linkname": "../outside/keep.txt"})),
        "is a hard link",
    ),
    "long name outside": (tar_of(("../" + "e" * 150, b"x"), format=GNU), "leads out"),
    "long link": (tar_of(("a", b"", {**LINK, "linkname": "l" * 200}), format=GNU), "a link"),
    "device": (tar_of(("null", b"", {"type": tarfile.CHRTYPE})), "is a device"),
    "block device": (tar_of(("disk", b"", {"type": tarfile.BLKTYPE})), "is a device"),
    "pipe": (tar_of(("pipe", b"", {"type": tarfile.FIFOTYPE})), "is a pipe"),
    "sparse": (header_of(raw={156: b"S"}) + END, "is a sparse file"),
    "sparse by an extended header": (
        tar_with_pax(("GNU.sparse.major", "1"), ("GNU.sparse.name", "../evil")),
        "sparse",
    ),
    "unknown kind": (header_of(raw={156: b"Q"}) + END, "neither a file nor a folder"),
    "extended name outside": (tar_with_pax(("path", "../evil")), "leads out"),
    "extended name twice": (tar_with_pax(("path", "b"), ("path", "../evil")), "leads out"),
    "name for all": (tar_with_pax(("path", "../evil"), kind=b"g"), "for all"),
    "extended link": (tar_with_pax(("linkpath", "../outside")), "target of a link"),
    "extended size": (tar_with_pax(("size", "-5")), "negative|damaged"),
    "extended size beyond the end": (tar_with_pax(("size", "900000")), "cut off"),
    "name in another encoding": (tar_with_pax(("hdrcharset", "BINARY")), "another encoding"),
    "huge extended header": (
        header_of(raw={156: b"x", 124: b"77777777777\0"}) + END,
        "extended headers of more",
    ),
    "huge long name": (header_of(raw={156: b"L", 124: b"77777777777\0"}) + END, "headers of more"),
    "damaged extended header": (
        header_of(raw={156: b"x", 124: b"%011o\0" % 10}) + padded(b"99 path=a\n") + END,
        "damaged",
    ),
    "extended headers without end": (
        header_of(raw={156: b"g"}) * 300 + END,
        "extended headers of more",
    ),
    "undecodable name": (header_of(raw={0: b"\xff\xfe"}) + END, "undecodable"),
    "negative size": (header_of(raw={124: b"\xff" * 11 + b"\x00"}) + END, "negative"),
    "size beyond the end": (header_of(raw={124: b"00077777777\0"}) + END, "cut off|larger"),
    "size beyond all limits": (header_of(raw={124: b"\x80" + b"\x7f" * 11}) + END, "larger|cut"),
    "size of what is left out": (
        gzip.compress(header_of(name="__MACOSX/a", raw={124: b"77777777777\0"}) + END),
        "larger than 1.0 MB",
    ),
    "folder with content": (header_of(raw={156: b"5", 124: b"%011o\0" % 9}) + END, "content"),
    "wrong checksum of a header": (corrupt(GOOD_TAR, 3), "damaged"),
    "many members": (tar_of(*[(f"{n}", b"") for n in range(51)]), "more than 50 members"),
    "large": (tar_of(("a", random.Random(1).randbytes(5_000_001))), "larger than 5.0 MB"),
    "bomb": (tar_of(("a", bytes(4_000_000))), "larger than 1.0 MB"),
    "bomb behind the end": (
        gzip.compress(tar_of(("a", b"x"), compress=False) + bytes(9_000_000)),
        "larger than 1.0 MB",
    ),
    "goes on after its end": (GOOD_TAR + GOOD_TAR, "goes on after its end"),
    "without an end": (tar_of(("a", b"x"), compress=False)[:1024], "cut off"),
    "truncated": (GOOD_TAR[:300_000], "cut off"),
    "truncated gzip": (GOOD_TGZ[:300_000], "cut off"),
    "wrong checksum of gzip": (corrupt(GOOD_TGZ, len(GOOD_TGZ) - 6), "damaged"),
    "damaged gzip": (GOOD_TGZ[:20] + bytes(50) + GOOD_TGZ[70:], "damaged"),
    "no tar in gzip": (gzip.compress(b"no tar " * 200), "damaged"),
    "nothing in gzip": (gzip.compress(b""), "cut off"),
    "only an end": (gzip.compress(END), "no file"),
}


@pytest.mark.parametrize(("data", "said"), HOSTILE_TARS.values(), ids=HOSTILE_TARS)
def test_a_hostile_tar_writes_nothing(refused, data, said):
    refused(data, said)
