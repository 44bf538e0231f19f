"""From an image to what the network sees, exactly as nnU-Net's DefaultPreprocessor does.

Transposition, crop to the nonzero box, normalisation, resampling, in this order (Isensee et
al., Nature Methods 2021, 10.1038/s41592-020-01008-z; nnU-Net 2.8.1). Written out here
because nnU-Net's own imports take longer than the work, and fills holes of a mask that
mostly nobody asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sct_rootlets.engines.network_grid.operators import (
    Operators,
    axis_operators,
    new_shape,
    resample_image,
    separate_axis,
)
from sct_rootlets.model_folder import Normalisation, Plan

__all__ = ["Prepared", "prepare"]

_Array = NDArray[np.float32]

#: nnU-Net's lower bound of a standard deviation.
_EPSILON = 1e-8


@dataclass(frozen=True, eq=False)
class Prepared:
    """An image as the network sees it, and the way back.

    Attributes
    ----------
    volume : (Z, Y, X) float array
        In the network's axes and spacing.
    spacing_mm : (3,) tuple of float
        Of `volume`.
    box : three slices
        What was cropped, in the transposed image.
    whole : (3,) tuple of int
        Shape of the transposed image.
    plan : Plan
    source_mm : (3,) tuple of float
        Spacing of the transposed image.
    """

    volume: _Array
    spacing_mm: tuple[float, ...]
    box: tuple[slice, slice, slice]
    whole: tuple[int, ...]
    plan: Plan
    source_mm: tuple[float, ...]

    @property
    def cropped(self) -> tuple[int, ...]:
        """Shape of the box."""
        return tuple(part.stop - part.start for part in self.box)

    def way_back(self) -> Operators:
        """Return the matrices, one an axis, from scores at `spacing_mm` to the box."""
        resampling = self.plan.score_resampling
        apart = separate_axis(resampling, self.spacing_mm, self.source_mm)
        return axis_operators(self.volume.shape, self.cropped, resampling.order, apart)

    def mask(self, mask: NDArray[Any]) -> NDArray[np.bool_]:
        """Bring a mask on the image's array (z, y, x) to the grid of `volume`.

        A voxel is in it where any voxel of the mask contributes to it linearly.
        """
        there = np.ascontiguousarray(mask.transpose(self.plan.transpose)[self.box] != 0)
        soft = resample_image(there.astype(np.float32), self.volume.shape, 1, None)
        return soft > 0

    def labels_back(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return labels of the box as an array (z, y, x) of the whole image."""
        result = np.zeros(self.whole, dtype=labels.dtype)
        result[self.box] = labels
        return result.transpose(self.plan.transpose_back)


def prepare(array: NDArray[Any], spacing_mm: Sequence[float], plan: Plan) -> Prepared:
    """Bring an image to the network.

    Parameters
    ----------
    array : (z, y, x) array
        In the model's orientation. It is not changed.
    spacing_mm : (3,) sequence of float
        Along z, y, x.
    plan : Plan
    """
    turned = array.transpose(plan.transpose)
    present = tuple(float(spacing_mm[axis]) for axis in plan.transpose)
    wanted = (present[0], *plan.spacing_mm) if plan.is_2d else plan.spacing_mm
    nonzero = turned != 0
    box = _bounding_box(nonzero)
    volume = np.array(turned[box], dtype=np.float32, order="C")
    within = None
    if plan.normalisation.use_mask:
        within = ndimage.binary_fill_holes(nonzero)[box]
    _normalise(volume, plan.normalisation, within)
    shape = new_shape(volume.shape, present, wanted)
    apart = separate_axis(plan.image_resampling, present, wanted)
    volume = resample_image(volume, shape, plan.image_resampling.order, apart)
    return Prepared(volume, wanted, box, turned.shape, plan, present)


def _bounding_box(mask: NDArray[np.bool_]) -> tuple[slice, slice, slice]:
    spans = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        filled = np.flatnonzero(mask.any(axis=others))
        low, high = (int(filled[0]), int(filled[-1]) + 1) if filled.size else (0, mask.shape[axis])
        spans.append(slice(low, high))
    return spans[0], spans[1], spans[2]


def _normalise(volume: _Array, how: Normalisation, within: NDArray[np.bool_] | None) -> None:
    """Normalise `volume` in place."""
    if how.scheme == "ZScoreNormalization":
        counted = volume if within is None else volume[within]
        mean, spread = counted.mean(), max(counted.std(), np.float32(_EPSILON))
        if within is None:
            volume -= mean
            volume /= spread
        else:
            volume[within] = (counted - mean) / spread
    elif how.scheme == "CTNormalization":
        stated = how.properties
        np.clip(volume, stated["percentile_00_5"], stated["percentile_99_5"], out=volume)
        volume -= stated["mean"]
        volume /= max(stated["std"], _EPSILON)
    elif how.scheme == "RescaleTo01Normalization":
        volume -= volume.min()
        volume /= max(float(volume.max()), _EPSILON)
