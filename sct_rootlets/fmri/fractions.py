"""Levels on another grid as fractions: the share of every voxel that lies in each level.

A thick slice of an EPI holds parts of two or three levels. Each of its voxels is divided into
smaller boxes, the middle of each box is taken through the whole chain of transforms, and the
level that lies there is counted. Nothing is resampled in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.fmri.sampling import LevelSampler
from sct_rootlets.fmri.transforms import Chain
from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.levels.axial_slices import superior_axis

__all__ = ["Fractions", "SliceProfile", "coarse_share", "level_fractions"]

Floats = NDArray[np.float64]

#: Samples per voxel of the label image along each of its axes; its borders are smooth between
#: voxel centres, so that more add little.
_SAMPLES_PER_LABEL_VOXEL = 3.0
#: Smallest number of samples along each axis of a voxel: its share is known to a few percent
#: even where it is smaller than the voxels of the label image.
_FEWEST_SAMPLES = 4
#: Samples in one voxel, about: labels of 0.5 mm in voxels of 5 mm take 27,000.
_MOST_SAMPLES = 100_000
#: Boxes, mm, of the first pass that finds the voxels near the levels. A level that reaches into
#: one is 1.7 mm or less from its middle: the margin leaves room for a transform that stretches.
_COARSE_MM = 2.0
#: Points that are mapped at once; bounds the memory (about 300 bytes a point).
_CHUNK = 500_000


@dataclass(frozen=True, eq=False)
class SliceProfile:
    """The cord in one slice, cut into thin layers across it.

    Attributes
    ----------
    samples : (B, L) array
        Samples of each level in each of B layers, in the direction of the voxel index.
    xyz_world : (B, 3) array
        Mean position of the labelled samples of each layer in the source; NaN without any.
    """

    samples: NDArray[np.intp]
    xyz_world: Floats


@dataclass(frozen=True, eq=False)
class Fractions:
    """Shares of levels in the voxels of a grid.

    Attributes
    ----------
    levels : tuple of SpinalLevel
        Those present in the label image, rostral to caudal.
    share : (I, J, K, L) float32 array
        Share of the volume of each voxel that lies in each level, 0 to 1. What is left of 1
        is no cord, or cord without a level.
    grid : Grid
    axis : int
        Axis of the grid that counts its slices: the one that runs inferior-superior.
    profiles : dict of int to SliceProfile
        By the index of the slice; of slices without any level there is none.
    samples : (3,) tuple of int
        Into how many boxes each voxel was divided along each axis.
    """

    levels: tuple[SpinalLevel, ...]
    share: NDArray[np.float32]
    grid: Grid
    axis: int
    profiles: dict[int, SliceProfile]
    samples: tuple[int, int, int]

    def of(self, level: SpinalLevel) -> NDArray[np.float32]:
        """Return the share of one level, (I, J, K)."""
        return self.share[..., self.levels.index(level)]

    @property
    def volume_mm3(self) -> Floats:
        """Volume of each level on this grid, (L,)."""
        total = self.share.sum(axis=(0, 1, 2), dtype=np.float64)
        return np.asarray(total * self.grid.voxel_volume_mm3)


def level_fractions(
    levels: LabelImage | LevelSampler,
    grid: Grid,
    chain: Chain,
    *,
    cord: NDArray[Any] | None = None,
) -> Fractions:
    """Return the share of every voxel of a grid that lies in each level.

    Parameters
    ----------
    levels : LabelImage or LevelSampler
        Spinal level values, in the source.
    grid : Grid
        Of the destination.
    chain : Chain
        From the destination to the source.
    cord : (I, J, K) array, optional
        Mask on `grid`. Voxels outside it have no level.

    Notes
    -----
    The number of samples along an axis is the voxel size of the grid over a third of the
    smallest voxel size of the label image, and 4 or more; fewer in voxels so large that they
    would have more than 100,000 samples. With n samples along an axis the
    share of a border perpendicular to it is right to 1/(2n) in one voxel.
    """
    sampler = levels if isinstance(levels, LevelSampler) else LevelSampler(levels)
    step = float(sampler.grid.spacing_mm.min()) / _SAMPLES_PER_LABEL_VOXEL
    counts = np.ceil(grid.spacing_mm / step - 1e-6)
    counts *= min(1.0, (_MOST_SAMPLES / float(counts.prod())) ** (1 / 3))
    counts = np.maximum(np.ceil(counts).astype(int), _FEWEST_SAMPLES)
    axis, _ = superior_axis(grid)
    found = Fractions(
        sampler.levels,
        np.zeros((*grid.shape, len(sampler.levels)), dtype=np.float32),
        grid,
        axis,
        {},
        (int(counts[0]), int(counts[1]), int(counts[2])),
    )
    for index in range(grid.shape[axis]):
        ijk = _slice_voxels(grid, axis, index, cord)
        ijk = ijk[_near(sampler, grid, chain, ijk)]
        if len(ijk):
            share, profile = _divide(sampler, grid, chain, ijk, counts, axis)
            found.share[tuple(ijk.T)] = share
            if profile.samples.any():
                found.profiles[index] = profile
    return found


def coarse_share(sampler: LevelSampler, grid: Grid, chain: Chain) -> NDArray[np.float32]:
    """Return roughly how much of each voxel, (I, J, K), lies in any level."""
    share = np.zeros(grid.shape, dtype=np.float32)
    axis, _ = superior_axis(grid)
    boxes = np.ceil(grid.spacing_mm / _COARSE_MM).astype(int)
    for index in range(grid.shape[axis]):
        ijk = _slice_voxels(grid, axis, index, None)
        for part in _parts(ijk, int(boxes.prod())):
            xyz = _points(grid, part, _offsets(boxes))
            inside = sampler.at(chain.source_from_destination(xyz)) > 0
            share[tuple(part.T)] = inside.reshape(len(part), -1).mean(axis=1)
    return share


def _slice_voxels(grid: Grid, axis: int, index: int, cord: NDArray[Any] | None) -> NDArray[np.intp]:
    """Return the voxels (N, 3) of one slice, those of the cord mask if there is one."""
    if cord is None:
        shape = [1 if a == axis else n for a, n in enumerate(grid.shape)]
        ijk = np.argwhere(np.ones(shape, dtype=bool))
    else:
        ijk = np.argwhere(np.take(cord, [index], axis=axis) > 0)
    ijk[:, axis] = index
    return ijk


def _near(
    sampler: LevelSampler, grid: Grid, chain: Chain, ijk: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Say which voxels (N, 3) may hold a part of a level."""
    boxes = np.ceil(grid.spacing_mm / _COARSE_MM).astype(int)
    answers = [np.zeros(0, dtype=bool)]
    for part in _parts(ijk, int(boxes.prod())):
        xyz = chain.source_from_destination(_points(grid, part, _offsets(boxes)))
        answers.append(np.asarray(sampler.near(xyz).reshape(len(part), -1).any(axis=1)))
    return np.concatenate(answers)


def _divide(
    sampler: LevelSampler,
    grid: Grid,
    chain: Chain,
    ijk: NDArray[np.intp],
    counts: NDArray[np.intp],
    axis: int,
) -> tuple[NDArray[np.float32], SliceProfile]:
    """Return the shares (N, L) in the voxels (N, 3) of one slice, and its profile."""
    n_levels, layers = len(sampler.levels), int(counts[axis])
    offsets = _offsets(counts)
    # Layer of every sample within its voxel, in the order of the offsets.
    layer = np.indices(tuple(counts))[axis].ravel()
    shares = np.zeros((len(ijk), n_levels), dtype=np.float32)
    samples = np.zeros(layers * (n_levels + 1), dtype=np.intp)
    sums = np.zeros((layers, 3))
    done = 0
    for part in _parts(ijk, len(offsets)):
        xyz = chain.source_from_destination(_points(grid, part, offsets))
        label = sampler.at(xyz).astype(np.intp).reshape(len(part), -1)
        at = np.arange(len(part))[:, None] * (n_levels + 1) + label
        count = np.bincount(at.ravel(), minlength=len(part) * (n_levels + 1))
        shares[done : done + len(part)] = count.reshape(len(part), -1)[:, 1:] / len(offsets)
        samples += np.bincount(
            (layer * (n_levels + 1) + label).ravel(), minlength=layers * (n_levels + 1)
        )
        inside = label.ravel() > 0
        of_layer = np.broadcast_to(layer, label.shape).ravel()[inside]
        for k in range(3):
            sums[:, k] += np.bincount(of_layer, xyz[inside, k], layers)
        done += len(part)
    by_layer = samples.reshape(layers, -1)[:, 1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = sums / by_layer.sum(axis=1, keepdims=True)
    return shares, SliceProfile(by_layer, middle)


def _offsets(counts: NDArray[np.intp]) -> Floats:
    """Return the middles (P, 3) of boxes that divide a voxel, in voxels from its centre."""
    return np.asarray((np.indices(tuple(counts)).reshape(3, -1).T + 0.5) / counts - 0.5)


def _points(grid: Grid, ijk: NDArray[np.intp], offsets: Floats) -> Floats:
    """Return the world points (N * P, 3) at `offsets` (P, 3) from voxels (N, 3)."""
    return grid.world_from_ijk((ijk[:, None, :] + offsets).reshape(-1, 3))


def _parts(ijk: NDArray[np.intp], samples: int) -> list[NDArray[np.intp]]:
    """Divide voxels so that no part has more than a chunk of samples."""
    size = max(1, _CHUNK // samples)
    return [ijk[start : start + size] for start in range(0, len(ijk), size)]
