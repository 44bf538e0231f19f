"""What a user names: a version, a file, an address; and with which bytes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sct_rootlets.errors import IntegrityError, UsageError
from sct_rootlets.store import install, locate
from tests.store.killing import listed
from tests.store.server import Server
from tests.store.tiny import assert_whole, near, remove_installed, sha256_of


def test_a_file_brought_by_hand_is_the_same_model(
    manifest: Path, archives: dict[str, Path], server: Server
) -> None:
    model = install(listed(manifest), file=archives["1"], offline=True)
    assert model.reference == "tiny@1"
    assert server.requests == []
    remove_installed("tiny", "1")
    with pytest.raises(IntegrityError, match="seen before"):
        install(listed(manifest), file=archives["2"])
    assert assert_whole() == []


def test_a_url_needs_its_hash_and_is_found_again(server: Server, archives: dict[str, Path]) -> None:
    url = server.add("/My%20model.zip", archives["1"].read_bytes())
    sha256 = sha256_of(archives["1"])
    with pytest.raises(UsageError, match="-sha256"):
        locate(url)
    with pytest.raises(IntegrityError):
        locate(url, sha256=sha256_of(archives["2"]))
    model = locate(url, sha256=sha256)
    assert model.reference == f"url-My-model@{sha256[:12]}"
    assert locate(url, sha256=sha256, offline=True).folder == model.folder
    with pytest.raises(UsageError, match="https"):
        locate("http://example.org/model.zip", sha256=sha256)


def test_an_archive_by_its_path(archives: dict[str, Path]) -> None:
    model = locate(archives["1"], offline=True)
    sha256 = sha256_of(archives["1"])
    assert model.reference == f"file-model-1@{sha256[:12]}"
    assert locate(archives["1"]).folder == model.folder
    assert locate(model.reference).folder == model.folder
    with pytest.raises(IntegrityError):
        locate(archives["1"], sha256=near(sha256))


def test_a_file_whose_name_is_no_text(archives: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"m\xff.zip")
    try:
        path.write_bytes(archives["1"].read_bytes())
    except OSError:
        pytest.skip("this file system has no such names")
    model = locate(path)
    assert model.reference == f"file-m@{sha256_of(archives['1'])[:12]}"
    assert locate(model.reference).folder == model.folder
