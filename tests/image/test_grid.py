"""What a grid holds."""

from __future__ import annotations

import nibabel as nib
import numpy as np

from sct_rootlets.image import Grid
from tests.levels.bent_cord import rotation


def test_the_field_of_view_ends_with_the_outer_halves_of_its_voxels() -> None:
    affine = rotation(0, 20) @ rotation(2, -35) @ np.diag([2.0, 0.5, 1.0])
    grid = Grid((4, 6, 5), nib.affines.from_matvec(affine, [7.0, -3.0, 11.0]))
    middle = np.array([1.0, 2.0, 3.0])
    for axis, n in enumerate(grid.shape):
        for at, is_inside in ((-0.51, False), (-0.49, True), (n - 0.51, True), (n - 0.49, False)):
            ijk = middle.copy()
            ijk[axis] = at
            assert grid.contains(grid.world_from_ijk(ijk)) == is_inside
            assert grid.holds(np.stack([middle, ijk])).tolist() == [True, is_inside]
