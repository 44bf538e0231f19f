"""Cells of tables."""

from __future__ import annotations

import numpy as np

from sct_rootlets import tsv


def test_what_is_no_number_is_not_applicable() -> None:
    for value in (None, float("nan"), np.float32("inf"), -np.inf):
        assert tsv.number(value) == "n/a"
    assert tsv.number(np.int64(0)) == "0"


def test_the_columns_give_the_order() -> None:
    columns = {"b": "second", "a": "first"}
    assert tsv.to_tsv([{"a": "1", "b": "2", "c": "lost"}], columns) == "b\ta\n2\t1\n"
    assert tsv.describe(columns)["a"] == {"Description": "first"}
