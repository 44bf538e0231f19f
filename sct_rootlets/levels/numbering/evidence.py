"""What rootlets without a level say about where one level ends and the next begins.

Within one side and sector, a border should pass between connected parts, and where there is
little tissue; and between two borders there should be no more of it along the cord than one
entry zone is long. The first is a cost of every position, the second the length of cord that
rootlets take up; :mod:`sct_rootlets.levels.numbering.hidden_markov` weighs both.

The end of the image is no gap. Rootlets go on beyond it, and networks leave its last slices
empty, so that the density of the tissue is that of the part of the cord in view, and nothing is
said of the last `BLIND_MM`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from sct_rootlets.anatomy import Sector, Side
from sct_rootlets.levels.zones.entry_zones import EntryZones

__all__ = ["BorderEvidence", "one_level_per_part", "read_evidence"]

Floats = NDArray[np.float64]

#: Cost of a border through the middle of an entry zone.
CUT_COST = 5.0
#: How much of it a border in a clean gap is worth, against one outside the field of view.
GAP_WORTH = 0.5
#: Longest part along the cord, mm, that is taken for one level in one side and sector.
ONE_LEVEL_MM = 14.0
#: Stretch at the ends of the view, mm, in which missing rootlets say nothing; and the shortest
#: view that has such ends.
BLIND_MM, SHORTEST_MM = 2.0, 15.0
#: Distance between positions, mm.
STEP_MM = 0.25
#: Voxels with which a side and sector says anything.
FEWEST_VOXELS = 5


@dataclass(frozen=True, eq=False)
class BorderEvidence:
    """What rootlets say about the borders between levels.

    Attributes
    ----------
    at : (M,) array
        Positions along the cord, mm, evenly spaced; nothing is known elsewhere.
    cost : (M,) array
        Of a border there (natural logarithm).
    tissue_mm : (C, M) array
        For each side and sector with rootlets, the length of cord from the first position to
        there that they take up.
    """

    at: Floats
    cost: Floats
    tissue_mm: Floats


def read_evidence(zones: EntryZones, entry: Floats, seen_mm: tuple[float, float]) -> BorderEvidence:
    """Return what rootlets say about borders in the view.

    Parameters
    ----------
    zones : EntryZones
    entry : (N,) array
        Where the rootlet of each voxel enters the cord, mm along it.
    seen_mm : (rostral, caudal)
        Range along the cord that the image shows.

    Notes
    -----
    Sides and sectors count alike, whichever has more voxels. A part too long for one level
    may be two that touch: there the border should pass where tissue is thin. Outside the view
    the cost is 0; a border in a clean gap within it is better than that.
    """
    first, last = seen_mm
    if last - first >= SHORTEST_MM:
        first, last = first + BLIND_MM, last - BLIND_MM
    at = np.arange(first, last + STEP_MM, STEP_MM)
    blur_mm = max(1.2, float(np.median(zones.half_mm)))
    shown = _blurred(at, np.ones(len(at)), at, blur_mm)
    weight = 1 / (1 + np.clip(zones.depth_mm - 1.5, 0, None))
    costs, lengths = [], []
    for side in Side:
        for sector in Sector:
            here = (zones.side == side.value) & (zones.sector == sector.value)
            inside = here & (entry >= at[0]) & (entry <= at[-1])
            if here.sum() < FEWEST_VOXELS or not inside.any():
                continue
            density = _blurred(entry[inside], weight[inside], at, blur_mm) / shown
            usual = np.quantile(density[density > 0.05 * density.max()], 0.6)
            tissue = np.minimum(density / usual, 1.2)
            split, merged = _parts_cut(zones.part[here], entry[here], weight[here], at)
            # What is left of the tissue's cost outside long parts keeps a border away from
            # their frayed ends.
            costs.append(np.minimum(split, 1.2) + (0.3 + 0.7 * merged) * tissue)
            lengths.append(np.cumsum(np.minimum(tissue, 1)) * STEP_MM)
    if not costs:
        return BorderEvidence(at, np.zeros(len(at)), np.zeros((0, len(at))))
    return BorderEvidence(at, CUT_COST * (np.mean(costs, axis=0) - GAP_WORTH), np.array(lengths))


def _parts_cut(
    part: NDArray[np.int64], entry: Floats, weight: Floats, at: Floats
) -> tuple[Floats, Floats]:
    """Return how much a border at `at` (M,) cuts parts of one level, and whether long ones.

    The parts are those of the voxels (N,) of one side and sector.
    """
    masses = np.bincount(part, weight)
    usual = np.quantile(masses[masses > 0.1 * masses.max()], 0.5)
    split, merged = np.zeros(len(at)), np.zeros(len(at))
    for one in np.flatnonzero(masses):
        place, own = entry[part == one], weight[part == one]
        order = np.argsort(place)
        below = np.interp(at, place[order], np.cumsum(own[order]) / own.sum(), 0, 1)
        long = float(np.clip((_length_mm(place) - ONE_LEVEL_MM) / 4.0, 0, 1))
        share = min(own.sum() / usual, 1.0)
        split += (1 - long) * share * 3 * np.minimum(below, 1 - below)
        merged += long * ((below > 0) & (below < 1))
    return split, np.minimum(merged, 1)


def _length_mm(place: Floats) -> float:
    """Return the length along the cord of a part whose voxels lie at `place` (N,)."""
    return float(np.quantile(place, 0.95) - np.quantile(place, 0.05))


def _blurred(place: Floats, weight: Floats, at: Floats, sigma: float) -> Floats:
    """Return the density of `place` (N,) at the even positions `at` (M,), blurred."""
    step = at[1] - at[0]
    edge = int(np.ceil(4 * sigma / step))
    bins = np.clip((place - at[0]) / step + edge, 0, len(at) + 2 * edge - 2)
    first = np.floor(bins).astype(int)
    size = len(at) + 2 * edge
    mass = np.bincount(first, weight * (1 - bins + first), size)
    mass += np.bincount(first + 1, weight * (bins - first), size)
    return np.asarray(scipy.ndimage.gaussian_filter1d(mass, sigma / step)[edge : edge + len(at)])


def one_level_per_part(
    levels: NDArray[np.int64], zones: EntryZones, entry: Floats
) -> NDArray[np.int64]:
    """Give a connected part one level where nearly all of it agrees, near voxels first.

    A part too long for one level may be two that touch, and keeps its border.

    Parameters
    ----------
    levels : (N,) int array
        Level of every voxel by where it enters the cord.
    zones : EntryZones
    entry : (N,) array
        As in :func:`read_evidence`.
    """
    answer = levels.copy()
    weight = 1 / (1 + np.clip(zones.depth_mm, 0, None))
    for part in np.unique(zones.part):
        here = zones.part == part
        votes = np.bincount(levels[here], weight[here])
        if votes.max() >= 0.75 * votes.sum() and _length_mm(entry[here]) <= ONE_LEVEL_MM:
            answer[here] = votes.argmax()
    return answer
