"""Surface distances: planted shifts, and SimpleITK on random rootlets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sct_rootlets import metrics
from sct_rootlets.image import LabelImage
from tests.levels.bent_cord import rotation, turned
from tests.metrics.test_overlap import line

Bools = NDArray[np.bool_]

SPACINGS = [(1.0, 1.0, 1.0), (0.7, 0.7, 3.0), (0.5, 1.2, 0.8)]


def strands(seed: int, count: int = 9) -> Bools:
    """Return a mask (18, 22, 30) of thin and thicker oblique strands, as rootlets are."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((18, 22, 30), dtype=bool)
    for _ in range(count):
        start, step = rng.uniform(3, 15, 3) * [1, 1.2, 1.6], rng.normal(0, 1, 3)
        for t in np.linspace(0, 6, 25):
            at = np.rint(start + t * step / np.linalg.norm(step)).astype(int)
            wide = rng.integers(1, 3)
            mask[tuple(slice(max(k, 0), max(k, 0) + wide) for k in at)] = True
    return mask


def affine(spacing: tuple[float, float, float], turn: NDArray[Any] | None = None) -> NDArray[Any]:
    matrix = np.eye(4)
    matrix[:3, :3] = (np.eye(3) if turn is None else turn) @ np.diag(spacing)
    matrix[:3, 3] = (-31.3, 12.7, 104.1)
    return matrix


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_plate_that_was_shifted_is_as_far_as_it_was_shifted(
    spacing: tuple[float, float, float], axis: int
) -> None:
    """Across a plate of one voxel, all distances are the shift: here two voxels."""
    plate = np.zeros((12, 12, 12), dtype=bool)
    plate[tuple(slice(5, 6) if k == axis else slice(None) for k in range(3))] = True
    found = metrics.surface_distances(np.roll(plate, 2, axis), plate, affine(spacing))
    shift = 2 * spacing[axis]
    assert found.assd_mm == pytest.approx(shift)
    assert found.hausdorff_mm(95) == pytest.approx(shift)
    assert found.hausdorff_mm(100) == pytest.approx(shift)
    assert found.surface_dice(shift) == 1
    assert found.surface_dice(shift - 0.01) == 0
    assert found.surface_dice_voxels(2) == 1
    assert found.surface_dice_voxels(1) == 0


@pytest.mark.parametrize("spacing", SPACINGS)
def test_the_centre_moves_as_far_as_the_mask(spacing: tuple[float, float, float]) -> None:
    mask = strands(3)
    mask[:, :, -3:] = False
    turn = rotation(0, 25) @ rotation(1, 10)
    moved = np.roll(mask, 3, axis=2)
    assert metrics.centre_distance(moved, mask, affine(spacing, turn)) == pytest.approx(
        3 * spacing[2]
    )


def test_the_tolerance_in_voxels_counts_diagonal_neighbours() -> None:
    corner = np.zeros((3, 3, 12), dtype=int)
    corner[0, 0, 4] = 1
    found = metrics.surface_distances(corner, line(5), np.eye(4))
    assert found.surface_dice_voxels(1) == 1
    assert found.surface_dice(1.0) == 0
    assert found.surface_dice(1.733) == 1


def test_thin_structures_have_the_same_dice_at_a_voxel_with_and_without_surface() -> None:
    """All of a structure one voxel thick is surface."""
    a, b = line(1, 2, 3, 7), line(3, 4, 5, 9)
    found = metrics.surface_distances(a, b, np.eye(4))
    assert found.surface_dice_voxels(1) == metrics.dice_at_tolerance(a, b)


def test_the_inside_of_a_thick_mask_is_no_surface_and_the_edge_of_the_image_is() -> None:
    block = np.ones((5, 5, 5), dtype=bool)
    assert metrics.surface(block).sum() == 5**3 - 3**3


def test_empty_sides_have_documented_values() -> None:
    for a, b, surface_dice in ((line(), line(3), 0), (line(3), line(), 0), (line(), line(), None)):
        found = metrics.surface_distances(a, b, np.eye(4))
        assert np.isnan(found.assd_mm)
        assert np.isnan(found.hausdorff_mm(95))
        assert np.isnan(metrics.centre_distance(a, b, np.eye(4)))
        for value in (found.surface_dice(1.0), found.surface_dice_voxels(1)):
            assert np.isnan(value) if surface_dice is None else value == surface_dice


def test_rounding_of_a_stored_affine_does_not_decide() -> None:
    """0.7 mm as float32 is 0.69999999 or 0.70000005; a shift of one voxel is 0.7 mm."""
    stored = affine((0.7, 0.7, 0.7), rotation(1, 17)).astype(np.float32)
    for axis in range(3):
        plate = np.zeros((40, 40, 40), dtype=bool)
        plate[tuple(slice(30, 31) if k == axis else slice(None) for k in range(3))] = True
        found = metrics.surface_distances(np.roll(plate, 1, axis), plate, stored)
        assert found.surface_dice(0.7) == 1


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1000),
    angles=st.tuples(*[st.floats(-60, 60)] * 3),
    axes=st.permutations(range(3)),
    flips=st.tuples(*[st.booleans()] * 3),
)
def test_nothing_depends_on_how_the_grid_lies_or_is_stored(
    seed: int, angles: tuple[float, ...], axes: list[int], flips: tuple[bool, ...]
) -> None:
    a, b = strands(seed), strands(seed + 1)
    turn = rotation(0, angles[0]) @ rotation(1, angles[1]) @ rotation(2, angles[2])
    spacing = (0.7, 0.9, 2.0)
    straight = metrics.surface_distances(a, b, affine(spacing))
    twins = [_stored(mask, affine(spacing, turn), axes, flips) for mask in (a, b)]
    found = metrics.surface_distances(twins[0].data, twins[1].data, twins[0].grid.affine)
    assert found.assd_mm == pytest.approx(straight.assd_mm)
    assert found.hausdorff_mm(95) == pytest.approx(straight.hausdorff_mm(95))
    assert found.surface_dice(1.0) == pytest.approx(straight.surface_dice(1.0))
    assert found.surface_dice_voxels(1) == pytest.approx(straight.surface_dice_voxels(1))


def _stored(
    mask: Bools, matrix: NDArray[Any], axes: list[int], flips: tuple[bool, ...]
) -> LabelImage:
    from sct_rootlets.image import Grid

    image = LabelImage(mask.astype(np.int32), Grid(mask.shape, matrix))
    return turned(image, tuple(axes), flips)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_distances_agree_with_simpleitk(spacing: tuple[float, float, float], seed: int) -> None:
    """Maurer's exact distance maps of SimpleITK, read at the contours that it finds.

    It takes no voxel at the edge of an image for contour, unlike us: hence the margin.
    """
    sitk = pytest.importorskip("SimpleITK")
    a, b = (np.pad(strands(2 * seed + k), 1) for k in (0, 1))
    images = []
    for mask in (a, b):
        image = sitk.GetImageFromArray(mask.astype(np.uint8).T)  # SimpleITK counts z, y, x
        image.SetSpacing(spacing)
        images.append(image)
    contours = [sitk.LabelContour(image, fullyConnected=False) for image in images]
    maps = [
        sitk.Abs(sitk.SignedMaurerDistanceMap(c, squaredDistance=False, useImageSpacing=True))
        for c in contours
    ]
    edges = [sitk.GetArrayFromImage(contour) > 0 for contour in contours]
    to_b = sitk.GetArrayFromImage(maps[1])[edges[0]]
    to_a = sitk.GetArrayFromImage(maps[0])[edges[1]]
    found = metrics.surface_distances(a, b, affine(spacing, rotation(2, 30)))
    np.testing.assert_allclose(np.sort(found.predicted_mm), np.sort(to_b), atol=1e-5)
    np.testing.assert_allclose(np.sort(found.reference_mm), np.sort(to_a), atol=1e-5)
    both = np.concatenate([to_b, to_a])
    assert found.assd_mm == pytest.approx(both.mean(), abs=1e-5)
    percentiles = [float(np.percentile(side, 95)) for side in (to_b, to_a)]
    assert percentiles[0] != percentiles[1]
    assert found.hausdorff_mm(95) == pytest.approx(max(percentiles), abs=1e-5)
    near = float((both <= 1.0 + 1e-3).mean())
    assert found.surface_dice(1.0) == pytest.approx(near)
    hausdorff = sitk.HausdorffDistanceImageFilter()
    hausdorff.Execute(*contours)
    assert found.hausdorff_mm(100) == pytest.approx(hausdorff.GetHausdorffDistance(), abs=1e-5)
