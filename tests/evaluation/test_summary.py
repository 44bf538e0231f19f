"""Figures over images are those of the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sct_rootlets import evaluation
from tests.evaluation.planted import Planted, cells, measure


def test_the_summary_is_that_of_the_table(planted: Planted, tmp_path: Path) -> None:
    files = measure(planted, "same", "shifted", "moved").write(tmp_path / "m.tsv")
    rows, summary = cells(files["metrics"]), cells(files["summary"])
    by_key = {(row["level"], row["metric"]): row for row in summary}
    for level in ("C5", "all", "levels"):
        values = [
            float(row["dice"])
            for row in rows
            if (row["level"] == level if level != "levels" else row["level"] != "all")
        ]
        cell = by_key[level, "dice"]
        assert int(cell["n"]) == len(values)
        assert float(cell["mean"]) == pytest.approx(np.mean(values), rel=1e-4)
        assert float(cell["sd"]) == pytest.approx(np.std(values, ddof=1), rel=1e-4)
        assert float(cell["median"]) == pytest.approx(np.median(values), rel=1e-4)
    text = evaluation.format_summary(measure(planted, "same", "shifted").summary)
    assert [line.split()[0] for line in text.splitlines()] == [
        "level", "C3", "C4", "C5", "C6", "levels", "all",
    ]  # fmt: skip
    assert "missed" not in text
