from __future__ import annotations

import os
import pickle

import pytest

from sct_rootlets.checkpoint.archive import look_through
from sct_rootlets.errors import ModelError
from tests.checkpoint import hostile


def content_of(path):
    return look_through(path, lambda content, _read: content)


def test_everything_that_a_checkpoint_names_is_said(tmp_path):
    names = [hostile.Name("os", f"name{n}") for n in range(9)]
    path = hostile.write(tmp_path / "a.pth", hostile.archive(hostile.content(extra=names)))
    with pytest.raises(ModelError, match=r"\(os\.name0, .*os\.name7 and 1 more\).*-trust-code"):
        content_of(path)
    odd = hostile.Name("os\x1b[2J", "system")
    path = hostile.write(tmp_path / "b.pth", hostile.archive(hostile.content(extra=odd)))
    with pytest.raises(ModelError, match=r"os\\x1b\[2J\.system"):
        content_of(path)


def test_a_pipe_or_a_folder_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "", "none"):
        with pytest.raises(ModelError, match="cannot be read"):
            content_of(tmp_path / name)


def test_each_hostile_archive_differs_from_a_good_one_in_one_thing(tmp_path):
    """The good one, and the good parts that the hostile ones are made of, are read."""
    dtype = hostile._dtype(state=(3, "<", None, None, None, -1, -1, 0))
    more = {
        "number": hostile._number(dtype, b"x" * 8),
        "array": hostile._array((1,), b"x" * 8),
        "parameter": hostile.Call(hostile._PARAMETER, (hostile.tensor(), False, {})),
        "dictionary": hostile.Call(hostile._ORDERED, (), {"_metadata": {}}),
        "device": hostile.Call(hostile.Name("torch", "device"), ("cuda", 0)),
        "size": hostile.tensor(size=hostile.Call(hostile.Name("torch", "Size"), ((2, 2),))),
        "part": hostile.tensor(offset=2, size=(2,), stride=(1,)),
        "empty": hostile.tensor(size=(0, 3), stride=(3, 1)),
        "scalar": hostile.tensor(size=(), stride=()),
        "memo": hostile.Raw(b"Nr\x07\x00\x00\x00"),
    }
    good = hostile.archive(hostile.content(**more), byteorder=b"little")
    assert set(more) < set(content_of(hostile.write(tmp_path / "a.pth", good)))


def test_the_assembler_of_the_tests_writes_pickles():
    value = {"a": [1, (2, -3, 10**12)], "b": None, "c": True, "d": b"\xff\x00"}
    assert pickle.loads(hostile.program(value)) == value
