"""How alike two segmentations are: over the whole image, at the cord, and class by class."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sct_rootlets.metrics import dice

__all__ = ["NEAR_MM", "Agreement", "compare", "near"]

#: Distance to the cord within which voxels are compared.
NEAR_MM = 10.0


@dataclass(frozen=True)
class Agreement:
    """A segmentation against that of the reference engine.

    Attributes
    ----------
    near, whole : float or None
        Share of the voxels of equal class within 10 mm of the cord (None without a cord
        mask), and in the whole image.
    dice : dict of int to float
        Of every class besides 0 that one of the two has, within 10 mm of the cord where
        there is a cord mask: an engine confined to the cord predicts nothing elsewhere.
    voxels : dict of int to int
        Voxels of that class in the reference, in the same region.
    """

    near: float | None
    whole: float
    dice: dict[int, float]
    voxels: dict[int, int]

    @property
    def lowest(self) -> tuple[float, int] | None:
        """Lowest Dice and its class."""
        return min(((d, value) for value, d in self.dice.items()), default=None)

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def near(cord: NDArray[Any], spacing_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the voxels within 10 mm of a cord mask (I, J, K), the cord included.

    Raises
    ------
    ValueError
        If the mask is empty.
    """
    inside = np.asarray(cord) > 0
    if not inside.any():
        raise ValueError("the cord mask is empty")
    # Only a box around the cord is searched: the distance over a large image takes gigabytes.
    margin = np.ceil(NEAR_MM / np.asarray(spacing_mm)).astype(int) + 1
    box = tuple(
        slice(max(0, found.start - more), found.stop + more)
        for found, more in zip(
            ndimage.find_objects(inside.astype(np.uint8))[0], margin, strict=True
        )
    )
    result = np.zeros(inside.shape, dtype=bool)
    away = ndimage.distance_transform_edt(~inside[box], sampling=spacing_mm)
    result[box] = away <= NEAR_MM
    return result


def compare(
    found: NDArray[Any], reference: NDArray[Any], region: NDArray[np.bool_] | None
) -> Agreement:
    """Compare two class volumes (I, J, K); `region` is that of :func:`near`, or None."""
    if found.shape != reference.shape:
        raise ValueError(f"volumes of {found.shape} and {reference.shape} voxels")
    same = found == reference
    inside = np.ones(found.shape, dtype=bool) if region is None else region
    first, second = found[inside], reference[inside]
    classes = sorted({int(v) for v in (*np.unique(first), *np.unique(second))} - {0})
    return Agreement(
        near=None if region is None else float(same[region].mean()),
        whole=float(same.mean()),
        dice={value: float(dice(first == value, second == value)) for value in classes},
        voxels={value: int((second == value).sum()) for value in classes},
    )
