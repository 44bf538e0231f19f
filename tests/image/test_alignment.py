"""Images on one grid, however their voxels are stored."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.errors import InputError
from sct_rootlets.image import (
    Grid,
    LabelImage,
    load_labels,
    on_grid_of,
    require_one_world,
    require_same_grid,
    save,
)
from tests.levels.bent_cord import rotation, turned

SHAPE = (5, 6, 7)


def grid(oblique: bool = False) -> Grid:
    affine = np.diag([-1.2, 1.0, 2.0, 1.0])
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
        None,
    ],
    ids=["spacing", "position", "rotation", "shape"],
)
def test_other_voxels_are_refused(change) -> None:
    reference = labels(grid())
    data, affine = reference.data, reference.grid.affine
    if change is None:
        data = data[:, :, :-1]
    else:
        affine = change(affine)
    other = LabelImage(data, Grid(data.shape, affine), None, "x.nii.gz")
    with pytest.raises(InputError, match=r"x\.nii\.gz: is not on the grid of labels\.nii\.gz"):
        on_grid_of(other, reference)


def test_a_grid_that_differs_says_by_how_much() -> None:
    reference = labels(grid())
    for change, told in (
        (
            lambda a: a + np.outer([0, 0, 1, 0], [0, 0, 0, 0.4]),
            r"by up to 0.4 mm; up to 0.1",
        ),
        (lambda a: np.block([[rotation(1, 5.0), np.zeros((3, 1))], [0, 0, 0, 1]]) @ a, "by 5 deg"),
        (lambda a: a @ np.diag([1, 1, 1.1, 1]), r"voxels of 1.2x1x2.2 against 1.2x1x2 mm"),
    ):
        other = LabelImage(reference.data, Grid(SHAPE, change(grid().affine)), None, "other.nii.gz")
        for judge in (on_grid_of, lambda one, two: require_same_grid(two, one)):
            with pytest.raises(InputError, match=told):
                judge(other, reference)
    with pytest.raises(InputError, match=r"differ in shape: 5x6x6 voxels.*against 5x6x7"):
        on_grid_of(LabelImage(reference.data[..., 1:], Grid((5, 6, 6), grid().affine)), reference)


def test_rounding_is_taken_and_said_where_it_is_more_than_single_precision() -> None:
    reference = labels(grid())
    for shift, is_said in ((0.0, False), (0.0005, False), (0.05, True), (0.09, True)):
        affine = grid().affine + np.outer([0, 1, 0, 0], [0, 0, 0, shift])
        other = LabelImage(reference.data, Grid(SHAPE, affine), None, "other.nii.gz")
        back = on_grid_of(other, reference)
        assert back.grid is reference.grid
        assert bool(back.remarks) == is_said
        assert all(f"up to {shift:.2g} mm off the grid of labels" in r for r in back.remarks)


def with_qform(image: LabelImage, shift_mm: float) -> LabelImage:
    affine = image.grid.affine + np.outer([0, 0, 1, 0], [0, 0, 0, shift_mm])
    return replace(image, itk_grid=Grid(image.grid.shape, affine))


def test_files_that_lie_elsewhere_by_the_other_form_are_refused() -> None:
    sure = labels(grid())
    apart = Grid((9, 9, 9), grid(oblique=True).affine)
    other = LabelImage(np.zeros((9, 9, 9), dtype=np.int32), apart, None, "discs.nii.gz")
    require_one_world(sure, None, other)
    for first, second in ((with_qform(sure, 15.0), other), (other, with_qform(sure, 15.0))):
        with pytest.raises(InputError, match=r"15 mm.*discs\.nii\.gz lies 15 mm elsewhere") as told:
            require_one_world(first, second)
        assert "labels.nii.gz" in str(told.value.path)
    # Both were moved alike, by one change of the header: beside each other they lie as before.
    require_one_world(with_qform(sure, 15.0), with_qform(other, 15.0))
    with pytest.raises(InputError, match="lies 1 mm elsewhere"):
        require_one_world(with_qform(sure, 15.0), with_qform(other, 16.0))
    # On one grid of voxels it does not matter where the grid lies.
    require_one_world(with_qform(sure, 15.0), labels(grid()))


def test_a_mask_on_the_grid_of_the_qform_is_told_so() -> None:
    unsure = with_qform(labels(grid()), 15.0)
    assert unsure.itk_grid is not None
    mask = LabelImage(unsure.data, unsure.itk_grid, None, "mask.nii.gz")
    with pytest.raises(InputError, match=r"By the qform of labels\.nii\.gz they are on one grid"):
        on_grid_of(mask, unsure)
