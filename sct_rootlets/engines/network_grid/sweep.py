"""Sliding window with a running window of scores: planes leave it as soon as they are final.

Tiles, weights and means are nnU-Net's (Isensee et al., Nature Methods 2021,
10.1038/s41592-020-01008-z); only what it keeps of them is not. nnU-Net holds the scores of
every class for the whole volume. Here the tiles come in ascending order along one axis, and a
plane across it is handed on once no tile ahead reaches it, so that no more planes are held
than a tile is long. Sums are held in half precision, as nnU-Net holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.engines.network_grid.tiles import (
    Origin,
    gaussian_weights,
    tile_origins,
    tile_steps,
)
from sct_rootlets.errors import ModelError

__all__ = ["Plane", "Region", "best_axis", "grid_origins", "sweep"]

_Array = NDArray[np.float32]
_Box = tuple[slice, slice, slice]

#: Weighted scores (classes, A, B) of a plane, and weights (A, B).
_Sums = tuple[NDArray[np.float16], NDArray[np.float16]]


@dataclass(frozen=True, eq=False)
class Region:
    """The voxels whose scores are wanted.

    Attributes
    ----------
    mask : (Z, Y, X) bool array or None
        None where every voxel is.
    shape : (3,) tuple of int
        Of the volume.
    """

    mask: NDArray[np.bool_] | None
    shape: tuple[int, ...]

    @property
    def box(self) -> _Box:
        """The smallest box around them."""
        if self.mask is None:
            first, second, third = (slice(0, n) for n in self.shape)
            return first, second, third
        spans = []
        for axis in range(3):
            others = tuple(other for other in range(3) if other != axis)
            filled = np.flatnonzero(self.mask.any(axis=others))
            low, high = (int(filled[0]), int(filled[-1]) + 1) if filled.size else (0, 0)
            spans.append(slice(low, high))
        return spans[0], spans[1], spans[2]


@dataclass(frozen=True, eq=False)
class Plane:
    """The final scores of one plane across the axis of the sweep.

    Attributes
    ----------
    index : int
        Along the axis of the sweep.
    scores : (classes, A, B) float array
        Within the box of the region, along the two other axes.
    covered : (A, B) bool array
        Where a tile lies.
    """

    index: int
    scores: _Array
    covered: NDArray[np.bool_]


def best_axis(shape: Sequence[int], patch: Sequence[int]) -> int:
    """Return the axis along which the fewest of a volume's scores are held at a time.

    Of the first two: along the last, planes are scattered in memory.
    """
    return min((0, 1), key=lambda axis: patch[axis] / max(shape[axis], patch[axis]))


def grid_origins(
    shape: Sequence[int], patch: Sequence[int], needed: NDArray[np.bool_] | None = None
) -> list[Origin]:
    """Return the tiles of nnU-Net's grid, or those of them that touch what is needed.

    A voxel that is needed so has all the tiles that nnU-Net gives it.

    Parameters
    ----------
    shape : (3,) sequence of int
        Volume, at least as large as `patch`.
    patch : (3,) sequence of int
        Of one slice along the first axis for a network of two dimensions, which then sees
        every slice once.
    needed : (Z, Y, X) bool array, optional
    """
    if patch[0] == 1:
        steps = [tile_steps(n, p) for n, p in zip(shape[1:], patch[1:], strict=True)]
        origins = [(z, y, x) for z in range(shape[0]) for y in steps[0] for x in steps[1]]
    else:
        origins = tile_origins(shape, patch)
    if needed is None:
        return origins
    return [origin for origin in origins if needed[_place(origin, patch)].any()]


def sweep(
    volume: _Array,
    origins: Sequence[Origin],
    patch: Sequence[int],
    predict: Callable[[_Array], _Array],
    *,
    classes: int,
    axis: int,
    box: _Box,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Plane]:
    """Predict each tile and yield the Gaussian-weighted mean of the scores, plane by plane.

    Parameters
    ----------
    volume : (Z, Y, X) float array
        At least as large as `patch`.
    origins : sequence of (z, y, x)
    patch : (3,) sequence of int
    predict : callable
        From a tile (Z, Y, X) to its scores (classes, Z, Y, X).
    classes : int
    axis : int
        Along which the planes come, in ascending order.
    box : three slices
        What is wanted of the volume.
    progress : callable, optional
        Called as ``progress(done, total)`` before the first tile and after each.

    Yields
    ------
    Plane
        For each index of the box along `axis`.

    Raises
    ------
    ModelError
        If a score is not finite, or too large for the sums.
    """
    first, second = (other for other in range(3) if other != axis)
    gaussian = np.moveaxis(gaussian_weights(patch).astype(np.float16), axis, 0)
    size = (box[first].stop - box[first].start, box[second].stop - box[second].start)
    held: dict[int, _Sums] = {}
    ordered = sorted(origins, key=lambda origin: origin[axis])
    emitted = box[axis].start
    if progress is not None:
        progress(0, len(ordered))
    for number, origin in enumerate(ordered):
        for index in range(emitted, min(origin[axis], box[axis].stop)):
            yield _final(index, held.pop(index, None), classes, size)
        emitted = max(emitted, min(origin[axis], box[axis].stop))
        scores = np.moveaxis(predict(volume[_place(origin, patch)]), axis + 1, 1)
        (here_a, there_a), (here_b, there_b) = (
            _overlap(origin[other], patch[other], box[other]) for other in (first, second)
        )
        low = max(origin[axis], box[axis].start)
        high = min(origin[axis] + patch[axis], box[axis].stop)
        for index in range(low, high):
            if index not in held:
                held[index] = (
                    np.zeros((classes, *size), dtype=np.float16),
                    np.zeros(size, dtype=np.float16),
                )
            total, weights = held[index]
            weight = gaussian[index - origin[axis], here_a, here_b].astype(np.float32)
            total[:, there_a, there_b] += scores[:, index - origin[axis], here_a, here_b] * weight
            weights[there_a, there_b] += weight
        if progress is not None:
            progress(number + 1, len(ordered))
    for index in range(emitted, box[axis].stop):
        yield _final(index, held.pop(index, None), classes, size)


def _place(origin: Origin, patch: Sequence[int]) -> _Box:
    z, y, x = (slice(o, o + p) for o, p in zip(origin, patch, strict=True))
    return z, y, x


def _overlap(origin: int, length: int, wanted: slice) -> tuple[slice, slice]:
    """Return which part of a tile is wanted, and where in the box it lies."""
    low = max(origin, wanted.start)
    high = max(low, min(origin + length, wanted.stop))
    return slice(low - origin, high - origin), slice(low - wanted.start, high - wanted.start)


def _final(index: int, sums: _Sums | None, classes: int, size: tuple[int, int]) -> Plane:
    if sums is None:
        return Plane(index, np.zeros((classes, *size), np.float32), np.zeros(size, dtype=bool))
    scores, weights = (each.astype(np.float32) for each in sums)
    if not np.isfinite(scores).all():
        raise ModelError(
            "its network gives scores that are infinite or not a number, or beyond half precision",
            remedy="Choose -engine torch -device cpu, or check the model",
        )
    covered = weights > 0
    np.divide(scores, weights, out=scores, where=covered)
    return Plane(index, scores, covered)
