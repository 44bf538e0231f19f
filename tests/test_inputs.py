"""Landmarks and masks that users give, against the image they are given with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.inputs import Landmarks, read_cord
from tests.levels.bent_cord import turned
from tests.synthetic import Neck


def on_coarse_grid(
    neck: Neck, points_mm: dict[int, float], name: str = "discs.nii.gz"
) -> LabelImage:
    """Return points at mm below the top of the neck, on a larger and coarser grid."""
    affine = np.diag([2.0, 2.0, 1.5, 1.0])
    affine[:3, 3] = (-40, -40, -150)
    grid = Grid((40, 40, 300), affine)
    data = np.zeros(grid.shape, dtype=np.int32)
    for label, mm in points_mm.items():
        data[tuple(np.rint(grid.ijk_from_world([0.0, 9.0, 99.5 - mm])).astype(int))] = label
    return LabelImage(data, grid, None, name)


def test_discs_may_be_on_any_grid_of_the_same_world(neck: Neck) -> None:
    discs = on_coarse_grid(neck, {3: 34.0, 4: 50.0})
    landmarks = Landmarks(discs=discs).read(neck.image)
    assert landmarks.discs is discs
    assert landmarks.name_levels
    assert landmarks.images == (discs,)


def test_discs_outside_the_field_of_view_are_left_out_and_said(neck: Neck) -> None:
    discs = on_coarse_grid(neck, {3: 34.0, 4: 50.0, 9: 140.0})
    found = Landmarks(discs=discs).read(neck.image).discs
    assert found.labels == [3, 4]
    assert "T1/T2" in found.remarks[0]
    with pytest.raises(InputError, match=r"discs\.nii\.gz: has all its discs outside"):
        Landmarks(discs=on_coarse_grid(neck, {9: 140.0, 10: 160.0})).read(neck.image)


def test_a_labelled_cord_is_no_disc_file(neck: Neck) -> None:
    below_top = 99 - np.arange(100)
    values = np.clip(2 + below_top // 18, 2, 6)
    labelled = neck.cord.with_data(neck.cord.data * values.astype(np.int32))
    landmarks = Landmarks(discs=labelled).read(neck.image)
    with pytest.raises(UsageError, match="-vertfile"):
        landmarks.require_points(neck.cord)
    Landmarks(discs=neck.discs).read(neck.image).require_points(neck.cord)


def test_discs_and_vertebrae_exclude_each_other(neck: Neck) -> None:
    with pytest.raises(UsageError, match="-vertfile"):
        Landmarks(discs=neck.discs, vertebrae=neck.cord).read(neck.image)


def test_a_pmj_outside_the_field_of_view_is_used_and_said(neck: Neck) -> None:
    near, far = (on_coarse_grid(neck, {50: mm}, "pmj.nii.gz") for mm in (5.0, -30.0))
    assert Landmarks(pmj=near).read(neck.image).pmj.remarks == ()
    assert "outside the field of view" in Landmarks(pmj=far).read(neck.image).pmj.remarks[0]


def test_a_point_outside_the_field_of_view_is_refused(neck: Neck) -> None:
    with pytest.raises(UsageError, match="outside the field of view"):
        Landmarks(c2c3_world=(0.0, 9.0, 650.0)).read(neck.image)
    assert Landmarks(c2c3_world=(0.0, 9.0, 65.5)).read(neck.image).name_levels
    assert not Landmarks().read(neck.image).name_levels


def test_a_cord_mask_in_another_orientation_is_turned(neck: Neck) -> None:
    other = turned(neck.cord, (2, 0, 1), (True, True, False))
    np.testing.assert_array_equal(read_cord(other, neck.rootlets).data, neck.cord.data)
    shifted = replace(other, grid=Grid(other.grid.shape, other.grid.affine + np.eye(4, k=3)))
    with pytest.raises(InputError, match="not on the grid"):
        read_cord(shifted, neck.rootlets)
