"""From the values that a network gave to the segmentation that an engine returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.engines.engine import Segmentation
from sct_rootlets.image import Image, LabelImage
from sct_rootlets.manifest import LabelMeanings

__all__ = ["segmentation_from"]


def segmentation_from(
    values: NDArray[Any], image: Image, meanings: LabelMeanings, notes: Sequence[str]
) -> Segmentation:
    """Return the segmentation that network values (I, J, K) on the grid of `image` mean."""
    look_up = np.zeros(max(256, int(values.max(initial=0)) + 1), dtype=np.uint8)
    for network_value, value in meanings.rootlet_value_of.items():
        look_up[network_value] = value

    def labelled(data: NDArray[Any]) -> LabelImage:
        return LabelImage(data, image.grid, image.header, image.path)

    def mask(network_value: int | None) -> LabelImage | None:
        if network_value is None:
            return None
        return labelled((values == network_value).astype(np.uint8))

    return Segmentation(
        rootlets=labelled(look_up[values]),
        cord=mask(meanings.cord),
        csf=mask(meanings.csf),
        has_level_identity=meanings.has_level_identity,
        meanings=meanings.names,
        notes=list(notes),
    )
