"""JSON files, and what is said of those that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from sct_rootlets.errors import InputError, ModelError
from sct_rootlets.files.json_files import object_if_readable, read_object


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, r"cannot be read \(No such file"),
        (b"{", "is not valid JSON"),
        (b"PK\x03\x04\xff\xfe", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"[1]", "is not a JSON object"),
    ],
)
def test_what_is_no_object_is_named(content: bytes | None, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=rf"a\.json: {problem}"):
        read_object(path)
    with pytest.raises(ModelError, match=rf"a\.json: the plan {problem}.*\. Copy it again"):
        read_object(path, error=ModelError, what="the plan", remedy="Copy it again")
    assert object_if_readable(path) == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_an_object_is_read_with_and_without_a_byte_order_mark(
    encoding: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"name": "é"}', encoding=encoding)
    assert read_object(path) == object_if_readable(path) == {"name": "é"}
