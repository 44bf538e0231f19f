"""How many voxels a header promises, and whether its file holds so many."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import nibabel as nib

from sct_rootlets.errors import InputError

__all__ = ["MOST_VOXELS", "left_over", "require_voxels"]

#: More voxels than this are not read: a cube of 200 mm at 0.2 mm has as many, and its values
#: and one working copy of them in float32 take 8 GB.
MOST_VOXELS = 1_000_000_000

#: How much deflate can compress at best (zlib's documentation), rounded up.
_DEFLATE_AT_BEST = 1100.0

#: Some programs write a few bytes more than the voxels take.
_PADDING = 32


def left_over(nifti: Any, path: Path) -> list[str]:
    """Say that a file holds more than its header promises, as when a dimension is damaged.

    Of a compressed file gzip's last four bytes tell; where it has several parts, they tell of the
    last one alone, which is less than the whole.
    """
    name = path.name.lower()
    if not name.endswith((".nii", ".nii.gz")) or not isinstance(nifti.header, nib.Nifti1Header):
        return []
    size = path.stat().st_size
    if name.endswith(".gz"):
        with path.open("rb") as file:
            file.seek(-4, os.SEEK_END)
            size = int.from_bytes(file.read(4), "little")
    promised = math.prod(int(n) for n in nifti.shape) * int(nifti.get_data_dtype().itemsize)
    promised += int(nifti.dataobj.offset)
    if promised >= 2**32 or size - promised < _PADDING:
        return []
    return [
        f"it promises {promised} bytes and the file has {size}; its dimensions or its kind of "
        "number may be wrong"
    ]


def require_voxels(nifti: Any, shape: tuple[int, int, int], path: Path, role: str) -> None:
    """Raise if a volume of `shape` is too small, too large, or more than the file can hold."""
    size = "x".join(str(n) for n in shape)
    if min(shape) < 2:
        if len(nifti.shape) == 4 and nifti.shape[3] > 1:
            whole = "x".join(str(n) for n in nifti.shape)
            raise InputError(
                f"has {whole} voxels: its slices seem to lie along the fourth axis, which is that "
                f"of volumes ({role})",
                path=path,
                remedy="Put them along the third, for example with sct_image -split t and then "
                "sct_image -concat z",
            )
        raise InputError(
            f"is a single slice of {size} voxels, and a 3D volume is needed ({role})",
            path=path,
            remedy="Give a 3D volume with at least 2 voxels along each axis",
        )
    # In Python's integers: numpy's wrap, and a header may claim anything.
    claimed = math.prod(int(n) for n in nifti.shape) * int(nifti.get_data_dtype().itemsize)
    room = path.stat().st_size * _most_inflated(path)
    if claimed > room:
        raise InputError(
            f"is truncated or damaged: its header promises {claimed / 1e9:.3g} GB of voxels, and "
            f"the file holds less{_where_it_ends(nifti, path, claimed)} ({role})",
            path=path,
            remedy="Copy or export it again",
        )
    if math.prod(shape) > MOST_VOXELS:
        raise InputError(
            f"has {math.prod(shape):.3g} voxels ({size}), more than any MR image of a neck, and "
            f"than the {MOST_VOXELS:.0g} that are read ({role})",
            path=path,
            remedy="Crop it to the neck, for example with sct_crop_image, or resample it",
        )


def _where_it_ends(nifti: Any, path: Path, claimed: int) -> str:
    """Return in which volume a file ends that is cut short; of a compressed one nobody knows."""
    count = math.prod(int(n) for n in nifti.shape[3:])
    if count == 1 or _most_inflated(path) > 1:
        return ""
    held = max(path.stat().st_size - int(nifti.dataobj.offset), 0) // (claimed // count)
    return f": it ends in volume {held} of {count} (counted from 0)"


def _most_inflated(path: Path) -> float:
    """Return how many bytes of voxels one byte of the file may hold at most."""
    if path.name.lower().endswith(".nii"):
        return 1.0
    return _DEFLATE_AT_BEST if path.name.lower().endswith(".nii.gz") else math.inf
