"""JSON files, and what is said of those that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from sct_rootlets.errors import InputError, ModelError
from sct_rootlets.files import json_files
from sct_rootlets.files.json_files import object_if_readable, read_object


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, r"cannot be read \(No such file"),
        (b"{", "is not valid JSON"),
        (b"PK\x03\x04\xff\xfe", "is a workbook of a spreadsheet, or a ZIP"),
        ('{"a": 1}'.encode("utf-16"), "is text in UTF-16"),
        (b'{"a": "\xe9"}', "is no text in UTF-8: it has the byte 0xe9 in line 1"),
        (b'{"a": -Infinity}', "is not valid JSON .*-Infinity"),
        (b'{"a": 1e400}', "is not valid JSON .*'1e400' is too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is not valid JSON .*9…' is too large"),
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
    with pytest.raises(ModelError, match=rf"a\.json: the plan {problem}.*\. [CS]") as caught:
        read_object(path, error=ModelError, what="the plan", remedy="Copy it again")
    assert caught.value.remedy.startswith("Save" if "text" in problem or "ZIP" in problem else "C")
    assert object_if_readable(path) == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_an_object_is_read_with_and_without_a_byte_order_mark(
    encoding: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"name": "é"}', encoding=encoding)
    assert read_object(path) == object_if_readable(path) == {"name": "é"}


def test_a_number_that_python_writes_for_what_is_not_known_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"tr": NaN, "volumes": 12, "te": 0.03}')
    assert read_object(path) == {"tr": None, "volumes": 12, "te": 0.03}


def test_bytes_lists_and_objects_are_counted(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"a": [[], {}]}')  # of 15 bytes and four of them
    for name, most in (("_MOST_BYTES", 15), ("_MOST_PARTS", 4)):
        with monkeypatch.context() as patch:
            patch.setattr(json_files, name, most)
            assert read_object(path) == {"a": [[], {}]}
            patch.setattr(json_files, name, most - 1)
            with pytest.raises(InputError, match=r"a\.json: (has .* MB|.* 4 lists and objects)"):
                read_object(path)
