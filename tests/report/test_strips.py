"""The strips of a report: one scale, and outliers that are seen."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.levels.table.level_table import LevelRow
from sct_rootlets.report.plausibility import Comparison
from sct_rootlets.report.strips import Scale, axis_svg, strip_svg, summary_svg
from sct_rootlets.report.subject import LevelLine, Subject
from sct_rootlets.report.verdict import Verdict

C5, C6 = SpinalLevel.C5, SpinalLevel.C6


def subject(origin_mm: float, landmark: str = "PMJ", level: SpinalLevel = C5) -> Subject:
    """Return a result with one level 80 to 95 mm below a landmark."""
    row = LevelRow(level, "measured", origin_mm + 80, origin_mm + 95)
    return Subject("k", "n", Verdict("ok", ()), (LevelLine(row),), {landmark: origin_mm}, "top")


def test_strips_share_one_scale_whatever_the_tables_count_from() -> None:
    rows = [subject(0.0), subject(-30.0)]
    scale = Scale.of(rows)
    assert scale is not None
    assert scale.landmark == "PMJ"
    first, second = (strip_svg(row, scale) for row in rows)
    assert first == second
    assert "C5 80 to 95" in first
    assert scale.x(80.0) == pytest.approx(280 * (80 - scale.low_mm) / (15 + 12), abs=0.1)
    assert "C5" in summary_svg(rows, scale)
    assert "80" in axis_svg(scale)


def test_a_result_without_the_landmark_has_no_strip() -> None:
    rows = [subject(0.0), subject(5.0), subject(0.0, "C2/C3")]
    scale = Scale.of(rows)
    assert strip_svg(rows[2], scale) == ""
    assert Scale.of([]) is None


def test_outliers_and_what_was_not_measured_look_different() -> None:
    usual = subject(0.0)
    line = usual.lines[0]
    far = replace(usual, lines=(replace(line, length=Comparison(15.0, 5.0, 1.0)),))
    unseen = replace(usual, lines=(LevelLine(replace(line.row, status="interpolated")),))
    scale = Scale.of([usual])
    drawn = {strip_svg(row, scale) for row in (usual, far, unseen)}
    assert len(drawn) == 3
    assert 'class="far"' in strip_svg(far, scale)
    assert re.search("stroke-dasharray", strip_svg(unseen, scale))


def test_the_medians_leave_out_a_level_that_few_results_have() -> None:
    rows = [*(subject(float(k)) for k in range(4)), subject(0.0, level=C6)]
    scale = Scale.of(rows)
    assert scale is not None
    drawn = summary_svg(rows, scale)
    assert ">C5<" in drawn
    assert ">C6<" not in drawn
