"""Zip files, hostile and unusual."""

from __future__ import annotations

import io
import random
import stat
import struct
import zipfile
import zlib

import pytest

from sct_rootlets.errors import ArchiveError
from sct_rootlets.store.archives.unpack import unpack
from tests.store.archives.building import GOOD_ZIP, corrupt, zip_of


def put(data: bytes, place: int, value: bytes) -> bytes:
    return data[:place] + value + data[place + len(value) :]


def central(data: bytes, offset: int, value: bytes, which: int = 0) -> bytes:
    """Return a zip with a field changed in one entry of its table of contents."""
    place = -1
    for _ in range(which + 1):
        place = data.index(b"PK\x01\x02", place + 1)
    return put(data, place + offset, value)


def end_record(data: bytes, offset: int, value: int) -> bytes:
    """Return a zip with a field changed in the record at its end."""
    return put(data, data.index(b"PK\x05\x06") + offset, struct.pack("<L", value))


def with_lying_header() -> bytes:
    """Return a zip that says 4 bytes, with their right checksum, and holds a million."""
    data = zip_of(("a", b"\0" * 1_000_000))
    data = central(data, 24, struct.pack("<L", 4))
    return central(data, 16, struct.pack("<L", zlib.crc32(bytes(4))))


def with_lying_checksum() -> bytes:
    """Return a zip that says one byte less than it holds, with the checksum of all of them."""
    return central(zip_of(("a", b"\0" * 5)), 24, struct.pack("<L", 4))


def with_long_table() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in "abc":
            entry = zipfile.ZipInfo(name)
            entry.comment = bytes(50_000)
            archive.writestr(entry, b"x")
    return stream.getvalue()


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
    data = put(data, 18, longer)
    data = data[:start] + b"MOREDATA" + data[start:]
    data = central(data, 20, longer)
    data = central(data, 42, struct.pack("<L", start + 8), which=1)
    return end_record(data, 16, data.index(b"PK\x01\x02"))


STORED = zip_of(("a", b"A" * 3000), method=zipfile.ZIP_STORED)

#: Name -> (the archive, what the error says of it).
HOSTILE_ZIPS = {
    "parent as a folder": (zip_of(("../", b"", 0o040755)), "leads out"),
    "link": (zip_of(("link", b"../outside", 0o120777)), "is a link"),
    "link, then through it": (
        zip_of(("link", b"../outside", 0o120777), ("link/evil", b"x")),
        "is a link|file and as a folder",
    ),
    **{
        kind: (zip_of((kind, b"", mode | 0o666)), "neither a file nor a folder")
        for kind, mode in (
            ("device", stat.S_IFCHR),
            ("block device", stat.S_IFBLK),
            ("pipe", stat.S_IFIFO),
            ("socket", stat.S_IFSOCK),
        )
    },
    "folder with content": (zip_of(("a/", b"x", 0o040755)), "folder with content"),
    "encrypted": (central(STORED, 8, b"\x01\x00"), "encrypted"),
    "NUL": (zip_of(("a!b", b"x")).replace(b"a!b", b"a\0b"), "control"),
    "many members": (zip_of(*[(f"{n}", b"") for n in range(51)]), "51 members, more than 50"),
    "large": (zip_of(("a", random.Random(1).randbytes(5_000_001))), "larger than 5.0 MB"),
    "bomb": (zip_of(("a", bytes(4_000_000))), "larger than 1.0 MB"),
    "many small bombs": (zip_of(*[(f"{n}", bytes(90_000)) for n in range(20)]), "larger than"),
    "lying header": (with_lying_header(), "CRC-32"),
    "overlap": (with_overlap(), "overlap"),
    "quoted overlap": (with_quoted_overlap(), "overlap"),
    "more after deflate": (with_more_after_deflate(), "ends before its header says"),
    "huge table of contents": (
        end_record(STORED, 12, 0x7FFFFFFF),
        "central directory|where it says",
    ),
    "much in the table of contents": (with_long_table(), "table of contents of more than"),
    "lying header with the right checksum": (with_lying_checksum(), "as long as its header"),
    "another name before the data": (STORED.replace(b"a", b"b", 1), "differ"),
    "another method before the data": (corrupt(STORED, 8), "another kind"),
    "far offset": (central(STORED, 42, b"\xff\xff\xff\x7f"), "not where"),
    "bzip2": (zip_of(("a", b"x" * 99), method=zipfile.ZIP_BZIP2), "method 12"),
    "lzma": (zip_of(("a", b"x" * 99), method=zipfile.ZIP_LZMA), "method 14"),
    "truncated": (GOOD_ZIP[: len(GOOD_ZIP) // 2], "damaged or cut off"),
    "truncated in the table": (GOOD_ZIP[:-30], "damaged or cut off"),
    "wrong checksum": (STORED.replace(b"AAP", b"ABP"), "CRC-32"),
    "damaged deflate": (corrupt(zip_of(("a", bytes(range(256)) * 9)), 33), "damaged"),
    "empty": (zip_of(), "no zip"),
    "only folders": (zip_of(("a/", b"", 0o040755)), "no file"),
    "something else in front": (b"#!/bin/sh\n" + STORED, "no zip"),
    "web page": (b"<!DOCTYPE html><html></html>", "no zip"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(100), "no zip"),
    "nothing": (b"", "no zip"),
}


@pytest.mark.parametrize(("data", "said"), HOSTILE_ZIPS.values(), ids=HOSTILE_ZIPS)
def test_a_hostile_zip_writes_nothing(refused, data, said):
    refused(data, said)


def test_a_zip_with_a_zip64_table_is_measured_by_it(into, archive, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    data = zip_of(("a", b"x"), ("b", b"y"))
    assert b"PK\x06\x06" in data
    archive.write_bytes(data)
    assert len(unpack(archive, into)) == 2
    for path in into.iterdir():
        path.unlink()
    place = data.index(b"PK\x06\x06") + 40
    archive.write_bytes(put(data, place, struct.pack("<Q", 1 << 40)))
    with pytest.raises(ArchiveError, match=r"central directory|where it says"):
        unpack(archive, into)


def test_the_name_of_a_member_is_the_one_that_was_checked(into, archive):
    """Newer Pythons take a member's name from a second place."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as written:
        entry = zipfile.ZipInfo("a")
        name = struct.pack("<BL", 1, zlib.crc32(b"a")) + b"../evil"
        entry.extra = struct.pack("<HH", 0x7075, len(name)) + name
        written.writestr(entry, b"content")
    archive.write_bytes(stream.getvalue())
    assert unpack(archive, into) == [into / "a"]
    assert not (into.parent / "evil").exists()
