from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from sct_rootlets.engines.network_grid.sweep import Region, best_axis, grid_origins, sweep
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


def swept(volume, axis=0, box=None, origins=None, network=network):
    """Return an iterator over the planes, of the whole volume unless told otherwise."""
    box = box or tuple(slice(0, n) for n in SHAPE)
    origins = origins or grid_origins(SHAPE, PATCH)
    return sweep(volume, origins, PATCH, network, classes=CLASSES, axis=axis, box=box)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_planes_are_those_of_the_whole_volume(volume, whole, axis):
    planes = list(swept(volume, axis))
    assert [plane.index for plane in planes] == list(range(SHAPE[axis]))
    scores = np.stack([plane.scores for plane in planes], axis=axis + 1)
    assert_nearly(scores, whole)


def test_a_box_gets_all_the_tiles_that_reach_it(volume, whole):
    needed = np.zeros(SHAPE, dtype=bool)
    needed[5:12, 20:30, 3:8] = True
    region = Region(needed, SHAPE)
    origins = grid_origins(SHAPE, PATCH, needed)
    assert len(origins) < len(grid_origins(SHAPE, PATCH))
    planes = list(swept(volume, 0, region.box, origins))
    assert [plane.index for plane in planes] == list(range(5, 12))
    scores = np.stack([plane.scores for plane in planes], axis=1)
    assert_nearly(scores, whole[:, 5:12, 20:30, 3:8])


def test_a_plane_leaves_before_the_next_row_of_tiles_is_predicted(volume):
    tiles = []

    def counted(tile):
        tiles.append(tile)
        return network(tile)

    assert next(swept(volume, network=counted)).index == 0
    origins = grid_origins(SHAPE, PATCH)
    first_row = [origin for origin in origins if origin[0] == 0]
    assert len(tiles) == len(first_row) < len(origins)


def test_where_no_tile_lies_nothing_is_covered(volume):
    planes = list(swept(volume, origins=[(20, 0, 0)]))
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


def test_scores_that_are_no_numbers_are_an_error(volume):
    planes = swept(volume, network=lambda tile: network(tile) * np.float32(np.nan))
    with pytest.raises(ModelError, match="not a number"):
        next(planes)
