"""Whether voxels hold what they are meant to: grey values, labels, a mask, shares."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.errors import InputError

__all__ = [
    "REPLACE_THEM",
    "clipped",
    "extremes",
    "finite_values",
    "is_soft",
    "mask_values",
    "whole_numbers",
]

#: More values than this make no segmentation.
_MOST_LABELS = 64
#: A spline that resamples a mask leaves values beyond 0 and 1 by as much as this.
_OVERSHOOT = 0.3
#: Values beyond those of nearly all voxels by so many times their range empty the result: in a
#: million voxels, one of them is as large as the standard deviation that it makes.
_EXTREME = 1000.0
#: Largest absolute values of which single precision bears the squares, summed over an image.
_BEARABLE = (1e-15, 1e15)
#: As many voxels, spread over the image, tell its range.
_SAMPLE = 1_000_000

REPLACE_THEM = "Replace them, for example with sct_maths or fslmaths -nan"


def extremes(data: NDArray[np.float32], path: str | os.PathLike[str], role: str) -> tuple[str, ...]:
    """Say which values leave a network nothing to see: they are compared with all others."""
    about = f"{Path(path).name} ({role})"
    largest = float(np.abs(data).max())
    if not _BEARABLE[0] < largest < _BEARABLE[1]:
        return (
            f"{about} has values of up to {largest:.3g}, whose squares single precision does not "
            "bear: nothing may be found in it. Scale it, and see its scl_slope",
        )
    low, high = np.percentile(data.flat[:: max(1, data.size // _SAMPLE)], (0.1, 99.9))
    reach = _EXTREME * max(float(high - low), 1e-12 * largest)
    count = int(np.count_nonzero((data > high + reach) | (data < low - reach)))
    if not 0 < count < data.size / 1000:
        return ()
    worst = float(data.flat[int(np.argmax(np.abs(data)))])
    return (
        f"{about} has {count} voxels of extreme values, such as {worst:.3g} where nearly all "
        f"others lie between {low:.3g} and {high:.3g}: nothing may be found beside them. Replace "
        "them, for example with sct_maths -uthr",
    )


def finite_values(
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
            remedy=REPLACE_THEM,
        )
    lowest = float(np.min(data, where=known, initial=np.inf))
    highest = float(np.max(data, where=known, initial=-np.inf))
    fill = 0.0 if lowest <= 0 <= highest else lowest
    remark = (
        f"{Path(path).name} has {unknown} voxels that are NaN or infinite; they were taken as "
        f"{fill:g} ({role})"
    )
    return np.where(known, data, np.float32(fill)), (remark,)


def whole_numbers(data: NDArray[Any], path: str | os.PathLike[str], role: str) -> NDArray[np.int32]:
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


def is_soft(data: NDArray[Any]) -> bool:
    """Say whether the values are probabilities: about from 0 to 1, and not all of them whole."""
    if data.dtype.kind != "f" or not bool(np.abs(data - np.rint(data)).max() > 1e-3):
        return False
    return float(data.min()) >= -_OVERSHOOT and float(data.max()) <= 1 + _OVERSHOOT


def clipped(
    data: NDArray[Any], path: str | os.PathLike[str], role: str
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Return probabilities within 0 to 1, and what has to be said of those that were not."""
    low, high = float(data.min()), float(data.max())
    share = np.clip(data, 0, 1).astype(np.float32)
    if low >= -1e-3 and high <= 1 + 1e-3:
        return share, ()
    remark = (
        f"{Path(path).name} holds probabilities from {low:.3g} to {high:.3g}, as a spline leaves "
        f"them, and was clipped to 0..1 ({role})"
    )
    return share, (remark,)


def mask_values(data: NDArray[Any], path: str | os.PathLike[str], role: str) -> NDArray[np.int32]:
    """Return the whole numbers of a mask_values, if it is one."""
    values = whole_numbers(data, path, role)
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
