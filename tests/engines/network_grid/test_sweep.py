from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from sct_rootlets.engines.network_grid.labels import labels_from
from sct_rootlets.engines.network_grid.operators import axis_operators
from sct_rootlets.engines.network_grid.sweep import Plane, Region, best_axis, grid_origins, sweep
from sct_rootlets.engines.network_grid.tiles import accumulate
from sct_rootlets.errors import ModelError

SHAPE, PATCH, CLASSES = (40, 33, 21), (16, 12, 10), 4


def network(tile):
    """Give scores that depend on where in its tile a voxel lies, as a real network's do."""
    ramp = np.linspace(-1, 1, tile.shape[0])[:, None, None]
    smooth = ndimage.gaussian_filter(tile, 1.5)
    return np.stack([smooth * k + ramp * (k % 2) for k in range(CLASSES)]).astype(np.float32)


@pytest.fixture(scope="module")
def volume():
    return np.random.default_rng(5).normal(size=SHAPE).astype(np.float32)


@pytest.fixture(scope="module")
def whole(volume):
    """The scores of the whole volume, held all at once."""
    scores, covered = accumulate(
        volume,
        grid_origins(SHAPE, PATCH),
        PATCH,
        lambda tiles: np.stack([network(tile) for tile in tiles]),
        classes=CLASSES,
    )
    assert covered.all()
    return scores


def assert_nearly(scores, expected):
    """Compare sums in half precision, which are coarse where only the corner of a tile lies."""
    off = np.abs(scores - expected)
    assert np.quantile(off, 0.98) < 4e-3
    assert np.quantile(off, 0.999) < 0.1


def swept(volume, axis, box=None, origins=None):
    box = box or tuple(slice(0, n) for n in SHAPE)
    origins = grid_origins(SHAPE, PATCH) if origins is None else origins
    return list(sweep(volume, origins, PATCH, network, classes=CLASSES, axis=axis, box=box))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_planes_are_those_of_the_whole_volume(volume, whole, axis):
    planes = swept(volume, axis)
    assert [plane.index for plane in planes] == list(range(SHAPE[axis]))
    scores = np.stack([plane.scores for plane in planes], axis=axis + 1)
    assert_nearly(scores, whole)


def test_a_box_gets_all_the_tiles_that_reach_it(volume, whole):
    needed = np.zeros(SHAPE, dtype=bool)
    needed[5:12, 20:30, 3:8] = True
    region = Region(needed, SHAPE)
    origins = grid_origins(SHAPE, PATCH, needed)
    assert len(origins) < len(grid_origins(SHAPE, PATCH))
    planes = swept(volume, 0, region.box, origins)
    assert [plane.index for plane in planes] == list(range(5, 12))
    scores = np.stack([plane.scores for plane in planes], axis=1)
    assert_nearly(scores, whole[:, 5:12, 20:30, 3:8])


def test_a_plane_leaves_before_the_next_row_of_tiles_is_predicted(volume):
    tiles = []

    def counted(tile):
        tiles.append(tile)
        return network(tile)

    box = tuple(slice(0, n) for n in SHAPE)
    origins = grid_origins(SHAPE, PATCH)
    planes = sweep(volume, origins, PATCH, counted, classes=CLASSES, axis=0, box=box)
    assert next(planes).index == 0
    first_row = [origin for origin in origins if origin[0] == 0]
    assert len(tiles) == len(first_row) < len(origins)


def test_where_no_tile_lies_nothing_is_covered(volume):
    planes = swept(volume, 0, origins=[(20, 0, 0)])
    assert not planes[0].covered.any()
    assert planes[20].covered[:12, :10].all()
    assert not planes[20].covered[12:].any()


def test_a_network_of_slices_sees_each_slice_once():
    origins = grid_origins((5, 30, 30), (1, 20, 20))
    assert len(origins) == 5 * 4
    assert len(set(origins)) == len(origins)


def test_the_axis_that_needs_the_shortest_window_is_swept():
    assert best_axis((320, 320, 64), (224, 160, 48)) == 1
    assert best_axis((100, 20, 20), (50, 32, 32)) == 0


def exported(scores, target, order, apart, axis, mask=None):
    planes = (
        Plane(index, plane, np.ones(plane.shape[1:], dtype=bool))
        for index, plane in enumerate(np.moveaxis(scores, axis + 1, 0))
    )
    operators = axis_operators(scores.shape[1:], target, order, apart)
    return labels_from(planes, operators, axis, Region(mask, scores.shape[1:]))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(
    ("target", "present", "wanted"),
    [
        ((40, 33, 21), (1, 1, 1), (1, 1, 1)),
        ((57, 29, 40), (1, 1, 1), (0.7, 1.14, 0.53)),
        ((13, 50, 33), (1, 1, 1), (3.2, 0.66, 0.64)),
        ((160, 33, 21), (4, 1, 1), (1, 1, 1)),
    ],
)
def test_labels_are_those_of_scores_resampled_in_full(whole, axis, target, present, wanted):
    """Against nnU-Net's own resampling of every class, in double precision."""
    pytest.importorskip("nnunetv2")
    from nnunetv2.preprocessing.resampling.default_resampling import (
        determine_do_sep_z_and_axis,
        resample_data_or_seg_to_shape,
    )

    theirs = resample_data_or_seg_to_shape(
        whole.astype(float), target, present, wanted, False, 1, 0, None
    ).argmax(axis=0)
    _, apart = determine_do_sep_z_and_axis(None, present, wanted)
    ours = exported(whole, target, 1, apart, axis)
    assert len(np.unique(theirs)) == CLASSES
    assert (ours == theirs).mean() > 0.9999


def test_outside_the_zone_there_is_no_class(whole):
    mask = np.zeros(SHAPE, dtype=bool)
    mask[10:30, 10:30, 5:18] = True
    scores = whole.copy()
    scores[3] += 100  # class 3 everywhere
    box = Region(mask, SHAPE).box
    planes = (
        Plane(index, scores[:, index, box[1], box[2]], np.ones((20, 13), dtype=bool))
        for index in range(10, 30)
    )
    labels = labels_from(planes, axis_operators(SHAPE, SHAPE, 1, None), 0, Region(mask, SHAPE))
    np.testing.assert_array_equal(labels, 3 * mask)


def test_scores_that_are_no_numbers_are_an_error(volume):
    box = tuple(slice(0, n) for n in SHAPE)
    origins = grid_origins(SHAPE, PATCH)
    planes = sweep(
        volume,
        origins,
        PATCH,
        lambda tile: network(tile) * np.float32(np.nan),
        classes=CLASSES,
        axis=0,
        box=box,
    )
    with pytest.raises(ModelError, match="not a number"):
        next(planes)
