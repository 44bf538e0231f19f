"""Levels in EPI space against the truth of phantoms; the whole of it is benchmarks/fmri.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.fmri import measure

#: Largest mean absolute error of the shares.
ERROR = 0.02
#: Points per mm of the truth: half as many as the benchmark has, an eighth of the work.
POINTS_PER_MM = (3.0, 2.0)


@pytest.mark.parametrize("case", ["oblique", "distorted"])
def test_slices_of_5_mm(tmp_path: Path, case: str) -> None:
    scores = measure(100, "5 mm", case, tmp_path, slice(11, 19), POINTS_PER_MM)
    assert scores["nearest"].error > ERROR
    for method in ("with the table", "labels only"):
        score = scores[method]
        assert score.error < ERROR / 2
        assert score.error_concerned < 2 * ERROR
        assert score.lost == 0
        assert score.right == score.wholly >= 4
    assert scores["with the table"].error < scores["labels only"].error


@pytest.mark.slow
def test_slices_of_16_8_mm_lose_no_level(tmp_path: Path) -> None:
    scores = measure(100, "16.8 mm", "distorted", tmp_path, slice(1, 9), POINTS_PER_MM)
    assert scores["nearest"].error > 2 * ERROR
    assert scores["nearest"].lost > 0
    for method in ("with the table", "labels only"):
        score = scores[method]
        assert max(score.error, score.error_concerned) < ERROR
        assert (score.lost, score.levels) == (0, 8)
        assert score.right_any == score.slices >= 7
