"""Files that are opened: which volume, and what is no image of a neck."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image import check_header, load_image, load_mask, save
from tests.synthetic import noise, save_array

SHAPE = (5, 6, 7)


@pytest.mark.parametrize("extension", [".nii", ".nii.gz"])
@pytest.mark.parametrize("shape", [(*SHAPE, 4), (*SHAPE, 4, 1)])
def test_one_volume_of_four_dimensions(
    tmp_path: Path, shape: tuple[int, ...], extension: str
) -> None:
    data = noise(shape)
    path = save_array(tmp_path / f"x{extension}", data, np.eye(4))
    for volume in range(4):
        image = load_image(path, volume=volume)
        np.testing.assert_array_equal(image.data, data.reshape(*SHAPE, 4)[..., volume])
        save(image, tmp_path / "y.nii.gz")
        assert nib.load(tmp_path / "y.nii.gz").shape == SHAPE
    with pytest.raises(InputError, match=r"4 dimensions \(5, 6, 7, 4\).*-volume N"):
        load_image(path)
    with pytest.raises(UsageError, match="has 4 volumes, 0 to 3, and volume 4 is asked for"):
        load_image(path, volume=4)
    with pytest.raises(UsageError, match="volume -1"):
        load_image(path, volume=-1)
    with pytest.raises(InputError, match="sct_image -split t"):
        load_mask(path)


@pytest.mark.parametrize("shape", [SHAPE, (*SHAPE, 1)])
def test_the_first_volume_of_one(tmp_path: Path, shape: tuple[int, ...]) -> None:
    data = noise(shape)
    path = save_array(tmp_path / "x.nii.gz", data, np.eye(4))
    np.testing.assert_array_equal(load_image(path, volume=0).data, data.reshape(SHAPE))
    with pytest.raises(UsageError, match="has one volume, number 0, and volume 1 is asked for"):
        load_image(path, volume=1)


@pytest.mark.parametrize("extension", [".nii", ".nii.gz"])
def test_the_other_volumes_are_not_read(tmp_path: Path, extension: str) -> None:
    data = np.random.default_rng(0).integers(0, 999, (40, 40, 40, 40)).astype(np.int16)
    path = save_array(tmp_path / f"x{extension}", data, np.eye(4))
    tracemalloc.start()
    try:
        image = load_image(path, volume=30)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(image.data, data[..., 30])
    assert peak < data.nbytes / 4


def test_scaled_integers_are_read_as_what_they_mean(tmp_path: Path) -> None:
    raw = np.arange(840, dtype=np.int16).reshape(*SHAPE, 4)
    path = save_array(tmp_path / "x.nii", raw, np.eye(4))
    header = bytearray(path.read_bytes())
    header[112:120] = np.array([0.25, -3.0], "<f4").tobytes()  # scl_slope, scl_inter
    path.write_bytes(bytes(header))
    image = load_image(path, volume=2)
    np.testing.assert_allclose(image.data, 0.25 * raw[..., 2] - 3, rtol=1e-6)
    save(image, tmp_path / "y.nii.gz")
    np.testing.assert_allclose(nib.load(tmp_path / "y.nii.gz").get_fdata(), image.data)
    header[116:120] = np.array([np.nan], "<f4").tobytes()
    path.write_bytes(bytes(header))
    with pytest.raises(InputError, match="cannot be read"):
        load_image(path, volume=2)


@pytest.mark.parametrize(
    ("dtype", "told"),
    [
        ([(channel, np.uint8) for channel in "RGB"], "holds colours"),
        ([(channel, np.uint8) for channel in "RGBA"], "holds colours"),
        (np.complex64, "holds complex64 voxels, not single numbers"),
    ],
)
def test_no_single_numbers_are_refused_before_they_are_read(
    tmp_path: Path, dtype: type, told: str
) -> None:
    path = save_array(tmp_path / "x.nii", np.zeros(SHAPE, np.dtype(dtype)), np.eye(4))
    with pytest.raises(InputError, match=told):
        load_image(path)
    path.write_bytes(path.read_bytes()[:400])  # the voxels are gone, and nobody looks for them
    with pytest.raises(InputError, match=told):
        check_header(path)


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((5, 6), "2 dimensions"),
        ((5, 6, 1), "is a single slice of 5x6x1 voxels"),
        ((5, 1, 7), "is a single slice of 5x1x7 voxels"),
        ((5, 0, 7), "has no voxels: its header says 5x0x7"),
        ((5, 6, 7, 0), "has no voxels"),
        ((*SHAPE, 1, 3), "5 dimensions"),
        ((*SHAPE, 2, 2), "5 dimensions"),
    ],
)
def test_too_few_or_too_many(tmp_path: Path, shape: tuple[int, ...], told: str) -> None:
    path = save_array(tmp_path / "x.nii.gz", noise(shape), np.eye(4))
    for volume in (None, 0):
        with pytest.raises(InputError, match=told):
            load_image(path, volume=volume)


def claiming(path: Path, *sizes: int, volumes: int = 1) -> Path:
    """Make a file whose header promises more voxels than it has."""
    save_array(path, noise(SHAPE), np.eye(4))
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as file:
        raw = bytearray(file.read())
    raw[40:50] = np.array([4, *sizes, volumes], "<i2").tobytes()
    with opened(path, "wb") as file:
        file.write(bytes(raw))
    return path


@pytest.mark.parametrize("extension", [".nii", ".nii.gz"])
def test_a_header_that_promises_more_than_the_file_can_hold(tmp_path: Path, extension: str) -> None:
    path = claiming(tmp_path / f"x{extension}", 20000, 10000, 10000)
    for load in (load_image, load_mask, check_header):
        with pytest.raises(InputError, match="truncated or damaged: its header promises 8e"):
            load(path)


def test_a_series_that_is_cut_short_is_said_where(tmp_path: Path) -> None:
    path = tmp_path / "x.nii"
    nib.save(nib.Nifti1Image(np.zeros((9, 8, 7, 20), np.int16), np.eye(4)), path)
    with path.open("r+b") as file:
        file.truncate(352 + 9 * 8 * 7 * 2 * 12 + 100)
    with pytest.raises(InputError, match=r"it ends in volume 12 of 20 \(counted from 0\)"):
        load_image(path, volume=3)


def test_more_voxels_than_a_neck_has(tmp_path: Path) -> None:
    path = claiming(tmp_path / "x.nii", 2000, 1000, 1000)
    with path.open("r+b") as file:
        file.truncate(352 + 4 * 2000 * 1000 * 1000)  # sparse: no disk is filled
    with pytest.raises(InputError, match=r"has 2e\+09 voxels \(2000x1000x1000\).*Crop"):
        load_image(path)


def test_a_long_series_of_ordinary_volumes_is_not_huge(tmp_path: Path) -> None:
    path = claiming(tmp_path / "x.nii", 100, 100, 100, volumes=2000)
    with path.open("r+b") as file:
        file.truncate(352 + 4 * 2000 * 100**3)
        file.seek(352 + 4 * 1999 * 100**3)
        file.write(noise((100, 100, 100)).tobytes())
    image = load_image(path, volume=1999)
    assert image.data.shape == (100, 100, 100)
    assert image.data.std() == pytest.approx(20, rel=0.1)


def test_what_is_no_image_at_all(tmp_path: Path) -> None:
    surface = nib.gifti.GiftiImage()
    nib.save(surface, tmp_path / "x.gii")
    with pytest.raises(InputError, match="is an XML file"):
        load_image(tmp_path / "x.gii")
    path = save_array(tmp_path / "x.nii", noise(SHAPE), np.eye(4))
    whole = path.read_bytes()
    for offset, value, kind, told in (
        (42, -5, "<i2", None),  # dim[1]
        (70, 77, "<i2", None),  # datatype
        (280, np.nan, "<f4", "no valid orientation"),  # srow_x[0]
    ):
        wrong = np.array([value], kind).tobytes()
        path.write_bytes(whole[:offset] + wrong + whole[offset + len(wrong) :])
        for load in (load_image, load_mask):
            with pytest.raises(InputError, match=told):
                load(path)
