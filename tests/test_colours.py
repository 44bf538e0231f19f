"""Colours stay apart for everybody."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sct_rootlets.anatomy import ROOTLET_LEVELS, SpinalLevel
from sct_rootlets.colours import LEVEL_COLOURS, UNNUMBERED, colour_of

#: Machado, Oliveira and Fernandes 2009 (IEEE TVCG 15:1291), severity 1.0, on linear RGB.
SEEN_BY = {
    "everybody": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}


def lab(colour: str, matrix: np.ndarray) -> np.ndarray:
    """Return CIE L*a*b* (D65) of a ``#RRGGBB`` colour as it is seen through `matrix`."""
    srgb = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    linear = (matrix @ linear).clip(0, 1)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    ratio = to_xyz @ linear / [0.9505, 1.0, 1.089]
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("who", SEEN_BY)
def test_levels_are_told_apart_with_every_kind_of_colour_vision(who: str) -> None:
    labs = {level: lab(LEVEL_COLOURS[level], SEEN_BY[who]) for level in ROOTLET_LEVELS}
    for a, b in itertools.combinations(ROOTLET_LEVELS, 2):
        apart = np.linalg.norm(labs[a] - labs[b])
        neighbours = b.value - a.value == 1
        assert apart > (45 if neighbours else 12), f"{a} and {b} differ by {apart:.0f}"


def test_every_level_keeps_its_colour_and_other_values_have_a_neutral_one() -> None:
    assert colour_of(SpinalLevel.C5.value) == "#0072B2"
    assert {level: colour_of(level.value) for level in SpinalLevel} == LEVEL_COLOURS
    assert colour_of(99) == UNNUMBERED
    assert UNNUMBERED not in LEVEL_COLOURS.values()
