"""A NIfTI file, checked as far as its header tells before a voxel of it is read."""

from __future__ import annotations

import math
import os
import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError, HeaderTypeError, SpatialImage
from numpy.typing import NDArray

from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image.grid import Grid

__all__ = ["check_header", "kept_header", "open_checked", "voxels_of"]

#: More voxels than this are not read: a cube of 200 mm at 0.2 mm has as many, and its values
#: and one working copy of them in float32 take 8 GB.
_MOST_VOXELS = 1_000_000_000

#: How much deflate can compress at best (zlib's documentation), rounded up.
_DEFLATE_AT_BEST = 1100.0

#: What nibabel raises about a file that is damaged or is something else.
_UNREADABLE = (
    ImageFileError,
    HeaderDataError,
    HeaderTypeError,
    EOFError,
    OSError,
    OverflowError,
    ValueError,
    zlib.error,
)


def check_header(
    path: str | os.PathLike[str],
    role: str = "image",
    volume: int | None = None,
    *,
    takes_volume: bool = True,
) -> None:
    """Check all of an image that can be checked without reading its voxels.

    Parameters
    ----------
    path : path-like
        NIfTI file, in any orientation.
    role : str
        What the file is meant to be, for the message of an error.
    volume : int, optional
        As :func:`load_image` takes it.
    takes_volume : bool
        Whether it is for the user to choose, for the remedy of an error.

    Raises
    ------
    InputError, UsageError
        As :func:`load_image`.
    """
    open_checked(path, role, volume, takes_volume=takes_volume)


def open_checked(
    path: str | os.PathLike[str], role: str, volume: int | None = None, *, takes_volume: bool = True
) -> tuple[Any, tuple[int, ...], Grid]:
    """Open an image, and check what its header says before a voxel is read.

    Returns
    -------
    nibabel image, index of the volume after (I, J, K), Grid
    """
    where = Path(path)
    if not where.exists():
        raise InputError(f"no such file ({role})", path=where, remedy="Check the path")
    if where.is_dir():
        raise InputError(f"is a folder, not a NIfTI file ({role})", path=where)
    if where.stat().st_size == 0:
        raise InputError(f"is an empty file of 0 bytes ({role})", path=where)
    try:
        # Not mapped into memory: what is read ahead is read then, and a file that another
        # process cuts meanwhile is an error instead of a crash.
        nifti = nib.load(where, mmap=False)
    except _UNREADABLE as error:
        raise _unreadable(where, role) from error
    if not isinstance(nifti, SpatialImage):
        raise _unreadable(where, role)
    dtype = nifti.get_data_dtype()
    if dtype.fields is not None or dtype.kind not in "biuf":
        what = "colours (RGB)" if dtype.fields is not None else f"{dtype} voxels"
        raise InputError(
            f"holds {what}, not single numbers ({role})",
            path=where,
            remedy="Export it again as the scanner has it, with one number in each voxel",
        )
    if min(nifti.shape, default=0) < 1:
        size = "x".join(str(n) for n in nifti.shape)
        raise InputError(
            f"has no voxels: its header says {size} ({role})", path=where, remedy="Export it again"
        )
    shape, index = _one_volume(nifti.shape, where, role, volume, takes_volume)
    _require_voxels(nifti, shape, where, role)
    affine = np.asarray(nifti.affine, dtype=float)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise InputError(
            f"has no valid orientation: its affine is singular ({role})",
            path=where,
            remedy="Repair its qform or sform",
        )
    return nifti, index, Grid(shape, affine)


def _one_volume(
    shape: tuple[int, ...], path: Path, role: str, volume: int | None, takes_volume: bool
) -> tuple[tuple[int, int, int], tuple[int, ...]]:
    """Return the shape (I, J, K) of one volume, and its index along the further axes."""
    sizes = [int(n) for n in shape]
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes.pop()
    count = sizes[3] if len(sizes) == 4 else 1
    if len(sizes) not in (3, 4) or (count > 1 and volume is None):
        remedy = "Give a 3D volume with at least 2 voxels along each axis"
        if len(sizes) == 4 and takes_volume:
            remedy = "Say with -volume N which volume to take (0 is the first)"
        elif len(sizes) > 3:
            remedy = "Choose one volume of it, for example with sct_image -split t"
        raise InputError(
            f"has {len(sizes)} dimensions {tuple(sizes)}, and a 3D volume is needed ({role})",
            path=path,
            remedy=remedy,
        )
    if volume is not None and not 0 <= volume < count:
        has = "one volume, number 0," if count == 1 else f"{count} volumes, 0 to {count - 1},"
        raise UsageError(
            f"has {has} and volume {volume} is asked for ({role})",
            path=path,
            remedy="Volumes are counted from 0, as SCT and FSL count them",
        )
    index = () if len(shape) == 3 else (volume or 0, *[0] * (len(shape) - 4))
    return (sizes[0], sizes[1], sizes[2]), index


def _require_voxels(nifti: Any, shape: tuple[int, int, int], path: Path, role: str) -> None:
    """Raise if a volume of `shape` is too small, too large, or more than the file can hold."""
    size = "x".join(str(n) for n in shape)
    if min(shape) < 2:
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
            f"the file holds less ({role})",
            path=path,
            remedy="Copy or export it again",
        )
    if math.prod(shape) > _MOST_VOXELS:
        raise InputError(
            f"has {math.prod(shape):.3g} voxels ({size}), more than any MR image of a neck, and "
            f"than the {_MOST_VOXELS:.0g} that are read ({role})",
            path=path,
            remedy="Crop it to the neck, for example with sct_crop_image, or resample it",
        )


def _most_inflated(path: Path) -> float:
    """Return how many bytes of voxels one byte of the file may hold at most."""
    if path.name.lower().endswith(".nii"):
        return 1.0
    return _DEFLATE_AT_BEST if path.name.lower().endswith(".nii.gz") else math.inf


def _unreadable(path: Path, role: str) -> InputError:
    return InputError(
        f"cannot be read as a NIfTI image ({role})",
        path=path,
        remedy="Give a .nii or .nii.gz file; if it is one, it is damaged: copy it again",
    )


def voxels_of(nifti: Any, index: tuple[int, ...], path: Path, role: str) -> NDArray[Any]:
    """Read one volume (I, J, K), scaled as its header says, and nothing but it."""
    try:
        if math.prod(nifti.shape[3:]) == 1:
            return np.asarray(nifti.dataobj).reshape(nifti.shape[:3])
        where = (slice(None), slice(None), slice(None), *index)
        return np.asarray(nifti.dataobj[where])
    except _UNREADABLE as error:
        raise InputError(
            f"is truncated or damaged: its voxels cannot be read ({role})",
            path=path,
            remedy="Copy or export it again",
        ) from error
    except MemoryError as error:
        raise InputError(
            f"does not fit into the memory of this machine ({role})",
            path=path,
            remedy="Crop it to the neck, for example with sct_crop_image",
        ) from error


def kept_header(nifti: Any) -> Any:
    """Return the header to write with later, None of a file that is not NIfTI-1."""
    return nifti.header if isinstance(nifti.header, nib.Nifti1Header) else None
