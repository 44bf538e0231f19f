"""The contract every engine keeps: an image in, labels on its grid out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.image import Image, LabelImage
from sct_rootlets.manifest import LabelMeanings

__all__ = ["Engine", "Progress", "Segmentation", "segmentation_from"]

#: Called as ``progress(stage, done, total)`` while an engine works.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What an engine predicted, on the grid of the image it was given.

    Attributes
    ----------
    rootlets : LabelImage
        Spinal level of each rootlet voxel, or 1 everywhere where the model does not
        tell levels apart.
    cord, csf : LabelImage or None
        Masks of the spinal cord and the cerebrospinal fluid, where the model predicts
        them. They are the engine's own even if a cord mask was given to it.
    has_level_identity : bool
        Whether the values of `rootlets` are spinal levels.
    meanings : dict of int to str
        What each value of `rootlets` means.
    notes : list of str
        What a user should know about how this came to be, for the sidecar.
    """

    rootlets: LabelImage
    cord: LabelImage | None
    csf: LabelImage | None
    has_level_identity: bool
    meanings: dict[int, str]
    notes: list[str] = field(default_factory=list)


class Engine(Protocol):
    """A loaded model: predicts as many images as one likes."""

    def predict(
        self,
        image: Image,
        *,
        cord: LabelImage | None = None,
        progress: Progress | None = None,
    ) -> Segmentation:
        """Predict the rootlets of `image`.

        Parameters
        ----------
        image : Image
            Any orientation, oblique or not, any spacing.
        cord : LabelImage, optional
            Cord mask on the grid of `image`, which spares an engine the search for it.
        progress : callable, optional
            Called as ``progress(stage, done, total)``.
        """
        ...


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
