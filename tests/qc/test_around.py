"""The unrolled cord: places of labels, what the legend explains, and what the scene knows."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sct_rootlets.levels import Derived
from sct_rootlets.qc.around import legend_handles, spread
from sct_rootlets.qc.scene import Scene, spans_of
from tests.qc.conftest import eventful
from tests.synthetic import Neck

pytest.importorskip("matplotlib")


def test_the_legend_explains_what_there_is(neck: Neck, derived: Derived) -> None:
    plain = Scene.of(neck.image, neck.cord, derived, None)
    names = [handle.get_label() for handle in legend_handles(plain)]
    assert "measured" in names
    assert "predicted" not in names
    assert "PMJ" not in names
    full = Scene.of(neck.image, neck.cord, eventful(derived), neck.discs)
    assert [handle.get_label() for handle in legend_handles(full)] == [
        *("measured", "interpolated", "extrapolated", "predicted", "95 % interval of a border"),
        *("cut by the image", "disc", "PMJ"),
    ]


@given(st.lists(st.floats(-100, 100), max_size=12), st.floats(0.1, 20))
def test_spread_places_are_apart_in_order_and_not_moved_without_need(
    places: list[float], gap: float
) -> None:
    places = sorted(places)
    moved = spread(places, gap)
    assert len(moved) == len(places)
    assert all(b - a >= gap - 1e-6 for a, b in pairwise(moved))
    if all(b - a >= gap for a, b in pairwise(places)):
        assert moved == pytest.approx(places)
    if places:
        assert sum(moved) == pytest.approx(sum(places), abs=1e-6)


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
