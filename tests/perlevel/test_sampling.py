"""Maps at points of the world."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.image import Grid, Image
from sct_rootlets.perlevel.sampling import sample_map, voxel_numbers


def test_maps_are_read_by_voxel_or_linearly_and_nan_is_not_known() -> None:
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    data = np.arange(64, dtype=np.float32).reshape(4, 4, 4)
    data[0] = np.nan
    image = Image(data, Grid((4, 4, 4), affine))
    xyz = np.array([[2.9, 2, 2], [4.0, 2, 2], [3, 2, 2], [1.2, 2, 2], [0.8, 2, 2], [7.1, 2, 2]])
    by_voxel = sample_map(image, xyz)
    np.testing.assert_array_equal(by_voxel[:2], [21, 37])
    assert by_voxel[3] == 21
    assert np.isnan(by_voxel[4:]).all()
    linear = sample_map(image, xyz, "linear")
    np.testing.assert_allclose(linear[:3], [21 + 0.45 * 16, 37, 29], rtol=1e-5)
    assert linear[3] == pytest.approx(21)  # 60 % of the weight is known
    assert np.isnan(linear[4:]).all()


def test_points_of_one_voxel_have_one_number() -> None:
    image = Image(np.zeros((2, 3, 4)), Grid((2, 3, 4), np.diag([2.0, 2.0, 5.0, 1.0])))
    xyz = np.array([[0, 0, 0], [0.9, -0.9, 2.4], [1.1, 0, 0], [0, 0, 2.6], [0, 3.1, 0]])
    numbers = voxel_numbers(image, xyz)
    assert numbers[0] == numbers[1]
    assert len(set(numbers[1:].tolist())) == 4
