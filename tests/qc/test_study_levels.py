"""The levels of a study: what stands where."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.colours import LEVEL_COLOURS
from sct_rootlets.qc import study_levels

matplotlib = pytest.importorskip("matplotlib")


to_hex = pytest.importorskip("matplotlib.colors").to_hex


C5, C6 = SpinalLevel.C5, SpinalLevel.C6


def columns(n: int, name: str = "GE") -> study_levels.Columns:
    rostral = np.stack([80.0 + np.arange(n)[::-1], 95.0 + np.arange(n)[::-1]], axis=1)
    return study_levels.Columns(name, "", tuple(f"s{k}" for k in range(n)), rostral, rostral + 9)


def draw_levels(*groups: study_levels.Columns) -> matplotlib.figure.Figure:
    summary = [study_levels.LevelSummary(C5, 80, 89, 84.5, 3.0, "note of C5")]
    return study_levels.draw(
        title="T", subtitle="S", axis="mm", levels=[C5, C6], groups=groups, summary=summary
    )


def test_bars_stand_at_the_borders_in_the_colours_of_the_levels() -> None:
    figure = draw_levels(columns(3), columns(2, "Philips"))
    first, second, summary = figure.axes
    bars = [(b.get_y(), b.get_height(), to_hex(b.get_facecolor()).upper()) for b in first.patches]
    assert bars[:3] == [(82 - k, 9, LEVEL_COLOURS[C5]) for k in range(3)]
    assert bars[3:] == [(97 - k, 9, LEVEL_COLOURS[C6]) for k in range(3)]
    assert [tick.get_text() for tick in first.get_xticklabels()] == ["s0", "s1", "s2"]
    assert len(second.patches) == 4
    # caudal is down, and alike in all panels
    assert first.get_ylim()[0] > first.get_ylim()[1]
    assert first.get_ylim() == second.get_ylim() == summary.get_ylim()
    assert any(text.get_text() == "note of C5" for text in summary.texts)


def test_many_images_are_in_the_order_of_their_levels_and_have_no_names() -> None:
    figure = draw_levels(columns(60))
    (first, _) = figure.axes
    tops = [path.vertices[0, 1] for path in first.collections[0].get_paths()]
    assert len(tops) == 60
    assert to_hex(first.collections[1].get_facecolor()[0]).upper() == LEVEL_COLOURS[C6]
    assert tops == sorted(tops)
    assert not first.get_xticklabels()


def test_a_level_that_an_image_lacks_has_no_bar() -> None:
    group = columns(3)
    group.rostral_mm[1, 0] = np.nan
    (first, _) = draw_levels(group).axes
    assert len(first.patches) == 5
