"""The figures of a study: what stands where, and their files."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel, VertebralLevel
from sct_rootlets.colours import LEVEL_COLOURS
from sct_rootlets.qc import bland_altman, study_cov, study_levels, study_vertebrae
from sct_rootlets.qc.study_page import files

matplotlib = pytest.importorskip("matplotlib")
to_hex = pytest.importorskip("matplotlib.colors").to_hex

C5, C6 = SpinalLevel.C5, SpinalLevel.C6


def test_the_files_hold_text_and_come_again_the_same() -> None:
    figure = draw_levels(columns(2))
    first, second = files(figure), files(figure)
    assert first == second
    assert b">note of C5<" in first["svg"]
    assert first["png"].startswith(b"\x89PNG")


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


def test_coefficients_and_intervals() -> None:
    points = (
        study_cov.Point("GE", C5, 5.0, 4.0, 7.0),
        study_cov.Point("Philips", C5, 4.0, None, None),
        study_cov.Point("GE", C6, 6.0, 5.0, 90.0),
    )
    figure = study_cov.draw(
        title="T", subtitle="S", levels=[C5, C6], panels=[study_cov.Panel("one", points)] * 3
    )
    assert len(figure.axes) == 3
    axes = figure.axes[0]
    marks = [line for line in axes.lines if line.get_marker() in "os"]
    assert [float(line.get_ydata()[0]) for line in marks] == [5.0, 4.0, 6.0]
    assert [line.get_marker() for line in marks] == ["o", "s", "o"]
    assert to_hex(marks[2].get_color()).upper() == LEVEL_COLOURS[C6]
    # the interval that goes on above is cut, and says so
    assert axes.get_ylim()[1] < 30
    assert any(line.get_marker() == "^" for line in axes.lines)


@pytest.mark.parametrize("words", ["short", "word " * 60])
def test_titles_stay_on_the_page(words: str) -> None:
    figure = study_cov.draw(
        title="T", subtitle=words, levels=[C5],
        panels=[study_cov.Panel("p", (study_cov.Point("a", C5, 1.0, None, None),))],
    )  # fmt: skip
    figure.canvas.draw()
    for text in figure.texts:
        assert text.get_window_extent().x1 <= figure.bbox.x1


def test_shares_are_written_in_the_squares() -> None:
    shares = {(C5, VertebralLevel.C4): 93.75, (C5, VertebralLevel.C5): 6.25}
    figure = study_vertebrae.draw(
        title="T", subtitle="S", shares=shares, levels=[C5],
        vertebrae=[VertebralLevel.C4, VertebralLevel.C5],
    )  # fmt: skip
    assert [text.get_text() for text in figure.axes[0].texts] == ["94 %", "6 %"]


def test_differences_over_means() -> None:
    means = np.array([[80.0, 95.0], [82.0, np.nan]])
    differences = np.array([[1.0, -1.0], [2.0, np.nan]])
    pair = bland_altman.GroupPair("session", "1", "2", means, differences, 0.5, -2.0, 3.0)
    figure = bland_altman.draw(title="T", subtitle="S", axis="mm", levels=[C5, C6], pairs=[pair])
    axes = figure.axes[0]
    drawn = [line for line in axes.lines if line.get_marker() == "o"]
    assert drawn[0].get_ydata().tolist() == [1.0, 2.0]
    assert {text.get_text() for text in axes.texts} == {"+0.50", "-2.00", "+3.00"}
    assert axes.get_ylim()[0] == -axes.get_ylim()[1] < -3.0
    assert axes.get_ylabel() == "2 less 1, mm"
