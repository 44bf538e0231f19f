"""Archives, good and hostile: nothing is ever written outside of the folder given."""

from __future__ import annotations

import gzip
import io
import os
import random
import stat
import struct
import subprocess
import sys
import tarfile
import tempfile
import warnings
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sct_rootlets
from sct_rootlets.errors import ArchiveError, StoreError
from sct_rootlets.store.archives.unpack import Limits, unpack

MODEL = {
    "nnUNetTrainer__nnUNetPlans__3d_fullres/dataset.json": b'{"labels": {}}',
    "nnUNetTrainer__nnUNetPlans__3d_fullres/fold_all/checkpoint_final.pth": (
        random.Random(5).randbytes(700_000)
    ),
    "nnUNetTrainer__nnUNetPlans__3d_fullres/fold_all/empty.txt": b"",
    "LICENSE": b"MIT " * 1000,
}

MODEL_FOLDERS = sorted({name.rpartition("/")[0] for name in MODEL} - {""})

SMALL = Limits(members=50, total_bytes=5_000_000, ratio=20, unrated_bytes=1_000_000)


# --- building ---------------------------------------------------------------------------


def zip_of(*members, method=zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of (name, content) or (name, content, mode), with whatever name."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that come twice
        for name, content, *mode in members:
            entry = zipfile.ZipInfo("x")
            entry.filename = name  # the constructor would change it
            entry.compress_type = method
            entry.create_system = 3
            entry.external_attr = (mode[0] if mode else 0o100644) << 16
            archive.writestr(entry, content)
    return stream.getvalue()


def tar_of(*members, compress=True, format=tarfile.PAX_FORMAT) -> bytes:
    """Return a tar(.gz) of (name, content) or (name, content, attributes)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=format) as archive:
        for name, content, *attributes in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in (attributes[0] if attributes else {}).items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))
    data = stream.getvalue()
    return gzip.compress(data, mtime=0) if compress else data


def replaced(data: bytes, old: bytes, new: bytes, count: int = -1) -> bytes:
    """Return `data` with bytes exchanged for as many others; there must be some."""
    assert old in data
    assert len(old) == len(new)
    return data.replace(old, new, count)


def central(data: bytes, offset: int, value: bytes, which: int = 0) -> bytes:
    """Return a zip with a field changed in one entry of its table of contents."""
    place = -1
    for _ in range(which + 1):
        place = data.index(b"PK\x01\x02", place + 1)
    return data[: place + offset] + value + data[place + offset + len(value) :]


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


def with_unicode_path_field() -> bytes:
    """Return a zip whose member is "a" to some readers and "../evil" to others."""
    name = b"../evil"
    body = struct.pack("<BL", 1, zlib.crc32(b"a")) + name
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        entry = zipfile.ZipInfo("a")
        entry.extra = struct.pack("<HH", 0x7075, len(body)) + body
        archive.writestr(entry, b"content")
    return stream.getvalue()


def with_lying_header() -> bytes:
    """Return a zip that says 4 bytes, with their right checksum, and holds a million."""
    data = zip_of(("a", b"\0" * 1_000_000))
    data = central(data, 24, struct.pack("<L", 4))
    return central(data, 16, struct.pack("<L", zlib.crc32(bytes(4))))


def with_overlap() -> bytes:
    """Return a zip of two members that share their data, as bombs of this kind do."""
    data = zip_of(("a", b"data" * 100), ("a2", b"data" * 100))
    return central(data, 42, struct.pack("<L", 0), which=1)


def with_quoted_overlap() -> bytes:
    """Return a zip whose first member's data hold the second member."""
    inner = zip_of(("b", b"inner"), method=zipfile.ZIP_STORED)
    outer = zip_of(("a", inner), ("b", b"inner"), method=zipfile.ZIP_STORED)
    # The first table entry found in it is the one within the data.
    return central(outer, 42, struct.pack("<L", outer.index(inner)), which=2)


def with_more_after_deflate() -> bytes:
    """Return a zip in whose member another stream follows the one that is checked."""
    data = zip_of(("a", b"abc" * 50), ("b", b"xyz" * 50))
    start = data.index(b"PK\x03\x04", 4)
    size = struct.unpack_from("<L", data, 18)[0]
    longer = struct.pack("<L", size + 8)
    data = data[:18] + longer + data[22:start] + b"MOREDATA" + data[start:]
    data = central(data, 20, longer)
    data = central(data, 42, struct.pack("<L", start + 8), which=1)
    end = data.index(b"PK\x05\x06") + 16
    return data[:end] + struct.pack("<L", data.index(b"PK\x01\x02")) + data[end + 4 :]


def with_huge_table() -> bytes:
    data = zip_of(("a", b"abc"))
    end = data.index(b"PK\x05\x06") + 12
    return data[:end] + struct.pack("<L", 0x7FFFFFFF) + data[end + 4 :]


def corrupt(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]


GOOD_ZIP = zip_of(*MODEL.items())
GOOD_TAR = tar_of(*MODEL.items(), compress=False)
GOOD_TGZ = tar_of(*MODEL.items())
STORED = zip_of(("a", b"A" * 3000), method=zipfile.ZIP_STORED)
E_ACUTE = ("caf\u00e9.json", "cafe\u0301.json")

#: Name -> (the archive, what the error says of it).
HOSTILE_ZIPS = {
    "absolute": (zip_of(("/tmp/evil", b"x")), "absolute"),
    "parent": (zip_of(("../evil", b"x")), "leads out"),
    "parent inside": (zip_of(("a/../../evil", b"x")), "leads out"),
    "parent as a folder": (zip_of(("../", b"", 0o040755)), "leads out"),
    "parent at the end": (zip_of(("a/..", b"x")), "leads out"),
    "good, then parent": (zip_of(("good", b"x"), ("../evil", b"x")), "leads out"),
    "drive": (zip_of(("C:/evil", b"x")), "character ':'"),
    "drive with backslash": (zip_of(("C:\\evil", b"x")), "character ':'"),
    "UNC": (zip_of(("\\\\server\\share\\evil", b"x")), r"character '\\\\'"),
    "UNC with slashes": (zip_of(("//server/share/evil", b"x")), "absolute"),
    "parent with backslash": (zip_of(("..\\evil", b"x")), r"character '\\\\'"),
    "alternate data stream": (zip_of(("dataset.json:evil", b"x")), "character ':'"),
    "link": (zip_of(("link", b"../outside", 0o120777)), "is a link"),
    "link, then through it": (
        zip_of(("link", b"../outside", 0o120777), ("link/evil", b"x")),
        "is a link|file and as a folder",
    ),
    "device": (zip_of(("null", b"", 0o020666)), "neither a file nor a folder"),
    "block device": (zip_of(("disk", b"", 0o060666)), "neither a file nor a folder"),
    "pipe": (zip_of(("pipe", b"", 0o010666)), "neither a file nor a folder"),
    "socket": (zip_of(("socket", b"", 0o140666)), "neither a file nor a folder"),
    "folder with content": (zip_of(("a/", b"x", 0o040755)), "folder with content"),
    "case": (zip_of(("a/Plans.json", b"x"), ("a/plans.json", b"y")), "one file on some"),
    "case of a folder": (zip_of(("A/x", b"x"), ("a/y", b"y")), "one file on some"),
    "case of sharp s": (zip_of(("stra\u00dfe", b"x"), ("STRASSE", b"y")), "one file on some"),
    "Unicode": (zip_of((E_ACUTE[0], b"x"), (E_ACUTE[1], b"y")), "one file on some"),
    "twice": (zip_of(("a", b"x"), ("a", b"y")), "twice"),
    "file, then folder": (zip_of(("a", b"x"), ("a/b", b"y")), "file and as a folder"),
    "folder, then file": (zip_of(("a/b", b"x"), ("a", b"y")), "file and as a folder"),
    "encrypted": (central(STORED, 8, b"\x01\x00"), "encrypted"),
    "reserved": (zip_of(("aux.json", b"x")), "reserved"),
    "reserved folder": (zip_of(("NUL/a", b"x")), "reserved"),
    "new line": (zip_of(("a\nb", b"x")), "control"),
    "terminal escape": (zip_of(("a\x1b[2Jb", b"x")), "control"),
    "NUL": (replaced(zip_of(("a!b", b"x")), b"a!b", b"a\0b"), "control"),
    "reversed text": (zip_of(("a\u202egpj.exe", b"x")), "control, invisible"),
    "ends in a dot": (zip_of(("plans.json.", b"x")), "space or a dot"),
    "ends in a space": (zip_of(("fold /a", b"x")), "space or a dot"),
    "empty part": (zip_of(("a//b", b"x")), "empty part"),
    "empty name": (zip_of(("", b"x")), "empty part"),
    "long part": (zip_of(("\u00e9" * 128, b"x")), "too long"),
    "long name": (zip_of(("/".join(["abcdefgh"] * 130), b"x")), "too long"),
    "deep": (zip_of(("/".join("a" * 40), b"x")), "too deep"),
    "many members": (zip_of(*[(f"{n}", b"") for n in range(51)]), "51 members, more than 50"),
    "large": (zip_of(("a", random.Random(1).randbytes(5_000_001))), "larger than 5.0 MB"),
    "bomb": (zip_of(("a", bytes(4_000_000))), "larger than 1.0 MB"),
    "many small bombs": (zip_of(*[(f"{n}", bytes(90_000)) for n in range(20)]), "larger than"),
    "lying header": (with_lying_header(), "longer than its header says"),
    "overlap": (with_overlap(), "overlap|another name"),
    "quoted overlap": (with_quoted_overlap(), "overlap"),
    "more after deflate": (with_more_after_deflate(), "ends before its header says"),
    "huge table of contents": (with_huge_table(), "table of contents"),
    "another name before the data": (replaced(STORED, b"a", b"b", 1), "another name"),
    "another method before the data": (corrupt(STORED, 8), "another kind"),
    "far offset": (central(STORED, 42, b"\xff\xff\xff\x7f"), "not where"),
    "bzip2": (zip_of(("a", b"x" * 99), method=zipfile.ZIP_BZIP2), "method 12"),
    "lzma": (zip_of(("a", b"x" * 99), method=zipfile.ZIP_LZMA), "method 14"),
    "truncated": (GOOD_ZIP[: len(GOOD_ZIP) // 2], "damaged or cut off"),
    "truncated in the table": (GOOD_ZIP[:-30], "damaged or cut off"),
    "wrong checksum": (replaced(STORED, b"A" * 3000, b"A" * 2999 + b"B"), "checksum"),
    "damaged deflate": (corrupt(zip_of(("a", bytes(range(256)) * 9)), 33), "damaged"),
    "empty": (zip_of(), "no zip"),
    "only folders": (zip_of(("a/", b"", 0o040755)), "no file"),
    "only what is left out": (zip_of(("__MACOSX/a", b"x")), "no file"),
    "out of what is left out": (zip_of(("__MACOSX/../../evil", b"x")), "leads out"),
    "something else in front": (b"#!/bin/sh\n" + STORED, "no zip"),
    "web page": (b"<!DOCTYPE html><html></html>", "no zip"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(100), "no zip"),
    "nothing": (b"", "no zip"),
}

LINK = {"type": tarfile.SYMTYPE, "linkname": "../outside"}
GNU = tarfile.GNU_FORMAT

HOSTILE_TARS = {
    "absolute": (tar_of(("/tmp/evil", b"x")), "absolute"),
    "parent": (tar_of(("../evil", b"x")), "leads out"),
    "dot and parent": (tar_of(("./../evil", b"x")), "leads out"),
    "parent inside": (tar_of(("a/b/../../../evil", b"x"), compress=False), "leads out"),
    "parent as a folder": (tar_of(("..", b"", {"type": tarfile.DIRTYPE})), "leads out"),
    "drive": (tar_of(("C:\\evil", b"x")), "character ':'"),
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
    "long name outside": (tar_of(("../" + "e" * 150, b"x"), format=GNU), "leads out"),
    "extended name outside": (tar_with_pax(("path", "../evil")), "leads out"),
    "extended name twice": (tar_with_pax(("path", "b"), ("path", "../evil")), "cannot be read"),
    "name for all": (tar_with_pax(("path", "../evil"), kind=b"g"), "for all"),
    "extended link": (tar_with_pax(("linkpath", "../outside")), "target of a link"),
    "extended size": (tar_with_pax(("size", "-5")), "is no size"),
    "extended size beyond the end": (tar_with_pax(("size", "900000")), "cut off"),
    "name in another encoding": (tar_with_pax(("hdrcharset", "BINARY")), "another encoding"),
    "huge extended header": (
        header_of(raw={156: b"x", 124: b"77777777777\0"}) + END,
        "extended header of",
    ),
    "huge long name": (header_of(raw={156: b"L", 124: b"77777777777\0"}) + END, "header of"),
    "damaged extended header": (
        header_of(raw={156: b"x", 124: b"%011o\0" % 10}) + padded(b"99 path=a\n") + END,
        "cannot be read",
    ),
    "extended headers without end": (
        header_of(raw={156: b"g"}) * 300 + END,
        "more than 50 members",
    ),
    "undecodable name": (header_of(raw={0: b"\xff\xfe"}) + END, "undecodable"),
    "negative size": (header_of(raw={124: b"\xff" * 11 + b"\x00"}) + END, "negative"),
    "size beyond the end": (header_of(raw={124: b"00077777777\0"}) + END, "cut off|larger"),
    "size beyond all limits": (header_of(raw={124: b"\x80" + b"\x7f" * 11}) + END, "larger|cut"),
    "folder with content": (header_of(raw={156: b"5", 124: b"%011o\0" % 9}) + END, "content"),
    "wrong checksum of a header": (corrupt(GOOD_TAR, 3), "damaged"),
    "twice": (tar_of(("a", b"x"), ("a", b"y")), "twice"),
    "twice with a dot": (tar_of(("a", b"x"), ("./a", b"y")), "twice"),
    "case": (tar_of(("a/Plans.json", b"x"), ("a/plans.json", b"y")), "one file on some"),
    "Unicode": (tar_of((E_ACUTE[0], b"x"), (E_ACUTE[1], b"y")), "one file on some"),
    "file, then folder": (tar_of(("a", b"x"), ("a/b", b"y")), "file and as a folder"),
    "reserved": (tar_of(("COM1", b"x")), "reserved"),
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

HOSTILE = {
    **{f"zip: {name}": case for name, case in HOSTILE_ZIPS.items()},
    **{f"tar: {name}": case for name, case in HOSTILE_TARS.items()},
}


# --- the folder and what is around it ---------------------------------------------------


def snapshot(root: Path) -> dict[str, tuple[int, int, bytes | str]]:
    """Return mode, time and content of all below `root`, links not followed."""
    found: dict[str, tuple[int, int, bytes | str]] = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            status = path.lstat()
            content: bytes | str = ""
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                content = path.read_bytes()
            found[str(path.relative_to(root))] = (status.st_mode, status.st_mtime_ns, content)
    return found


def make_surroundings(root: Path) -> Path:
    """Make a folder to unpack into, deep in a tree that has something to lose."""
    into = root / "store" / "staging" / "into"
    into.mkdir(parents=True)
    for folder in (root, root / "store", root / "store" / "staging"):
        (folder / "outside").mkdir()
        (folder / "outside" / "keep.txt").write_text("kept")
        (folder / "keep.txt").write_text("kept")
    return into


@pytest.fixture
def into(tmp_path) -> Path:
    return make_surroundings(tmp_path / "root")


@pytest.fixture
def archive(tmp_path) -> Path:
    return tmp_path / "model.part"


def test_the_list_of_hostile_archives_has_not_shrunk():
    assert len(HOSTILE_ZIPS) >= 25
    assert len(HOSTILE_TARS) >= 25


@pytest.mark.parametrize(("data", "said"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_archive_writes_nothing(into, archive, data, said):
    archive.write_bytes(data)
    root = into.parents[2]
    before = snapshot(root)
    with pytest.raises(ArchiveError, match=said) as caught:
        unpack(archive, into, limits=SMALL)
    after = snapshot(root)
    inside = str(into.relative_to(root))
    before.pop(inside), after.pop(inside)  # its time changes where something came and went
    assert after == before
    assert list(into.iterdir()) == []
    assert caught.value.path == str(archive)
    assert caught.value.remedy
    assert str(caught.value).isprintable()
    assert not Path("/tmp/evil").exists()


# --- what is not hostile ----------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        GOOD_ZIP,
        zip_of(*MODEL.items(), method=zipfile.ZIP_STORED),
        GOOD_TAR,
        GOOD_TGZ,
        tar_of(*MODEL.items(), format=tarfile.GNU_FORMAT),
        tar_of(*MODEL.items(), format=tarfile.USTAR_FORMAT),
        tar_of((".", b"", {"type": tarfile.DIRTYPE}), *((f"./{k}", v) for k, v in MODEL.items())),
        zip_of(
            *((f"{folder}/", b"", 0o040755) for folder in MODEL_FOLDERS),
            *MODEL.items(),
            ("__MACOSX/._LICENSE", b"resource fork"),
        ),
    ],
    ids=["zip", "stored zip", "tar", "tar.gz", "gnu", "ustar", "tar -c .", "macOS"],
)
def test_a_good_archive_is_unpacked_whole(into, archive, data):
    archive.write_bytes(data)
    files = unpack(archive, into)
    assert {path.relative_to(into).as_posix(): path.read_bytes() for path in files} == MODEL
    assert sorted(path for path in into.rglob("*") if not path.is_dir()) == sorted(files)
    assert not (into / "__MACOSX").exists()


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_long_and_foreign_names_are_kept(into, archive, make):
    name = "mod\u00e8le/" + "n" * 200 + "/\u810a\u9ad3.json"
    archive.write_bytes(make((name, b"x")))
    assert unpack(archive, into) == [into / name]


def test_modes_are_ours_whatever_the_archive_asks_for(into, archive):
    modes = 0o106777, 0o100000
    for data in (
        zip_of(*((f"f/{mode:o}", b"x", mode) for mode in modes)),
        tar_of(*((f"f/{mode:o}", b"x", {"mode": mode & 0o7777}) for mode in modes)),
    ):
        archive.write_bytes(data)
        box = into / "box"
        box.mkdir()
        before = os.umask(0o022)
        try:
            files = unpack(archive, box)
        finally:
            os.umask(before)
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o644}
        assert stat.S_IMODE((box / "f").stat().st_mode) == 0o755
        for path in files:
            path.unlink()
        (box / "f").rmdir()
        box.rmdir()


def test_a_zip_written_as_a_stream_is_unpacked(into, archive):
    """Its sizes come after the data of each member, and again in the table of contents."""

    class Pipe(io.RawIOBase):
        def __init__(self):
            self.data = b""

        def writable(self):
            return True

        def write(self, block):
            self.data += bytes(block)
            return len(block)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in MODEL.items():
            written.writestr(name, content)
    archive.write_bytes(pipe.data)
    assert len(unpack(archive, into)) == len(MODEL)


def test_a_zip64_is_unpacked(into, archive):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as written, written.open("a", "w", force_zip64=True) as file:
        file.write(b"content")
    archive.write_bytes(stream.getvalue())
    assert unpack(archive, into)[0].read_bytes() == b"content"


def test_a_zip_with_a_zip64_table_is_measured_by_it(into, archive, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    data = zip_of(("a", b"x"), ("b", b"y"))
    assert b"PK\x06\x06" in data
    archive.write_bytes(data)
    assert len(unpack(archive, into)) == 2
    for path in into.iterdir():
        path.unlink()
    place = data.index(b"PK\x06\x06") + 40
    archive.write_bytes(data[:place] + struct.pack("<Q", 1 << 40) + data[place + 8 :])
    with pytest.raises(ArchiveError, match="table of contents"):
        unpack(archive, into)


def test_the_name_of_a_member_is_the_one_that_was_checked(into, archive):
    """Newer Pythons take a member's name from a second place."""
    archive.write_bytes(with_unicode_path_field())
    before = snapshot(into.parent)
    try:
        assert unpack(archive, into) == [into / "a"]
    except ArchiveError:
        assert list(into.iterdir()) == []
    for path in into.iterdir():
        path.unlink()
    after = snapshot(into.parent)
    before.pop("into"), after.pop("into")
    assert after == before


def test_text_that_compresses_well_is_no_bomb(into, archive):
    archive.write_bytes(zip_of(("log.txt", b"epoch 1 loss 0.5\n" * 100_000)))
    assert len(unpack(archive, into)) == 1


# --- the folder, the disk ---------------------------------------------------------------


def test_only_an_empty_folder_is_unpacked_into(into, archive, tmp_path):
    archive.write_bytes(GOOD_ZIP)
    (into / "mine.txt").write_text("mine")
    link = tmp_path / "link"
    (tmp_path / "empty").mkdir()
    link.symlink_to(tmp_path / "empty")
    for folder in (into, link, tmp_path / "none", archive):
        with pytest.raises(StoreError, match="not an empty folder"):
            unpack(archive, folder)
    assert (into / "mine.txt").read_text() == "mine"
    assert list((tmp_path / "empty").iterdir()) == []


def test_an_archive_that_is_not_there_is_said(into, archive):
    with pytest.raises(ArchiveError, match="cannot be read"):
        unpack(archive, into)


def test_an_interruption_leaves_nothing(into, archive, monkeypatch):
    archive.write_bytes(GOOD_ZIP)

    def interrupted(descriptor, block):
        assert list(into.rglob("*.json")) != []
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        unpack(archive, into)
    assert list(into.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "said"), [(GOOD_ZIP, "no room"), (GOOD_TGZ, "is full")], ids=["zip", "tar.gz"]
)
def test_a_full_disk_is_said_and_freed(tmp_path, archive, data, said):
    """A zip says before how much it holds; a tar.gz does not."""
    archive.write_bytes(data)
    folder = tmp_path / "small"
    folder.mkdir()
    mount = f"mount -t tmpfs -o size=256k none '{folder}'"
    try:
        subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine lets no user mount a file system (unshare -rm)")
    script = f"""
from pathlib import Path
from sct_rootlets.errors import StoreError
from sct_rootlets.store.archives.unpack import unpack
try:
    unpack(Path({str(archive)!r}), Path({str(folder)!r}))
except StoreError as error:
    print(error)
print(list(Path({str(folder)!r}).iterdir()))
"""
    run = subprocess.run(
        ["unshare", "-rm", "sh", "-c", f'{mount} && exec "$0" -c "$1"', sys.executable, script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(sct_rootlets.__file__).parents[1])},
    )
    assert run.returncode == 0, run.stderr
    message, left = run.stdout.splitlines()
    assert said in message
    assert left == "[]"


# --- whatever else ----------------------------------------------------------------------

TINY = (("m/dataset.json", b'{"labels": {}}' * 9), ("m/fold_0/a.pth", bytes(range(256))))
TINY_ARCHIVES = (
    zip_of(*TINY),
    zip_of(*TINY, method=zipfile.ZIP_STORED),
    tar_of(*TINY, compress=False),
    tar_of(*TINY),
)


@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@given(
    data=st.sampled_from(TINY_ARCHIVES),
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), max_size=4),
    keep=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_a_damaged_archive_is_refused_or_harmless(data, changes, keep):
    damaged = bytearray(data[: int(keep * len(data))])
    for place, value in changes:
        start = int(place * max(0, len(damaged) - 1))
        damaged[start : start + len(value)] = value
    with tempfile.TemporaryDirectory() as name:
        root = Path(name, "root")
        into = make_surroundings(root)
        archive = Path(name, "archive")
        archive.write_bytes(damaged)
        before = snapshot(root)
        inside = str(into.relative_to(root))
        try:
            files = unpack(archive, into, limits=SMALL)
            assert all(into in path.parents for path in files)
        except ArchiveError:
            assert list(into.iterdir()) == []
        after = {
            path: entry
            for path, entry in snapshot(root).items()
            if path != inside and not path.startswith(inside + os.sep)
        }
        before.pop(inside)
        assert after == before
