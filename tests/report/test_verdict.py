"""What of a result is judged, and in which words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.levels.paint import UNPAINTED
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable
from sct_rootlets.report.plausibility import Comparison, Plausibility
from sct_rootlets.report.verdict import judge

C4, C5, C6 = SpinalLevel.C4, SpinalLevel.C5, SpinalLevel.C6
TABLE = LevelTable(tuple(LevelRow(v, "measured", 10.0, 20.0) for v in (C4, C5, C6)), "caudal", 1.5)
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
