"""nnU-Net's resampling, one axis at a time.

nnU-Net resamples with scikit-image's ``resize``, that is with splines of
``scipy.ndimage.zoom``, which are separable: the same answer comes of one small sparse matrix
an axis. The matrices are read off ``zoom`` itself, by resampling unit vectors, so that the
treatment of the ends is its own. An image is resampled several times faster that way, and
where an image is resampled linearly a voxel's neighbours are known, which spares the scores
of most voxels altogether (see :mod:`sct_rootlets.engines.network_grid.labels`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import csr_matrix, identity

from sct_rootlets.engines.network_grid.axes import resample
from sct_rootlets.model_folder import ANISOTROPY, Resampling

__all__ = ["axis_operators", "new_shape", "resample_image", "separate_axis"]

#: Entries of a spline's row that are smaller than this change no float32.
_NEGLIGIBLE = 1e-9

Operators = tuple[csr_matrix, csr_matrix, csr_matrix]


def new_shape(
    shape: Sequence[int], spacing_mm: Sequence[float], wanted_mm: Sequence[float]
) -> tuple[int, ...]:
    """Return the shape of a volume at another spacing, as ``compute_new_shape`` does."""
    pairs = zip(spacing_mm, wanted_mm, shape, strict=True)
    return tuple(max(1, round(mm / wanted * n)) for mm, wanted, n in pairs)


def separate_axis(
    resampling: Resampling, present_mm: Sequence[float], wanted_mm: Sequence[float]
) -> int | None:
    """Return the axis that is resampled apart, to the nearest voxel; None where none is.

    As ``determine_do_sep_z_and_axis``: it is the coarsest axis of whichever spacing, the
    present one first, is anisotropic. Where two axes are coarse, none is.
    """
    if resampling.force_separate_z is not None:
        spacing = present_mm if resampling.force_separate_z else None
    elif max(present_mm) / min(present_mm) > ANISOTROPY:
        spacing = present_mm
    elif max(wanted_mm) / min(wanted_mm) > ANISOTROPY:
        spacing = wanted_mm
    else:
        spacing = None
    if spacing is None:
        return None
    coarsest = np.flatnonzero(max(spacing) / np.asarray(spacing) == 1)
    return int(coarsest[0]) if len(coarsest) == 1 else None


def axis_operators(
    shape: Sequence[int], wanted: Sequence[int], order: int, separate: int | None
) -> Operators:
    """Return the matrices, one an axis, that resample a volume of `shape` to `wanted`.

    Parameters
    ----------
    shape, wanted : (3,) sequences of int
    order : int
        Of the spline, 0 to 3.
    separate : int or None
        Axis that is resampled to the nearest voxel instead.
    """
    first, second, third = (
        _operator(n, m, 0 if axis == separate else order)
        for axis, (n, m) in enumerate(zip(shape, wanted, strict=True))
    )
    return first, second, third


def _operator(count: int, wanted: int, order: int) -> csr_matrix:
    if count == wanted:
        return identity(count, dtype=np.float32, format="csr")
    if order == 0:
        position = count / wanted * (np.arange(wanted) + 0.5) - 0.5
        nearest = ndimage.map_coordinates(
            np.arange(count, dtype=float), position[None], order=0, mode="nearest"
        )
        ones = np.ones(wanted, dtype=np.float32)
        return csr_matrix((ones, (np.arange(wanted), nearest.astype(int))), (wanted, count))
    columns = [
        ndimage.zoom(unit, wanted / count, order=order, mode="nearest", grid_mode=True)
        for unit in np.eye(count)
    ]
    dense = np.stack(columns, axis=1)
    dense[np.abs(dense) < _NEGLIGIBLE] = 0
    return csr_matrix(dense.astype(np.float32))


def resample_image(
    volume: NDArray[np.float32],
    wanted: Sequence[int],
    order: int,
    separate: int | None,
) -> NDArray[np.float32]:
    """Resample `volume` (Z, Y, X) to the shape `wanted`, as nnU-Net does.

    As in scikit-image, a spline that overshoots is cut at the lowest and highest value of
    what it interpolates: of the volume, or of each slice where an axis is resampled apart.
    """
    if tuple(volume.shape) == tuple(wanted):
        return volume
    operators = list(axis_operators(volume.shape, wanted, order, separate))
    if separate is None:
        result = resample(volume, (operators[0], operators[1], operators[2]))
        return np.clip(result, volume.min(), volume.max(), out=result)
    chosen = operators[separate]
    operators[separate] = identity(volume.shape[separate], dtype=np.float32, format="csr")
    result = resample(volume, (operators[0], operators[1], operators[2]))
    others = tuple(axis for axis in range(3) if axis != separate)
    low, high = (extreme(volume, axis=others, keepdims=True) for extreme in (np.min, np.max))
    np.clip(result, low, high, out=result)
    # Indices ascend, and each row of the matrix has one entry.
    return np.ascontiguousarray(np.take(result, chosen.indices, axis=separate))
