"""Images read for what they are meant to be: grey values, labels, a mask, shares, a map."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.errors import InputError
from sct_rootlets.image.grid import Grid, Image, LabelImage
from sct_rootlets.image.opening import Opened, open_checked, voxels_of
from sct_rootlets.image.values import (
    REPLACE_THEM,
    clipped,
    extremes,
    finite_values,
    is_soft,
    mask_values,
    whole_numbers,
)

__all__ = [
    "as_labels",
    "load_grid",
    "load_image",
    "load_labels",
    "load_map",
    "load_mask",
    "load_reference",
    "load_segmentation",
    "load_share",
]


def load_grid(path: str | os.PathLike[str], role: str = "image") -> Grid:
    """Return the grid of a 3D image, or of the volumes of a 4D one; no voxel is read.

    Raises
    ------
    InputError
        As :func:`load_image`, as far as the header tells.
    """
    return open_checked(path, role, 0)[0].grid


def load_reference(path: str | os.PathLike[str], role: str = "image") -> Image:
    """Return an image that has the grid and the header of a 3D or 4D file, and no voxels.

    All of its voxels are 0, and take no memory. Errors as of :func:`load_grid`.
    """
    opened, _ = open_checked(path, role, 0)
    none: NDArray[np.uint8] = np.broadcast_to(np.uint8(0), opened.grid.shape)
    return opened.image(none)


def _read_labels(path: str | os.PathLike[str], role: str) -> tuple[NDArray[Any], Opened]:
    """Read labels; unlike in a grey-value image, a NaN among them has no likely meaning."""
    opened, index = open_checked(path, role, takes_volume=False)
    data = voxels_of(opened, index)
    unknown = data.size - int(np.isfinite(data).sum()) if data.dtype.kind == "f" else 0
    if unknown:
        raise InputError(
            f"has {unknown} voxels that are NaN or infinite ({role})",
            path=path,
            remedy=REPLACE_THEM,
        )
    return data, opened


def load_image(
    path: str | os.PathLike[str], role: str = "image", *, volume: int | None = None
) -> Image:
    """Load a grey-value image as float32, with every check of the input.

    Voxels that are NaN or infinite become 0, or the lowest value of the others where 0 is not
    within their range; the `remarks` of the answer say how many there were.

    Parameters
    ----------
    path : path-like
        NIfTI file, in any orientation.
    role : str
        What the file is meant to be, for the message of an error.
    volume : int, optional
        Volume of a 4D image to take, from 0. No other one is read.

    Raises
    ------
    InputError
        If it is missing, no NIfTI file, damaged, not 3D, of colours, too small or too large,
        constant, or not finite in more than half of its voxels.
    UsageError
        If it has no such `volume`.
    """
    opened, index = open_checked(path, role, volume)
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and counted as such
        data = np.asarray(voxels_of(opened, index), dtype=np.float32)
    data, remarks = finite_values(data, path, role)
    if data.min() == data.max():
        raise InputError(
            f"is constant: every voxel is {data.flat[0]:g} ({role})",
            path=path,
            remedy="Give the MR image itself",
        )
    return opened.image(data, (*remarks, *extremes(data, path, role)))


def load_labels(
    path: str | os.PathLike[str], role: str = "labels", *, allow_empty: bool = False
) -> LabelImage:
    """Load an image of integer labels as int32.

    Parameters
    ----------
    path : path-like
        NIfTI file, in any orientation. Whole numbers stored as floats are accepted.
    role : str
        What the file is meant to be, for the message of an error.
    allow_empty : bool
        Accept an image without any label.

    Raises
    ------
    InputError
        As :func:`load_image`, and if a value is negative or not whole, or all are 0.
    """
    data, opened = _read_labels(path, role)
    whole = whole_numbers(data, path, role)
    if not allow_empty and whole.max() == 0:
        raise InputError(f"is empty: every voxel is 0 ({role})", path=path)
    return as_labels(opened.image(whole))


def as_labels(image: Image) -> LabelImage:
    """Return an image of whole numbers as one of labels."""
    return LabelImage(
        image.data, image.grid, image.header, image.path, image.remarks, image.itk_grid
    )


def load_mask(path: str | os.PathLike[str], role: str = "mask") -> LabelImage:
    """Load a mask of one structure; every value above 0 counts.

    Probabilities, values from 0 to 1 that are not whole, are cut at 0.5, and the `remarks`
    of the answer say so.

    Raises
    ------
    InputError
        As :func:`load_image`, if a value is negative or neither whole nor a probability, if
        all are 0 or less than 0.5, and if there are so many values that it is an MR image.
    """
    data, opened = _read_labels(path, role)
    if is_soft(data):
        if float(data.max()) < 0.5:
            raise InputError(
                f"is empty at a probability of 0.5: its largest is {data.max():.2g} ({role})",
                path=path,
            )
        _, remarks = clipped(data, path, role)
        remark = f"{Path(path).name} holds probabilities and was cut at 0.5 ({role})"
        mask = (data >= 0.5).astype(np.int32)
        return as_labels(opened.image(mask, (*remarks, remark)))
    return as_labels(opened.image(mask_values(data, path, role)))


def load_segmentation(path: str | os.PathLike[str], role: str = "segmentation") -> Image:
    """Load a segmentation of rootlets that somebody made, and that may have found nothing.

    Returns
    -------
    LabelImage, or Image
        Labels (int32); or, of values from 0 to 1 that are not all whole, the probability
        (float32) of every voxel.

    Raises
    ------
    InputError
        As :func:`load_labels`, but not if all are 0.
    """
    data, opened = _read_labels(path, role)
    if is_soft(data):
        return opened.image(*clipped(data, path, role))
    return as_labels(opened.image(whole_numbers(data, path, role)))


def load_share(path: str | os.PathLike[str], role: str = "mask") -> Image:
    """Load the share (0 to 1, float32) of every voxel that a structure fills.

    Probabilities are kept; of a mask every value above 0 counts as 1.

    Raises
    ------
    InputError
        As :func:`load_mask`.
    """
    data, opened = _read_labels(path, role)
    if is_soft(data):
        share, remarks = clipped(data, path, role)
    else:
        share, remarks = (mask_values(data, path, role) > 0).astype(np.float32), ()
    if not share.any():
        raise InputError(f"is empty: every voxel is 0 ({role})", path=path)
    return opened.image(share, remarks)


def load_map(path: str | os.PathLike[str], role: str = "map") -> Image:
    """Load a map of any quantity as float32; what is not finite in it is NaN.

    Unlike in :func:`load_image` nothing is put in the place of a NaN, and a map may be constant.

    Raises
    ------
    InputError
        If it is missing, no NIfTI file, damaged, not 3D, or nowhere finite.
    """
    opened, index = open_checked(path, role, takes_volume=False)
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and becomes NaN
        data = np.array(voxels_of(opened, index), dtype=np.float32)
    data[~np.isfinite(data)] = np.nan
    if np.isnan(data).all():
        raise InputError(f"has no finite voxel ({role})", path=path)
    return opened.image(data)
