from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sct_rootlets.engines.network_grid.operators import (
    axis_operators,
    new_shape,
    resample_image,
    separate_axis,
)
from sct_rootlets.model_folder import Resampling

nnunet = pytest.importorskip("nnunetv2.preprocessing.resampling.default_resampling")

CASES = {
    "finer": ((30, 35, 25), (1, 1, 1), (0.8, 0.8, 0.8)),
    "coarser": ((30, 35, 25), (0.5, 0.6, 0.7), (1, 1, 1)),
    "thick slices": ((20, 30, 9), (0.5, 0.5, 3), (0.8, 0.8, 0.8)),
    "thick slices wanted": ((20, 24, 26), (1, 1, 1), (4, 1, 1.1)),
    "two thick axes": ((12, 13, 40), (3, 3, 0.5), (1, 1, 1)),
    "tiny": ((3, 4, 5), (1, 1, 1), (0.3, 0.3, 0.3)),
}


@pytest.mark.parametrize("order", [0, 1, 2, 3])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("force", [None, False, True])
def test_an_image_is_resampled_as_by_nnunet(case, order, force):
    shape, present, wanted = CASES[case]
    volume = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    target = new_shape(shape, present, wanted)
    assert target == tuple(nnunet.compute_new_shape(shape, present, wanted))
    theirs = nnunet.resample_data_or_seg_to_shape(
        volume[None], target, present, wanted, False, order, 0, force
    )[0]
    apart = separate_axis(Resampling(order, force), present, wanted)
    np.testing.assert_allclose(resample_image(volume, target, order, apart), theirs, atol=1e-5)


@settings(max_examples=50, deadline=None)
@given(
    st.tuples(*[st.integers(2, 12)] * 3),
    st.tuples(*[st.floats(0.3, 4.0)] * 3),
    st.tuples(*[st.floats(0.3, 4.0)] * 3),
)
def test_the_axis_resampled_apart_is_nnunets(shape, present, wanted):
    _, axis = nnunet.determine_do_sep_z_and_axis(None, present, wanted)
    assert separate_axis(Resampling(3, None), present, wanted) == axis


@settings(max_examples=50, deadline=None)
@given(
    st.tuples(*[st.integers(2, 20)] * 3),
    st.tuples(*[st.integers(1, 30)] * 3),
    st.sampled_from([None, 0, 1, 2]),
)
def test_linear_operators_are_means_of_two_neighbours(shape, wanted, apart):
    for operator in axis_operators(shape, wanted, 1, apart):
        assert np.diff(operator.indptr).max() <= 2
        assert operator.min() >= 0
        np.testing.assert_allclose(operator.sum(axis=1), 1, atol=1e-6)


def test_an_image_of_the_wanted_shape_is_handed_back():
    volume = np.zeros((4, 5, 6), dtype=np.float32)
    assert resample_image(volume, (4, 5, 6), 3, None) is volume
