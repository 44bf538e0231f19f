"""Archives, good and hostile: nothing is ever written outside of the folder given."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sct_rootlets.errors import ArchiveError, StoreError
from sct_rootlets.store.archives.unpack import unpack
from tests.store.archives.building import (
    GOOD_TAR,
    GOOD_TGZ,
    GOOD_ZIP,
    MODEL,
    MODEL_FOLDERS,
    SMALL,
    around,
    make_surroundings,
    streamed_zip,
    tar_of,
    zip_of,
)
from tests.store.mounted import in_file_system

# --- what is not hostile ----------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        GOOD_ZIP,
        zip_of(*MODEL.items(), method=zipfile.ZIP_STORED),
        streamed_zip(force_zip64=False),
        streamed_zip(force_zip64=True),
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
    ids=["zip", "stored", "piped", "zip64", "tar", "tar.gz", "gnu", "ustar", "tar -c .", "macOS"],
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


@pytest.mark.parametrize(
    "data",
    [
        zip_of(*((f"f/{mode:o}", b"x", mode) for mode in (0o106777, 0o100000))),
        tar_of(*((f"f/{mode:o}", b"x", {"mode": mode}) for mode in (0o6777, 0o0000))),
    ],
    ids=["zip", "tar.gz"],
)
def test_modes_are_ours_whatever_the_archive_asks_for(into, archive, data):
    archive.write_bytes(data)
    before = os.umask(0o022)
    try:
        files = unpack(archive, into)
    finally:
        os.umask(before)
    assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o644, 0o644]
    assert stat.S_IMODE((into / "f").stat().st_mode) == 0o755


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

    def interrupted(content, target):
        target.write(content.read(10))
        assert list(into.rglob("*.json")) != []
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "copyfileobj", interrupted)
    with pytest.raises(KeyboardInterrupt):
        unpack(archive, into)
    assert list(into.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "said"), [(GOOD_ZIP, "no room"), (GOOD_TGZ, "is full")], ids=["zip", "tar.gz"]
)
def test_a_full_disk_is_said_and_freed(tmp_path, archive, data, said):
    """A zip says before how much it holds; a tar.gz does not."""
    archive.write_bytes(data)
    module = "sct_rootlets.store.archives.unpack"
    action = f"from {module} import *; unpack(Path({str(archive)!r}), folder)"
    message, left = in_file_system(tmp_path / "small", "size=256k", action)
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
        into = make_surroundings(Path(name, "root"))
        archive = Path(name, "archive")
        archive.write_bytes(damaged)
        before = around(into)
        try:
            files = unpack(archive, into, limits=SMALL)
            assert all(into in path.parents for path in files)
        except ArchiveError:
            assert list(into.iterdir()) == []
        assert around(into) == before
