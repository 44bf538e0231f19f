"""participants.tsv: what is no such table."""

from __future__ import annotations

from pathlib import Path

import pytest

from sct_rootlets.errors import InputError
from sct_rootlets.variability.participants import read_participants


def participants(folder: Path, text: str) -> Path:
    path = folder / "participants.tsv"
    path.write_text(text.replace(" ", "\t"))
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("participant_id,vendor\nsub-01,GE\n", "no column participant_id"),
        ("", "no column participant_id"),
        ("participant_id vendor\nsub-01\n", "line 2 has 1 cells, and the header 2"),
        ("participant_id vendor\nsub-01 GE x\n", "line 2 has 3 cells, and the header 2"),
        ("participant_id vendor Vendor\nsub-01 GE x\n", "two columns of the same name"),
    ],
)
def test_damaged_participants(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_participants(participants(tmp_path, text))
    assert "participants.tsv" in str(caught.value)


def test_missing_participants(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_participants(tmp_path / "participants.tsv")
    binary = tmp_path / "p.tsv"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="UTF-16"):
        read_participants(binary)
