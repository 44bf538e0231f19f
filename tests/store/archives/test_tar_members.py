"""Tar files, hostile and unusual."""

from __future__ import annotations

import gzip
import random
import tarfile

import pytest

from tests.store.archives.building import GOOD_TAR, GOOD_TGZ, corrupt, tar_of

END = bytes(1024)
GNU = tarfile.GNU_FORMAT


def header_of(raw: dict[int, bytes], name: str = "a") -> bytes:
    """Return one tar header whose bytes may be anything, with a right checksum."""
    header = bytearray(tarfile.TarInfo(name).tobuf(GNU))
    for start, value in raw.items():
        header[start : start + len(value)] = value
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def extended(data: bytes, kind: bytes = b"x") -> bytes:
    """Return a tar whose member follows an extended header that holds `data`."""
    header = header_of({156: kind, 124: b"%011o\0" % len(data)})
    return header + data + bytes(-len(data) % 512) + tar_of(("a", b"abc"), compress=False)


def with_fields(**fields: str) -> bytes:
    """Return a tar whose member has these fields in its extended header."""
    named = {name.replace("__", "."): value for name, value in fields.items()}
    return tar_of(("a", b"abc", {"pax_headers": named}))


def of_kind(kind: bytes, target: str = "", **options) -> bytes:
    member = ("b", b"", {"type": kind, "linkname": target})
    return tar_of(("a", b"x"), member, ("b/evil", b"x"), **options)


HOSTILE_TARS = {
    "parent as a folder": (tar_of(("..", b"", {"type": tarfile.DIRTYPE})), "leads out"),
    "link": (of_kind(tarfile.SYMTYPE, "../outside"), "is a link"),
    "link to an absolute path": (of_kind(tarfile.SYMTYPE, "/etc/passwd"), "is a link"),
    "long link": (of_kind(tarfile.SYMTYPE, "l" * 200, format=GNU), "is a link"),
    "hard link": (of_kind(tarfile.LNKTYPE, "a"), "is a hard link"),
    "hard link outside": (of_kind(tarfile.LNKTYPE, "../outside/keep.txt"), "is a hard link"),
    "device": (of_kind(tarfile.CHRTYPE), "is a device"),
    "block device": (of_kind(tarfile.BLKTYPE), "is a device"),
    "pipe": (of_kind(tarfile.FIFOTYPE), "is a pipe"),
    "sparse": (header_of({156: b"S"}) + END, "is a sparse file"),
    "sparse by an extended header": (with_fields(GNU__sparse__major="1"), "is a sparse file"),
    "sparse and outside": (with_fields(GNU__sparse__name="../evil"), "is a sparse file"),
    "unknown kind": (header_of({156: b"Q"}) + END, "neither a file nor a folder"),
    "long name outside": (tar_of(("../" + "e" * 150, b"x"), format=GNU), "leads out"),
    "extended name outside": (with_fields(path="../evil"), "leads out"),
    "extended name twice": (extended(b"10 path=b\n16 path=../evil\n"), "leads out"),
    "name for all": (extended(b"16 path=../evil\n", b"g"), "for all"),
    "extended link": (with_fields(linkpath="../outside"), "target of a link"),
    "extended size": (with_fields(size="-5"), "negative|damaged"),
    "extended size beyond the end": (with_fields(size="900000"), "cut off"),
    "name in another encoding": (with_fields(hdrcharset="BINARY"), "another encoding"),
    "huge extended header": (header_of({156: b"x", 124: b"7" * 11}) + END, "headers of more"),
    "huge long name": (header_of({156: b"L", 124: b"7" * 11}) + END, "headers of more"),
    "damaged extended header": (extended(b"99 path=a\n"), "control|damaged"),
    "extended header, then the end": (header_of({156: b"x"}) + END, "damaged"),
    "extended headers without end": (header_of({156: b"g"}) * 300 + END, "headers of more"),
    "undecodable name": (header_of({0: b"\xff\xfe"}) + END, "undecodable"),
    "negative size": (header_of({124: b"\xff" * 11 + b"\0"}) + END, "negative"),
    "size beyond the end": (header_of({124: b"00077777777\0"}) + END, "cut off|larger"),
    "size beyond all limits": (header_of({124: b"\x80" + b"\x7f" * 11}) + END, "larger|cut"),
    "size of what is left out": (
        gzip.compress(header_of({124: b"7" * 11}, name="__MACOSX/a") + END),
        "larger than 1.0 MB",
    ),
    "folder with content": (header_of({156: b"5", 124: b"%011o\0" % 9}) + END, "content"),
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
