"""Sliding windows: where the tiles lie, how they are weighted, how they are summed.

The tile grid and the Gaussian weights are those of nnU-Net (Isensee et al., Nature
Methods 2021, 10.1038/s41592-020-01008-z): tiles half overlapping, weighted by a Gaussian
of an eighth of the tile. A mask restricts the tiles to where they are needed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = [
    "accumulate",
    "gaussian_weights",
    "mirrored_views",
    "pad_to_patch",
    "tile_origins",
    "tile_steps",
]

Origin = tuple[int, int, int]


def tile_steps(length: int, patch: int, step: float = 0.5) -> list[int]:
    """Return where tiles of `patch` voxels start along an axis of `length` voxels.

    They lie at most ``step * patch`` apart and reach both ends.

    Examples
    --------
    >>> tile_steps(110, 64)
    [0, 23, 46]
    >>> tile_steps(20, 64)
    [0]
    """
    room = length - patch
    if room <= 0:
        return [0]
    count = int(np.ceil(room / (patch * step))) + 1
    return [int(np.round(room / (count - 1) * number)) for number in range(count)]


def tile_origins(
    shape: Sequence[int],
    patch: Sequence[int],
    mask: NDArray[np.bool_] | None = None,
    step: float = 0.5,
) -> list[Origin]:
    """Return the first voxels of the tiles that cover a volume, or a mask in it.

    Parameters
    ----------
    shape : (3,) sequence of int
        Volume, at least as large as `patch` along each axis.
    patch : (3,) sequence of int
    mask : (Z, Y, X) bool array, optional
        What has to be covered. Along the first axis the tiles lie as without it; in
        each such slab they cover the mask's own bounding box only, so that they follow
        a structure that runs along the first axis, as the cord does.
    step : float
        Distance between tiles, as a fraction of the patch.
    """
    if mask is None:
        steps = [tile_steps(n, p, step) for n, p in zip(shape, patch, strict=True)]
        return [(z, y, x) for z in steps[0] for y in steps[1] for x in steps[2]]
    origins: list[Origin] = []
    along = np.flatnonzero(mask.any(axis=(1, 2)))
    if not along.size:
        return origins
    start, length = _window(int(along[0]), int(along[-1]) + 1, patch[0], shape[0])
    for z in (start + offset for offset in tile_steps(length, patch[0], step)):
        slab: NDArray[np.bool_] = np.any(mask[z : z + patch[0]], axis=0)
        if not slab.any():
            continue
        places = []
        for axis in (0, 1):
            filled = np.flatnonzero(np.any(slab, axis=1 - axis))
            low, size = _window(
                int(filled[0]), int(filled[-1]) + 1, patch[axis + 1], shape[axis + 1]
            )
            places.append([low + offset for offset in tile_steps(size, patch[axis + 1], step)])
        for y in places[0]:
            for x in places[1]:
                if slab[y : y + patch[1], x : x + patch[2]].any():
                    origins.append((z, y, x))
    return origins


def _window(low: int, high: int, patch: int, length: int) -> tuple[int, int]:
    """Widen [low, high) to at least `patch`, centred, within [0, length): (start, size)."""
    size = max(high - low, min(patch, length))
    start = low - (size - (high - low)) // 2
    return int(np.clip(start, 0, length - size)), size


def mirrored_views(axes: Sequence[int]) -> list[tuple[int, ...]]:
    """Return along which axes to mirror a tile for each of its views, the plain one first.

    Examples
    --------
    >>> mirrored_views((0, 2))
    [(), (0,), (2,), (0, 2)]
    """
    return [view for n in range(len(axes) + 1) for view in itertools.combinations(axes, n)]


def gaussian_weights(patch: Sequence[int], sigma_scale: float = 1 / 8) -> NDArray[np.float32]:
    """Return the weight of each voxel of a tile, (Z, Y, X), 10 at its centre.

    As ``compute_gaussian`` of nnU-Net: filtered by scipy's Gaussian, which ends at four
    standard deviations, and rounded to half precision.
    """
    weight = np.ones(1)
    for count in patch:
        centre = np.zeros(count)
        centre[count // 2] = 1
        profile = ndimage.gaussian_filter1d(centre, count * sigma_scale, mode="constant")
        weight = np.multiply.outer(weight, profile)
    halves = (weight[0] / weight.max() * 10).astype(np.float16).astype(np.float32)
    # A weight of 0 would leave a voxel that only a corner covers undefined.
    return np.maximum(halves, halves[halves > 0].min())


def pad_to_patch(
    volume: NDArray[Any], patch: Sequence[int]
) -> tuple[NDArray[Any], tuple[slice, slice, slice]]:
    """Pad `volume` (Z, Y, X) with 0 around it to the size of a patch where it is smaller.

    Returns
    -------
    padded : (Z', Y', X') array
    inside : three slices
        Where in it the volume lies, which is not copied where it is large enough.
    """
    before = [max(0, p - n) // 2 for n, p in zip(volume.shape, patch, strict=True)]
    after = [max(0, p - n - b) for n, p, b in zip(volume.shape, patch, before, strict=True)]
    padded = np.pad(volume, list(zip(before, after, strict=True))) if any(after) else volume
    z, y, x = (slice(b, b + n) for b, n in zip(before, volume.shape, strict=True))
    return padded, (z, y, x)


def accumulate(
    volume: NDArray[np.float32],
    origins: Sequence[Origin],
    patch: Sequence[int],
    predict: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    *,
    classes: int,
    batch: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Predict each tile and return the Gaussian-weighted mean of the scores.

    Parameters
    ----------
    volume : (Z, Y, X) float array
    origins : sequence of (z, y, x)
        From :func:`tile_origins`.
    patch : (3,) sequence of int
    predict : callable
        From tiles (N, Z, Y, X) to scores (N, classes, Z, Y, X).
    classes : int
    batch : int
        Tiles predicted at a time.
    progress : callable, optional
        Called as ``progress(done, total)`` after each batch.

    Returns
    -------
    scores : (classes, Z, Y, X) float array
        Zero where no tile lies.
    covered : (Z, Y, X) bool array
        Where a tile lies.
    """
    gaussian = gaussian_weights(patch)
    scores = np.zeros((classes, *volume.shape), dtype=np.float32)
    total = np.zeros(volume.shape, dtype=np.float32)
    where = [
        tuple(slice(o, o + p) for o, p in zip(origin, patch, strict=True)) for origin in origins
    ]
    for start in range(0, len(where), batch):
        chosen = where[start : start + batch]
        tiles = np.stack([volume[place] for place in chosen])
        for place, predicted in zip(chosen, predict(tiles), strict=True):
            z, y, x = place
            scores[:, z, y, x] += predicted * gaussian
            total[place] += gaussian
        if progress is not None:
            progress(min(start + batch, len(where)), len(where))
    covered = total > 0
    np.divide(scores, total, out=scores, where=covered)
    return scores, covered
