"""What the figure of an activity profile shows, gathered from an analysis."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.fmri.analysis import Analysis
from sct_rootlets.fmri.fractions import Fractions
from sct_rootlets.fmri.parcels import Parcels
from sct_rootlets.fmri.regions import QUADRANTS, SliceFrames
from sct_rootlets.fmri.slices import slice_fractions
from sct_rootlets.qc.profile import Band, Profile

__all__ = ["level_positions", "profile_of"]

Floats = NDArray[np.float64]

#: Angles at which the unrolled cord is drawn, and the width (standard deviation) of what is
#: averaged there, degrees: a voxel of 1 mm at the surface of the cord is about 12 wide.
_ANGLES, _WIDTH_DEG = 72, 12.0
#: Slices that hold less of the levels than this share of the usual slice are left empty.
_LEAST = 0.2
#: Voxels nearer to the middle of the cord have no direction, mm.
_NEAREST_MM = 0.7


def profile_of(analysis: Analysis) -> Profile:
    """Gather what the figure shows: the first statistic map, or else the tSNR of the series."""
    levels, regions = analysis.levels, analysis.regions
    if analysis.maps:
        image = analysis.maps[0]
        values = np.asarray(image.data)[tuple(levels.ijk.T)].astype(np.float64)
        name, quantity, is_signed = Path(image.path).name, "statistic", bool((values < 0).any())
    else:
        assert analysis.series is not None
        values = analysis.series.voxels.tsnr
        name, quantity, is_signed = Path(analysis.series.path).name, "tSNR", False
    entering = analysis.inside & np.isfinite(values)
    weight = np.where(entering[:, None], levels.weight, 0.0)
    values = np.where(entering, values, 0.0)
    fractions = analysis.mapped.fractions
    order, places = level_positions(fractions)
    thickness = float(fractions.grid.spacing_mm[fractions.axis])
    around, by_slice = _around(analysis, levels, values, weight, order)
    quadrants = _by_quadrant(regions, values, entering)
    bands = []
    for n, level in enumerate(fractions.levels):
        if level not in places:
            continue
        total = weight[:, n].sum()
        mean = float(values @ weight[:, n] / total) if total > 0 else float("nan")
        bands.append(Band(level, *places[level], mean, quadrants[level]))
    subtitle = (
        f"{quantity} of voxels, weighted by their share of a level; {len(order)} slices of "
        f"{thickness:.3g} mm; levels in their places within the slices"
    )
    return Profile(
        title=f"{name} by spinal level",
        subtitle=subtitle,
        quantity=quantity,
        is_signed=is_signed,
        edges_mm=np.arange(len(order) + 1, dtype=np.float64) * thickness,
        around=around,
        by_slice=by_slice,
        bands=tuple(bands),
        threshold=analysis.parameters["Threshold"] if analysis.maps else None,
    )


def level_positions(
    fractions: Fractions,
) -> tuple[NDArray[np.intp], dict[SpinalLevel, tuple[float, float]]]:
    """Return the slices with levels, rostral to caudal, and where each level lies in them.

    Returns
    -------
    order : (S,) array
        Indices of the slices, from the first to the last that holds a level.
    places : dict
        Rostral and caudal end of each level, mm from the rostral face of the first slice: a
        slice is divided among its levels by their fractions, the rostral one first.
    """
    by_slice = slice_fractions(fractions)
    held = np.flatnonzero(by_slice.sum(axis=1) > 0)
    if not len(held):
        return held, {}
    order = np.arange(held[0], held[-1] + 1)
    if fractions.grid.affine[2, fractions.axis] > 0:
        order = order[::-1]
    thickness = float(fractions.grid.spacing_mm[fractions.axis])
    places: dict[SpinalLevel, tuple[float, float]] = {}
    for place, index in enumerate(order):
        # What the first slice lacks is above its levels; what another lacks, below.
        at = 1 - by_slice[index].sum() if place == 0 else 0.0
        for n in np.flatnonzero(by_slice[index] > 0):
            start, at = at, at + by_slice[index, n]
            ends = ((place + start) * thickness, (place + at) * thickness)
            level = fractions.levels[n]
            places[level] = (places[level][0] if level in places else ends[0], ends[1])
    # An oblique border lies in two slices, and so each level would reach beyond it a little.
    for above, below in pairwise(places):
        if places[above][1] > places[below][0]:
            middle = (places[above][1] + places[below][0]) / 2
            places[above] = (places[above][0], middle)
            places[below] = (middle, places[below][1])
    return order, places


def _around(
    analysis: Analysis, levels: Parcels, values: Floats, weight: Floats, order: NDArray[np.intp]
) -> tuple[Floats, Floats]:
    """Return the values around the cord (S, A), ventral over left and dorsal to ventral again.

    And their means by slice, (S,).
    """
    fractions, cord = analysis.mapped.fractions, analysis.mapped.cord
    whole = fractions.share.sum(axis=-1)
    if cord is not None:
        whole = np.where(np.asarray(cord.data) > 0, 1.0, 0.0)
    frames = SliceFrames(levels.grid, fractions.axis, whole)
    slices = levels.ijk[:, fractions.axis]
    offset = frames.offsets(levels.grid, levels.ijk.astype(float), slices)
    angle = -np.degrees(np.arctan2(offset[:, 0], offset[:, 1]))
    away = np.hypot(*offset.T) > _NEAREST_MM
    share = weight.sum(axis=1)
    held = np.bincount(slices, share)
    usual = float(np.median(held[held > 0])) if (held > 0).any() else 0.0
    at = (np.arange(_ANGLES) + 0.5) * 360 / _ANGLES - 180
    around = np.full((len(order), _ANGLES), np.nan)
    by_slice = np.full(len(order), np.nan)
    for row, index in enumerate(order):
        mine = np.flatnonzero((slices == index) & (share > 0))
        if share[mine].sum() < _LEAST * usual:
            continue
        if len(mine):
            by_slice[row] = np.average(values[mine], weights=share[mine])
        mine = mine[away[mine]]
        apart = (angle[mine] - at[:, None] + 180) % 360 - 180
        near = np.exp(-0.5 * (apart / _WIDTH_DEG) ** 2) * share[mine]
        total = near.sum(axis=1)
        known = total > 0.02
        around[row, known] = (near @ values[mine])[known] / total[known]
    return around, by_slice


def _by_quadrant(
    regions: Parcels, values: Floats, entering: NDArray[np.bool_]
) -> dict[SpinalLevel, tuple[float, ...]]:
    """Return the weighted means of the quadrants of each level, in the order of `QUADRANTS`."""
    sums: dict[SpinalLevel, Floats] = {}
    for p, parcel in enumerate(regions.parcels):
        assert parcel.side is not None
        assert parcel.sector is not None
        q = QUADRANTS.index((parcel.side, parcel.sector))
        mine = np.where(entering, regions.weight[:, p], 0.0)
        sums.setdefault(parcel.level, np.zeros((4, 2)))[q] += (values @ mine, mine.sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        return {level: tuple((s[:, 0] / s[:, 1]).tolist()) for level, s in sums.items()}
