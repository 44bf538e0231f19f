"""JSON files of models: those that no model needs are refused at once."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sct_rootlets.errors import ModelError
from sct_rootlets.model_folder import model_json, read_json
from sct_rootlets.model_folder.model_json import is_number, is_whole, shown


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "plans.json"


def nested(levels: int) -> str:
    return '{"a": ' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


def test_an_object_is_read_with_a_byte_order_mark(path: Path) -> None:
    path.write_text('{"a": 1}', encoding="utf-8-sig")
    assert read_json(path) == {"a": 1}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (nested(51), "more than 50 levels"),
        (nested(100_000), "not valid JSON"),
        ('{"a": ' + "9" * 5000 + "}", "not valid JSON"),
        ("[]", "not a JSON object"),
        ("", "not valid JSON"),
        ('{"a": 1', "not valid JSON"),
    ],
)
def test_what_no_model_needs_is_refused(path: Path, content: str, told: str) -> None:
    path.write_text(content)
    with pytest.raises(ModelError, match=told):
        read_json(path)


def test_a_file_of_any_size_is_not_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_json, "_MOST_BYTES", 20)
    path.write_text('{"a": "' + "x" * 12 + '"}')
    with pytest.raises(ModelError, match=r"has 21 bytes, which no model needs \(20 are read\)"):
        read_json(path)
    path.write_text('{"a": "' + "x" * 11 + '"}')
    assert read_json(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes in folders")
def test_what_is_no_file_is_not_waited_for(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(ModelError, match=r"no readable plans\.json"):
        read_json(path)


def test_values_are_shown_short_and_plain() -> None:
    assert shown({"a": [None, True, 1.5]}) == '{"a": [null, true, 1.5]}'
    assert shown("\x1b[31m\ud800") == r'"\u001b[31m\ud800"'
    assert shown(float("nan")) == "NaN"
    assert shown(object()) == "object"
    for long in ("x" * 1000, [1] * 1000, 10**4000, json.loads(nested(40))):
        assert len(shown(long)) <= 80


def test_numbers_are_numbers() -> None:
    assert is_whole(3, 0, 3)
    assert is_number(3, 0, 3)
    assert is_number(0.5)
    for other in (True, "3", None, [3], float("nan"), float("inf"), 10**400):
        assert not is_whole(other, 0, 3)
        assert not is_number(other, 0, 3)
    assert not is_number(float("inf"))
    assert not is_number(-float("inf"))
