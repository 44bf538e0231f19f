"""What a header says about where voxels lie is judged, and never believed against itself."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets.errors import InputError
from sct_rootlets.image import load_grid, load_image, load_labels, load_map, load_mask, load_share
from tests.synthetic import noise

SHAPE = (20, 22, 24)
PLACE = np.array([[-0.8, 0, 0, 9], [0, 0.9, 0, -7], [0, 0, 1.1, -80], [0, 0, 0, 1.0]])


def written(
    folder: Path,
    *,
    q: np.ndarray | None = PLACE,
    s: np.ndarray | None = PLACE,
    codes: tuple[int, int] = (1, 1),
    unit: int = 2,
    pixdim: tuple[float, float, float] | None = None,
    data: np.ndarray | None = None,
) -> Path:
    """Write an image whose header says what is asked for, consistent or not."""
    nifti = nib.Nifti1Image(noise(SHAPE) if data is None else data, PLACE)
    nifti.set_qform(q, codes[0])
    nifti.set_sform(s, codes[1])
    header = nifti.header
    header["xyzt_units"] = unit
    if pixdim is not None:
        header["pixdim"][1:4] = pixdim
    path = folder / "x.nii.gz"
    nib.save(nifti, path)
    return path


def moved(mm: float = 0.0, factor: float = 1.0, turned: float = 0.0) -> np.ndarray:
    angle = np.radians(turned)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    affine = turn @ PLACE @ np.diag([factor, factor, factor, 1.0])
    affine[2, 3] += mm
    return affine


def test_a_header_that_agrees_with_itself_says_nothing(tmp_path: Path) -> None:
    for codes in ((1, 1), (0, 1), (1, 0), (1, 2), (4, 4)):
        image = load_image(written(tmp_path, codes=codes))
        assert image.remarks == ()
        assert image.itk_grid is None
        np.testing.assert_allclose(image.grid.affine, PLACE, atol=1e-4)
    assert load_image(written(tmp_path, q=moved(0.05), codes=(1, 2))).remarks == ()  # rounding


@pytest.mark.parametrize(("unit", "factor"), [(1, 1e-3), (3, 1e3)])
def test_other_units_are_heeded(tmp_path: Path, unit: int, factor: float) -> None:
    other = np.diag([factor, factor, factor, 1.0]) @ PLACE
    image = load_image(written(tmp_path, q=other, s=other, codes=(1, 1), unit=unit))
    np.testing.assert_allclose(image.grid.affine, PLACE, rtol=1e-5)
    assert "by its header: taken so" in image.remarks[0]
    by_qform = load_image(written(tmp_path, q=other, s=None, codes=(1, 0), unit=unit))
    np.testing.assert_allclose(by_qform.grid.affine, PLACE, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("unit", "factor", "told"),
    [
        (1, 1.0, r"voxels of 800x900x1.1e\+03 mm.*says metre.*numbers look like mm"),
        (3, 1.0, r"voxels of 0.0008x0.0009x0.0011 mm.*says micron.*look like mm"),
        (2, 1e3, r"voxels of 800x900.*says mm.*look like micron"),
        (0, 1e-3, r"says no unit.*look like metre"),
        (2, 30.0, r"voxels of 24x27x33 mm"),
        (2, 0.05, r"voxels of 0.04x"),
        (2, 0.2, r"field of view of 3.2x3.96x5.28 mm"),
    ],
)
def test_sizes_that_no_neck_has(tmp_path: Path, unit: int, factor: float, told: str) -> None:
    other = np.diag([factor, factor, factor, 1.0]) @ PLACE
    path = written(tmp_path, q=other, s=other, codes=(1, 1), unit=unit)
    for load in (load_image, load_labels, load_mask, load_share, load_map, load_grid):
        with pytest.raises(InputError, match=told):
            load(path)  # type: ignore[operator]


def test_a_field_of_view_that_no_neck_has(tmp_path: Path) -> None:
    data = np.zeros((10, 10, 80), dtype=np.uint8)
    affine = np.diag([1.0, 1.0, 16.0, 1.0])
    with pytest.raises(InputError, match=r"field of view of 10x10x1.28e\+03 mm"):
        load_mask(written(tmp_path, q=affine, s=affine, data=data))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda a: a.__setitem__((0, 3), 1e30), "affine holds 1e"),
        (lambda a: a.__setitem__((1, 3), np.nan), "affine holds nan"),
        (lambda a: a.__setitem__((slice(0, 3), 1), 1.001 * a[:3, 0]), "singular, or nearly so"),
        (lambda a: a.__setitem__((slice(0, 3), 1), 0), "voxels of 0.8x0x1.1"),
    ],
)
def test_affines_that_are_none(tmp_path: Path, change: Callable[[Any], None], told: str) -> None:
    affine = PLACE.copy()
    change(affine)
    with pytest.raises(InputError, match=told):
        load_image(written(tmp_path, s=affine, codes=(0, 1)))


def test_two_places_are_said_and_itk_s_is_kept(tmp_path: Path) -> None:
    image = load_image(written(tmp_path, q=moved(15.0), codes=(1, 2)))
    np.testing.assert_allclose(image.grid.affine, PLACE, atol=1e-4)
    assert image.itk_grid is not None
    assert image.itk_grid.affine[2, 3] == pytest.approx(PLACE[2, 3] + 15)
    (remark,) = image.remarks
    assert "sform (code 2) and its qform (code 1) differ by up to 15 mm" in remark
    assert "ITK's tools take the qform" in remark
    assert image.with_data(image.data).itk_grid is image.itk_grid
    alike = load_image(written(tmp_path, q=moved(15.0), codes=(1, 1)))
    assert alike.itk_grid is None  # all take the sform
    assert "differ by up to 15 mm" in alike.remarks[0]
    turned = load_image(written(tmp_path, q=moved(turned=5.0), codes=(1, 2)))
    assert "turned by 5 degrees" in turned.remarks[0]


def test_two_sizes_are_said_or_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"2.4x2.7x3.3 mm by its sform and of 0.8x0.9x1.1 mm by"):
        load_image(written(tmp_path, s=moved(factor=3.0), codes=(1, 1)))
    with pytest.raises(InputError, match=r"by its sform and of 0.8x0.9x1.1 mm by its pixdim"):
        load_image(written(tmp_path, s=moved(factor=0.5), codes=(0, 1)))
    said = load_image(written(tmp_path, s=moved(factor=1.1), codes=(0, 1))).remarks
    assert "0.88x0.99x1.21 mm by its sform and of 0.8x0.9x1.1 mm by its pixdim" in said[0]
    said = load_image(written(tmp_path, s=moved(factor=1.1), codes=(1, 2))).remarks
    assert "voxels of 0.8x0.9x1.1 against 0.88x0.99x1.21 mm" in said[0]
    path = written(tmp_path, codes=(0, 1), pixdim=(0.0, 0.0, 0.0))
    assert "pixdim[1,2,3] should be non-zero" in load_image(path).remarks[0]


def test_no_orientation_is_said(tmp_path: Path) -> None:
    image = load_image(written(tmp_path, codes=(0, 0)))
    assert "states no orientation" in image.remarks[0]
    assert image.grid.orientation_sct in image.remarks[0]
    nib.save(nib.AnalyzeImage(noise(SHAPE).astype(np.int16), None), tmp_path / "old.hdr")
    assert "states no orientation" in load_image(tmp_path / "old.hdr").remarks[0]


def test_codes_and_units_that_nifti_does_not_have(tmp_path: Path) -> None:
    path = written(tmp_path, unit=5)
    assert "a unit that NIfTI does not have (5)" in load_image(path).remarks[0]
    raw = bytearray(gzip.decompress(written(tmp_path).read_bytes()))
    raw[252:254] = struct.pack("<h", 17)
    (tmp_path / "y.nii").write_bytes(bytes(raw))
    assert "qform_code 17 not valid; setting to 0" in load_image(tmp_path / "y.nii").remarks[0]
