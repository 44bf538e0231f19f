"""Files of images: masks, and the same voxels in another orientation."""

from __future__ import annotations

from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid, LabelImage, load_labels, load_mask, on_grid_of, save
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
