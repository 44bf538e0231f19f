"""Values of images, masks, shares and maps: what is taken, filled, cut, and refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.errors import InputError
from sct_rootlets.image import (
    load_image,
    load_labels,
    load_map,
    load_mask,
    load_segmentation,
    load_share,
    on_grid_of,
)
from tests.synthetic import noise, save_array

SHAPE = (5, 6, 7)


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
    path = save_array(tmp_path / "x.nii.gz", data, np.eye(4))
    assert load_image(path).remarks == ()
    data[0, 0, 0] = 1e300
    image = load_image(save_array(path, data, np.eye(4)))
    assert np.isfinite(image.data).all()
    assert "1 voxels" in image.remarks[0]


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


def test_a_share_keeps_probabilities_and_makes_a_mask_whole(tmp_path: Path) -> None:
    soft = np.zeros(SHAPE, dtype=np.float32)
    soft[2, 2, 1:4] = (0.25, 1.0, 0.5)
    found = load_share(save_array(tmp_path / "soft.nii.gz", soft, np.eye(4)))
    np.testing.assert_array_equal(found.data, soft)
    values = np.zeros(SHAPE, dtype=np.uint8)
    values[1:3] = 7
    found = load_share(save_array(tmp_path / "mask.nii.gz", values, np.eye(4)))
    np.testing.assert_array_equal(found.data, values > 0)
    with pytest.raises(InputError, match="is empty"):
        load_share(save_array(tmp_path / "none.nii.gz", 0 * values, np.eye(4)))
    negative = soft - 0.5
    with pytest.raises(InputError, match="not whole numbers"):
        load_share(save_array(tmp_path / "negative.nii.gz", negative, np.eye(4)))


def test_a_map_keeps_what_is_not_known(tmp_path: Path) -> None:
    data = np.full(SHAPE, 2.5, dtype=np.float32)  # constant, as no MR image is
    data[0, 0, :2] = (np.nan, np.inf)
    found = load_map(save_array(tmp_path / "map.nii.gz", data, np.eye(4)))
    assert np.isnan(found.data[0, 0, :2]).all()
    assert (found.data.ravel()[2:] == 2.5).all()
    with pytest.raises(InputError, match="no finite voxel"):
        load_map(save_array(tmp_path / "nan.nii.gz", data * np.nan, np.eye(4)))
    with pytest.raises(InputError, match="4 dimensions"):
        load_map(save_array(tmp_path / "4d.nii.gz", np.stack([data, data], -1), np.eye(4)))


def test_a_few_voxels_that_leave_nothing_to_see_are_said(tmp_path: Path) -> None:
    data = noise((20, 20, 20))
    for value, is_said in ((5e3, False), (1e30, True), (-1e12, True)):
        data[3, 4, 5] = value
        remarks = load_image(save_array(tmp_path / "x.nii.gz", data, np.eye(4))).remarks
        assert bool(remarks) == is_said
        told = "squares single precision" if value == 1e30 else "1 voxels of extreme values"
        assert all(told in remark for remark in remarks)
    faint = load_image(save_array(tmp_path / "x.nii.gz", 1e-25 * noise(SHAPE), np.eye(4)))
    assert "squares single precision does not bear" in faint.remarks[0]
    # The body in a large field of air is no handful of voxels.
    body = np.zeros((30, 30, 30), dtype=np.float32)
    body[12:18, 12:18, 12:18] = 4000 + noise((6, 6, 6))
    assert load_image(save_array(tmp_path / "x.nii.gz", body, np.eye(4))).remarks == ()


def test_what_a_spline_pushed_beyond_is_clipped_and_said(tmp_path: Path) -> None:
    soft = np.zeros((9, 9, 9), dtype=np.float32)
    soft[3:6, 3:6, 3:6] = 1.08
    soft[2, 2, 2], soft[4, 4, 1], soft[1, 1, 1] = -0.06, 0.4, 0.7
    path = save_array(tmp_path / "soft.nii.gz", soft, np.eye(4))
    for load in (load_mask, load_share, load_segmentation):
        found = load(path)
        assert "from -0.06 to 1.08, as a spline leaves them" in found.remarks[0]
        assert (found.data.min(), found.data.max()) == (0, 1)
    assert load_mask(path).data.sum() == 28
    assert float(load_share(path).data.sum()) == pytest.approx(27 + 1.1)
    far = np.where(soft > 1, 1.5, soft)
    with pytest.raises(InputError, match="not whole"):
        load_mask(save_array(path, far, np.eye(4)))


def test_slices_along_the_fourth_axis_are_recognised(tmp_path: Path) -> None:
    path = save_array(tmp_path / "x.nii.gz", noise((9, 9, 1, 12)), np.eye(4))
    for load in (load_image, load_labels, load_map):
        with pytest.raises(InputError, match=r"9x9x1x12 .* slices .* fourth axis.*-concat z"):
            load(path)
