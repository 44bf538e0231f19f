"""Two images on one grid: turned, required, or resampled."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from sct_rootlets.errors import InputError
from sct_rootlets.image.grid import Grid, Image, LabelImage

__all__ = ["on_grid_of", "require_same_grid", "resample_labels"]

_ImageT = TypeVar("_ImageT", bound=Image)


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
