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


def test_a_bent_cord_is_kept_whole():
    cord = tube(SHAPE, 5, 95, lambda k: (20, 25 + 10 * np.sin(k / 30)))
    np.testing.assert_array_equal(clean_cord(cord, SPACING), cord)


def test_a_cord_of_50_mm_among_larger_things_is_chosen():
    cord = tube(SHAPE, 40, 65, radius=2.5)
    mask = cord.copy()
    mask[35:47, 40:58, 10:30] = True  # a block
    mask[0:3, :, :] = True  # a plate along the border
    mask[30, 5, 80] = True  # a speck
    np.testing.assert_array_equal(clean_cord(mask, SPACING), cord)


def test_pieces_that_continue_the_cord_are_kept_and_neighbours_are_not():
    upper, lower = tube(SHAPE, 50, 95), tube(SHAPE, 20, 44)
    beside = tube(SHAPE, 55, 80, lambda k: (38, 45), radius=2)  # an artery, say
    kept = clean_cord(upper | lower | beside, SPACING)
    np.testing.assert_array_equal(kept, upper | lower)


def test_a_far_piece_does_not_continue_the_cord():
    cord, far = tube(SHAPE, 50, 95), tube(SHAPE, 2, 20, lambda k: (40, 50))
    np.testing.assert_array_equal(clean_cord(cord | far, SPACING), cord)


def test_a_cord_that_crosses_a_thin_slab_need_not_be_elongated():
    shape = (48, 60, 6)
    cord = tube(shape, 0, 6, radius=3)
    np.testing.assert_array_equal(clean_cord(cord, SPACING), cord)
    plate = np.zeros(shape, dtype=bool)
    plate[20:23, 5:55] = True
    assert clean_cord(plate, SPACING) is None


@pytest.mark.parametrize("what", ["nothing", "speck", "ball", "plate", "half the image"])
def test_what_is_no_cord_is_refused(what):
    mask = np.zeros(SHAPE, dtype=bool)
    i, j, k = np.indices(SHAPE)
    if what == "speck":
        mask[5:7, 5:7, 5:7] = True
    elif what == "ball":
        mask = (i - 24) ** 2 + (j - 30) ** 2 + (k - 50) ** 2 < 10**2
    elif what == "plate":
        mask[:, :, 30:33] = True
    elif what == "half the image":
        mask[:24] = True
    assert clean_cord(mask, SPACING) is None


def test_small_components_are_stray():
    decided = np.zeros((20, 20, 20), dtype=bool)
    decided[2:18, 8:12, 8:12] = True
    decided[5, 2, 2] = True
    expected = np.zeros_like(decided)
    expected[5, 2, 2] = True
    np.testing.assert_array_equal(stray(decided), expected)
    assert not stray(np.zeros((4, 4, 4), dtype=bool)).any()
