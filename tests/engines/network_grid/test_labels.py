from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from sct_rootlets.engines.network_grid.labels import labels_from
from sct_rootlets.engines.network_grid.operators import axis_operators
from sct_rootlets.engines.network_grid.sweep import Plane, Region

SHAPE, CLASSES = (40, 33, 21), 4


@pytest.fixture(scope="module")
def scores():
    """Scores of all classes, smooth as a network's are."""
    noise = np.random.default_rng(5).normal(size=(CLASSES, *SHAPE))
    return ndimage.gaussian_filter(noise, (0, 1.5, 1.5, 1.5)).astype(np.float32)


def labelled(scores, target, order, apart, axis):
    planes = (
        Plane(index, plane, np.ones(plane.shape[1:], dtype=bool))
        for index, plane in enumerate(np.moveaxis(scores, axis + 1, 0))
    )
    operators = axis_operators(scores.shape[1:], target, order, apart)
    return labels_from(planes, operators, axis, Region(None, scores.shape[1:]))


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
def test_labels_are_those_of_scores_resampled_in_full(scores, axis, target, present, wanted):
    """Against nnU-Net's own resampling of every class, in double precision."""
    pytest.importorskip("nnunetv2")
    from nnunetv2.preprocessing.resampling.default_resampling import (
        determine_do_sep_z_and_axis,
        resample_data_or_seg_to_shape,
    )

    theirs = resample_data_or_seg_to_shape(
        scores.astype(float), target, present, wanted, False, 1, 0, None
    ).argmax(axis=0)
    _, apart = determine_do_sep_z_and_axis(None, present, wanted)
    ours = labelled(scores, target, 1, apart, axis)
    assert len(np.unique(theirs)) == CLASSES
    assert (ours == theirs).mean() > 0.9999


def test_outside_the_region_there_is_no_class(scores):
    mask = np.zeros(SHAPE, dtype=bool)
    mask[10:30, 10:30, 5:18] = True
    scores = scores.copy()
    scores[3] += 100  # class 3 everywhere
    box = Region(mask, SHAPE).box
    planes = (
        Plane(index, scores[:, index, box[1], box[2]], np.ones((20, 13), dtype=bool))
        for index in range(10, 30)
    )
    labels = labels_from(planes, axis_operators(SHAPE, SHAPE, 1, None), 0, Region(mask, SHAPE))
    np.testing.assert_array_equal(labels, 3 * mask)
