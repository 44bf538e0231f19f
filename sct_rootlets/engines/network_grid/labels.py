"""From scores on the network's grid to labels on the image's, plane by plane.

nnU-Net resamples the scores of every class to the image's grid and takes the highest. As
they are resampled linearly (along an axis that is resampled apart, to the nearest), the
scores of a voxel are a weighted mean over its neighbours on the network's grid: where all
of them have the same highest class, so has the voxel, and no score is needed. Only voxels
at borders are interpolated, so that the answer is nnU-Net's for a fraction of the work.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from sct_rootlets.engines.network_grid.operators import Operators
from sct_rootlets.engines.network_grid.sweep import Plane, Region

__all__ = ["MOST_CLASSES", "labels_from"]

_Labels = NDArray[np.uint8]

#: Class of a voxel of the network's grid that is outside the region or that no tile covers.
_OUTSIDE = 255

#: A network of more classes cannot be exported here.
MOST_CLASSES = _OUTSIDE


def labels_from(
    planes: Iterable[Plane], operators: Operators, axis: int, region: Region
) -> _Labels:
    """Return the highest class at each voxel of the image's grid.

    Parameters
    ----------
    planes : iterable of Plane
        Of the region's box, in ascending order along `axis`, none missing. Each is let go of
        once no voxel ahead needs it.
    operators : three matrices
        From the network's grid to the image's, one an axis, of one or two entries a row.
    axis : int
    region : Region
        On the network's grid. A voxel of the image has a class where all its neighbours
        lie within; elsewhere it is 0.

    Returns
    -------
    (Z', Y', X') uint8 array
        Of equal scores the first class wins, as everywhere in nnU-Net.
    """
    first, second = (other for other in range(3) if other != axis)
    along, *across = (_Neighbours.of(operators[each]) for each in (axis, first, second))
    box, mask = region.box, None if region.mask is None else np.moveaxis(region.mask, axis, 0)
    offsets = (box[first].start, box[second].start)
    full = (region.shape[first], region.shape[second])
    labels = np.zeros(tuple(operator.shape[0] for operator in operators), dtype=np.uint8)
    by_plane = np.moveaxis(labels, axis, 0)
    held: dict[int, _Known] = {}
    row = int(np.searchsorted(along.low, box[axis].start))
    for plane in planes:
        best = np.full(full, _OUTSIDE, dtype=np.uint8)
        highest = plane.scores.argmax(axis=0).astype(np.uint8)
        best[box[first], box[second]] = np.where(plane.covered, highest, _OUTSIDE)
        if mask is not None:
            best[~mask[plane.index]] = _OUTSIDE
        held[plane.index] = _Known.of(plane, best, across)
        while row < len(along.low) and along.high[row] <= plane.index:
            pair = held[along.low[row]], held[along.high[row]]
            by_plane[row] = _decide(pair, along.weight[row], across, offsets)
            row += 1
        needed = along.low[row] if row < len(along.low) else plane.index + 1
        for old in [index for index in held if index < needed]:
            del held[old]
    return labels


@dataclass(frozen=True, eq=False)
class _Neighbours:
    """The two neighbours along one axis of each voxel, and the weight of the second."""

    low: NDArray[np.intp]
    high: NDArray[np.intp]
    weight: NDArray[np.float32]

    @classmethod
    def of(cls, operator: csr_matrix) -> _Neighbours:
        ends = operator.indptr[1:] - 1
        starts = operator.indptr[:-1]
        if (ends - starts).max() > 1 or (ends < starts).any():
            raise ValueError("a matrix of linear interpolation has one or two entries a row")
        low, high = operator.indices[starts], operator.indices[ends]
        return cls(low, high, np.where(low == high, 0, operator.data[ends]).astype(np.float32))


@dataclass(frozen=True, eq=False)
class _Known:
    """A plane of scores, with the lowest and highest class among the neighbours in it."""

    scores: NDArray[np.float32]
    lowest: _Labels
    highest: _Labels

    @classmethod
    def of(cls, plane: Plane, best: _Labels, across: list[_Neighbours]) -> _Known:
        first, second = across
        rows = best[first.low], best[first.high]
        low, high = np.minimum(*rows), np.maximum(*rows)
        return cls(
            plane.scores,
            np.minimum(low[:, second.low], low[:, second.high]),
            np.maximum(high[:, second.low], high[:, second.high]),
        )


def _decide(
    pair: tuple[_Known, _Known],
    weight: float,
    across: list[_Neighbours],
    offsets: tuple[int, int],
) -> _Labels:
    """Return the classes of one plane of the image from two planes of the network's grid."""
    labels = np.minimum(pair[0].lowest, pair[1].lowest)
    highest = np.maximum(pair[0].highest, pair[1].highest)
    mixed = labels != highest
    outside = highest == _OUTSIDE
    labels[outside] = 0
    rows, columns = np.nonzero(mixed & ~outside)
    if not rows.size:
        return labels
    first, second = across
    scores = np.zeros((pair[0].scores.shape[0], rows.size), dtype=np.float32)
    for known, share in zip(pair, (1 - weight, weight), strict=True):
        if share == 0:
            continue
        for a, share_a in ((first.low, 1 - first.weight), (first.high, first.weight)):
            for b, share_b in ((second.low, 1 - second.weight), (second.high, second.weight)):
                place = a[rows] - offsets[0], b[columns] - offsets[1]
                shares = share * share_a[rows] * share_b[columns]
                scores += known.scores[:, place[0], place[1]] * shares
    labels[rows, columns] = scores.argmax(axis=0)
    return labels
