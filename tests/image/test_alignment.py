"""Images on one grid, however their voxels are stored."""

from __future__ import annotations

from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid, LabelImage, load_labels, on_grid_of, save
from tests.levels.bent_cord import rotation, turned

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
