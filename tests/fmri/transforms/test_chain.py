"""Chains of transforms, against ITK itself where SimpleITK is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from sct_rootlets.errors import UsageError
from sct_rootlets.fmri.transforms import IDENTITY, Affine, Chain, DisplacementField, read_chain
from sct_rootlets.fmri.transforms.field import read_field
from sct_rootlets.image import Grid
from tests.fmri.transforms.files import LPS, OBLIQUE, write_field
from tests.orientations import oblique_affine

Floats = NDArray[np.float64]


def by_itk(transform: Any, xyz_world: Floats) -> Floats:
    """Map world points one by one as ITK does, whose frame is LPS."""
    return np.array([transform.TransformPoint((x * LPS).tolist()) for x in xyz_world]) * LPS


def test_no_transform_leaves_points_where_they_are() -> None:
    xyz = np.random.default_rng(0).normal(size=(20, 3)) * 50
    np.testing.assert_array_equal(IDENTITY.source_from_destination(xyz), xyz)
    assert IDENTITY.is_affine


def test_points_go_backwards_through_the_chain() -> None:
    """With A to B first and B to C second, a point of C is taken to B and then to A."""
    a_from_b = oblique_affine((1, 1, 1), (0, 0, 30), (5, 0, 1))
    b_from_c = oblique_affine((1, 1, 1), (0, 0, -10), (0, 7, -2))
    chain = Chain((Affine(a_from_b), Affine(b_from_c)))
    xyz = np.random.default_rng(1).normal(size=(20, 3)) * 50
    whole = a_from_b @ b_from_c
    found = chain.source_from_destination(xyz)
    np.testing.assert_allclose(found, xyz @ whole[:3, :3].T + whole[:3, 3], atol=1e-10)
    np.testing.assert_allclose(chain.inverse().source_from_destination(found), xyz, atol=1e-10)


def test_a_field_has_no_inverse(tmp_path: Path) -> None:
    path = write_field(tmp_path / "warp.nii.gz", np.zeros((5, 5, 5, 3)), np.eye(4))
    with pytest.raises(UsageError, match="only affines can be inverted"):
        read_chain([path], [path])
    assert not read_chain([path]).is_affine


@pytest.mark.parametrize("code", [1007, 1006])
def test_a_field_is_read_and_applied_as_itk_does(tmp_path: Path, code: int) -> None:
    """Also in the other frame that NIfTI knows, and on an oblique grid stored as LPI."""
    sitk = pytest.importorskip("SimpleITK")
    rng = np.random.default_rng(2)
    affine = OBLIQUE
    path = write_field(tmp_path / "w.nii.gz", rng.normal(0, 3, (9, 8, 7, 3)), affine, code)
    ours = read_field(path)
    field = sitk.ReadImage(str(path), sitk.sitkVectorFloat64)
    ijk = rng.uniform(-0.5, [8.5, 7.5, 6.5], (500, 3))
    xyz = nib.affines.apply_affine(affine, ijk)
    expected = by_itk(sitk.DisplacementFieldTransform(field), xyz)
    np.testing.assert_allclose(ours.source_from_destination(xyz), expected, atol=1e-4)
    assert np.abs(expected - xyz).max() > 2


def test_outside_a_field_there_is_no_answer(tmp_path: Path) -> None:
    path = write_field(tmp_path / "w.nii.gz", np.ones((5, 5, 5, 3)), np.eye(4))
    xyz = np.array([[-0.5, 0, 0], [-0.51, 0, 0], [4.5, 4.5, 4.5], [4.5, 4.5, 4.6]])
    found = read_field(path).source_from_destination(xyz)
    np.testing.assert_array_equal(np.isnan(found).all(axis=1), [False, True, False, True])
    np.testing.assert_allclose(found[2], [3.5, 3.5, 5.5], atol=1e-6)


def test_voxels_without_an_answer_reach_half_way_to_their_neighbours(tmp_path: Path) -> None:
    """ITK writes the largest float there, which must not be mixed into the others."""
    displacement = np.ones((5, 5, 5, 3))
    displacement[0] = np.finfo(np.float32).max
    path = write_field(tmp_path / "w.nii.gz", displacement, np.eye(4))
    xyz = np.array([[0, 1, 1], [0.4, 1, 1], [0.6, 1, 1], [1 - 1e-9, 2, 2], [3, 3, 3]], float)
    found = read_field(path).source_from_destination(xyz)
    np.testing.assert_array_equal(np.isnan(found[:, 0]), [True, True, False, False, False])
    np.testing.assert_allclose(found[2:], xyz[2:] + np.array([-1, -1, 1]), atol=1e-6)


def test_a_point_without_an_answer_has_none_further_on() -> None:
    grid = Grid((3, 3, 3), np.eye(4))
    step = DisplacementField(grid, np.zeros((3, 3, 3, 3), dtype=np.float32))
    chain = Chain((Affine(np.eye(4)), step, step))
    assert np.isnan(chain.source_from_destination([[9.0, 1, 1]])).all()


def test_a_chain_of_affine_and_fields_is_that_of_itk(tmp_path: Path) -> None:
    """ITK applies the transform that was added last first: those of -w in order."""
    sitk = pytest.importorskip("SimpleITK")
    rng = np.random.default_rng(3)
    affine = OBLIQUE
    one = write_field(tmp_path / "1.nii.gz", rng.normal(0, 1, (20, 20, 20, 3)), affine)
    other = write_field(tmp_path / "2.nii.gz", rng.normal(0, 1, (20, 20, 20, 3)), affine)
    turn = sitk.Euler3DTransform((3.0, 4.0, 5.0), 0.02, -0.01, 0.03, (1.0, -1.0, 0.5))
    sitk.WriteTransform(turn, str(tmp_path / "turn.mat"))
    words = [one, tmp_path / "turn.mat", other]
    itk = sitk.CompositeTransform(3)
    for word in words:
        if word.suffix == ".mat":
            itk.AddTransform(turn)
        else:
            field = sitk.ReadImage(str(word), sitk.sitkVectorFloat64)
            itk.AddTransform(sitk.DisplacementFieldTransform(field))
    xyz = nib.affines.apply_affine(affine, rng.uniform(7, 12, (200, 3)))
    found = read_chain(words).source_from_destination(xyz)
    np.testing.assert_allclose(found, by_itk(itk, xyz), atol=1e-4)
    swapped = read_chain(words[::-1]).source_from_destination(xyz)
    assert np.abs(swapped - found).max() > 0.1


def test_the_real_field_of_sct_is_that_of_itk(shared_data: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    path = shared_data / "mt" / "warp_t22mt1.nii.gz"
    ours = read_field(path)
    field = sitk.ReadImage(str(path), sitk.sitkVectorFloat64)
    itk = sitk.DisplacementFieldTransform(field)
    ijk = np.random.default_rng(4).uniform(-0.5, np.array(ours.grid.shape) - 0.5, (3000, 3))
    xyz = ours.grid.world_from_ijk(ijk)
    found, expected = ours.source_from_destination(xyz), by_itk(itk, xyz)
    sensible = np.abs(expected - xyz).max(axis=1) < 1e3
    assert 0.9 < sensible.mean() < 1, "the field has voxels without an answer"
    assert np.isfinite(found[sensible]).all()
    np.testing.assert_allclose(found[sensible], expected[sensible], atol=1e-5)
    # Where ITK's answer lies outside the universe, ours is none, or that of the nearer voxel.
    others = (found - xyz)[~sensible]
    assert 0 < np.isnan(others).any(axis=1).mean() < 1
    assert np.nanmax(np.abs(others)) < 2, "no displacement of the real field is larger"


def test_a_field_resamples_an_image_as_itk_does(shared_data: Path) -> None:
    """The T2w image on the grid of the MT image, through the field, by both."""
    sitk = pytest.importorskip("SimpleITK")
    from scipy import ndimage

    t2_path = shared_data / "subject_t2" / "t2.nii.gz"
    warp = shared_data / "mt" / "warp_t22mt1.nii.gz"
    moving = sitk.ReadImage(str(t2_path), sitk.sitkFloat64)
    fixed = sitk.ReadImage(str(shared_data / "mt" / "mt1_seg.nii.gz"))
    field = sitk.DisplacementFieldTransform(sitk.ReadImage(str(warp), sitk.sitkVectorFloat64))
    expected = sitk.GetArrayFromImage(sitk.Resample(moving, fixed, field, sitk.sitkLinear, -1.0)).T
    t2 = nib.load(t2_path)
    chain = read_chain([warp])
    target = nib.load(shared_data / "mt" / "mt1_seg.nii.gz")
    xyz = nib.affines.apply_affine(target.affine, np.indices(target.shape).reshape(3, -1).T)
    source = chain.source_from_destination(xyz)
    ijk = nib.affines.apply_affine(np.linalg.inv(t2.affine), source)
    found = ndimage.map_coordinates(t2.get_fdata(), ijk.T, order=1, cval=-1).reshape(target.shape)
    both = (expected > 0) & (found > 0)
    assert both.sum() > 3000
    np.testing.assert_allclose(found[both], expected[both], atol=0.05)
