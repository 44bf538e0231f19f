"""Fractions on a straight cord, where they can be told by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError
from sct_rootlets.fmri import fractions as module
from sct_rootlets.fmri import level_fractions, slice_fractions
from sct_rootlets.fmri.borders_on_cord import BordersOnCord
from sct_rootlets.fmri.sampling import LevelSampler
from sct_rootlets.fmri.transforms import IDENTITY, Affine, Chain, DisplacementField
from sct_rootlets.image import Grid, LabelImage
from tests.fmri.straight import RADIUS_MM, TOP_MM, levels_on, slices, table_of

C3, C4 = SpinalLevel.C3, SpinalLevel.C4
#: C3 from 20 to 35 mm below the top, C4 to 48 mm.
BORDERS = (20.0, 35.0, 48.0)


def middle(image_grid: Grid) -> tuple[int, int]:
    return image_grid.shape[0] // 2, image_grid.shape[1] // 2


def test_a_slice_across_a_border_is_divided_by_it() -> None:
    epi = slices(5.0, 6, 21.5)  # from 21.5 to 51.5 mm below the top
    found = level_fractions(levels_on(BORDERS), epi.grid, IDENTITY)
    i, j = middle(epi.grid)
    c3 = [0, 0, 0, 0.7, 1, 1]
    c4 = [0.3, 1, 1, 0.3, 0, 0]  # slice 0 is the most caudal one, 46.5 to 51.5 mm
    np.testing.assert_allclose(found.of(C3)[i, j], c3, atol=0.04)
    np.testing.assert_allclose(found.of(C4)[i, j], c4, atol=0.04)
    by_slice = slice_fractions(found)
    np.testing.assert_allclose(by_slice, np.stack([c3, c4], axis=1), atol=0.04)


def test_the_table_has_borders_between_voxels() -> None:
    """At 1 mm the image has its border at 35; the table says that it is 35.4."""
    borders = (20.0, 35.4, 48.0)
    labels = levels_on(borders)
    epi = slices(5.0, 1, 33.0)
    i, j = middle(epi.grid)
    exact = BordersOnCord.of(labels, table_of(borders))
    with_table = level_fractions(LevelSampler(labels, exact), epi.grid, IDENTITY).of(C3)[i, j, 0]
    without = level_fractions(labels, epi.grid, IDENTITY).of(C3)[i, j, 0]
    assert with_table == pytest.approx(2.4 / 5, abs=0.04)
    assert abs(with_table - without) > 0.04


def test_a_table_of_other_borders_is_not_used() -> None:
    assert BordersOnCord.of(levels_on(BORDERS), table_of((20.0, 41.0, 48.0))) is None
    assert BordersOnCord.of(levels_on(BORDERS), table_of((20.0, 35.0))) is None


@pytest.mark.parametrize("spacing_mm", [0.8, 1.0])
def test_the_cord_keeps_its_volume_and_its_place(spacing_mm: float) -> None:
    """All voxels together hold the cylinder; those on its surface a part of it."""
    labels = levels_on(BORDERS, spacing_mm=spacing_mm)
    epi = slices(4.0, 12, 10.0, in_plane_mm=0.8)
    found = level_fractions(labels, epi.grid, IDENTITY)
    mask_mm3 = (labels.data > 0).sum() * spacing_mm**3
    assert found.volume_mm3.sum() == pytest.approx(mask_mm3, rel=0.02)
    share = found.share.sum(axis=-1).max(axis=2)
    x, y = np.meshgrid(*[np.linspace(-0.5, 0.5, 21)[:-1] + 0.025] * 2)
    true = np.zeros_like(share)
    for i, j in np.ndindex(*share.shape):
        at = epi.grid.world_from_ijk((i, j, 0))
        true[i, j] = (np.hypot(at[0] + 0.8 * x, at[1] + 0.8 * y) < RADIUS_MM).mean()
    on_surface = (true > 0) & (true < 1)
    assert np.abs(share - true)[on_surface].mean() < 0.12
    assert np.abs(share - true)[~on_surface].max() < 0.05


def test_the_same_grid_gives_the_labels_back() -> None:
    labels = levels_on(BORDERS)
    found = level_fractions(labels, labels.grid, IDENTITY)
    inner = found.share.sum(axis=-1) > 0.99
    winner = np.array([0, 3, 4])[1 + found.share.argmax(axis=-1)]
    assert inner.sum() > 0.6 * (labels.data > 0).sum()
    assert (winner == labels.data)[inner].all()


def test_the_cord_mask_bounds_the_levels() -> None:
    epi = slices(5.0, 6, 21.5)
    free = level_fractions(levels_on(BORDERS), epi.grid, IDENTITY)
    mask = np.zeros(epi.grid.shape, dtype=np.uint8)
    mask[8:12, 8:12] = 1
    bound = level_fractions(levels_on(BORDERS), epi.grid, IDENTITY, cord=mask)
    np.testing.assert_array_equal(bound.share[mask > 0], free.share[mask > 0])
    assert not bound.share[mask == 0].any()
    assert free.share[mask == 0].any()


def test_an_affine_moves_the_levels_against_its_shift() -> None:
    """The chain takes points of the EPI up by 5 mm, so that the levels come down by a slice."""
    epi = slices(5.0, 8, 10.0)
    still = level_fractions(levels_on(BORDERS), epi.grid, IDENTITY)
    up = np.eye(4)
    up[2, 3] = 5.0
    moved = level_fractions(levels_on(BORDERS), epi.grid, Chain((Affine(up),)))
    np.testing.assert_allclose(moved.share[:, :, :-1], still.share[:, :, 1:], atol=1e-6)


def test_where_a_field_has_no_answer_there_is_no_level() -> None:
    epi = slices(5.0, 6, 21.5)
    displacement = np.zeros((*epi.grid.shape, 3), dtype=np.float32)
    displacement[:, :, 4] = np.nan
    chain = Chain((DisplacementField(epi.grid, displacement),))
    found = level_fractions(levels_on(BORDERS), epi.grid, chain)
    free = level_fractions(levels_on(BORDERS), epi.grid, IDENTITY)
    assert not found.share[:, :, 4].any()
    np.testing.assert_allclose(found.share[:, :, :4], free.share[:, :, :4], atol=1e-6)


@pytest.mark.parametrize("turn", [(2, 0, 1), (0, 2, 1)])
def test_the_storage_order_of_the_epi_does_not_matter(turn: tuple[int, int, int]) -> None:
    """Slices are those across the axis that runs up, wherever it is stored."""
    epi = slices(5.0, 6, 21.5)
    permutation = np.eye(4)[:, [*turn, 3]]
    flip = np.diag([1.0, -1.0, 1.0, 1.0])
    flip[1, 3] = epi.grid.shape[turn[1]] - 1
    shape = tuple(epi.grid.shape[n] for n in turn)
    turned = Grid((shape[0], shape[1], shape[2]), epi.grid.affine @ permutation @ flip)
    plain = level_fractions(levels_on(BORDERS), epi.grid, IDENTITY)
    other = level_fractions(levels_on(BORDERS), turned, IDENTITY)
    assert other.axis == turn.index(2)
    back = np.flip(other.share, 1).transpose([*np.argsort(turn), 3])
    np.testing.assert_allclose(back, plain.share, atol=1e-6)


def test_parts_of_any_size_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    epi = slices(5.0, 6, 21.5)
    whole = level_fractions(levels_on(BORDERS), epi.grid, IDENTITY)
    monkeypatch.setattr(module, "_CHUNK", 1000)
    parts = level_fractions(levels_on(BORDERS), epi.grid, IDENTITY)
    np.testing.assert_array_equal(parts.share, whole.share)
    for index, profile in whole.profiles.items():
        np.testing.assert_array_equal(parts.profiles[index].samples, profile.samples)


def test_values_that_are_no_levels() -> None:
    labels = levels_on(BORDERS)
    with pytest.raises(InputError, match="no spinal levels: 49, 50"):
        LevelSampler(LabelImage(np.where(labels.data > 0, labels.data + 46, 0), labels.grid))


def test_points_know_the_level_they_are_in() -> None:
    sampler = LevelSampler(levels_on(BORDERS))
    depths = np.array([19, 21, 34, 36, 47, 49.0])
    xyz = np.stack([0 * depths, 0 * depths, TOP_MM - depths], axis=1)
    np.testing.assert_array_equal(sampler.at(xyz), [0, 1, 1, 2, 2, 0])
    np.testing.assert_array_equal(sampler.at(np.full((2, 3), np.nan)), [0, 0])
    assert sampler.near(xyz).all()
    assert not sampler.near(xyz + np.array([20, 0, 0])).any()
