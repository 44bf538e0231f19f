"""The contract every engine keeps: an image in, labels on its grid out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.errors import InputError
from sct_rootlets.image import MOST_VOXELS, Image, LabelImage
from sct_rootlets.model_folder import LabelMeanings

__all__ = ["Engine", "Progress", "Segmentation", "require_affordable", "segmentation_from"]

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


def require_affordable(image: Image, size_mm: Iterable[float], spacing_mm: Iterable[float]) -> None:
    """Raise if resampling would make more voxels than any neck needs, before any is made.

    Parameters
    ----------
    image : Image
        For the message.
    size_mm : (3,) iterable of float
        Of what is resampled, mm.
    spacing_mm : iterable of float
        Of the network; a missing axis keeps that of the image.

    Raises
    ------
    InputError
    """
    size, wanted = list(size_mm), list(spacing_mm)
    if len(wanted) == 2:  # the network sees slices, whose distance stays
        wanted.append(float(image.grid.spacing_mm.max()))
    count = math.prod(mm / step for mm, step in zip(size, wanted, strict=True))
    if count > MOST_VOXELS:
        sides = "x".join(f"{mm:.3g}" for mm in size)
        steps = "x".join(f"{mm:.3g}" for mm in wanted)
        raise InputError(
            f"is too large for this model: {sides} mm at its {steps} mm are {count:.2g} voxels, "
            f"and {MOST_VOXELS:.0g} are the most that are made",
            path=image.path,
            remedy="Crop it to the neck, for example with sct_crop_image; if it is no larger than "
            "a neck, its header gives the voxels a wrong size",
        )


def segmentation_from(
    values: NDArray[Any], image: Image, meanings: LabelMeanings, notes: Sequence[str]
) -> Segmentation:
    """Return the segmentation that network values (I, J, K) on the grid of `image` mean."""
    look_up = np.zeros(max(256, int(values.max(initial=0)) + 1), dtype=np.uint8)
    for network_value, value in meanings.rootlet_value_of.items():
        look_up[network_value] = value

    def labelled(data: NDArray[Any]) -> LabelImage:
        return LabelImage(data, image.grid, image.header, image.path, itk_grid=image.itk_grid)

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
