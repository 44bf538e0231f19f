"""What a record lists, and when a file is no longer the one that it lists."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sct_rootlets.files.record import (
    GROWS,
    content_sha256,
    is_record,
    page_proof,
    read_record,
    seal_page,
    sealed,
)
from sct_rootlets.files.sidecar import GENERATOR

OURS = {"GeneratedBy": [{"Name": GENERATOR}], "Border": 1.5, "Levels": ["C3"], "Note": "ä\udcff"}


def written(path: Path, **files: str) -> Path:
    path.write_text(sealed(path, OURS, files, {"old.png": "12"}))
    return path


def page(path: Path, *beside: str) -> Path:
    """Write a page with a proof, and seal it."""
    proof = page_proof([path.name, *beside])
    path.write_text(f"<html><head>{proof}</head><body>{'x' * 100_000}</body></html>")
    seal_page(path, path.name, {name: hashlib.sha256(name.encode()).hexdigest() for name in beside})
    return path


def test_a_json_lists_files_itself_and_those_of_before(tmp_path: Path) -> None:
    path = written(tmp_path / "t2.json", **{"t2.tsv": "ab", "grown.tsv": GROWS})
    record = read_record(path)
    assert record is not None
    assert record.is_ours
    assert record.sha256_of(tmp_path / "t2.tsv") == "ab"
    assert record.sha256_of(tmp_path / "old.png") == "12"
    assert record.sha256_of(tmp_path / "grown.tsv") == GROWS
    assert record.sha256_of(tmp_path / "another.tsv") is None
    assert record.sha256_of(path) == content_sha256(path)
    content = json.loads(path.read_text())
    assert {name: content[name] for name in OURS} == OURS
    assert list(content["Files"])[-1] == "t2.json"


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        (lambda content: content, True),  # laid out in another way
        (lambda content: {key: content[key] for key in sorted(content)}, True),
        (lambda content: {**content, "Border": 1.6}, False),
        (lambda content: {**content, "More": None}, False),
        (lambda content: {**content, "EarlierFiles": {}}, False),
        (lambda content: {**content, "Files": {**content["Files"], "t2.tsv": "cd"}}, False),
    ],
)
def test_a_json_knows_whether_it_says_something_else(
    tmp_path: Path, change: Callable[[Any], Any], is_same: bool
) -> None:
    path = written(tmp_path / "t2.json", **{"t2.tsv": "ab"})
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    record = read_record(path)
    assert record is not None
    assert (record.sha256_of(path) == content_sha256(path)) == is_same


@pytest.mark.parametrize("content", ["", "[]", "{", '{"Files": 3}', '{"Files": {"t2.json": 1}}'])
def test_a_json_of_somebody_else_lists_nothing(content: str, tmp_path: Path) -> None:
    path = tmp_path / "t2.json"
    path.write_text(content)
    record = read_record(path)
    assert record is None or (not record.files and not record.is_ours)
    assert content_sha256(path) == hashlib.sha256(content.encode()).hexdigest()


def test_a_page_lists_what_is_beside_it_and_itself(tmp_path: Path) -> None:
    path = page(tmp_path / 'a "t2" & b.html', "t2.png", "ä.png")
    record = read_record(path)
    assert record is not None
    assert record.is_ours
    assert set(record.files) == {path.name, "t2.png", "ä.png"}
    assert record.sha256_of(tmp_path / "t2.png") == hashlib.sha256(b"t2.png").hexdigest()
    assert record.sha256_of(path) == content_sha256(path)
    assert "0" * 64 not in path.read_text()


@pytest.mark.parametrize("at", [0, 30, 200, 50_000, -1])
def test_a_page_knows_whether_it_was_edited(at: int, tmp_path: Path) -> None:
    path = page(tmp_path / "t2.html", "t2.png")
    record = read_record(path)
    assert record is not None
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    assert content_sha256(path) != record.sha256_of(path)


@pytest.mark.parametrize("text", ["<html></html>", '<meta name="sct_rootlets-files" content="x">'])
def test_another_page_is_no_record(text: str, tmp_path: Path) -> None:
    path = tmp_path / "t2.html"
    path.write_text(text)
    assert read_record(path) is None
    assert read_record(tmp_path / "missing.html") is None
    assert content_sha256(path) == hashlib.sha256(text.encode()).hexdigest()
    seal_page(path, path.name, {})
    assert path.read_text() == text


def test_the_name_says_what_can_be_a_record() -> None:
    names = ("t2.json", "t2.JSON", "t2.html", "t2.htm", "t2.tsv", "t2.nii.gz")
    assert [is_record(Path(name)) for name in names] == [True] * 4 + [False] * 2
