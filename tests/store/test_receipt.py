from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import IntegrityError, RootletsError, StoreError
from sct_rootlets.store.receipt import (
    RECEIPT,
    Archive,
    combined_sha256,
    read_receipt,
    write_receipt,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of two files with its receipt."""
    folder = tmp_path / "tiny" / "1"
    (folder / "net" / "fold_all").mkdir(parents=True)
    (folder / "net" / "plans.json").write_text("{}")
    made = folder / "net" / "fold_all" / "w.safetensors"
    made.write_bytes(b"weights")
    archive = Archive("ab" * 32, 9, "https://example.org/m.zip")
    levels = {2: SpinalLevel.C3, 4: SpinalLevel.T1}
    write_receipt(folder, archive, name="tiny", version="1", made=[made], levels=levels)
    return folder


def test_a_receipt_comes_back_as_it_was_written(folder: Path) -> None:
    receipt = read_receipt(folder)
    assert receipt is not None
    assert receipt.reference == "tiny@1"
    assert receipt.size_bytes == 9
    assert receipt.archive == Archive("ab" * 32, 9, "https://example.org/m.zip")
    assert receipt.levels == {2: SpinalLevel.C3, 4: SpinalLevel.T1}
    assert receipt.time_utc.endswith("+00:00")
    files = receipt.files
    assert list(files) == ["net/fold_all/w.safetensors", "net/plans.json"]
    assert files["net/plans.json"].sha256 == hashlib.sha256(b"{}").hexdigest()
    assert files["net/fold_all/w.safetensors"].made
    assert receipt.content_sha256 == combined_sha256(
        {"net/plans.json": hashlib.sha256(b"{}").hexdigest()}
    )


def test_one_with_a_byte_order_mark_is_read_and_none_is_none(folder: Path) -> None:
    before = read_receipt(folder)
    path = folder / RECEIPT
    path.write_text(path.read_text(), encoding="utf-8-sig")
    assert read_receipt(folder) == before
    path.unlink()
    assert read_receipt(folder) is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "JSON"),
        ("{", "JSON"),
        ("[" * 100_000, "JSON"),
        ("[]", "not a JSON object"),
        ("{}", "format"),
        ('{"format": true}', "format"),
        ('{"format": 0}', "format"),
        ('{"format": 1}', '"files" is not an object'),
        ('{"format": 1, "files": {}}', '"name" is missing'),
    ],
)
def test_a_damaged_one_is_an_error(folder: Path, content: str, told: str) -> None:
    (folder / RECEIPT).write_text(content)
    with pytest.raises(IntegrityError, match=told):
        read_receipt(folder)


def test_one_of_a_newer_version_is_not_damaged(folder: Path) -> None:
    (folder / RECEIPT).write_text('{"format": 2, "anything": {}}')
    with pytest.raises(StoreError, match=r"format 2.*Update"):
        read_receipt(folder)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"more": 1}, '"more"'),
        ({"source": None}, '"source" is not text'),
        ({"source": "\ud800"}, "surrogates"),
        ({"archive_bytes": "9"}, '"archive_bytes" is not a whole number'),
        ({"trusted_code": 0}, '"trusted_code" is not true or false'),
        ({"version": "1\x1b[2J"}, '"version" is no word'),
        ({"levels": [2]}, '"levels" is not an object'),
        ({"levels": {"2": "Q7"}}, "no spinal level"),
        ({"levels": {"2": 3}}, "no spinal level"),
        ({"levels": {"-2": "C3"}}, "no label"),
        ({"files": []}, '"files"'),
        ({"files": {"\ud800": {"sha256": "ab", "size_bytes": 1}}}, "surrogates"),
        ({"files": {"net/plans.json": 5}}, "not an object"),
        ({"files": {"net/plans.json": {"sha256": "ab"}}}, '"size_bytes" is missing'),
        *(
            ({"files": {name: {"sha256": "ab", "size_bytes": 1}}}, "no file of a model")
            for name in ("../2/plans.json", "/etc/hostname", "net//plans.json", "", ".", "a\0b")
        ),
    ],
)
def test_every_field_is_what_it_should_be(
    folder: Path, change: dict[str, object], told: str
) -> None:
    content = json.loads((folder / RECEIPT).read_text())
    (folder / RECEIPT).write_text(json.dumps({**content, **change}))
    with pytest.raises(IntegrityError, match=told):
        read_receipt(folder)


def test_a_field_too_few_damages_it(folder: Path) -> None:
    content = json.loads((folder / RECEIPT).read_text())
    del content["source"]
    (folder / RECEIPT).write_text(json.dumps(content))
    with pytest.raises(RootletsError, match='"source" is missing'):
        read_receipt(folder)
