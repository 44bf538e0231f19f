from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.engines.cord_pieces import clean_cord, stray

SPACING = np.array([2.0, 2.0, 2.0])


def tube(shape, low, high, centre=lambda k: (20, 20), radius=3.0):
    i, j = np.indices(shape[:2])
    mask = np.zeros(shape, dtype=bool)
    for k in range(low, high):
        x, y = centre(k)
        mask[..., k] = np.hypot(i - x, j - y) < radius
    return mask


SHAPE = (48, 60, 100)


def boxes(*parts):
    mask = np.zeros(SHAPE, dtype=bool)
    for part in parts:
        mask[part] = True
    return mask


SPECK, PLATE = np.s_[5:7, 5:7, 5:7], np.s_[:, :, 30:33]
BALL = sum((axis - at) ** 2 for axis, at in zip(np.indices(SHAPE), (24, 30, 50), strict=True)) < 100


@pytest.mark.parametrize(
    ("cord", "others"),
    [
        (tube(SHAPE, 5, 95, lambda k: (20, 25 + 10 * np.sin(k / 30))), boxes()),
        # A cord of 50 mm; a block, a plate along the border and a speck.
        (
            tube(SHAPE, 40, 65, radius=2.5),
            boxes(np.s_[35:47, 40:58, 10:30], np.s_[0:3], np.s_[30, 5, 80]),
        ),
        # Pieces that continue one another; an artery, say.
        (
            tube(SHAPE, 50, 95) | tube(SHAPE, 20, 44),
            tube(SHAPE, 55, 80, lambda k: (38, 45), radius=2),
        ),
        (tube(SHAPE, 50, 95), tube(SHAPE, 2, 20, lambda k: (40, 50))),
    ],
    ids=["bent", "among larger things", "in pieces", "far from another piece"],
)
def test_a_cord_is_kept_whole_and_nothing_else(cord, others):
    np.testing.assert_array_equal(clean_cord(cord | others, SPACING), cord)


def test_a_cord_that_crosses_a_thin_slab_need_not_be_elongated():
    shape = (48, 60, 6)
    cord = tube(shape, 0, 6, radius=3)
    np.testing.assert_array_equal(clean_cord(cord, SPACING), cord)
    plate = np.zeros(shape, dtype=bool)
    plate[20:23, 5:55] = True
    assert clean_cord(plate, SPACING) is None


@pytest.mark.parametrize(
    "mask",
    [boxes(), boxes(SPECK), BALL, boxes(PLATE), boxes(np.s_[:24])],
    ids=["nothing", "speck", "ball", "plate", "half the image"],
)
def test_what_is_no_cord_is_refused(mask):
    assert clean_cord(mask, SPACING) is None


def test_small_components_are_stray():
    decided = np.zeros((20, 20, 20), dtype=bool)
    decided[2:18, 8:12, 8:12] = True
    decided[5, 2, 2] = True
    expected = np.zeros_like(decided)
    expected[5, 2, 2] = True
    np.testing.assert_array_equal(stray(decided), expected)
    assert not stray(np.zeros((4, 4, 4), dtype=bool)).any()
