"""Values of an image at points of the world: between its voxels, or of the voxel around a point."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from sct_rootlets.image import Image

__all__ = ["INTERPOLATIONS", "in_voxels", "interpolated", "sample_map", "voxel_numbers"]

Floats = NDArray[np.float64]

#: How a map is read between the middles of its voxels, by SCT's names.
INTERPOLATIONS = ("nn", "linear")


def interpolated(image: Image, ijk: Floats) -> Floats:
    """Return an image at continuous voxel indices (N, 3), linear between voxels, 0 outside."""
    data = np.asarray(image.data, dtype=np.float32)
    return np.asarray(
        scipy.ndimage.map_coordinates(
            data, ijk.T, output=np.float64, order=1, mode="grid-constant", cval=0.0
        )
    )


def in_voxels(image: Image, ijk: Floats, outside: float = 0.0) -> Floats:
    """Return the values of the voxels in which continuous indices (N, 3) lie."""
    last = np.array(image.grid.shape) - 1
    beyond = np.any((ijk < -0.5) | (ijk > last + 0.5), axis=1)
    i, j, k = np.clip(np.rint(ijk), 0, last).astype(int).T
    return np.where(beyond, outside, np.asarray(image.data)[i, j, k].astype(np.float64))


def voxel_numbers(image: Image, xyz_world: Floats) -> NDArray[np.intp]:
    """Return the number (N,) of the voxel nearest to each point (N, 3): one number a voxel."""
    shape = image.grid.shape
    nearest = np.clip(np.rint(image.grid.ijk_from_world(xyz_world)), 0, np.array(shape) - 1)
    return np.asarray(np.ravel_multi_index(tuple(nearest.astype(np.intp).T), shape))


def sample_map(image: Image, xyz_world: Floats, interpolation: str = "nn") -> Floats:
    """Return a map at world points (N, 3); NaN where it is not known.

    Parameters
    ----------
    image : Image
        NaN in voxels where it is not known.
    xyz_world : (N, 3) array
    interpolation : str
        ``"nn"``: a point has the value of the voxel that it lies in. ``"linear"``: linear between
        the middles of voxels; those that are NaN do not count, unless they weigh more than
        half. The outer half of the outermost voxels has the value of their middle.

    Notes
    -----
    A voxel at the edge of the cord has the value that was measured in it. Linear interpolation
    mixes it with its neighbour outside the cord, which in a small cord raises the mean of a
    bright-CSF image by several percent; it is therefore not the default.
    """
    ijk = image.grid.ijk_from_world(xyz_world)
    if interpolation == "nn":
        return in_voxels(image, ijk, outside=np.nan)
    outside = ~image.grid.contains(xyz_world)
    ijk = np.clip(ijk, 0, np.array(image.grid.shape) - 1)
    data = np.asarray(image.data, dtype=np.float32)
    known = np.isfinite(data)
    weight = interpolated(image.with_data(known.astype(np.float32)), ijk)
    total = interpolated(image.with_data(np.where(known, data, np.float32(0))), ijk)
    values = np.where(weight >= 0.5, total / np.maximum(weight, 0.5), np.nan)
    return np.where(outside, np.nan, values)
