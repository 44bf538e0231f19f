"""Which course of the cord a mosaic follows."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.centerline import Centerline
from sct_rootlets.levels import derive
from sct_rootlets.qc.course import Course
from tests.qc.test_mosaic import curve_world, phantom
from tests.synthetic import Neck

pytest.importorskip("matplotlib")


def test_a_false_rootlet_far_away_does_not_bend_the_curve() -> None:
    image, _, rootlets = phantom()
    data = rootlets.data.copy()
    data[3, 3, 3] = 3
    straight = Course.of_rootlets(image, rootlets).centerline
    bent = Course.of_rootlets(image, rootlets.with_data(data)).centerline
    near = bent.project(straight.xyz_world[5:-5])
    assert near.radius_mm.max() < 1.0


def test_a_cord_mask_that_is_a_stump_is_not_followed() -> None:
    image, cord, rootlets = phantom((1.0, 1.0, 1.0))
    s = Centerline.from_points(curve_world()).project(cord.points_world()).s_mm
    stump = np.zeros_like(cord.data)
    stump[tuple(np.argwhere(cord.data)[s < 6].T)] = 1
    course = Course.of_rootlets(image, rootlets, cord.with_data(stump))
    assert course.origin == "top of the rootlets"


def test_false_rootlets_beyond_the_levels_are_shown(neck: Neck) -> None:
    data = neck.rootlets.data.copy()
    data[22:24, 12, 2:6] = 6  # far below C6
    derived = derive(neck.rootlets.with_data(data), neck.cord)
    course = Course.of_levels(neck.image, neck.cord, derived)
    assert course.s_range_mm[1] > 94
