"""Differences over means: what stands where."""

from __future__ import annotations

import numpy as np

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.qc import bland_altman

C5, C6 = SpinalLevel.C5, SpinalLevel.C6


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
