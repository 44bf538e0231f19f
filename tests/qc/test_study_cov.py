"""Coefficients of variation: marks, intervals and titles."""

from __future__ import annotations

import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.colours import LEVEL_COLOURS
from sct_rootlets.qc import study_cov

matplotlib = pytest.importorskip("matplotlib")


to_hex = pytest.importorskip("matplotlib.colors").to_hex


C5, C6 = SpinalLevel.C5, SpinalLevel.C6


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
