"""What the panels draw, read from the levels."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sct_rootlets.levels import Derived
from sct_rootlets.qc.scene import Scene, spans_of
from tests.synthetic import Neck

pytest.importorskip("matplotlib")


def test_spans_follow_the_world_not_the_origin_of_the_table(neck: Neck, derived: Derived) -> None:
    from_pmj = tuple(
        row
        if row.rostral_mm is None or row.caudal_mm is None
        else replace(row, rostral_mm=row.rostral_mm + 40, caudal_mm=row.caudal_mm + 40)
        for row in derived.table.rows
    )
    moved = replace(derived, table=replace(derived.table, rows=from_pmj, origin="PMJ"))
    for here, there in zip(spans_of(derived), spans_of(moved), strict=True):
        assert here == there or not here.is_known
    assert Scene.of(neck.image, neck.cord, moved, None).origin_mm == pytest.approx(40, abs=1e-3)
