"""The ends of every level's entry zone, with their uncertainty, from its voxels.

An end is not the outermost voxel. A rootlet that leaves the cord obliquely crosses a
voxel at several depths, so that the outermost voxel within reach depends on the voxel's
size; and one stray voxel would move it. Instead, in every *cell* (a side and a sector):

1. each column of voxels along the cord gives one edge point, the outer face of its last
   voxel, with its depth from the cord surface;
2. a line through the upper quantile of the edge points, s over depth, is the outermost
   filament; its slope is drawn towards the mean obliquity of rootlets;
3. the end of the cell is where that line passes the wanted depth: for the rostral end the
   surface of the cord, where a filament enters it, for the caudal end the depth
   `reach_mm`, where a descending filament leaves the entry zone.

The end of the level is the outermost of its cells, as they are in truth
(:mod:`sct_rootlets.levels.zones.outermost`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import Sector, Side, SpinalLevel
from sct_rootlets.image import Grid
from sct_rootlets.levels.population.prior import End, Evidence
from sct_rootlets.levels.population.reference_data import EDGE_SLOPE, SLOPE
from sct_rootlets.levels.zones.entry_zones import EntryZones
from sct_rootlets.levels.zones.order import Group, Stray, split
from sct_rootlets.levels.zones.outermost import CELL_SD_MM, Cell, noise_of, outermost

__all__ = ["Zone", "level_zones", "measured_ends"]

Floats = NDArray[np.float64]

#: Empty stretch along the cord, mm, that divides the voxels of a cell into pieces, and the
#: share of the largest piece below which one is taken for a stray. The same share holds for
#: connected parts.
PIECE_GAP_MM, PIECE_SHARE, PART_SHARE = 0.5, 0.3, 0.2
#: Quantile of the edge points through which the line of the outermost filament passes, at the
#: rostral and at the caudal end.
EDGE_QUANTILE = (0.9, 0.89)
#: Within its last voxel, an oblique filament reaches farthest where it is shallowest (rostral end)
#: or deepest (caudal end): by how much of the voxel's radial extent that differs from its middle.
EDGE_DEPTH = (0.2, 0.1)
#: Depth over which edge points lose their weight, mm, and beyond which they have none.
WEIGHT_MM, FARTHEST_MM = 1.5, 3.5
#: Spread of the slope of the outermost filament about the mean, relative to 0.5 more than it:
#: the rostral end is outside the voxels and depends on it, the caudal one lies among them.
SLOPE_SPREAD = (0.4, 1.0)
#: Rootlets that come nearer than this, mm, to the end of the image may go on beyond it: networks
#: leave the last slices empty.
CUT_MM = 2.0
#: Standard deviation of the end of a cell of many voxels, rostral and caudal: what there always
#: is (mm), what grows with the slope (mm), with the extent of a voxel along the cord (its
#: share), and what few edge points add (relative, times their number).
FLOOR_SD_MM = (0.25, 0.2)
SLOPE_SD_MM = (0.4, 0.2)
VOXEL_SHARE = (0.25, 0.2)
FEW_POINTS = 4.0
#: What the model of errors leaves out, as a factor on every standard deviation; from tuning
#: phantoms with degraded masks.
CALIBRATION = 1.2


@dataclass(frozen=True)
class Zone:
    """Entry zone of one level along the cord.

    Attributes
    ----------
    rostral_mm, caudal_mm : float
        Its ends; where the field of view cuts it, the end of what is seen.
    rostral_sd_mm, caudal_sd_mm : float
        Their standard deviations.
    cut_rostral, cut_caudal : bool
        Whether the field of view ends there, so that the zone may go on.
    flags, notes : tuple of str
        As in `LevelRow`.
    """

    rostral_mm: float
    caudal_mm: float
    rostral_sd_mm: float = 0.5
    caudal_sd_mm: float = 0.5
    cut_rostral: bool = False
    cut_caudal: bool = False
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Ends:
    """What the voxels of one level say about its ends."""

    rostral: tuple[Cell, ...]
    caudal: tuple[Cell, ...]
    used: NDArray[np.intp]
    flags: tuple[str, ...]
    notes: tuple[str, ...]
    strays: NDArray[np.intp]


def level_zones(
    zones: EntryZones, groups: Mapping[SpinalLevel, Group], grid: Grid
) -> tuple[dict[SpinalLevel, Zone], list[Stray], float]:
    """Return the entry zone of every level seen, strays, and the noise of the image.

    Parameters
    ----------
    zones : EntryZones
    groups : mapping of SpinalLevel to Group
        Voxels of every level.
    grid : Grid
        Of the rootlets image.

    Returns
    -------
    zones : dict of SpinalLevel to Zone
    strays : list of Stray
        Voxels within a level that were not followed.
    noise : float
        By how much the ends of the cells disagree, against a perfect mask's.
    """
    measured = {level: _measure(zones, group) for level, group in groups.items()}
    found = {level: ends for level, ends in measured.items() if ends is not None}
    noise = noise_of(cells for ends in found.values() for cells in (ends.rostral, ends.caudal))
    answer, strays = {}, []
    for level, ends in found.items():
        low, low_sd = outermost(ends.rostral, noise)
        high, high_sd = outermost(ends.caudal, noise)
        low = -low
        if high - low < 1.0:  # a lone voxel, or edges that cross
            middle = (high + low) / 2
            half = max(0.5, float(zones.half_mm[groups[level].members].mean()))
            low, high = middle - half, middle + half
        rostral, caudal = _cut(zones, ends.used, grid)
        flags, notes = ends.flags, ends.notes
        if rostral or caudal:
            flags += ("cut_rostral",) * rostral + ("cut_caudal",) * caudal
            notes += ("touches the end of the image and may go on beyond it",)
        low_sd, high_sd = CALIBRATION * low_sd, CALIBRATION * high_sd
        answer[level] = Zone(low, high, low_sd, high_sd, rostral, caudal, flags, notes)
        if len(ends.strays):
            where = float(np.median(zones.s_mm[ends.strays]))
            why = "apart from the rest of its side and sector"
            strays.append(Stray(level, len(ends.strays), where, why))
    return answer, strays, noise


def measured_ends(zones: Mapping[SpinalLevel, Zone]) -> Evidence:
    """Return the ends that the image does not cut off, with their standard deviations."""
    return {
        (level, end): (getattr(zone, f"{end.value}_mm"), getattr(zone, f"{end.value}_sd_mm"))
        for level, zone in zones.items()
        for end in End
        if not getattr(zone, f"cut_{end.value}")
    }


def _measure(zones: EntryZones, group: Group) -> _Ends | None:
    """Measure the four cells of one level; None without any within reach."""
    members = group.members
    notes: list[str] = []
    flags: list[str] = []
    radial = 0.5 * float(np.median(zones.radial_mm[members]))
    nearest = float(zones.depth_mm[members].min())
    if nearest - radial > zones.reach_mm:
        flags.append("far")
        notes.append(
            f"no voxel within {zones.reach_mm:g} mm of the cord (nearest {nearest:.1f} mm): its "
            "entry is continued from farther out along the mean obliquity"
        )
    limit = max(zones.reach_mm, nearest) + radial
    cells: list[tuple[Cell, Cell]] = []
    used, strays = [], [members[:0]]
    for side in Side:
        for sector in Sector:
            here = members[
                (zones.side[members] == side.value) & (zones.sector[members] == sector.value)
            ]
            slope = _slope(group.level, sector)
            rostral, caudal = None, None
            if len(here):
                here, left_out = _without_pieces(zones, here)
                strays.append(left_out)
                if zones.depth_mm[here].min() <= limit:
                    rostral, caudal = _cell_ends(zones, here, slope, sector)
                    used.append(here)
            name = side.value + sector.value
            cells.append(
                (
                    Cell(name, CELL_SD_MM["rostral"], *(rostral or ())),
                    Cell(name, CELL_SD_MM["caudal"], *(caudal or ())),
                )
            )
    if not used:
        return None
    if len({cell.name[0] for cell, _ in cells if cell.end_mm is not None}) == 1:
        flags.append("one_side")
    return _Ends(
        tuple(cell for cell, _ in cells),
        tuple(cell for _, cell in cells),
        np.concatenate(used),
        tuple(flags),
        tuple(notes),
        np.concatenate(strays),
    )


def _cut(zones: EntryZones, members: NDArray[np.intp], grid: Grid) -> tuple[bool, bool]:
    """Say whether the image ends at the rostral and at the caudal end of the voxels."""
    slice_mm = float(grid.spacing_mm[zones.axis])
    index = zones.ijk[members, zones.axis]
    middle = float(np.median(zones.s_mm[members]))
    cut = [False, False]
    for from_end in (index, grid.shape[zones.axis] - 1 - index):
        touching = from_end * slice_mm < CUT_MM
        if touching.any():
            cut[int(zones.s_mm[members][touching].mean() > middle)] = True
    return cut[0], cut[1]


def _without_pieces(
    zones: EntryZones, here: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the voxels of one cell without small parts and pieces, and those."""
    sizes = np.bincount(zones.part[here])
    kept = here[sizes[zones.part[here]] >= PART_SHARE * sizes.max()]
    pieces = split(zones, kept, PIECE_GAP_MM)
    largest = max(len(piece) for piece in pieces)
    kept = np.concatenate([piece for piece in pieces if len(piece) >= PIECE_SHARE * largest])
    return kept, np.setdiff1d(here, kept)


def _slope(level: SpinalLevel, sector: Sector) -> float:
    slopes: Mapping[SpinalLevel, float] = SLOPE[sector.value]
    known = min(slopes, key=lambda lv: abs(lv.value - level.value))
    return float(slopes[known])


def _cell_ends(
    zones: EntryZones, here: NDArray[np.intp], slope: float, sector: Sector
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return rostral and caudal end of one cell's voxels, each with its sd, mm, outwards."""
    columns = np.delete(zones.ijk[here], zones.axis, axis=1)
    _, column = np.unique(columns, axis=0, return_inverse=True)
    column = column.reshape(-1)
    half = float(np.median(zones.half_mm[here]))
    converge = EDGE_SLOPE if sector is Sector.DORSAL else 0.0
    ends = []
    for k, sign, target, steep in (
        (0, -1.0, 0.0, -(slope + converge)),
        (1, 1.0, zones.reach_mm, max(slope - 1.5 * EDGE_SLOPE, 0.0)),
    ):
        s, depth = sign * zones.face_s_mm[here, k], zones.face_depth_mm[here, k]
        order = np.lexsort((s, column))
        last = order[np.append(np.diff(column[order]) > 0, True)]  # outermost of each column
        spread = SLOPE_SPREAD[k] * (0.5 + abs(steep))
        at = depth[last] + sign * EDGE_DEPTH[k] * zones.radial_mm[here][last] - target
        end = _envelope(at, s[last], (steep, spread), EDGE_QUANTILE[k])
        sd = np.sqrt(
            FLOOR_SD_MM[k] ** 2 + (SLOPE_SD_MM[k] * slope) ** 2 + (2 * VOXEL_SHARE[k] * half) ** 2
        ) * (1 + FEW_POINTS / len(last))
        ends.append((end, float(sd)))
    return ends[0], ends[1]


def _envelope(depth: Floats, s: Floats, slope: tuple[float, float], quantile: float) -> float:
    """Return where the line through the upper `quantile` of points (N,) passes depth 0.

    Quantile regression by iterated weighted least squares, with a normal prior on the slope
    of mean and spread `slope`, and weights that fall with the depth.
    """
    steep, spread = slope
    near = np.abs(depth) < max(FARTHEST_MM, np.abs(depth).min() + 0.5)
    x, y = depth[near], s[near]
    share = np.exp(-np.abs(x) / WEIGHT_MM)
    precision = 0.5 / spread**2
    a, b = float(np.quantile(y - steep * x, quantile)), steep
    for _ in range(30):
        away = y - a - b * x
        w = share * np.where(away > 0, quantile, 1 - quantile) / np.maximum(np.abs(away), 0.15)
        normal = np.array([[w.sum(), w @ x], [w @ x, w @ (x * x) + precision]])
        a_new, b_new = np.linalg.solve(normal, [w @ y, w @ (x * y) + precision * steep])
        moved = abs(a_new - a) + abs(b_new - b)
        a, b = float(a_new), float(b_new)
        if moved < 1e-3:
            break
    return a
