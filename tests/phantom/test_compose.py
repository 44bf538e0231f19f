"""Structures that exclude one another, and parts."""

from __future__ import annotations

import numpy as np

from sct_rootlets.anatomy import ROOTLET_LEVELS
from sct_rootlets.phantom import Anatomy, Phantom
from sct_rootlets.phantom.tissue import cord_coordinates


def test_structures_exclude_one_another(phantom_small: Phantom) -> None:
    cord, csf = phantom_small.cord.data > 0, phantom_small.csf.data > 0
    rootlets = phantom_small.rootlets.data > 0
    assert not (cord & csf).any()
    assert not (cord & rootlets).any()
    assert not (csf & rootlets).any()
    assert phantom_small.rootlets.labels == [level.value for level in ROOTLET_LEVELS]


def test_parts_agree_with_levels_and_sides(anatomy: Anatomy, phantom_small: Phantom) -> None:
    parts, rootlets = phantom_small.parts.data, phantom_small.rootlets
    np.testing.assert_array_equal(parts // 10, rootlets.data)
    xyz = rootlets.points_world().astype(np.float32)
    _, u, _ = cord_coordinates(anatomy, xyz)
    left = np.isin(parts[parts > 0] % 10, (1, 2))
    np.testing.assert_array_equal(u > 0, left)
