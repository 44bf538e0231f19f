from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from sct_rootlets.errors import ModelError
from sct_rootlets.store.receipt import (
    RECEIPT,
    combined_sha256,
    is_installed,
    read_receipt,
    verify,
    write_receipt,
)
from tests.store.tiny import near


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of two files with its receipt."""
    folder = tmp_path / "tiny" / "1"
    (folder / "net" / "fold_all").mkdir(parents=True)
    (folder / "net" / "plans.json").write_text("{}")
    made = folder / "net" / "fold_all" / "w.safetensors"
    made.write_bytes(b"weights")
    write_receipt(
        folder,
        name="tiny",
        version="1",
        archive_sha256="ab" * 32,
        archive_bytes=9,
        source="https://example.org/m.zip",
        trusted_code=False,
        made=[made],
    )
    return folder


def test_a_receipt_comes_back_as_it_was_written(folder: Path) -> None:
    receipt = read_receipt(folder)
    assert receipt is not None
    assert receipt.reference == "tiny@1"
    assert receipt.size_bytes == 9
    assert receipt.time_utc.endswith("+00:00")
    files = receipt.files
    assert list(files) == ["net/fold_all/w.safetensors", "net/plans.json"]
    assert files["net/plans.json"].sha256 == hashlib.sha256(b"{}").hexdigest()
    assert files["net/fold_all/w.safetensors"].made
    assert receipt.content_sha256 == combined_sha256(
        {"net/plans.json": hashlib.sha256(b"{}").hexdigest()}
    )
    assert is_installed(folder)
    assert verify(folder) == []


def test_without_a_receipt_nothing_is_installed(folder: Path) -> None:
    (folder / RECEIPT).unlink()
    assert read_receipt(folder) is None
    assert not is_installed(folder)
    assert verify(folder) == ["has no receipt.json"]


def test_a_missing_or_cut_file_is_seen_at_once(folder: Path) -> None:
    path = folder / "net" / "plans.json"
    path.write_text("{} ")
    assert not is_installed(folder)
    assert verify(folder) == ["net/plans.json has 3 bytes, not 2"]
    path.unlink()
    assert not is_installed(folder)
    assert verify(folder) == ["net/plans.json is missing"]


def test_other_bytes_and_added_files_are_seen_when_it_is_verified(folder: Path) -> None:
    (folder / "net" / "plans.json").write_text("[]")
    (folder / "net" / "trainer_class.py").write_text("")
    (folder / "net" / ".DS_Store").write_text("")
    content = json.loads((folder / RECEIPT).read_text())
    record = content["files"]["net/fold_all/w.safetensors"]
    record["sha256"] = near(record["sha256"])  # which agrees in its first digits
    (folder / RECEIPT).write_text(json.dumps(content))
    assert is_installed(folder)
    assert verify(folder) == [
        *(f"net/{name} has other bytes" for name in ("fold_all/w.safetensors", "plans.json")),
        "net/trainer_class.py was added",
    ]


def test_the_receipt_of_another_model_does_not_count(folder: Path) -> None:
    other = folder.rename(folder.with_name("2"))
    assert not is_installed(other)
    assert verify(other) == ["its receipt is of tiny@1"]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"format": 1}', '{"format": 2}'])
def test_a_damaged_receipt_is_none(folder: Path, content: str) -> None:
    (folder / RECEIPT).write_text(content)
    assert not is_installed(folder)
    assert len(verify(folder)) == 1
    with pytest.raises(ModelError, match="receipt"):
        read_receipt(folder)


def test_a_field_too_many_or_too_few_damages_it(folder: Path) -> None:
    content = json.loads((folder / RECEIPT).read_text())
    for changed in ({**content, "more": 1}, {k: v for k, v in content.items() if k != "source"}):
        (folder / RECEIPT).write_text(json.dumps(changed))
        assert not is_installed(folder)
