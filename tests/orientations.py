"""Orientations of voxels that stand for all 48, and oblique ones.

`image/test_alignment` tries all 48.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

_FLIPS = [(False, False, False), (True, False, False), (False, True, False), (False, False, True)]

#: Orders of the axes and flips, as `tests.levels.bent_cord.turned` takes them. Every order is
#: there twice, the second time with just the other axes flipped: each axis of each order runs
#: both ways, each order has both hands, and each of the eight choices of flips occurs.
TURNS = [
    (axes, tuple(flip != other for flip in _FLIPS[n % 4]))
    for n, axes in enumerate(permutations(range(3)))
    for other in (False, True)
]
#: The same in nibabel's letters, "RAS" first.
LETTERS = [
    "".join(("RL", "AP", "SI")[axis][flip] for axis, flip in zip(axes, flips, strict=True))
    for axes, flips in TURNS
]


def oblique_affine(
    spacing: Sequence[float], angles_deg: Sequence[float], origin: Sequence[float]
) -> NDArray[np.float64]:
    """Return the affine of a grid rotated about x, then y, then z."""
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", angles_deg, degrees=True).as_matrix() * spacing
    affine[:3, 3] = origin
    return affine
