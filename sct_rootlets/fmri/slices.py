"""Slices and levels: how much of which level each slice holds, and what becomes its label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.fmri.fractions import Fractions
from sct_rootlets.tables import columns, decimals

__all__ = [
    "COLUMNS",
    "Coverage",
    "SliceRow",
    "coverage",
    "label_voxels",
    "slice_fractions",
]

Floats = NDArray[np.float64]

#: A layer of a slice has cord with a level where its labelled area is at least this share of
#: the usual one, as the cord ends where its area falls to half.
_COVERED = 0.5
#: The usual area is this quantile of the layers with a level: where the levels end, most of them
#: are still whole.
_USUAL = 0.75
#: Smallest fraction that makes a row.
_SMALLEST = 0.0005
#: A level that covers more of the slices than this is kept in the label image.
_KEPT = 0.5
#: And less than this share of its volume has its label where it is lost.
_ENOUGH = 0.25
#: Shares of voxels that differ by no more than this are equal.
_EQUAL = 1e-6

COLUMNS = columns(
    {
        "slice": "Index of the slice along the axis of the image that runs inferior-superior, from "
        "0, in the order in which it is stored",
        "level": "Spinal level",
        "fraction": "Fraction of the cord in that slice that belongs to the level: the mean over "
        "the thickness of the slice of the level's share of the labelled area of the cord",
        "fraction_sd": "Standard deviation of the fraction that follows from those of the borders "
        "in the table of levels; n/a without them",
        "p_largest": "Probability that the level is the one with the largest fraction in the "
        "slice, given the same standard deviations",
    },
    decimals(4),
)


@dataclass(frozen=True)
class SliceRow:
    """One level in one slice; attributes as `COLUMNS`, None where not known."""

    slice: int
    level: SpinalLevel
    fraction: float
    fraction_sd: float | None = None
    p_largest: float | None = None


@dataclass(frozen=True)
class Coverage:
    """How much of a level the slices hold.

    Attributes
    ----------
    level : SpinalLevel
    n_slices : int
        Slices that hold a part of it.
    slices : float
        Sum of its fractions over the slices.
    along_mm : float
        The same times the distance between slices.
    volume_mm3 : float
        Sum of its shares times the volume of a voxel.
    n_voxels : int
        Voxels that have its label.
    """

    level: SpinalLevel
    n_slices: int
    slices: float
    along_mm: float
    volume_mm3: float
    n_voxels: int


def slice_fractions(fractions: Fractions) -> Floats:
    """Return the fraction of the cord in each slice that belongs to each level, (K, L).

    A slice is cut into layers. In a layer with labelled cord the levels share 1 by their area;
    a layer whose labelled area is less than half the usual one around it, in this slice and the
    next ones, has no level. The fraction is the mean over all layers, so that the sum over levels
    is the covered part of the slice.
    """
    found = np.zeros((fractions.grid.shape[fractions.axis], len(fractions.levels)))
    areas = {index: p.samples.sum(axis=1) for index, p in fractions.profiles.items()}
    for index, profile in fractions.profiles.items():
        area = areas[index]
        around = np.concatenate([areas[k] for k in (index - 1, index, index + 1) if k in areas])
        usual = float(np.quantile(around[around > 0], _USUAL))
        covered = area >= _COVERED * usual
        share = profile.samples[covered] / area[covered, None]
        found[index] = share.sum(axis=0) / len(area)
    return found


def label_voxels(
    fractions: Fractions, *, bounded: bool = False
) -> tuple[NDArray[np.uint8], tuple[SpinalLevel, ...]]:
    """Give every voxel of the cord the label of the level with the largest share.

    Parameters
    ----------
    fractions : Fractions
    bounded : bool
        Whether a cord mask bounds the fractions. Its voxels are cord then; otherwise those
        that the labelled cord fills to at least a half, in the covered part of the slice.

    Returns
    -------
    labels : (I, J, K) uint8 array
        Spinal level values. Slices of which less than half is covered by levels have none,
        but for those of the next line.
    crowded : tuple of SpinalLevel
        Levels that would be lost: they cover more than half a slice in all, spread over
        slices that hold more of another level or of none, and less than a quarter of their
        volume would be labelled. Each is given voxels of the slice that holds most of it: all
        where it has the largest share, or else as many as its fraction of the slice, where its
        share comes closest to the largest, from the middle of the cord outwards.
    """
    grid, axis = fractions.grid, fractions.axis
    by_slice = slice_fractions(fractions)
    covered = by_slice.sum(axis=1)
    broad = tuple(-1 if a == axis else 1 for a in range(3))
    in_cord = fractions.share.sum(axis=-1)
    filled = in_cord > 0
    if not bounded:
        filled &= in_cord >= 0.5 * covered.reshape(broad) - _EQUAL
    values = np.array([level.value for level in fractions.levels], dtype=np.uint8)
    winner = np.asarray(fractions.share.argmax(axis=-1))
    shown = filled & (covered >= _COVERED - _EQUAL).reshape(broad)
    labels = np.where(shown, values[winner], 0).astype(np.uint8)
    crowded: list[SpinalLevel] = []
    taken = np.zeros(grid.shape, dtype=bool)
    # Twice, since a level may lose its few voxels to one that comes later.
    for n, level in [*enumerate(fractions.levels)] * 2:
        labelled = np.count_nonzero(labels == values[n]) * grid.voxel_volume_mm3
        enough = labelled >= _ENOUGH * fractions.volume_mm3[n]
        if by_slice[:, n].sum() <= _KEPT or (enough and labelled) or level in crowded:
            continue
        index = int(by_slice[:, n].argmax())
        ijk = np.argwhere(filled & ~taken & (fractions.share[..., n] > 0))
        ijk = ijk[ijk[:, axis] == index]
        if len(ijk) == 0:
            continue
        share = fractions.share[tuple(ijk.T)]
        behind = share.max(axis=1) - share[:, n]
        count = int(np.count_nonzero(behind == 0))
        if by_slice[index].argmax() != n:
            whole = np.count_nonzero(np.take(filled, index, axis=axis))
            count = max(1, round(float(by_slice[index, n]) * whole))
        # Equal ones from the middle outwards, so that no side is preferred.
        away = np.linalg.norm((ijk - ijk.mean(axis=0)) * grid.spacing_mm, axis=1)
        chosen = ijk[np.lexsort((away, np.round(behind, 2)))[:count]]
        labels[tuple(chosen.T)] = values[n]
        taken[tuple(chosen.T)] = True
        crowded.append(level)
    return labels, tuple(sorted(crowded))


def coverage(fractions: Fractions, labels: NDArray[Any]) -> tuple[Coverage, ...]:
    """Return how much of each level the slices hold, rostral to caudal."""
    by_slice = slice_fractions(fractions)
    spacing = float(fractions.grid.spacing_mm[fractions.axis])
    return tuple(
        Coverage(
            level,
            int((by_slice[:, n] > _SMALLEST).sum()),
            float(by_slice[:, n].sum()),
            float(by_slice[:, n].sum()) * spacing,
            float(fractions.volume_mm3[n]),
            int((labels == level.value).sum()),
        )
        for n, level in enumerate(fractions.levels)
    )


def rows_of(
    by_slice: Floats,
    levels: tuple[SpinalLevel, ...],
    spread: dict[tuple[int, SpinalLevel], tuple[float, float]],
) -> tuple[SliceRow, ...]:
    """Return the rows of the table: by slice, then rostral to caudal.

    Parameters
    ----------
    by_slice : (K, L) array
        As of :func:`slice_fractions`.
    levels : tuple of SpinalLevel
    spread : dict
        ``fraction_sd`` and ``p_largest`` by slice and level, where they are known.
    """
    rows = []
    for index, n in np.argwhere(by_slice > _SMALLEST):
        level = levels[n]
        known = spread.get((int(index), level), (None, None))
        rows.append(SliceRow(int(index), level, float(by_slice[index, n]), *known))
    return tuple(rows)
