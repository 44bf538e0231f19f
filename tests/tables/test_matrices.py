"""Matrices of numbers in text files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.errors import InputError
from sct_rootlets.tables import CellError, read_matrix


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_numbers_are_read_as_numpy_reads_them(tmp_path: Path, end: str) -> None:
    rng = np.random.default_rng(0)
    matrix = rng.normal(0, 1e3, (4, 4))
    path = tmp_path / "a.mat"
    lines = ["# of flirt", "", *("  ".join(map(repr, map(float, row))) + "  " for row in matrix)]
    path.write_bytes(end.join(lines).encode("utf-8-sig"))
    assert read_matrix(path) == matrix.tolist()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1 0\n0 nan\n", "line 2, column 2: 'nan' is no finite number"),
        ("1 0\n-inf 0\n", "line 2, column 1: '-inf' is no finite number"),
        ("1 1e999\n", "line 1, column 2: '1e999' is no finite number"),
        ("1,0 0\n", "line 1, column 1: '1,0' is no finite number .allowed: a number"),
        ("# a\n\n1 0\n0\n", "line 4 has 1 numbers, and the first 2"),
        ("# nothing\n", "is empty"),
        ("1 2\x00\n", "NUL byte in line 1"),
    ],
)
def test_damage_is_refused_with_line_and_column(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "a.mat"
    path.write_text(text)
    with pytest.raises(InputError, match=problem) as caught:
        read_matrix(path)
    assert caught.value.path == str(path)
    if "column" in problem:
        assert isinstance(caught.value, CellError)
