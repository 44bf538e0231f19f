"""The unrolled cord: places of labels, and what the legend explains."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sct_rootlets.levels import Derived
from sct_rootlets.qc.around import legend_handles, spread
from sct_rootlets.qc.scene import Scene
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
