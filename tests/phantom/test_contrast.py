"""The contrast of an image."""

from __future__ import annotations

from sct_rootlets.phantom import Phantom


def test_t2_like_contrast(phantom_small: Phantom) -> None:
    image = phantom_small.image.data
    csf, cord = image[phantom_small.csf.data > 0].mean(), image[phantom_small.cord.data > 0].mean()
    rootlets = image[phantom_small.rootlets.data > 0].mean()
    assert csf > 1.5 * cord
    assert cord < rootlets < csf, "rootlets are thin: they share their voxels with CSF"
