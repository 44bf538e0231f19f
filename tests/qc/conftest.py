"""A small synthetic neck and its levels."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.levels import Derived, LevelRow, derive
from tests.synthetic import Neck


@pytest.fixture(scope="session")
def derived(neck: Neck) -> Derived:
    return derive(neck.rootlets, neck.cord)


def eventful(derived: Derived, pmj_mm: float = -30.0) -> Derived:
    """Return levels of every status, with uncertainty, cut ends, short ones and the PMJ."""

    def row(name: str, status: str, low: float, high: float, *flags: str) -> LevelRow:
        curve = derived.centerline
        ends = [tuple(float(v) for v in curve.point(s)) for s in (low, high)]
        sd = 0.3 if status == "measured" else 2.0
        sds = {"rostral_sd_mm": sd, "caudal_sd_mm": sd}
        return LevelRow(SpinalLevel[name], status, low, high, *ends, **sds, flags=flags)

    rows = (
        row("C1", "predicted", 8.0, 11.0),
        row("C2", "predicted", 11.0, 13.0),
        row("C3", "measured", 13.0, 31.0, "cut_rostral"),
        row("C4", "interpolated", 31.0, 47.0),
        row("C5", "measured", 47.0, 62.0, "cut_caudal"),
        row("C6", "extrapolated", 62.0, 76.0),
        row("T12", "extrapolated", 140.0, 160.0),
    )
    table = replace(derived.table, rows=rows, pmj_mm=pmj_mm)
    return replace(derived, table=table)
