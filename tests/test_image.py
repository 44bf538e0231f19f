"""Files of images: masks, and the same voxels in another orientation."""

from __future__ import annotations

import gzip
import tracemalloc
from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image import (
    Grid,
    LabelImage,
    check_header,
    load_image,
    load_labels,
    load_map,
    load_mask,
    load_share,
    on_grid_of,
    save,
)
from tests.levels.bent_cord import rotation, turned
from tests.synthetic import save_array

SHAPE = (5, 6, 7)


def grid(oblique: bool = False) -> Grid:
    affine = np.diag([-0.8, 1.0, 2.0, 1.0])
    if oblique:
        affine[:3, :3] = rotation(0, 20.0) @ rotation(2, 12.0) @ affine[:3, :3]
    affine[:3, 3] = (3.0, -7.0, 11.0)
    return Grid(SHAPE, affine)


def labels(on: Grid) -> LabelImage:
    rng = np.random.default_rng(5)
    return LabelImage(rng.integers(0, 5, SHAPE).astype(np.int32), on, None, "labels.nii.gz")


@pytest.mark.parametrize("oblique", [False, True])
def test_every_orientation_comes_back_without_resampling(oblique: bool) -> None:
    reference = labels(grid(oblique))
    for axes in permutations(range(3)):
        for flips in product([False, True], repeat=3):
            back = on_grid_of(turned(reference, axes, flips), reference)
            np.testing.assert_array_equal(back.data, reference.data)
            assert back.grid is reference.grid


def test_the_header_is_that_of_the_reference_and_the_name_its_own(tmp_path: Path) -> None:
    reference = labels(grid())
    save(reference, tmp_path / "reference.nii.gz")
    loaded = load_labels(tmp_path / "reference.nii.gz")
    other = turned(labels(grid()), (2, 0, 1), (True, False, True))
    back = on_grid_of(other, loaded)
    assert back.header is loaded.header
    assert back.path == "labels.nii.gz"


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a + np.diag([0, 0, 0.3, 0]),
        lambda a: a + np.outer([0, 0, 1, 0], [0, 0, 0, 1.0]),
        lambda a: np.block([[rotation(1, 5.0), np.zeros((3, 1))], [0, 0, 0, 1]]) @ a,
    ],
    ids=["spacing", "position", "rotation"],
)
def test_other_voxels_are_refused(change) -> None:
    reference = labels(grid())
    moved = LabelImage(reference.data, Grid(SHAPE, change(reference.grid.affine)), None, "x.nii.gz")
    with pytest.raises(InputError, match=r"x\.nii\.gz: is not on the grid of labels\.nii\.gz"):
        on_grid_of(moved, reference)


def test_another_shape_is_refused() -> None:
    reference = labels(grid())
    part = LabelImage(reference.data[:, :, :-1], Grid((5, 6, 6), reference.grid.affine))
    with pytest.raises(InputError, match="not on the grid"):
        on_grid_of(part, reference)


def test_probabilities_are_cut_at_a_half_and_that_is_said(tmp_path: Path) -> None:
    soft = np.zeros(SHAPE, dtype=np.float32)
    soft[1, 2, 3], soft[2, 2, 3], soft[3, 2, 3] = 0.49, 0.5, 1.0
    mask = load_mask(save_array(tmp_path / "soft.nii.gz", soft, np.eye(4)), "cord mask")
    assert mask.data.sum() == 2
    assert mask.labels == [1]
    assert "soft.nii.gz" in mask.remarks[0]
    assert "0.5" in mask.remarks[0]
    assert on_grid_of(mask, mask).remarks == mask.remarks


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_a_mask_of_whole_numbers_stays_as_it_is(tmp_path: Path, dtype: type) -> None:
    data = np.zeros(SHAPE, dtype=dtype)
    data[2:4, 2:4, 2:4] = 3
    mask = load_mask(save_array(tmp_path / "m.nii.gz", data, np.eye(4)))
    assert mask.labels == [3]
    assert mask.remarks == ()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (np.zeros(SHAPE, np.uint8), "is empty"),
        (np.full(SHAPE, 0.3, np.float32), r"empty at a probability of 0\.5: its largest is 0\.3"),
        (np.full(SHAPE, 7.5, np.float32), "not whole numbers"),
        (np.arange(210, dtype=np.int16).reshape(SHAPE), "looks like an MR image"),
        (np.full(SHAPE, -1, np.int16), "out of range"),
    ],
)
def test_what_is_no_mask(tmp_path: Path, data: np.ndarray, told: str) -> None:
    with pytest.raises(InputError, match=told):
        load_mask(save_array(tmp_path / "x.nii.gz", data, np.eye(4)), "cord mask")


def test_one_volume_in_four_dimensions_is_three_dimensional(tmp_path: Path) -> None:
    data = np.zeros((*SHAPE, 1), np.uint8)
    data[2, 2, 2] = 1
    mask = load_mask(save_array(tmp_path / "x.nii.gz", data, np.eye(4)))
    assert mask.data.shape == SHAPE
    save(mask, tmp_path / "y.nii.gz")
    assert nib.load(tmp_path / "y.nii.gz").shape == SHAPE


def test_an_affine_that_is_not_a_number(tmp_path: Path) -> None:
    path = save_array(tmp_path / "x.nii", np.ones(SHAPE, np.uint8), np.eye(4))
    raw = bytearray(path.read_bytes())
    nan = np.array([np.nan], "<f4").tobytes()
    raw[280:284] = nan  # srow_x[0]
    path.write_bytes(bytes(raw))
    with pytest.raises(InputError, match="no valid orientation"):
        load_mask(path)


def noise(shape: tuple[int, ...], seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 20, shape).astype(np.float32)


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


@pytest.mark.parametrize("shape", [(*SHAPE, 1, 3), (*SHAPE, 2, 2)])
def test_five_dimensions_are_too_many(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = save_array(tmp_path / "x.nii.gz", noise(shape), np.eye(4))
    for volume in (None, 0):
        with pytest.raises(InputError, match="5 dimensions"):
            load_image(path, volume=volume)


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
    ("offset", "fill"),
    [(0.0, 0.0), (50.0, 50.0), (-1000.0, -1000.0)],
    ids=["0 in range", "all above 0", "all below 0"],
)
def test_unknown_voxels_of_an_image_are_filled_and_counted(
    tmp_path: Path, offset: float, fill: float
) -> None:
    data = np.arange(210, dtype=np.float32).reshape(SHAPE) + offset
    data[1, 2, 3], data[2, 2, 3], data[3, 3, 3] = np.nan, np.inf, -np.inf
    image = load_image(save_array(tmp_path / "x.nii.gz", data, np.eye(4)))
    known = np.isfinite(data)
    np.testing.assert_array_equal(image.data[known], data[known])
    np.testing.assert_array_equal(image.data[~known], fill)
    assert image.data.dtype == np.float32
    (remark,) = image.remarks
    assert "x.nii.gz has 3 voxels that are NaN or infinite" in remark
    assert f"taken as {fill:g}" in remark


def test_values_beyond_float32_are_infinite(tmp_path: Path) -> None:
    data = noise(SHAPE).astype(np.float64)
    data[0, 0, 0] = 1e300
    image = load_image(save_array(tmp_path / "x.nii.gz", data, np.eye(4)))
    assert np.isfinite(image.data).all()
    assert "1 voxels" in image.remarks[0]


def test_a_clean_image_has_no_remarks(tmp_path: Path) -> None:
    assert load_image(save_array(tmp_path / "x.nii.gz", noise(SHAPE), np.eye(4))).remarks == ()


def test_an_image_of_mostly_nothing_is_refused(tmp_path: Path) -> None:
    data = noise(SHAPE)
    data[:3] = np.nan
    path = save_array(tmp_path / "x.nii.gz", data, np.eye(4))
    with pytest.raises(InputError, match="has 126 voxels that are NaN or infinite, of 210"):
        load_image(path)
    data[2] = 7
    assert load_image(save_array(path, data, np.eye(4))).remarks


def test_labels_must_be_known(tmp_path: Path) -> None:
    data = np.ones(SHAPE, np.float32)
    data[1, 2, 3] = np.nan
    path = save_array(tmp_path / "x.nii.gz", data, np.eye(4))
    for load in (load_mask, load_labels):
        with pytest.raises(InputError, match="1 voxels that are NaN"):
            load(path)


@pytest.mark.parametrize("channels", ["RGB", "RGBA"])
def test_colours_are_refused_before_they_are_read(tmp_path: Path, channels: str) -> None:
    data = np.zeros(SHAPE, np.dtype([(c, np.uint8) for c in channels]))
    path = save_array(tmp_path / "x.nii", data, np.eye(4))
    with pytest.raises(InputError, match="holds colours"):
        load_image(path)
    path.write_bytes(path.read_bytes()[:400])  # the voxels are gone, and nobody looks for them
    with pytest.raises(InputError, match="holds colours"):
        check_header(path)


def test_complex_numbers_are_refused(tmp_path: Path) -> None:
    path = save_array(tmp_path / "x.nii.gz", noise(SHAPE).astype(np.complex64), np.eye(4))
    with pytest.raises(InputError, match="holds complex64 voxels, not single numbers"):
        load_image(path)


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((5, 6), "2 dimensions"),
        ((5, 6, 1), "is a single slice of 5x6x1 voxels"),
        ((5, 1, 7), "is a single slice of 5x1x7 voxels"),
        ((5, 0, 7), "has no voxels: its header says 5x0x7"),
        ((5, 6, 7, 0), "has no voxels"),
    ],
)
def test_too_small(tmp_path: Path, shape: tuple[int, ...], told: str) -> None:
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
    with pytest.raises(InputError, match="cannot be read as a NIfTI image"):
        load_image(tmp_path / "x.gii")
    path = save_array(tmp_path / "x.nii", noise(SHAPE), np.eye(4))
    whole = path.read_bytes()
    for offset, value in ((42, -5), (70, 77)):  # dim[1], datatype
        path.write_bytes(whole[:offset] + np.array([value], "<i2").tobytes() + whole[offset + 2 :])
        with pytest.raises(InputError):
            load_image(path)


def test_a_share_keeps_probabilities_and_makes_a_mask_whole(tmp_path: Path) -> None:
    soft = np.zeros(SHAPE, dtype=np.float32)
    soft[2, 2, 1:4] = (0.25, 1.0, 0.5)
    found = load_share(save_array(tmp_path / "soft.nii.gz", soft, grid().affine))
    np.testing.assert_array_equal(found.data, soft)
    values = np.zeros(SHAPE, dtype=np.uint8)
    values[1:3] = 7
    found = load_share(save_array(tmp_path / "mask.nii.gz", values, grid().affine))
    np.testing.assert_array_equal(found.data, values > 0)
    with pytest.raises(InputError, match="is empty"):
        load_share(save_array(tmp_path / "none.nii.gz", 0 * values, grid().affine))
    negative = soft - 0.5
    with pytest.raises(InputError, match="not whole numbers"):
        load_share(save_array(tmp_path / "negative.nii.gz", negative, grid().affine))


def test_a_map_keeps_what_is_not_known(tmp_path: Path) -> None:
    data = np.full(SHAPE, 2.5, dtype=np.float32)  # constant, as no MR image is
    data[0, 0, :2] = (np.nan, np.inf)
    found = load_map(save_array(tmp_path / "map.nii.gz", data, grid().affine))
    assert np.isnan(found.data[0, 0, :2]).all()
    assert (found.data.ravel()[2:] == 2.5).all()
    with pytest.raises(InputError, match="no finite voxel"):
        load_map(save_array(tmp_path / "nan.nii.gz", data * np.nan, grid().affine))
    with pytest.raises(InputError, match="4 dimensions"):
        load_map(save_array(tmp_path / "4d.nii.gz", np.stack([data, data], -1), grid().affine))


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
