"""Rendering: from an anatomy, a grid and an acquisition to an image and its labels.

A pure function: the same arguments give the same voxels. Tissue is looked up at points
finer than the voxels, in the cord's own frame, and averaged, so that partial volume
comes out as in a scanner; rootlets and vessels are thin tubes with exact distances.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sct_rootlets.anatomy import PMJ_LABEL, ROOTLET_LEVELS
from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid, Image, LabelImage
from sct_rootlets.phantom.compose import compose, open_sleeves, painted_share, world_from_ijk
from sct_rootlets.phantom.contrast import Acquisition, scan, signals
from sct_rootlets.phantom.model import Anatomy
from sct_rootlets.phantom.tissue import Tissue, canal_at, cord_coordinates

__all__ = [
    "Labels",
    "Phantom",
    "render",
    "render_labels",
]

#: A voxel carries the label of a structure that fills at least this share of it.
ROOTLET_SHARE, CORD_SHARE = 0.45, 0.5
#: Half width (mm) of what is looked up finely around the cord.
CANAL_MM = 19.0
#: Radius (mm) about the centerline within which rootlets and cord are looked for.
LABELLED_MM = 16.0
#: Largest distance between the points that are looked up around the cord, mm: rootlets are thin.
FINE_MM = 0.55
#: Points that are looked up at once; bounds the memory.
CHUNK = 2_000_000


@dataclass(frozen=True, eq=False)
class Labels:
    """The labels of a phantom without its image.

    Attributes
    ----------
    cord : LabelImage
        Mask.
    rootlets : LabelImage
        Spinal level values, C2 = 2 to T1 = 9, dorsal and ventral, left and right alike.
    parts : LabelImage
        10 x level + part, the part being 1 left dorsal, 2 left ventral, 3 right dorsal,
        4 right ventral.
    discs, pmj : LabelImage
        Single voxels; disc labels, and 50.
    """

    cord: LabelImage
    rootlets: LabelImage
    parts: LabelImage
    discs: LabelImage
    pmj: LabelImage


@dataclass(frozen=True, eq=False)
class Phantom(Labels):
    """A rendered phantom: one image and what every voxel of it is; see also :class:`Labels`.

    Attributes
    ----------
    image : Image
    csf : LabelImage
        Mask.
    """

    image: Image
    csf: LabelImage


class _LabelShares:
    """How much of every voxel of the final grid is cord or rootlet, filled box by box."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.cord, self.painted = (np.zeros(shape, np.float32) for _ in range(2))
        self.part = np.zeros(shape, np.int32)

    def add(
        self, anatomy: Anatomy, grid: Grid, box: tuple[slice, ...], factors: Sequence[int]
    ) -> None:
        """Look up the voxels of `box` that lie near the cord, each split into `factors`."""
        coarse = _cut(grid, box)
        fine = finer(coarse, factors)
        _, u, v = cord_coordinates(
            anatomy, world_from_ijk(coarse, np.indices(coarse.shape, np.float32).reshape(3, -1).T)
        )
        near = (np.hypot(u, v) < LABELLED_MM).reshape(coarse.shape)
        if not near.any():
            return
        for axis, times in enumerate(factors):
            near = np.repeat(near, times, axis=axis)
        tissue = np.full(fine.shape, Tissue.MUSCLE, np.uint8)
        where = np.stack(np.nonzero(near), axis=1).astype(np.float32)
        tissue[near] = canal_at(anatomy, *cord_coordinates(anatomy, world_from_ijk(fine, where)))
        open_sleeves(anatomy, fine, tissue)
        self._keep(box, tissue, *painted_share(anatomy, fine, tissue), factors)

    def _keep(
        self,
        box: tuple[slice, ...],
        tissue: NDArray[np.uint8],
        painted: NDArray[np.float32],
        part: NDArray[np.int32],
        factors: Sequence[int],
    ) -> None:
        in_cord = (tissue == Tissue.WHITE) | (tissue == Tissue.GREY)
        self.cord[box] = pool(in_cord.astype(np.float32), factors)
        self.painted[box] = pool(painted, factors)
        self.part[box] = _majority(part, painted, factors)


class _Shares(_LabelShares):
    """What the voxels of the final grid hold, signal included."""

    def __init__(self, shape: tuple[int, int, int], signal: NDArray[np.float32]) -> None:
        super().__init__(shape)
        self.signal = signal
        self.clean, self.csf = (np.zeros(shape, np.float32) for _ in range(2))

    def add(
        self, anatomy: Anatomy, grid: Grid, box: tuple[slice, ...], factors: Sequence[int]
    ) -> None:
        """Compose the voxels of `box`, each split into `factors`, and average them."""
        made = compose(anatomy, finer(_cut(grid, box), factors))
        bright = self.signal[made.tissue]
        bright += made.thread * (self.signal[Tissue.THREAD] - bright)
        self.clean[box] = pool(bright, factors)
        self.csf[box] = pool((made.tissue == Tissue.CSF).astype(np.float32), factors)
        self._keep(box, made.tissue, made.painted, made.part, factors)


def _cut(grid: Grid, box: tuple[slice, ...]) -> Grid:
    """Return the part of `grid` in `box`."""
    corner = grid.affine.copy()
    corner[:3, 3] = grid.world_from_ijk([b.start for b in box])
    i, j, k = (b.stop - b.start for b in box)
    return Grid((i, j, k), corner)


def _boxes(
    shape: tuple[int, int, int], inside: tuple[slice, ...], points_a_voxel: int
) -> list[tuple[slice, ...]]:
    """Cut the part `inside` of a grid into slabs of at most `CHUNK` points."""
    across = np.prod([b.stop - b.start for b in inside[1:]]) * points_a_voxel
    step = max(1, int(CHUNK / across))
    first, last = inside[0].start, inside[0].stop
    return [(slice(a, min(a + step, last)), *inside[1:]) for a in range(first, last, step)]


def _canal_box(anatomy: Anatomy, grid: Grid) -> tuple[slice, ...] | None:
    """Return the box of voxels around the canal, None if the field of view misses it."""
    inside = grid.contains(anatomy.xyz_world)
    if not inside.any():
        return None
    centre = anatomy.xyz_world[inside]
    corners = np.concatenate([centre + CANAL_MM * np.array(c) for c in product((-1, 1), repeat=3)])
    ijk = grid.ijk_from_world(corners)
    low = np.clip(np.floor(ijk.min(axis=0)), 0, None).astype(int)
    high = np.minimum(np.ceil(ijk.max(axis=0)).astype(int) + 1, grid.shape)
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))


def render(
    anatomy: Anatomy,
    grid: Grid,
    acquisition: Acquisition | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Phantom:
    """Scan `anatomy` on `grid`.

    Parameters
    ----------
    anatomy : Anatomy
    grid : Grid
        Any shape, spacing, orientation and obliquity.
    acquisition : Acquisition, optional
    progress : callable, optional
        Called with a text, the work done and the whole work.

    Returns
    -------
    Phantom

    Raises
    ------
    InputError
        If the field of view misses the cord.
    """
    acquisition = acquisition or Acquisition()
    jobs = _canal_jobs(anatomy, grid)
    rng = np.random.default_rng([acquisition.seed, 2])
    shares = _Shares(grid.shape, signals(acquisition, rng))
    # The whole neck at one point a voxel, then the canal more finely.
    whole = _boxes(grid.shape, tuple(slice(0, n) for n in grid.shape), 1)
    jobs = [(box, [1, 1, 1]) for box in whole] + jobs
    for n, (box, split) in enumerate(jobs):
        if progress:
            progress("Rendering", n, len(jobs))
        shares.add(anatomy, grid, box, split)
    if progress:
        progress("Rendering", len(jobs), len(jobs))
    labels = _labels(anatomy, grid, shares)
    neither = (shares.cord < CORD_SHARE) & (shares.painted < ROOTLET_SHARE)
    csf = (shares.csf >= 0.5) & neither & ~_above_pmj(anatomy, grid)
    return Phantom(
        **vars(labels),
        image=Image(scan(shares.clean, grid, acquisition, rng), grid, None, "phantom"),
        csf=LabelImage(csf.astype(np.int32), grid, None, "phantom CSF"),
    )


def render_labels(anatomy: Anatomy, grid: Grid) -> Labels:
    """Return the labels of `anatomy` on `grid`: those of :func:`render`, much quicker.

    Parameters
    ----------
    anatomy : Anatomy
    grid : Grid
        Any shape, spacing, orientation and obliquity.

    Raises
    ------
    InputError
        If the field of view misses the cord.
    """
    shares = _LabelShares(grid.shape)
    for box, factors in _canal_jobs(anatomy, grid):
        shares.add(anatomy, grid, box, factors)
    return _labels(anatomy, grid, shares)


def _canal_jobs(anatomy: Anatomy, grid: Grid) -> list[tuple[tuple[slice, ...], list[int]]]:
    """Return the boxes around the canal, and into how many points to split their voxels."""
    canal = _canal_box(anatomy, grid)
    if canal is None:
        raise InputError("the field of view misses the cord of the phantom")
    factors = [int(np.ceil(mm / FINE_MM)) for mm in grid.spacing_mm]
    return [(box, factors) for box in _boxes(grid.shape, canal, int(np.prod(factors)))]


def _labels(anatomy: Anatomy, grid: Grid, shares: _LabelShares) -> Labels:
    """Decide what every voxel is."""
    cord = shares.cord >= CORD_SHARE
    seen = (shares.painted >= ROOTLET_SHARE) & ~cord
    level = shares.part // 10
    known = seen & np.isin(level, [lv.value for lv in ROOTLET_LEVELS])

    def labels(data: NDArray[Any], name: str) -> LabelImage:
        return LabelImage(np.asarray(data, dtype=np.int32), grid, None, name)

    return Labels(
        cord=labels(cord & ~_above_pmj(anatomy, grid), "phantom cord"),
        rootlets=labels(np.where(known, level, 0), "phantom rootlets"),
        parts=labels(np.where(known, shares.part, 0), "phantom rootlet parts"),
        discs=labels(_points(anatomy, grid, discs=True), "phantom discs"),
        pmj=labels(_points(anatomy, grid, discs=False), "phantom PMJ"),
    )


def _above_pmj(anatomy: Anatomy, grid: Grid) -> NDArray[np.bool_]:
    """Say which voxels (I, J, K) lie above the plane of the PMJ."""
    at = int(np.argmin(np.abs(anatomy.s_mm)))
    normal, origin = anatomy.frame()[0][at], anatomy.xyz_world[at]
    slope = normal @ grid.affine[:3, :3]
    i, j, k = np.ogrid[: grid.shape[0], : grid.shape[1], : grid.shape[2]]
    height = slope[0] * i + slope[1] * j + slope[2] * k
    return np.asarray(height + normal @ (grid.affine[:3, 3] - origin) < 0)


def finer(grid: Grid, factors: Sequence[int]) -> Grid:
    """Return the grid that splits every voxel of `grid` into `factors` along its axes."""
    scale = np.array(factors, dtype=float)
    affine = grid.affine.copy()
    affine[:3, :3] = grid.affine[:3, :3] / scale
    affine[:3, 3] = grid.world_from_ijk(-0.5 + 0.5 / scale)
    shape = tuple(int(n * k) for n, k in zip(grid.shape, factors, strict=True))
    return Grid(shape, affine)  # type: ignore[arg-type]


def pool(array: NDArray[np.float32], factors: Sequence[int]) -> NDArray[np.float32]:
    """Average blocks of `factors` voxels."""
    a, b, c = (n // k for n, k in zip(array.shape, factors, strict=True))
    i, j, k = factors
    return np.asarray(array.reshape(a, i, b, j, c, k).mean(axis=(1, 3, 5)))


def _majority(
    values: NDArray[np.int32], weights: NDArray[np.float32], factors: Sequence[int]
) -> NDArray[np.int32]:
    """Return for each block the value that has the largest weight in it."""
    best = np.zeros([n // k for n, k in zip(values.shape, factors, strict=True)], np.float32)
    out = np.zeros(best.shape, np.int32)
    for value, extent in enumerate(ndimage.find_objects(values), start=1):
        if extent is None:
            continue
        # Only the blocks that the value touches.
        blocks = tuple(
            slice(e.start // k, -(-e.stop // k)) for e, k in zip(extent, factors, strict=True)
        )
        box = tuple(slice(b.start * k, b.stop * k) for b, k in zip(blocks, factors, strict=True))
        weight = np.where(values[box] == value, weights[box], 0).astype(np.float32)
        weight = pool(weight, factors)
        wins = weight > best[blocks]
        out[blocks][wins], best[blocks][wins] = value, weight[wins]
    return out


def _points(anatomy: Anatomy, grid: Grid, *, discs: bool) -> NDArray[np.int32]:
    """Draw single voxels: the posterior tips of the discs, or the PMJ (50)."""
    data = np.zeros(grid.shape, np.int32)
    if discs:
        s = np.array(list(anatomy.discs_mm.values()))
        v = -(anatomy.at(anatomy.sac_ap_mm, s) - anatomy.at(anatomy.sac_offset_mm, s)) - 1.2
        labels = list(anatomy.discs_mm)
    else:
        s, v, labels = np.zeros(1), -anatomy.at(anatomy.cord_ap_mm, np.zeros(1)), [PMJ_LABEL]
    where = anatomy.world_from_suv(np.stack([s, np.zeros_like(s), v], axis=1))
    for xyz, label in zip(where, labels, strict=True):
        i, j, k = np.rint(grid.ijk_from_world(xyz)).astype(int)
        if 0 <= i < grid.shape[0] and 0 <= j < grid.shape[1] and 0 <= k < grid.shape[2]:
            data[i, j, k] = label
    return data
