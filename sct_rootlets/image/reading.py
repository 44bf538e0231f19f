"""Images read for what they are meant to be: grey values, labels, a mask, shares, a map."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.errors import InputError
from sct_rootlets.image.grid import Grid, Image, LabelImage
from sct_rootlets.image.opening import kept_header, open_checked, voxels_of

__all__ = [
    "load_grid",
    "load_image",
    "load_labels",
    "load_map",
    "load_mask",
    "load_reference",
    "load_segmentation",
    "load_share",
]

#: More values than this make no segmentation.
_MOST_LABELS = 64

_REPLACE_THEM = "Replace them, for example with sct_maths or fslmaths -nan"


def load_grid(path: str | os.PathLike[str], role: str = "image") -> Grid:
    """Return the grid of a 3D image, or of the volumes of a 4D one; no voxel is read.

    Raises
    ------
    InputError
        As :func:`load_image`, as far as the header tells.
    """
    return open_checked(path, role, 0)[2]


def load_reference(path: str | os.PathLike[str], role: str = "image") -> Image:
    """Return an image that has the grid and the header of a 3D or 4D file, and no voxels.

    All of its voxels are 0, and take no memory. Errors as of :func:`load_grid`.
    """
    nifti, _, grid = open_checked(path, role, 0)
    none: NDArray[np.uint8] = np.broadcast_to(np.uint8(0), grid.shape)
    return Image(none, grid, kept_header(nifti), os.fspath(path))


def _read_labels(path: str | os.PathLike[str], role: str) -> tuple[NDArray[Any], Grid, Any]:
    """Read labels; unlike in a grey-value image, a NaN among them has no likely meaning."""
    nifti, index, grid = open_checked(path, role, takes_volume=False)
    data = voxels_of(nifti, index, Path(path), role)
    unknown = data.size - int(np.isfinite(data).sum()) if data.dtype.kind == "f" else 0
    if unknown:
        raise InputError(
            f"has {unknown} voxels that are NaN or infinite ({role})",
            path=path,
            remedy=_REPLACE_THEM,
        )
    return data, grid, kept_header(nifti)


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
    nifti, index, grid = open_checked(path, role, volume)
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and counted as such
        data = np.asarray(voxels_of(nifti, index, Path(path), role), dtype=np.float32)
    data, remarks = _finite(data, path, role)
    if data.min() == data.max():
        raise InputError(
            f"is constant: every voxel is {data.flat[0]:g} ({role})",
            path=path,
            remedy="Give the MR image itself",
        )
    return Image(data, grid, kept_header(nifti), os.fspath(path), remarks)


def _finite(
    data: NDArray[np.float32], path: str | os.PathLike[str], role: str
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Return `data` without NaN and infinite voxels, and what was done to them.

    They are where a resampling, a division or a mask left nothing, mostly outside the body.
    One of them is enough to make the mean, and so every voxel of a network's input, NaN. 0 is
    the air of an MR image, and what nnU-Net takes for "outside"; where it lies outside the
    range of the others, it would be an outlier that the normalisation suffers from.
    """
    known = np.isfinite(data)
    unknown = data.size - int(np.count_nonzero(known))
    if not unknown:
        return data, ()
    if unknown > data.size / 2:
        raise InputError(
            f"has {unknown} voxels that are NaN or infinite, of {data.size} ({role})",
            path=path,
            remedy=_REPLACE_THEM,
        )
    lowest = float(np.min(data, where=known, initial=np.inf))
    highest = float(np.max(data, where=known, initial=-np.inf))
    fill = 0.0 if lowest <= 0 <= highest else lowest
    remark = (
        f"{Path(path).name} has {unknown} voxels that are NaN or infinite; they were taken as "
        f"{fill:g} ({role})"
    )
    return np.where(known, data, np.float32(fill)), (remark,)


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
    data, grid, header = _read_labels(path, role)
    whole = _whole(data, path, role)
    if not allow_empty and whole.max() == 0:
        raise InputError(f"is empty: every voxel is 0 ({role})", path=path)
    return LabelImage(whole, grid, header, os.fspath(path))


def _whole(data: NDArray[Any], path: str | os.PathLike[str], role: str) -> NDArray[np.int32]:
    """Return whole numbers of 0 or more, however they are stored, as int32."""
    # np.rint of small integers would be float16
    whole = np.rint(data) if data.dtype.kind == "f" else data
    if data.dtype.kind == "f" and np.abs(data - whole).max() > 1e-3:
        raise InputError(
            f"holds values that are not whole numbers, up to {data.max():g} ({role})",
            path=path,
            remedy="Give a label image, not a grey-value or probability image",
        )
    if int(whole.min()) < 0 or int(whole.max()) > np.iinfo(np.int32).max:
        raise InputError(f"holds labels out of range ({role})", path=path)
    return np.asarray(whole, dtype=np.int32)


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
    data, grid, header = _read_labels(path, role)
    if _is_soft(data):
        if float(data.max()) < 0.5:
            raise InputError(
                f"is empty at a probability of 0.5: its largest is {data.max():.2g} ({role})",
                path=path,
            )
        mask = (data >= 0.5).astype(np.int32)
        remark = f"{Path(path).name} holds probabilities and was cut at 0.5 ({role})"
        return LabelImage(mask, grid, header, os.fspath(path), (remark,))
    return LabelImage(_mask(data, path, role), grid, header, os.fspath(path))


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
    data, grid, header = _read_labels(path, role)
    if _is_soft(data):
        share = np.clip(data, 0, 1).astype(np.float32)
        return Image(share, grid, header, os.fspath(path))
    return LabelImage(_whole(data, path, role), grid, header, os.fspath(path))


def load_share(path: str | os.PathLike[str], role: str = "mask") -> Image:
    """Load the share (0 to 1, float32) of every voxel that a structure fills.

    Probabilities are kept; of a mask every value above 0 counts as 1.

    Raises
    ------
    InputError
        As :func:`load_mask`.
    """
    data, grid, header = _read_labels(path, role)
    share = np.clip(data, 0, 1) if _is_soft(data) else _mask(data, path, role) > 0
    if not share.any():
        raise InputError(f"is empty: every voxel is 0 ({role})", path=path)
    return Image(np.asarray(share, dtype=np.float32), grid, header, os.fspath(path))


def load_map(path: str | os.PathLike[str], role: str = "map") -> Image:
    """Load a map of any quantity as float32; what is not finite in it is NaN.

    Unlike in :func:`load_image` nothing is put in the place of a NaN, and a map may be constant.

    Raises
    ------
    InputError
        If it is missing, no NIfTI file, damaged, not 3D, or nowhere finite.
    """
    nifti, index, grid = open_checked(path, role, takes_volume=False)
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and becomes NaN
        data = np.array(voxels_of(nifti, index, Path(path), role), dtype=np.float32)
    data[~np.isfinite(data)] = np.nan
    if np.isnan(data).all():
        raise InputError(f"has no finite voxel ({role})", path=path)
    return Image(data, grid, kept_header(nifti), os.fspath(path))


def _is_soft(data: NDArray[Any]) -> bool:
    """Say whether the values are probabilities: from 0 to 1, and not all of them whole."""
    if data.dtype.kind != "f" or not bool(np.abs(data - np.rint(data)).max() > 1e-3):
        return False
    return float(data.min()) >= 0 and float(data.max()) <= 1 + 1e-3


def _mask(data: NDArray[Any], path: str | os.PathLike[str], role: str) -> NDArray[np.int32]:
    """Return the whole numbers of a mask, if it is one."""
    values = _whole(data, path, role)
    if values.max() == 0:
        raise InputError(f"is empty: every voxel is 0 ({role})", path=path)
    count = len(np.unique(values)) if values.max() > _MOST_LABELS else 0
    if count > _MOST_LABELS:
        raise InputError(
            f"has {count} different values: it looks like an MR image ({role})",
            path=path,
            remedy="Give a segmentation",
        )
    return values
