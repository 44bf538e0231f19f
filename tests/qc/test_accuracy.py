"""The figure of an evaluation: what stands where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.qc import accuracy
from sct_rootlets.qc.figure import png

C4, C5, C6 = SpinalLevel.C4, SpinalLevel.C5, SpinalLevel.C6

pytest.importorskip("matplotlib")


def shown(**changes: Any) -> accuracy.Accuracy:
    confusion = np.array([[900, 3, 5, 7], [40, 60, 0, 0], [0, 300, 100, 0], [0, 0, 0, 0]])
    dice = {
        "C4": np.array([0.2, 0.6]),
        "C5": np.array([0.5]),
        "C6": np.array([]),
        "all": np.ones(3),
    }
    given = {"levels": (C4, C5, C6), "confusion": confusion, "dice": dice, **changes}
    return accuracy.Accuracy("Agreement", "2 images", **given)


def words(axes: Any) -> dict[tuple[float, float], str]:
    return {tuple(text.get_position()): text.get_text() for text in axes.texts}


def test_the_matrix_has_shares_of_the_reference_and_none_last() -> None:
    matrix = accuracy.draw(shown()).axes[0]
    found = words(matrix)
    assert found[0, 0] == "60"
    assert found[3, 0] == "40"
    assert found[0, 1] == "75"
    assert found[1, 1] == "25"
    assert (2, 1) not in found
    assert "not in the reference" in found.values()
    assert [label.get_text() for label in matrix.get_xticklabels()] == ["C4", "C5", "C6", "none"]
    assert [label.get_text() for label in matrix.get_yticklabels()] == ["C4", "C5", "C6"]


def test_every_image_is_a_point_and_its_mean_a_number() -> None:
    axes = accuracy.draw(shown()).axes[1]
    scattered = [c.get_offsets() for c in axes.collections if type(c).__name__ == "PathCollection"]
    assert [len(points) for points in scattered] == [2, 1, 0, 3]
    assert sorted(float(y) for _, y in scattered[0]) == [0.2, 0.6]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["C4", "C5", "C6", "all"]
    assert {text.get_text() for text in axes.texts} == {"0.40", "0.50", "1.00"}


def test_without_levels_there_is_no_matrix() -> None:
    figure = accuracy.draw(
        shown(levels=(), confusion=np.zeros((1, 1), int), dice={"all": np.array([0.5])})
    )
    assert len(figure.axes) == 1
    assert png(figure).startswith(b"\x89PNG")


def test_a_small_share_is_not_shown_as_none_at_all() -> None:
    confusion = np.array([[0, 0, 0], [1, 999, 0], [0, 0, 5]])
    found = words(accuracy.draw(shown(levels=(C4, C5), confusion=confusion)).axes[0])
    assert found[2, 0] == "<1"
    assert found[0, 0] == "100"
