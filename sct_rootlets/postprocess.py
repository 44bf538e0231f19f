"""What ``sct_deepseg`` does to a segmentation after the network: threshold, objects, holes.

Each step is that of SCT 7.4 (``deepseg.inference.segment_non_ivadomed``, in its order), voxel
by voxel where SCT gives an answer; what it does otherwise is said at each function. All of
them take a label image and return another one on the same grid.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sct_rootlets.errors import UsageError
from sct_rootlets.image import LabelImage

__all__ = [
    "Sizes",
    "Steps",
    "binarized",
    "fill_holes",
    "keep_largest",
    "postprocess",
    "read_sizes",
    "remove_small",
]

_WHOLE = re.compile(r"\d+")
_DECIMAL = re.compile(r"\d+(\.\d+)?")
#: Neighbours that share a face or an edge, as SCT has it where small objects are removed.
_FACES_AND_EDGES = ndimage.generate_binary_structure(3, 2)
#: Neighbours that share a corner as well, through which SCT lets the outside into a hole.
_ALL = np.ones((3, 3, 3), dtype=bool)
#: Digits to which a size in voxels is cut before it is rounded, for the noise of an affine.
_DIGITS = 6


@dataclass(frozen=True)
class Sizes:
    """The least size of an object that is kept.

    Attributes
    ----------
    values : tuple of float
        One for all objects, or one for each class of the model, in the order of the classes.
    unit : str
        ``"vox"`` or ``"mm3"``.
    """

    values: tuple[float, ...]
    unit: str

    def in_voxels(self, voxel_volume_mm3: float) -> list[float]:
        """Return the values in voxels; from mm^3 rounded, halves to the even number."""
        if self.unit == "vox":
            return list(self.values)
        voxels = np.asarray(self.values) / voxel_volume_mm3
        return [float(size) for size in np.round(np.round(voxels, _DIGITS))]

    def __str__(self) -> str:
        return f"{' '.join(f'{value:g}' for value in self.values)}{self.unit}"


@dataclass(frozen=True)
class Steps:
    """Which steps are asked for; none by default.

    Attributes
    ----------
    threshold : float or None
        Labels above it become 1, the others 0. None and 0 leave them.
    largest, fill_holes : bool
    remove_small : Sizes or None
    """

    threshold: float | None = None
    largest: bool = False
    fill_holes: bool = False
    remove_small: Sizes | None = None

    @property
    def any(self) -> bool:
        """Whether there is anything to do."""
        return self != Steps()

    @property
    def keeps_levels(self) -> bool:
        """Whether values keep their meaning."""
        return not self.threshold

    @property
    def parameters(self) -> dict[str, Any]:
        """Everything, as plain values for a JSON file."""
        return {
            "threshold": self.threshold,
            "largest": self.largest,
            "fill_holes": self.fill_holes,
            "remove_small": None if self.remove_small is None else str(self.remove_small),
        }

    def require_classes(self, n_classes: int) -> None:
        """Raise a `UsageError` unless there is one least size, or one a class."""
        given = 0 if self.remove_small is None else len(self.remove_small.values)
        n_classes = n_classes if self.keeps_levels else 1
        if given > 1 and given != n_classes:
            raise UsageError(
                f"-remove-small has {given} values, and the number of classes is {n_classes}",
                remedy=f"Give one value for all, or {n_classes}: one for each class",
            )


def read_sizes(words: Sequence[str]) -> Sizes:
    """Read what follows ``-remove-small``, as SCT does: the last word says the unit of all.

    Parameters
    ----------
    words : sequence of str
        Whole numbers, each with or without ``vox`` or ``mm3``. SCT fails at decimals; here
        they serve for mm3.

    Raises
    ------
    UsageError
        If one is no such number, or they are of two units.

    Examples
    --------
    >>> read_sizes(["10", "20", "10vox"])
    Sizes(values=(10.0, 20.0, 10.0), unit='vox')
    >>> read_sizes(["1mm3"]), read_sizes(["5"])
    (Sizes(values=(1.0,), unit='mm3'), Sizes(values=(5.0,), unit='vox'))
    """
    unit = "mm3" if "mm3" in words[-1] else "vox"
    pattern = _DECIMAL if unit == "mm3" else _WHOLE
    numbers = [word.replace(unit, "").strip() for word in words]
    for word, number in zip(words, numbers, strict=True):
        if not pattern.fullmatch(number):
            raise UsageError(
                f"-remove-small: {word!r} is not a size in {unit}",
                remedy="Give a number with its unit, such as 5vox or 1mm3, or one for each class, "
                "such as 10 20 10vox, of one unit",
            )
    return Sizes(tuple(float(number) for number in numbers), unit)


def postprocess(labels: LabelImage, steps: Steps, classes: Sequence[int] = ()) -> LabelImage:
    """Apply `steps` in SCT's order: threshold, largest object, holes, small objects.

    Parameters
    ----------
    labels : LabelImage
    steps : Steps
    classes : sequence of int
        Values of the model's classes, ascending, which several least sizes belong to.

    Raises
    ------
    UsageError
        If there are several least sizes, and another number of classes.
    """
    if steps.threshold:
        labels, classes = binarized(labels, steps.threshold), (1,)
    if steps.largest:
        labels = keep_largest(labels)
    if steps.fill_holes:
        labels = fill_holes(labels)
    if steps.remove_small is not None:
        labels = remove_small(labels, steps.remove_small, classes)
    return labels


def binarized(labels: LabelImage, threshold: float) -> LabelImage:
    """Return 1 where the value of a label is above `threshold`, else 0.

    SCT applies ``-thr`` to the labels of a multiclass model as to anything else. The levels
    are lost by it.
    """
    return _like(labels, (np.asarray(labels.data) > threshold).astype(np.uint8))


def keep_largest(labels: LabelImage) -> LabelImage:
    """Keep the largest connected object of all, and no other.

    Objects are connected through faces of voxels, whatever their values: of a segmentation
    with many levels one object is kept in all, of one level or of several that touch, and not
    one a level. Of objects of one size the first in the order of the array is kept. Like
    SCT's ``keep_largest_object``.
    """
    data = np.asarray(labels.data)
    objects, count = ndimage.label(data != 0)
    if count < 2:
        return labels
    largest = np.bincount(objects.ravel())[1:].argmax() + 1
    return _like(labels, np.where(objects == largest, data, 0))


def fill_holes(labels: LabelImage) -> LabelImage:
    """Fill the background that one class encloses with the value of the class.

    A hole has no way out through faces, edges or corners of voxels. For one class this is
    SCT's ``fill_holes``. For several, where SCT fails with an AssertionError, each class is
    filled on its own, the lowest value first, and never over another one.
    """
    data = np.array(labels.data)
    for value, place in enumerate(ndimage.find_objects(data.astype(np.int32)), start=1):
        if place is None:
            continue
        # A hole lies within the bounds of its class: the rest of the image need not be looked at.
        around = tuple(slice(max(0, axis.start - 1), axis.stop + 1) for axis in place)
        part = data[around]
        filled = ndimage.binary_fill_holes(part == value, structure=_ALL)
        part[filled & (part == 0)] = value
    return _like(labels, data)


def remove_small(labels: LabelImage, sizes: Sizes, classes: Sequence[int] = ()) -> LabelImage:
    """Remove connected objects that are smaller than the least size.

    Objects are connected through faces and edges of voxels. With one size, objects of
    different values that touch are one object, like in SCT's ``remove_small_objects``. With
    one size a class, each class is looked at on its own: what SCT documents (``10 20
    10vox``), and where its function fails, because it takes one label image for one class.

    Parameters
    ----------
    labels : LabelImage
    sizes : Sizes
    classes : sequence of int
        Values of the classes that several sizes belong to.

    Raises
    ------
    UsageError
        If there are several sizes, and another number of classes.
    """
    Steps(remove_small=sizes).require_classes(len(classes))
    data = np.array(labels.data)
    least = sizes.in_voxels(labels.grid.voxel_volume_mm3)
    if len(least) == 1:
        data[_small(data != 0, least[0])] = 0
    else:
        for value, size in zip(classes, least, strict=True):
            data[_small(data == value, size)] = 0
    return _like(labels, data)


def _like(labels: LabelImage, data: NDArray[Any]) -> LabelImage:
    return LabelImage(data, labels.grid, labels.header, labels.path, labels.remarks)


def _small(mask: NDArray[np.bool_], least_voxels: float) -> NDArray[np.bool_]:
    objects, _ = ndimage.label(mask, structure=_FACES_AND_EDGES)
    counts = np.bincount(objects.ravel())
    is_small = counts < least_voxels
    is_small[0] = False
    found: NDArray[np.bool_] = is_small[objects]
    return found
