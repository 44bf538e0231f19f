"""Images and their grids: loading with every check, saving with the header kept.

Frames
------
``ijk`` are voxel indices (a voxel's centre has integer indices), ``xyz_world`` are
millimetres in the scanner's RAS+ frame (x to the subject's right, y anterior,
z superior). Voxels appear here, at load and save; the science works in millimetres.
"""

from __future__ import annotations

import math
import os
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.orientations import aff2axcodes
from nibabel.spatialimages import HeaderDataError, HeaderTypeError, SpatialImage
from numpy.typing import ArrayLike, NDArray

from sct_rootlets.errors import InputError, UsageError

__all__ = [
    "Grid",
    "Image",
    "LabelImage",
    "check_header",
    "load_grid",
    "load_image",
    "load_labels",
    "load_map",
    "load_mask",
    "load_segmentation",
    "load_share",
    "load_reference",
    "on_grid_of",
    "require_same_grid",
    "resample_labels",
    "save",
]

#: Largest distance, in mm, between the corners of two grids that count as one grid.
GRID_TOLERANCE_MM = 0.05

#: More values than this make no segmentation.
_MOST_LABELS = 64

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

_REPLACE_THEM = "Replace them, for example with sct_maths or fslmaths -nan"

_OPPOSITE = dict(zip("RLAPSI", "LRPAIS", strict=True))


@dataclass(frozen=True, eq=False)
class Grid:
    """A shape and an affine: where the voxels of an image lie in the world.

    Attributes
    ----------
    shape : (3,) tuple of int
    affine : (4, 4) float array
        From ``ijk`` to ``xyz_world`` (RAS+ mm).
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """Distance between voxel centres along each index axis, (3,) in mm."""
        return np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel in mm^3."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    @property
    def orientation_nib(self) -> str:
        """Orientation by the letters where the axes end (nibabel's), such as ``"LAS"``."""
        return "".join(aff2axcodes(self.affine))

    @property
    def orientation_sct(self) -> str:
        """Orientation by the letters where the axes start (SCT's), such as ``"RPI"``."""
        return "".join(_OPPOSITE[letter] for letter in self.orientation_nib)

    def world_from_ijk(self, ijk: ArrayLike) -> NDArray[np.float64]:
        """Map voxel indices (..., 3) to world mm (..., 3)."""
        return np.asarray(ijk, dtype=float) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def ijk_from_world(self, xyz_world: ArrayLike) -> NDArray[np.float64]:
        """Map world mm (..., 3) to continuous voxel indices (..., 3)."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(xyz_world, dtype=float) @ inverse[:3, :3].T + inverse[:3, 3]

    def contains(self, xyz_world: ArrayLike) -> NDArray[np.bool_]:
        """Say for world points (..., 3) whether they lie within the field of view (...)."""
        ijk = self.ijk_from_world(xyz_world)
        return np.all((ijk >= -0.5) & (ijk <= np.array(self.shape) - 0.5), axis=-1)

    def matches(self, other: Grid, tolerance_mm: float = GRID_TOLERANCE_MM) -> bool:
        """Say whether `other` has the same voxels: equal shape, corners within tolerance."""
        if self.shape != other.shape:
            return False
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in self.shape])).reshape(3, -1).T
        apart = self.world_from_ijk(corners) - other.world_from_ijk(corners)
        return bool(np.sqrt((apart**2).sum(axis=1)).max() <= tolerance_mm)

    def describe(self) -> str:
        """Return shape, spacing and orientation in words, for messages."""
        shape = "x".join(str(n) for n in self.shape)
        spacing = "x".join(f"{mm:.3g}" for mm in self.spacing_mm)
        return f"{shape} voxels of {spacing} mm, {self.orientation_sct} (SCT letters)"


@dataclass(frozen=True, eq=False)
class Image:
    """A three-dimensional image on its grid.

    Attributes
    ----------
    data : (I, J, K) array
    grid : Grid
    header : nibabel.Nifti1Header, optional
        Header it was read with, kept so that both its qform and its sform survive the
        way back.
    path : str
        Where it came from, for messages.
    remarks : tuple of str
        What had to be done to the file to read it so, for the warnings of a result.
    """

    data: NDArray[Any]
    grid: Grid
    header: Any = field(default=None, repr=False)
    path: str = "image in memory"
    remarks: tuple[str, ...] = ()

    def with_data(self, data: NDArray[Any]) -> Image:
        """Return an image of other `data` (I, J, K) on the same grid, with the same header."""
        return type(self)(data, self.grid, self.header, self.path)


@dataclass(frozen=True, eq=False)
class LabelImage(Image):
    """An image of integer labels; 0 is background. A mask is one with the value 1."""

    @cached_property
    def _labelled(self) -> tuple[NDArray[np.intp], NDArray[Any]]:
        """Indices (N, 3) and values (N,) of all voxels that are not 0: few of many."""
        ijk = np.argwhere(self.data)
        return ijk, np.asarray(self.data)[tuple(ijk.T)]

    @property
    def labels(self) -> list[int]:
        """Values present besides 0, ascending."""
        return [int(value) for value in np.unique(self._labelled[1])]

    def points_world(self, label: int | None = None) -> NDArray[np.float64]:
        """Return the centres (N, 3), in world mm, of the voxels of `label` (default: any)."""
        ijk, values = self._labelled
        return self.grid.world_from_ijk(ijk if label is None else ijk[values == label])


_ImageT = TypeVar("_ImageT", bound=Image)


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
    _open(path, role, volume, takes_volume=takes_volume)


def load_grid(path: str | os.PathLike[str], role: str = "image") -> Grid:
    """Return the grid of a 3D image, or of the volumes of a 4D one; no voxel is read.

    Raises
    ------
    InputError
        As :func:`load_image`, as far as the header tells.
    """
    return _open(path, role, 0)[2]


def load_reference(path: str | os.PathLike[str], role: str = "image") -> Image:
    """Return an image that has the grid and the header of a 3D or 4D file, and no voxels.

    All of its voxels are 0, and take no memory. Errors as of :func:`load_grid`.
    """
    nifti, _, grid = _open(path, role, 0)
    none: NDArray[np.uint8] = np.broadcast_to(np.uint8(0), grid.shape)
    return Image(none, grid, _kept_header(nifti), os.fspath(path))


def _open(
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


def _voxels(nifti: Any, index: tuple[int, ...], path: Path, role: str) -> NDArray[Any]:
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


def _kept_header(nifti: Any) -> Any:
    return nifti.header if isinstance(nifti.header, nib.Nifti1Header) else None


def _read_labels(path: str | os.PathLike[str], role: str) -> tuple[NDArray[Any], Grid, Any]:
    """Read labels; unlike in a grey-value image, a NaN among them has no likely meaning."""
    nifti, index, grid = _open(path, role, takes_volume=False)
    data = _voxels(nifti, index, Path(path), role)
    unknown = data.size - int(np.isfinite(data).sum()) if data.dtype.kind == "f" else 0
    if unknown:
        raise InputError(
            f"has {unknown} voxels that are NaN or infinite ({role})",
            path=path,
            remedy=_REPLACE_THEM,
        )
    return data, grid, _kept_header(nifti)


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
    nifti, index, grid = _open(path, role, volume)
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and counted as such
        data = np.asarray(_voxels(nifti, index, Path(path), role), dtype=np.float32)
    data, remarks = _finite(data, path, role)
    if data.min() == data.max():
        raise InputError(
            f"is constant: every voxel is {data.flat[0]:g} ({role})",
            path=path,
            remedy="Give the MR image itself",
        )
    return Image(data, grid, _kept_header(nifti), os.fspath(path), remarks)


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
    nifti, index, grid = _open(path, role, takes_volume=False)
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and becomes NaN
        data = np.array(_voxels(nifti, index, Path(path), role), dtype=np.float32)
    data[~np.isfinite(data)] = np.nan
    if np.isnan(data).all():
        raise InputError(f"has no finite voxel ({role})", path=path)
    return Image(data, grid, _kept_header(nifti), os.fspath(path))


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


def on_grid_of(labels: _ImageT, reference: Image) -> _ImageT:
    """Return `labels` with its axes in the order and direction of those of `reference`.

    Nothing is resampled: both have to have the same voxels in the world, and may only be
    stored in different orientations.

    Parameters
    ----------
    labels : LabelImage or Image
    reference : Image
        Gives the grid, and the header of what is written later.

    Raises
    ------
    InputError
        If the voxels are others.
    """
    step = np.linalg.inv(reference.grid.affine[:3, :3]) @ labels.grid.affine[:3, :3]
    axes = [int(k) for k in np.abs(step).argmax(axis=1)]
    if sorted(axes) != [0, 1, 2]:
        raise _other_grid(reference, labels)
    data = np.transpose(np.asarray(labels.data), axes)
    affine = labels.grid.affine[:, [*axes, 3]].copy()
    for axis, other in enumerate(axes):
        if step[axis, other] < 0:
            data = np.flip(data, axis)
            affine[:3, 3] += affine[:3, axis] * (data.shape[axis] - 1)
            affine[:3, axis] *= -1
    turned = Grid((int(data.shape[0]), int(data.shape[1]), int(data.shape[2])), affine)
    if not reference.grid.matches(turned):
        raise _other_grid(reference, labels)
    return type(labels)(
        np.ascontiguousarray(data), reference.grid, reference.header, labels.path, labels.remarks
    )


def require_same_grid(first: Image, second: Image) -> None:
    """Raise an `InputError` unless both images have the same voxels."""
    if not first.grid.matches(second.grid):
        raise _other_grid(first, second)


def _other_grid(first: Image, second: Image) -> InputError:
    return InputError(
        f"is not on the grid of {first.path}: {second.grid.describe()} against "
        f"{first.grid.describe()}",
        path=second.path,
        remedy="Bring it onto that grid, for example with sct_register_multimodal "
        "-identity 1 -x nn",
    )


def resample_labels(labels: LabelImage, grid: Grid) -> LabelImage:
    """Return `labels` on another grid, each voxel taking its nearest neighbour's value."""
    ijk = np.indices(grid.shape).reshape(3, -1).T
    source = np.rint(labels.grid.ijk_from_world(grid.world_from_ijk(ijk))).astype(int)
    inside = np.all((source >= 0) & (source < labels.grid.shape), axis=1)
    values = np.zeros(len(ijk), dtype=labels.data.dtype)
    values[inside] = labels.data[tuple(source[inside].T)]
    return LabelImage(values.reshape(grid.shape), grid, None, labels.path)


def save(image: Image, path: str | os.PathLike[str]) -> None:
    """Write `image` as NIfTI, labels in the smallest unsigned integer that holds them.

    The header it was read with is kept, so that qform, sform and their codes survive.
    """
    data = np.asarray(image.data)
    if data.dtype.kind in "biu":
        data = data.astype(np.min_scalar_type(int(data.max(initial=0))))
        if data.dtype.itemsize > 2:
            data = data.astype(np.int32)
    else:
        data = data.astype(np.float32)
    if image.header is None:
        nifti = nib.Nifti1Image(data, image.grid.affine)
        nifti.set_qform(image.grid.affine, code=1)
        nifti.set_sform(image.grid.affine, code=1)
    else:
        header = image.header.copy()
        header.set_data_shape(data.shape)
        header["cal_min"] = header["cal_max"] = 0
        header["scl_slope"], header["scl_inter"] = 1, 0
        # With affine=None nibabel leaves qform and sform exactly as the header has them.
        nifti = nib.Nifti1Image(data, None, header)
    nifti.set_data_dtype(data.dtype)
    nib.save(nifti, os.fspath(path))
