"""A NIfTI file, judged as far as its header tells before a voxel of it is read.

Every image of a user comes through this door: what it is instead of an image, where its voxels
lie, how many there are. Masks, series, maps and warping fields are asked more where they are read.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel import imageglobals
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError, HeaderTypeError, SpatialImage
from numpy.typing import NDArray

from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image.amount import left_over, require_voxels
from sct_rootlets.image.cause import not_an_image, require_file
from sct_rootlets.image.grid import Grid, Image
from sct_rootlets.image.placement import place

__all__ = ["Opened", "check_header", "kept_header", "open_checked", "open_nifti", "voxels_of"]

#: What nibabel raises about a file that is damaged or is something else.
_UNREADABLE = (
    ImageFileError,
    HeaderDataError,
    HeaderTypeError,
    EOFError,
    KeyError,
    OSError,
    OverflowError,
    ValueError,
    zlib.error,
)


@dataclass(frozen=True, eq=False)
class Opened:
    """An image of which the header was judged, and no voxel read.

    Attributes
    ----------
    nifti : nibabel image
    grid : Grid
        Of one volume.
    itk_grid : Grid, optional
        As of :class:`~sct_rootlets.image.grid.Image`.
    remarks : tuple of str
        What the header leaves open or contradicts itself in.
    path : Path
    role : str
        What the file is meant to be, for messages.
    """

    nifti: Any
    grid: Grid
    itk_grid: Grid | None
    remarks: tuple[str, ...]
    path: Path
    role: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Its size along every axis, volumes included."""
        return tuple(int(n) for n in self.nifti.shape)

    @property
    def header(self) -> Any:
        """The header to write with later, None of a file that is not NIfTI-1."""
        return kept_header(self.nifti)

    def image(self, data: NDArray[Any], remarks: tuple[str, ...] = ()) -> Image:
        """Return one volume of it, (I, J, K), as an `Image`."""
        said = (*self.remarks, *remarks)
        return Image(data, self.grid, self.header, os.fspath(self.path), said, self.itk_grid)


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
) -> tuple[Opened, tuple[int, ...]]:
    """Open a 3D image, or one volume of a 4D one.

    Returns
    -------
    Opened, and the index of the volume after (I, J, K)
    """
    opened = open_nifti(path, role)
    return opened, _one_volume(opened.shape, opened.path, role, volume, takes_volume)


def open_nifti(
    path: str | os.PathLike[str], role: str, *, keep_file_open: bool | None = None
) -> Opened:
    """Open an image of any number of volumes, and judge what its header says.

    Parameters
    ----------
    path : path-like
    role : str
        What the file is meant to be, for messages.
    keep_file_open : bool, optional
        As nibabel takes it, for a file that is gone through volume by volume.

    Raises
    ------
    InputError
        If it is missing, no NIfTI file, damaged, of colours, not at least 3D, too large, or lies
        nowhere that a neck can be.
    """
    where = Path(path)
    require_file(where, role)
    try:
        nifti, mended = _load(where, keep_file_open)
    except _UNREADABLE as error:
        raise not_an_image(where, role, error) from error
    if not isinstance(nifti, SpatialImage):
        raise not_an_image(where, role)
    dtype = nifti.get_data_dtype()
    if dtype.fields is not None or dtype.kind not in "biuf":
        what = "colours (RGB)" if dtype.fields is not None else f"{dtype} voxels"
        raise InputError(
            f"holds {what}, not single numbers ({role})",
            path=where,
            remedy="Export it again as the scanner has it, with one number in each voxel",
        )
    size = "x".join(str(n) for n in nifti.shape)
    if min(nifti.shape, default=0) < 1:
        raise InputError(
            f"has no voxels: its header says {size} ({role})", path=where, remedy="Export it again"
        )
    if len(nifti.shape) < 3:
        raise InputError(
            f"has {len(nifti.shape)} dimensions {tuple(nifti.shape)}, and a 3D volume is needed "
            f"({role})",
            path=where,
            remedy="Give a 3D volume with at least 2 voxels along each axis",
        )
    shape = (int(nifti.shape[0]), int(nifti.shape[1]), int(nifti.shape[2]))
    require_voxels(nifti, shape, where, role)
    placed = place(nifti, shape, where, role)
    mended += left_over(nifti, where)
    remarks = tuple(f"{where.name} ({role}) has a damaged header: {words}" for words in mended)
    return Opened(nifti, placed.grid, placed.itk_grid, remarks + placed.remarks, where, role)


class _Mended(logging.Filter):
    """Keeps what nibabel logs about a header in one thread, and lets the rest pass."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        """Take a record of this thread away from nibabel, which would print it."""
        if threading.get_ident() != self.thread:
            return True
        self.words.append(record.getMessage())
        return False


def _load(path: Path, keep_file_open: bool | None) -> tuple[Any, list[str]]:
    """Return an image, and what nibabel had to mend in its header: it does so by itself."""
    mended = _Mended()
    imageglobals.logger.addFilter(mended)
    try:
        # Not mapped into memory: what is read ahead is read then, and a file that another
        # process cuts meanwhile is an error instead of a crash.
        return nib.load(path, mmap=False, keep_file_open=keep_file_open), mended.words
    except TypeError:  # formats of which nibabel does not keep files open
        return nib.load(path), mended.words
    finally:
        imageglobals.logger.removeFilter(mended)


def _one_volume(
    shape: tuple[int, ...], path: Path, role: str, volume: int | None, takes_volume: bool
) -> tuple[int, ...]:
    """Return the index of one volume along the axes after (I, J, K)."""
    sizes = list(shape)
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
    return () if len(shape) == 3 else (volume or 0, *[0] * (len(shape) - 4))


def voxels_of(opened: Opened, index: tuple[int, ...]) -> NDArray[Any]:
    """Read one volume (I, J, K), scaled as its header says, and nothing but it.

    Without an `index` all volumes of several are read.
    """
    nifti, path, role = opened.nifti, opened.path, opened.role
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
