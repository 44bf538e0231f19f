"""Levels divided into sides, halves and tissues."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.anatomy import Sector, Side, SpinalLevel
from sct_rootlets.errors import InputError
from sct_rootlets.fmri import level_fractions, level_parcels, region_parcels
from sct_rootlets.fmri.fractions import Fractions
from sct_rootlets.fmri.parcels import Parcels
from sct_rootlets.fmri.regions import QUADRANTS, load_grey_matter
from sct_rootlets.fmri.slices import label_voxels
from sct_rootlets.fmri.transforms import IDENTITY
from sct_rootlets.image import Grid, Image, LabelImage, save
from tests.fmri.straight import levels_on, slices

BORDERS = (20.0, 35.0, 48.0)


def mapped(epi: Image) -> tuple[Fractions, LabelImage]:
    fractions = level_fractions(levels_on(BORDERS), epi.grid, IDENTITY)
    return fractions, LabelImage(label_voxels(fractions)[0], epi.grid)


@pytest.fixture
def epi() -> Image:
    return slices(5.0, 6, 18.0)


def middles(parcels: Parcels) -> dict[str, np.ndarray]:
    """Return the weighted middle, world mm, of every parcel."""
    xyz = parcels.grid.world_from_ijk(parcels.ijk)
    return {
        name: np.average(xyz, axis=0, weights=parcels.weight[:, p])
        for p, name in enumerate(parcels.names)
    }


@pytest.mark.parametrize("flips", [(1, 1), (-1, 1), (1, -1), (-1, -1)])
def test_left_and_dorsal_are_the_subjects_however_the_image_is_stored(
    epi: Image, flips: tuple[int, int]
) -> None:
    affine = epi.grid.affine.copy()
    for axis, sign in enumerate(flips):
        if sign < 0:
            affine[axis, 3] += affine[axis, axis] * (epi.grid.shape[axis] - 1)
            affine[axis, axis] *= -1
    turned = Image(epi.data, Grid(epi.grid.shape, affine))
    found = middles(region_parcels(*mapped(turned)))
    for name, (x, y, _) in found.items():
        assert (x < -1) == ("left" in name), name
        assert (x > 1) == ("right" in name), name
        assert (y < -1) == ("dorsal" in name), name
        assert (y > 1) == ("ventral" in name), name


def test_regions_share_their_level_among_them(epi: Image) -> None:
    fractions, labels = mapped(epi)
    regions, levels = region_parcels(fractions, labels), level_parcels(fractions, labels)
    assert len(regions.parcels) == 8
    by_level = regions.weight.reshape(-1, 2, 4)
    np.testing.assert_allclose(by_level.sum(axis=2), levels.weight, atol=1e-9)
    np.testing.assert_allclose(by_level.sum(axis=0) / by_level.sum(axis=(0, 2))[:, None], 0.25,
                               atol=0.01)  # fmt: skip
    image = regions.label_image(labels)
    np.testing.assert_array_equal(image.data // 100, labels.data)


def test_numbers_and_names(epi: Image) -> None:
    regions = region_parcels(*mapped(epi))
    numbers = {parcel.index: parcel.name for parcel in regions.parcels}
    assert numbers[301] == "C3_left_dorsal"
    assert numbers[404] == "C4_right_ventral"
    parcel = regions.parcels[0]
    assert (parcel.level, parcel.side, parcel.sector) == (
        SpinalLevel.C3, Side.LEFT, Sector.DORSAL,
    )  # fmt: skip
    assert parcel.cells == {
        "name": "C3_left_dorsal", "level": "C3", "side": "left", "sector": "dorsal",
        "tissue": None,
    }  # fmt: skip


@pytest.mark.parametrize("across", [9, 10])
def test_no_side_gains_where_the_cut_runs_through_voxels(epi: Image, across: int) -> None:
    """With an odd number of voxels across, the middle column and row belong to both sides."""
    fractions = level_fractions(levels_on(BORDERS), epi.grid, IDENTITY)
    cord = np.zeros(epi.grid.shape)
    cord[5 : 5 + across, 5 : 5 + across] = 1
    labels = LabelImage((3 * cord).astype(np.uint8), epi.grid)
    regions = region_parcels(fractions, labels, cord=cord)
    count = Counter(
        (regions.parcels[p].side, regions.parcels[p].sector)
        for p in regions.label[regions.label >= 0]
    )
    numbers = [count[quadrant] for quadrant in QUADRANTS]
    assert sum(numbers) == across**2 * epi.grid.shape[2]
    left, dorsal = numbers[0] + numbers[2], numbers[0] + numbers[1]
    assert left == pytest.approx(sum(numbers) / 2, abs=3)
    assert dorsal == pytest.approx(sum(numbers) / 2, abs=3)


def test_the_cord_of_the_epi_divides_where_it_lies(epi: Image) -> None:
    fractions, labels = mapped(epi)
    cord = np.zeros(epi.grid.shape)
    cord[9:17, 6:14] = 1  # 3 mm to the right of the mapped cord
    regions = region_parcels(fractions, labels, cord=cord)
    left = regions.weight[:, [0, 2, 4, 6]].sum()
    assert left / regions.weight.sum() > 0.8


def test_a_tilted_cord_is_cut_across_itself_in_every_slice() -> None:
    """Sheared along x by 45 degrees: in every slice half of it is left of its own middle."""
    source = levels_on(BORDERS)
    shear = np.eye(4)
    shear[0, 2], shear[0, 3] = 1.0, -65.0
    tilted = LabelImage(source.data, Grid(source.grid.shape, shear @ source.grid.affine))
    epi = slices(5.0, 6, 18.0)
    affine = epi.grid.affine.copy()
    affine[0, 3] -= 15
    wide = Image(epi.data, Grid((60, *epi.grid.shape[1:]), affine))
    fractions = level_fractions(tilted, wide.grid, IDENTITY)
    labels = LabelImage(label_voxels(fractions)[0], wide.grid)
    regions = region_parcels(fractions, labels)
    is_left = np.array([parcel.side is Side.LEFT for parcel in regions.parcels])
    for k in np.unique(regions.ijk[:, 2]):
        weight = regions.weight[regions.ijk[:, 2] == k].sum(axis=0)
        assert weight[is_left].sum() / weight.sum() == pytest.approx(0.5, abs=0.02)


def test_one_slice_has_sides_too() -> None:
    epi = slices(5.0, 2, 25.0)
    fractions, labels = mapped(epi)
    only = np.zeros(epi.grid.shape)
    only[..., 1] = 1
    cut = Fractions(
        fractions.levels, fractions.share * only[..., None].astype(np.float32), epi.grid, 2,
        {}, fractions.samples,
    )  # fmt: skip
    regions = region_parcels(cut, LabelImage(labels.data * only.astype(np.uint8), epi.grid))
    weight = regions.weight.sum(axis=0)[:4]
    np.testing.assert_allclose(weight / weight.sum(), 0.25, atol=0.01)


def test_horns_are_the_grey_part_of_the_quadrants(epi: Image) -> None:
    fractions, labels = mapped(epi)
    grey = np.zeros(epi.grid.shape)
    grey[7:13, 7:13] = 1
    grey[7, 7:13] = 0.25
    whole = region_parcels(fractions, labels)
    split = region_parcels(fractions, labels, grey_matter=grey)
    assert split.names[:2] == ["C3_left_dorsal_horn", "C3_right_dorsal_horn"]
    assert split.names[4] == "C3_left_dorsal_white"
    assert [parcel.index for parcel in split.parcels[:8]] == [
        311, 312, 313, 314, 321, 322, 323, 324,
    ]  # fmt: skip
    both = split.weight.reshape(-1, 2, 2, 4)
    np.testing.assert_allclose(both.sum(axis=2).reshape(-1, 8), whole.weight, atol=1e-9)
    at = tuple(split.ijk.T)
    share = both[:, :, 0].sum(axis=(1, 2)) / np.maximum(both.sum(axis=(1, 2, 3)), 1e-9)
    np.testing.assert_allclose(share, grey[at], atol=1e-9)
    is_horn = np.array([parcel.tissue == "grey" for parcel in split.parcels])
    labelled = split.label >= 0
    np.testing.assert_array_equal(is_horn[split.label[labelled]], grey[at][labelled] > 0.5)


def test_grey_matter_is_a_mask_or_a_probability(epi: Image, tmp_path: Path) -> None:
    grey = np.zeros(epi.grid.shape, dtype=np.float32)
    grey[8:12, 8:12] = 0.6
    save(Image(grey, epi.grid), tmp_path / "gm.nii.gz")
    read = load_grey_matter(tmp_path / "gm.nii.gz", epi)
    np.testing.assert_allclose(read.data, grey)
    save(Image(grey * 100, epi.grid), tmp_path / "percent.nii.gz")
    with pytest.raises(InputError, match="not from 0 to 1"):
        load_grey_matter(tmp_path / "percent.nii.gz", epi)
