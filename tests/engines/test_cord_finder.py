"""The coarse network of the compact model: where it finds a cord, and where none."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.errors import InputError
from sct_rootlets.image import Image
from tests.engines.conftest import CORD, ROOTLET, reoriented, spine
from tests.engines.test_compact import SHAPE, combined, dice, straight
from tests.orientations import oblique_affine


def test_the_coarse_network_finds_the_cord_among_distractors(compact):
    image, truth = straight((90, 96, 70), (-30.0, -24.0, -35.0))
    data = image.data.copy()
    data[70:86, 70:86, 20:36] = 150  # a block, larger than a piece of cord
    data[60:88, 90:, :] = 150  # a plate along the border
    distracted = image.with_data(data)
    # What is far from the cord is neither in the box nor in the answer.
    engine = compact(image.data[:60, :55], coarse_threshold=0.6)
    result = engine.predict(distracted)
    outside = np.ones(truth.grid.shape, dtype=bool)
    outside[:58, :52] = False
    assert combined(result)[outside].max() == 0
    assert dice(combined(result) == CORD, truth.data == CORD) > 0.97
    assert dice(combined(result) == ROOTLET, truth.data == ROOTLET) > 0.95


def test_a_cord_of_50_mm_in_a_small_crop_is_found(compact):
    image, truth = spine(oblique_affine((1, 1, 1), (0, 0, 0), (-13, -14, -25)), (30, 30, 50))
    result = compact(image.data, coarse_threshold=0.0).predict(image)
    assert dice(combined(result) == CORD, truth.data == CORD) > 0.95


def test_nothing_like_a_cord_is_an_error_that_names_the_remedy(compact):
    image, _ = straight()
    engine = compact(image.data)
    data = np.zeros(SHAPE, dtype=np.float32)
    data[2:34, 2:34, 20:25] = 100  # a plate
    with pytest.raises(InputError, match=r"no spinal cord was found.* -s "):
        engine.predict(Image(data, image.grid, None, "plate.nii.gz"))


@pytest.mark.parametrize("orientation", ["RAS", "PIL", "SLA"])
def test_the_finders_mask_is_on_the_grid_of_the_image(compact, orientation):
    affine = oblique_affine((0.9, 1.1, 1.3), (6, -9, 4), (-30, -32, -45))
    plain, truth = spine(affine, (66, 60, 70))
    image, expected = reoriented(plain, orientation), reoriented(truth, orientation)
    finder = compact(plain.data, coarse_threshold=0.6)._finder
    found = finder.mask(image)
    assert found.grid is image.grid
    # This network takes CSF and rootlets for cord as well.
    assert dice(found.data > 0, expected.data > 0) > 0.85
    blank = image.with_data(np.zeros_like(image.data))
    assert finder.mask(blank) is None
