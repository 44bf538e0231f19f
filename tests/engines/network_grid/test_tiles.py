from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sct_rootlets.engines.network_grid.tiles import (
    accumulate,
    gaussian_weights,
    pad_to_patch,
    tile_origins,
    tile_steps,
)


@pytest.mark.parametrize("shape", [(32, 32, 32), (70, 33, 41), (110, 64, 200)])
@pytest.mark.parametrize("patch", [(32, 32, 32), (64, 16, 24)])
def test_tile_steps_are_those_of_nnunet(shape, patch):
    inference = pytest.importorskip("nnunetv2.inference.sliding_window_prediction")
    shape = tuple(max(n, p) for n, p in zip(shape, patch, strict=True))
    expected = inference.compute_steps_for_sliding_window(shape, patch, 0.5)
    assert [tile_steps(n, p) for n, p in zip(shape, patch, strict=True)] == expected


def test_gaussian_weights_are_those_of_nnunet():
    pytest.importorskip("nnunetv2")
    import torch
    from nnunetv2.inference.sliding_window_prediction import compute_gaussian

    patch = (32, 24, 16)
    theirs = compute_gaussian(patch, value_scaling_factor=10, device=torch.device("cpu"))
    np.testing.assert_allclose(gaussian_weights(patch), theirs.float().numpy(), rtol=1e-3)
    assert gaussian_weights(patch).min() > 0


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_tiles_cover_the_mask_and_stay_inside(data):
    patch = data.draw(st.tuples(*[st.integers(2, 9)] * 3))
    shape = tuple(data.draw(st.integers(p, 30)) for p in patch)
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    mask = rng.random(shape) < data.draw(st.sampled_from([0.001, 0.02, 0.5]))
    covered = np.zeros(shape, dtype=bool)
    for origin in tile_origins(shape, patch, mask):
        assert all(o >= 0 and o + p <= n for o, p, n in zip(origin, patch, shape, strict=True))
        covered[tuple(slice(o, o + p) for o, p in zip(origin, patch, strict=True))] = True
    assert covered[mask].all()


def test_tiles_follow_a_structure_along_the_first_axis():
    mask = np.zeros((128, 96, 96), dtype=bool)
    for z in range(128):
        mask[z, 10 + z // 2 : 20 + z // 2, 40:50] = True
    followed = tile_origins(mask.shape, (32, 32, 32), mask)
    assert len(followed) == 7  # one tile a step along the cord
    assert len(tile_origins(mask.shape, (32, 32, 32))) == 7 * 5 * 5


def test_accumulated_scores_of_a_pointwise_function_are_exact():
    rng = np.random.default_rng(0)
    volume = rng.normal(size=(40, 21, 33)).astype(np.float32)
    patch = (16, 12, 20)
    steps = []
    scores, covered = accumulate(
        volume,
        tile_origins(volume.shape, patch),
        patch,
        lambda tiles: np.stack([tiles, 2 * tiles + 1], axis=1),
        classes=2,
        batch=3,
        progress=lambda done, total: steps.append((done, total)),
    )
    assert covered.all()
    np.testing.assert_allclose(scores[0], volume, atol=1e-5)
    np.testing.assert_allclose(scores[1], 2 * volume + 1, atol=1e-5)
    assert steps[-1][0] == steps[-1][1] == len(tile_origins(volume.shape, patch))


def test_centre_of_a_tile_outweighs_the_border_of_its_neighbour():
    volume = np.zeros((24, 8, 8), dtype=np.float32)
    calls = iter(range(10))
    scores, _ = accumulate(
        volume,
        [(0, 0, 0), (8, 0, 0)],
        (16, 8, 8),
        lambda tiles: np.full((1, 1, 16, 8, 8), next(calls), dtype=np.float32),
        classes=1,
    )
    line = scores[0, :, 4, 4]
    assert line[8] < 0.05
    assert line[15] > 0.95
    assert (np.diff(line[8:16]) > 0).all()


def test_where_no_tile_lies_the_scores_are_zero():
    volume = np.ones((40, 40, 40), dtype=np.float32)
    scores, covered = accumulate(volume, [(0, 0, 0)], (8, 8, 8), lambda t: t[:, None], classes=1)
    assert covered.sum() == 8**3
    assert scores[0][~covered].max() == 0
    assert np.isfinite(scores).all()


def test_padding_is_undone_by_its_slices():
    volume = np.arange(5 * 40 * 7, dtype=np.float32).reshape(5, 40, 7) + 1
    padded, inside = pad_to_patch(volume, (16, 16, 16))
    assert padded.shape == (16, 40, 16)
    np.testing.assert_array_equal(padded[inside], volume)
    assert (padded != 0).sum() == volume.size
