"""The ends of every level's entry zone, from its voxels.

An end is not the outermost voxel. A rootlet that leaves the cord obliquely crosses a
voxel at several depths, so that the outermost voxel within reach depends on the voxel's
size; and one stray voxel would move it. Instead, in every side and sector:

1. each column of voxels along the cord gives one edge point, the outer face of its last
   voxel, with its depth from the cord surface;
2. edge points near the wanted depth are carried to it along the mean slope of rootlets:
   for the caudal end the depth `reach_mm`, where a descending rootlet leaves the entry
   zone; for the rostral end the smallest depth at which there is tissue;
3. the end is the `EDGE_QUANTILE` of these points, counted from inside.

The outermost of the sides and sectors is the end of the level.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import Sector, Side, SpinalLevel
from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid
from sct_rootlets.levels.definitions import Zone
from sct_rootlets.levels.entry_zones import EntryZones
from sct_rootlets.levels.population import EDGE_SLOPE, SLOPE

__all__ = ["level_zones"]

Floats = NDArray[np.float64]

#: Empty stretch along the cord, mm, that parts a level's voxels into groups: half of a
#: level, and more than any gap between the filaments of one.
GROUP_GAP_MM = 6.0
#: A side and sector with less than this share of a level's voxels cannot move its end by
#: more than `LONELY_MM` alone.
LONELY_SHARE, LONELY_MM = 0.1, 2.0
#: Empty stretch within one side and sector, mm, beyond which such a share is no part of it.
PIECE_GAP_MM = 2.0
#: Which edge point, of those in one side and sector, is the end: 1 is the outermost.
EDGE_QUANTILE = 0.8


@dataclass(frozen=True, eq=False)
class _Group:
    level: SpinalLevel
    members: NDArray[np.intp]
    middle_mm: float


def level_zones(zones: EntryZones, grid: Grid) -> tuple[dict[SpinalLevel, Zone], list[str]]:
    """Return the entry zone of every level seen, and warnings.

    Parameters
    ----------
    zones : EntryZones
        Of rootlets whose values are spinal levels.
    grid : Grid
        Of the rootlets image.

    Raises
    ------
    InputError
        If the levels run in the wrong direction along the cord.

    Notes
    -----
    The voxels of a level fall into groups where more than `GROUP_GAP_MM` of the cord
    between them is empty. Of each level one group is kept, or none, such that the levels
    follow each other and as many voxels as possible are kept; the others are strays.
    """
    groups = _groups(zones)
    kept = _ordered(groups)
    _refuse_reversed(groups)
    warnings: list[str] = []
    ends: dict[SpinalLevel, Zone] = {}
    for group in groups:
        if group not in kept:
            warnings.append(
                f"{group.level}: {len(group.members)} voxels near s = {group.middle_mm:.1f} mm lie "
                "apart from the level or out of order and were left out"
            )
    for level in sorted({group.level for group in groups} - {group.level for group in kept}):
        warnings.append(f"{level}: out of order with its neighbours and taken for unseen")
    for group in kept:
        zone, remarks = _ends(zones, group, grid)
        ends[group.level] = zone
        warnings += [f"{group.level}: {text}" for text in remarks]
    _settle(ends, warnings)
    return ends, warnings


def _groups(zones: EntryZones) -> list[_Group]:
    """Split every level's voxels where the cord between them is empty."""
    groups = []
    for value in np.unique(zones.value):
        members = np.flatnonzero(zones.value == value)
        for part in _split(zones, members, GROUP_GAP_MM):
            middle = float(np.median(zones.s_mm[part]))
            groups.append(_Group(SpinalLevel(int(value)), part, middle))
    return groups


def _ordered(groups: list[_Group]) -> list[_Group]:
    """Choose at most one group a level, ascending along the cord, with the most voxels."""
    best: list[tuple[int, list[_Group]]] = []
    for group in groups:
        before = [
            chain
            for chain in best
            if chain[1][-1].level < group.level and chain[1][-1].middle_mm < group.middle_mm
        ]
        size, chain = max(before, key=lambda c: c[0], default=(0, []))
        best.append((size + len(group.members), [*chain, group]))
    return max(best, key=lambda c: c[0])[1]


def _refuse_reversed(groups: list[_Group]) -> None:
    largest: dict[SpinalLevel, _Group] = {}
    for group in groups:
        if group.level not in largest or len(group.members) > len(largest[group.level].members):
            largest[group.level] = group
    middles = [largest[level].middle_mm for level in sorted(largest)]
    if len(middles) >= 3 and all(b < a for a, b in pairwise(middles)):
        raise InputError(
            "the levels of the rootlets run from caudal to rostral",
            remedy="The image's orientation (affine) is wrong, or its level values are",
        )


def _ends(zones: EntryZones, group: _Group, grid: Grid) -> tuple[Zone, list[str]]:
    """Return the ends of one level's entry zone, with remarks."""
    remarks: list[str] = []
    members = group.members
    radial = 0.5 * float(np.median(zones.radial_mm[members]))
    nearest = float(zones.depth_mm[members].min())
    if nearest - radial > zones.reach_mm:
        remarks.append(
            f"no voxel within {zones.reach_mm:g} mm of the cord (nearest {nearest:.1f} mm): its "
            "entry is continued from farther out along the mean obliquity"
        )
    cells = []
    for side in Side:
        for sector in Sector:
            here = members[
                (zones.side[members] == side.value) & (zones.sector[members] == sector.value)
            ]
            # Far out the rootlets have descended past the entry zone: not looked at here.
            depth = zones.depth_mm[here]
            here = here[depth <= max(zones.reach_mm, depth.min(initial=99.0)) + 3 * radial]
            here, left_out = _without_pieces(zones, here, LONELY_SHARE * len(members))
            if left_out:
                remarks.append(
                    f"{left_out} voxels ({side.value}{sector.value}) lie apart and were not "
                    "followed"
                )
            limit = max(zones.reach_mm, nearest) + radial
            if len(here) and zones.depth_mm[here].min() <= limit:
                low, high = _cell_ends(zones, here, _slope(group.level, sector), radial)
                cells.append((low, high, len(here), f"{side.value}{sector.value}"))
    rostral = _outermost([(-c[0], c[2], c[3]) for c in cells], "rostral", remarks)
    caudal = _outermost([(c[1], c[2], c[3]) for c in cells], "caudal", remarks)
    low, high = -rostral, caudal
    if high - low < 0.5:  # a lone voxel, or edges that cross: the voxels themselves
        low = float((zones.s_mm - zones.half_mm)[members].min())
        high = float((zones.s_mm + zones.half_mm)[members].max())
    edge = (zones.ijk[members] == 0) | (zones.ijk[members] == np.array(grid.shape) - 1)
    if edge[:, zones.axis].any():
        remarks.append("touches the end of the image and may go on beyond it")
    return Zone(low, high, tuple(remarks)), remarks


def _without_pieces(
    zones: EntryZones, here: NDArray[np.intp], smallest: float
) -> tuple[NDArray[np.intp], int]:
    """Return `here` without small pieces apart from its largest one, and how many went."""
    if len(here) < 2:
        return here, 0
    pieces = _split(zones, here, PIECE_GAP_MM)
    largest = max(len(piece) for piece in pieces)
    kept = [piece for piece in pieces if len(piece) >= min(smallest, largest)]
    return np.concatenate(kept), len(here) - sum(len(piece) for piece in kept)


def _split(zones: EntryZones, members: NDArray[np.intp], gap_mm: float) -> list[NDArray[np.intp]]:
    """Split voxels where more than `gap_mm` of the cord between them is empty."""
    members = members[np.argsort(zones.s_mm[members], kind="stable")]
    s, half = zones.s_mm[members], zones.half_mm[members]
    empty = (s[1:] - half[1:]) - (s[:-1] + half[:-1])
    return np.split(members, np.flatnonzero(empty > gap_mm) + 1)


def _slope(level: SpinalLevel, sector: Sector) -> float:
    slopes = SLOPE[sector.value]
    known = min(slopes, key=lambda lv: abs(lv.value - level.value))
    return float(slopes[known])


def _cell_ends(
    zones: EntryZones, here: NDArray[np.intp], slope: float, radial_mm: float
) -> tuple[float, float]:
    """Return rostral and caudal end (mm) of the voxels `here`, of one side and sector."""
    columns = np.delete(zones.ijk[here], zones.axis, axis=1)
    _, column = np.unique(columns, axis=0, return_inverse=True)
    column = column.reshape(-1)
    window = float(np.clip(2 * radial_mm, 0.5, 1.2))
    near = max(float(zones.depth_mm[here].min()) - 0.7 * radial_mm, 0.0)
    ends = []
    for k, sign, target, steep in (
        (0, -1.0, min(near, zones.reach_mm), slope + EDGE_SLOPE),
        (1, 1.0, zones.reach_mm, max(slope - EDGE_SLOPE, 0.0)),
    ):
        s, depth = zones.face_s_mm[here, k], zones.face_depth_mm[here, k]
        order = np.lexsort((sign * s, column))
        last = order[np.append(np.diff(column[order]) > 0, True)]  # outermost of each column
        away = np.abs(depth[last] - target)
        use = last[away <= max(window, float(away.min()) + 0.5 * window)]
        points = sign * (s[use] + (target - depth[use]) * steep)
        ends.append(sign * float(np.quantile(points, EDGE_QUANTILE)))
    return ends[0], ends[1]


def _outermost(cells: list[tuple[float, int, str]], end: str, remarks: list[str]) -> float:
    """Return the outermost end, unless a side and sector of few voxels stands out alone."""
    cells = sorted(cells, reverse=True)
    total = sum(cell[1] for cell in cells)
    while (
        len(cells) > 1
        and cells[0][1] < LONELY_SHARE * total
        and cells[0][0] - cells[1][0] > LONELY_MM
    ):
        remarks.append(
            f"{cells[0][1]} voxels ({cells[0][2]}) reach {cells[0][0] - cells[1][0]:.1f} mm beyond "
            f"the others at the {end} end and were not followed"
        )
        cells = cells[1:]
    return cells[0][0]


def _settle(ends: dict[SpinalLevel, Zone], warnings: list[str]) -> None:
    """Make caudal and rostral ends ascend from level to level, halfway where they cross."""
    levels = sorted(ends)
    for _ in levels:
        for above, below in pairwise(levels):
            a, b = ends[above], ends[below]
            if b.caudal_mm - a.caudal_mm < 1.0 or b.rostral_mm < a.rostral_mm:
                warnings.append(f"{above} and {below} overlap; their border was put between them")
                middle = (max(a.rostral_mm, b.rostral_mm) + min(a.caudal_mm, b.caudal_mm)) / 2
                low = min(a.rostral_mm, b.rostral_mm, middle - 0.5)
                high = max(a.caudal_mm, b.caudal_mm, middle + 0.5)
                ends[above] = Zone(low, middle, a.notes)
                ends[below] = Zone(middle, high, b.notes)
