from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sct_rootlets.engines.network_grid.axes import AxisGrid, Reorientation, resample
from tests.engines.conftest import reoriented, spine
from tests.orientations import LETTERS, oblique_affine

_SPACING = st.floats(0.2, 5, allow_nan=False)


@pytest.mark.parametrize("orientation", LETTERS)
def test_every_orientation_is_brought_to_one_array_and_back(orientation):
    image, _ = spine(oblique_affine((1, 2, 3), (12, -8, 5), (3, 4, 5)), (12, 8, 6))
    reference = Reorientation.to("LPI", image.grid.affine, image.grid.shape)
    twin = reoriented(image, orientation)
    way = Reorientation.to("LPI", twin.grid.affine, twin.grid.shape)
    np.testing.assert_array_equal(way.apply(twin.data), reference.apply(image.data))
    np.testing.assert_allclose(way.affine, reference.affine, atol=1e-9)
    np.testing.assert_allclose(way.spacing_mm, reference.spacing_mm)
    np.testing.assert_array_equal(way.undo(way.apply(twin.data)), twin.data)


def test_sct_letters_name_where_an_axis_starts():
    way = Reorientation.to("LPI", np.diag([-2.0, 3.0, 4.0, 1.0]), (5, 6, 7))
    data = np.zeros((5, 6, 7))
    data[0, 0, 0] = 1
    # The first voxel lies most to the right; from L to R it comes last.
    assert way.apply(data)[4, 0, 0] == 1
    np.testing.assert_allclose(way.affine @ [4, 0, 0, 1], [0, 0, 0, 1])


@settings(max_examples=80, deadline=None)
@given(count=st.integers(2, 40), mm=_SPACING, to_mm=_SPACING, average=st.booleans())
def test_resampling_keeps_constants_and_lines_on_a_grid_centred_on_the_image(
    count, mm, to_mm, average
):
    source = AxisGrid(0.0, mm, count)
    target = AxisGrid.over(count, mm, to_mm)
    assert np.isclose(target.centres_mm.mean(), (count - 1) * mm / 2, atol=1e-6)
    assert abs(target.count * to_mm - count * mm) <= to_mm
    matrix = target.matrix_from(source, average=average)
    np.testing.assert_allclose(matrix @ np.ones(count), 1, atol=1e-5)
    line = matrix @ source.centres_mm.astype(np.float32)
    reach = max(mm, to_mm) / 2 + mm  # further in, the continued end does not count
    inner = (target.centres_mm > reach) & (target.centres_mm < source.centres_mm[-1] - reach)
    np.testing.assert_allclose(line[inner], target.centres_mm[inner], rtol=1e-3, atol=1e-3)


def test_equal_spacing_changes_nothing():
    data = np.random.default_rng(0).normal(size=(7, 8, 9)).astype(np.float32)
    grids = [AxisGrid(0.0, 1.0, n) for n in data.shape]
    for average in (True, False):
        matrices = tuple(grid.matrix_from(grid, average=average) for grid in grids)
        np.testing.assert_array_equal(resample(data, matrices), data)


def test_downsampling_averages_so_that_stripes_do_not_alias():
    stripes = np.zeros((4, 4, 40), dtype=np.float32)
    stripes[..., ::2] = 1
    grids = [AxisGrid(0.0, 1.0, n) for n in stripes.shape]
    coarse = [*grids[:2], AxisGrid.over(40, 1.0, 4.0)]
    pairs = list(zip(coarse, grids, strict=True))
    averaged = resample(stripes, tuple(c.matrix_from(g, average=True) for c, g in pairs))
    np.testing.assert_allclose(averaged, 0.5, atol=0.05)


def test_each_axis_is_resampled_by_its_own_matrix():
    shape = (6, 10, 14)
    world = np.moveaxis(np.indices(shape), 0, -1) * [1.0, 2.0, 0.5]
    data = (world @ [1.0, 10.0, 100.0]).astype(np.float32)
    grids = [AxisGrid(0.0, mm, n) for mm, n in zip((1.0, 2.0, 0.5), shape, strict=True)]
    target = [AxisGrid(1.0, 0.7, 4), AxisGrid(3.0, 1.1, 5), AxisGrid(1.2, 0.9, 3)]
    matrices = tuple(t.matrix_from(g, average=False) for t, g in zip(target, grids, strict=True))
    expected = (
        target[0].centres_mm[:, None, None]
        + 10 * target[1].centres_mm[:, None]
        + 100 * target[2].centres_mm
    )
    np.testing.assert_allclose(resample(data, matrices), expected, rtol=1e-5)


def test_a_part_and_a_span_speak_of_the_same_voxels():
    grid = AxisGrid(0.5, 2.0, 10)
    start, stop = grid.span(3.0, 9.0)
    assert (start, stop) == (2, 5)
    np.testing.assert_allclose(grid.part(start, stop).centres_mm, [4.5, 6.5, 8.5])
    assert grid.span(-100, 100) == (0, 10)
