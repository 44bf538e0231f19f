"""Transform files: which they are, in which frame they count, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from sct_rootlets.errors import InputError, MissingDependencyError, UsageError
from sct_rootlets.fmri.transforms import Affine, read_chain, read_transform
from sct_rootlets.fmri.transforms.reading import files_of
from tests.fmri.transforms.files import OBLIQUE, write_field

Floats = NDArray[np.float64]
FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])

#: A file of SCT (registration/landmarks.py) and ANTs: matrix, shift, and a centre.
ITK_TEXT = """#Insight Transform File V1.0
#Transform 0
Transform: AffineTransform_double_3_3
Parameters: 0.9 -0.1 0.05 0.12 1.1 0.02 -0.03 0.04 0.95 4.0 -5.0 6.0
FixedParameters: 10.0 20.0 30.0
"""


def itk_by_hand() -> Floats:
    """Return what `ITK_TEXT` says: y = A (x - c) + c + t in LPS, turned to RAS."""
    a = np.array([[0.9, -0.1, 0.05], [0.12, 1.1, 0.02], [-0.03, 0.04, 0.95]])
    c, t = np.array([10.0, 20, 30]), np.array([4.0, -5, 6])
    lps = np.eye(4)
    lps[:3, :3], lps[:3, 3] = a, t + c - a @ c
    return FLIP @ lps @ FLIP


def matrix_of(word: str | Path) -> Floats:
    transform = read_transform(word)
    assert isinstance(transform, Affine)
    return transform.matrix


def image(path: Path, shape: tuple[int, ...], affine: Floats) -> Path:
    nib.save(nib.Nifti1Image(np.zeros(shape, dtype=np.uint8), affine), path)
    return path


def test_itk_text(tmp_path: Path) -> None:
    pytest.importorskip("SimpleITK")
    path = tmp_path / "affine.txt"
    path.write_text(ITK_TEXT)
    np.testing.assert_allclose(matrix_of(path), itk_by_hand(), atol=1e-12)


def test_itk_binary_is_that_of_the_text(tmp_path: Path) -> None:
    """As antsRegistration writes 0GenericAffine.mat."""
    sitk = pytest.importorskip("SimpleITK")
    (tmp_path / "affine.txt").write_text(ITK_TEXT)
    sitk.WriteTransform(
        sitk.ReadTransform(str(tmp_path / "affine.txt")), str(tmp_path / "0GenericAffine.mat")
    )
    np.testing.assert_allclose(
        matrix_of(tmp_path / "0GenericAffine.mat"), itk_by_hand(), atol=1e-12
    )


def test_itk_rotation_by_angles(tmp_path: Path) -> None:
    """Euler's angles, whose parameters are no matrix; about z by 0.3 at a centre."""
    pytest.importorskip("SimpleITK")
    path = tmp_path / "rigid.tfm"
    path.write_text(
        "#Insight Transform File V1.0\nTransform: Euler3DTransform_double_3_3\n"
        "Parameters: 0 0 0.3 1 2 3\nFixedParameters: 10 0 0 0\n"
    )
    turn = np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    lps = np.eye(4)
    lps[:2, :2] = turn
    lps[:3, 3] = (1, 2, 3)
    lps[:2, 3] += np.array([10, 0]) - turn @ (10, 0)
    np.testing.assert_allclose(matrix_of(path), FLIP @ lps @ FLIP, atol=1e-12)


def test_without_simpleitk_an_itk_affine_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    path = tmp_path / "affine.txt"
    path.write_text(ITK_TEXT)
    with pytest.raises(MissingDependencyError, match=r"sct_rootlets\[fmri\]"):
        read_transform(path)


def test_flirt_counts_in_scaled_voxels_of_both_images(tmp_path: Path) -> None:
    """The source is stored radiologically, the reference neurologically, so that it is flipped."""
    source_affine = OBLIQUE  # determinant below 0
    reference_affine = np.diag([2.0, 1.5, 4.0, 1.0])
    reference_affine[:3, 3] = (-20, -30, -40)
    image(tmp_path / "in.nii.gz", (30, 31, 12), source_affine)
    image(tmp_path / "ref.nii.gz", (20, 40, 25, 3), reference_affine)
    a = 0.1
    matrix = np.array(
        [[np.cos(a), -np.sin(a), 0, 3], [np.sin(a), np.cos(a), 0, -2], [0, 0, 1, 5], [0, 0, 0, 1.0]]
    )
    np.savetxt(tmp_path / "flirt.mat", matrix)
    found = matrix_of(f"{tmp_path}/flirt.mat,{tmp_path}/in.nii.gz,{tmp_path}/ref.nii.gz")
    # Point by point, by the words of FSL's documentation.
    for ijk in np.random.default_rng(0).uniform(0, 10, (5, 3)):
        in_source_mm = ijk * (1.2, 0.9, 3.0)
        in_reference_mm = matrix[:3, :3] @ in_source_mm + matrix[:3, 3]
        voxel = in_reference_mm / (2.0, 1.5, 4.0)
        voxel[0] = 20 - 1 - voxel[0]
        reference_world = reference_affine[:3, :3] @ voxel + reference_affine[:3, 3]
        source_world = source_affine[:3, :3] @ ijk + source_affine[:3, 3]
        mapped = Affine(found).source_from_destination(reference_world[None])
        np.testing.assert_allclose(mapped[0], source_world, atol=1e-4)


def test_a_matrix_of_numbers_takes_the_destination_to_the_source(tmp_path: Path) -> None:
    path = tmp_path / "matrix.txt"
    path.write_text("1 0 0 5\n0 1 0 0\n0 0 1 -2\n0 0 0 1\n")
    chain = read_chain([path])
    np.testing.assert_allclose(chain.source_from_destination([[1, 1, 1]]), [[6, 1, -1]])
    turned = read_chain([path], [path])
    np.testing.assert_allclose(turned.source_from_destination([[6, 1, -1]]), [[1, 1, 1]])


def test_a_flirt_matrix_without_its_images_is_not_guessed_at(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "a.mat", np.eye(4))
    with pytest.raises(UsageError, match=r"a\.mat,SOURCE,REFERENCE"):
        read_transform(tmp_path / "a.mat")
    with pytest.raises(UsageError, match="not a matrix and two images"):
        read_transform(f"{tmp_path / 'a.mat'},in.nii.gz")


def test_what_is_inverted_has_to_be_named_in_the_chain(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "a.txt", np.eye(4))
    with pytest.raises(UsageError, match="not among the transforms"):
        read_chain([tmp_path / "a.txt"], [tmp_path / "b.txt"])


def test_a_comma_in_the_name_of_a_file_is_no_list(tmp_path: Path) -> None:
    path = tmp_path / "a,b.txt"
    np.savetxt(path, np.eye(4))
    assert files_of(path) == [str(path)]
    assert matrix_of(path).shape == (4, 4)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        ("hello world\n", "no transform that is known"),
        ("1 0 0\n0 1 0\n0 0 1\n", "3x3"),
        ("1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 1 1\n", "last row"),
        ("1 0 0 0\n1 0 0 0\n0 0 1 0\n0 0 0 1\n", "without an inverse"),
        ("1e3 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n", "makes 1 to 1e.03 mm of 1 mm"),
        ("1 0 0 0\n0 1 0 0\n0 0 1 1e30\n0 0 0 1\n", "moves by 1e.30 mm"),
        ("version https://git-lfs.github.com/spec/v1\n", "Git LFS.*git lfs pull"),
        ("1 0 0 0\n0 1e400 0 0\n0 0 1 0\n0 0 0 1\n", "line 2, column 2: '1e400' is no finite"),
        ("nan 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n", "line 1, column 1: 'nan' is no finite"),
        ("1 0 0 0,5\n0 1 0 0\n0 0 1 0\n0 0 0 1\n", "line 1, column 4: '0,5' is no finite"),
        ("1 0 0 0\n0 1 0\n0 0 1 0\n0 0 0 1\n", "line 2 has 3 numbers, and the first 4"),
    ],
)
def test_other_texts_are_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "matrix.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=problem):
        read_transform(path)


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ("1 0 0 0 0 0 0 0 1 0 0 0", "without an inverse"),
        ("1 0 0 0 0.001 0 0 0 1 0 0 0", "makes 0.001 to 1 mm of 1 mm"),
        ("1 0 0 0 1 0 0 0 1 0 0 1e30", "moves by 1e.30 mm"),
        ("1 0 0 0 nan 0 0 0 1 0 0 0", "cannot be read as a transform of ITK"),
    ],
)
def test_an_affine_of_itk_is_judged_as_one_of_text(
    tmp_path: Path, parameters: str, problem: str
) -> None:
    pytest.importorskip("SimpleITK")
    path = tmp_path / "x.txt"
    path.write_text(
        "#Insight Transform File V1.0\n#Transform 0\nTransform: AffineTransform_double_3_3\n"
        f"Parameters: {parameters}\nFixedParameters: 0 0 0\n"
    )
    with pytest.raises(InputError, match=problem):
        read_transform(path)


def test_other_binaries_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("SimpleITK")
    path = tmp_path / "x.mat"
    path.write_bytes(bytes(range(256)) * 4)
    with pytest.raises(InputError, match="cannot be read as a transform of ITK"):
        read_transform(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_transform(tmp_path / "warp.nii.gz")


def test_images_that_are_no_fields(tmp_path: Path) -> None:
    plain = image(tmp_path / "t2.nii.gz", (5, 5, 6), np.eye(4))
    with pytest.raises(InputError, match="it is 5x5x6"):
        read_transform(plain)
    nameless = write_field(tmp_path / "w.nii.gz", np.zeros((5, 5, 5, 3)), np.eye(4), "none")
    with pytest.raises(InputError, match="intent is 0, not 1007"):
        read_transform(nameless)
    nowhere = np.full((5, 5, 5, 3), np.finfo(np.float32).max)
    with pytest.raises(InputError, match="without a single displacement"):
        read_transform(write_field(tmp_path / "none.nii.gz", nowhere, np.eye(4)))
    (tmp_path / "cut.nii.gz").write_bytes(plain.read_bytes()[:60])
    with pytest.raises(InputError, match="cut short"):
        read_transform(tmp_path / "cut.nii.gz")


def test_a_field_in_two_places_is_refused(tmp_path: Path) -> None:
    """ITK takes the one form and nibabel the other, so that nobody knows where it lies."""
    nifti = nib.Nifti1Image(np.zeros((5, 5, 5, 1, 3), dtype=np.float32), np.eye(4))
    moved = np.eye(4)
    moved[0, 3] = 7
    nifti.set_qform(np.eye(4), 1)
    nifti.set_sform(moved, 2)
    nifti.header.set_intent("vector")
    nib.save(nifti, tmp_path / "w.nii.gz")
    with pytest.raises(InputError, match="qform and an sform that differ"):
        read_transform(tmp_path / "w.nii.gz")
