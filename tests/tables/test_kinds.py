"""What a cell may hold."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sct_rootlets.tables.kinds import is_unknown, number_in


@pytest.mark.parametrize("cell", ["", " ", "n/a", "N/A", "NA", "nan", "NaN", "-nan", "#N/A", "-"])
def test_cells_of_what_is_not_known(cell: str) -> None:
    assert is_unknown(cell)


@pytest.mark.parametrize("cell", ["0", "none", "nano", "n.a.", "--", "inf"])
def test_other_cells_say_something(cell: str) -> None:
    assert not is_unknown(cell)


@given(st.floats(allow_nan=False))
def test_every_number_that_python_writes_is_read(value: float) -> None:
    assert number_in(f" {value!r} ") == value


@pytest.mark.parametrize("text", ["1_000", "١٢", "0x1p3", "1,5", "1.2.3", "1e", "", "e5", "1 2"])
def test_what_is_no_number(text: str) -> None:
    assert number_in(text) is None


@pytest.mark.parametrize("text", ["inf", "+INF", "Infinity", "1e400", "9" * 400])
def test_numbers_that_are_infinite_are_known_as_such(text: str) -> None:
    assert number_in(text) == math.inf
    assert number_in(f"-{text.lstrip('+')}") == -math.inf
