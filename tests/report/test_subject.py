"""Rows of single results: what is judged, and how much of a broken one is shown."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.levels.paint import UNPAINTED
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable
from sct_rootlets.report.finding import find
from sct_rootlets.report.plausibility import Comparison, Plausibility
from sct_rootlets.report.sources import Locator
from sct_rootlets.report.strips import Scale, axis_svg, strip_svg, summary_svg
from sct_rootlets.report.subject import Line, Subject, read
from sct_rootlets.report.verdict import Verdict, judge

C4, C5, C6 = SpinalLevel.C4, SpinalLevel.C5, SpinalLevel.C6
TABLE = LevelTable(tuple(LevelRow(v, "measured", 10.0, 20.0) for v in (C4, C5, C6)), "caudal", 1.5)
STEM = "sub-a_T2w"
FINE = Plausibility({}, {}, None)


def reasons(table: LevelTable | None, **more: Any) -> tuple[str, tuple[str, ...]]:
    made = judge(table, more.pop("plausibility", FINE), **more)
    return made.status, made.reasons


def test_nothing_to_say_is_ok() -> None:
    assert reasons(TABLE) == ("ok", ())


def test_remarks_about_one_level_or_points_are_no_reason_but_others_are() -> None:
    warnings = (
        "C4: 2 voxels left out",
        "rootlets and vertebrae do not fit",
        f"beyond the image, {UNPAINTED}: T1",
    )
    table = replace(TABLE, warnings=warnings)
    assert reasons(table) == ("flagged", ("rootlets and vertebrae do not fit",))


def test_gaps_contradictions_and_changes_are_flagged() -> None:
    rows = list(TABLE.rows)
    rows[1] = replace(rows[1], status="interpolated")
    rows[2] = replace(rows[2], flags=("contradicted",))
    status, said = reasons(replace(TABLE, rows=tuple(rows)), changed=["cord mask c.nii.gz"])
    assert status == "flagged"
    assert said == (
        "not seen between others: C5",
        "borders contradict each other: C6",
        "changed since the levels were derived: cord mask c.nii.gz",
    )


def test_outliers_are_named_with_their_direction_the_worst_first() -> None:
    plausibility = Plausibility(
        {C4: Comparison(30.0, 15.0, 3.0), C5: Comparison(1.0, 15.0, 2.0)},
        {C6: Comparison(90.0, 100.0, 2.5), C4: Comparison(90.0, 91.0, 2.5)},
        "PMJ",
    )
    assert reasons(TABLE, plausibility=plausibility)[1] == (
        "C5 too short (-7.0 SD)",
        "C4 too long (+5.0 SD)",
        "C6 too rostral for the PMJ (-4.0 SD)",
    )


def test_missing_files_and_no_level_at_all_are_failures() -> None:
    empty = LevelTable((LevelRow(C4, "unseen"),), "caudal", 1.5)
    assert reasons(empty) == ("failed", ("no level was measured",))
    assert reasons(TABLE, problems=["image t2 is missing"])[0] == "failed"
    assert reasons(None, problems=["broken"], plausibility=None) == ("failed", ("broken",))


@pytest.fixture
def result(batch: Path, tmp_path: Path) -> Path:
    """Return a copy of a result as it should be."""
    return shutil.copytree(batch / "sub-a", tmp_path / "sub", ignore=lambda *_: ["notes.tsv"])


def row_of(folder: Path) -> Subject:
    (found,) = find([folder])
    return read(found, "sub/t2", Locator())


def test_a_whole_result_has_levels_pictures_and_facts(result: Path, real_figures: None) -> None:
    row = row_of(result)
    assert row.verdict == Verdict("ok", ())
    assert (row.name, row.measured, row.folder) == (f"{STEM}.nii.gz", 4, "sub")
    assert row.facts["Definition"] == "caudal"
    assert row.facts["Made by"].startswith("sct_rootlets")
    assert "C2/C3" in row.landmarks_mm
    assert row.pictures is not None
    assert row.pictures.bare
    # C3 begins where the population says that C2, which was not seen, ends.
    assert {str(line.row.level) for line in row.lines if line.length} == {"C4", "C5", "C6"}


@pytest.mark.parametrize(
    ("what", "damage"),
    [("", "gone"), ("", "text"), ("_rootlets", "cut"), ("_rootlets", "gone"), ("_seg", "text"),
     ("_seg", "gone"), ("_spinal_levels", "cut"), ("_spinal_levels", "gone")],
)  # fmt: skip
def test_a_damaged_image_is_a_sentence_and_the_rest_is_drawn(
    result: Path, real_figures: None, what: str, damage: str
) -> None:
    path = result / f"{STEM}{what}.nii.gz"
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:200] if damage == "cut" else b"no image")
    row = row_of(result)
    if damage == "gone" and what == "":  # `levels` knows of no image
        assert row.verdict.status == "ok"
        assert row.facts["Image"] == "none was found"
    else:
        assert row.verdict.status == "failed"
        assert f"{STEM}{what}.nii.gz" in " ".join(row.verdict.reasons)
    assert str(result.parent) not in " ".join(row.verdict.reasons)
    assert row.measured == 4
    assert row.pictures is not None


def test_a_damaged_sidecar_or_one_of_another_kind_is_a_row(result: Path) -> None:
    path = result / f"{STEM}_spinal_levels.json"
    content = json.loads(path.read_text())
    path.write_text("{")
    assert row_of(result).verdict.status == "failed"
    path.write_text(json.dumps({**content, "GeneratedBy": "me"}))
    assert row_of(result).verdict.status == "failed"
    path.unlink()
    row = row_of(result)
    assert row.verdict.status == "failed"
    assert f"{STEM}_spinal_levels.json is missing" in row.verdict.reasons


def test_an_unseen_level_between_others_is_flagged(batch: Path) -> None:
    row = row_of(batch / "sub-gap")
    assert row.verdict == Verdict("flagged", ("not seen between others: C5",))


def subject(origin_mm: float, landmark: str = "PMJ", level: SpinalLevel = C5) -> Subject:
    """Return a result with one level 80 to 95 mm below a landmark."""
    row = LevelRow(level, "measured", origin_mm + 80, origin_mm + 95)
    return Subject("k", "n", Verdict("ok", ()), (Line(row),), {landmark: origin_mm}, "top")


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
    unseen = replace(usual, lines=(Line(replace(line.row, status="interpolated")),))
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
