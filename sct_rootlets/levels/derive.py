"""Spinal levels from rootlets: from two label images to a table and a map of the cord."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from sct_rootlets.anatomy import DISC_C2C3, PMJ_LABEL, ROOTLET_LEVELS, SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image import LabelImage, require_same_grid
from sct_rootlets.levels import definitions
from sct_rootlets.levels.ends import level_zones
from sct_rootlets.levels.entry_zones import REACH_MM, EntryZones, measure
from sct_rootlets.levels.table import LevelRow, LevelTable, Point
from sct_rootlets.levels.vertebrae import Numbering, disc_positions, number_rootlets

__all__ = ["DEFINITIONS", "Derived", "derive"]

log = logging.getLogger(__name__)

DEFINITIONS = {"caudal": definitions.caudal, "extent": definitions.extent}


@dataclass(frozen=True, eq=False)
class Derived:
    """What rootlets say about spinal levels.

    Attributes
    ----------
    table : LevelTable
    levels : LabelImage
        Spinal level values painted on the cord mask.
    rootlets : LabelImage
        Rootlets with their spinal level values.
    centerline : Centerline
    entry_zones : EntryZones
    numbering : Numbering or None
        How rootlets without level identity were numbered.
    """

    table: LevelTable
    levels: LabelImage
    rootlets: LabelImage
    centerline: Centerline
    entry_zones: EntryZones
    numbering: Numbering | None = None


def derive(
    rootlets: LabelImage,
    cord: LabelImage,
    *,
    discs: LabelImage | None = None,
    c2c3_world: Sequence[float] | None = None,
    pmj: LabelImage | Sequence[float] | None = None,
    definition: str = "caudal",
    reach_mm: float = REACH_MM,
    has_level_identity: bool | None = None,
    centerline: Centerline | None = None,
) -> Derived:
    """Derive spinal levels from segmented rootlets.

    Parameters
    ----------
    rootlets, cord : LabelImage
        Rootlets (spinal level values, or 1 throughout) and cord mask on one grid.
    discs : LabelImage, optional
        Disc labels, on any grid of the same world; needed only without level identity.
    c2c3_world : sequence of 3 floats, optional
        One point of the C2/C3 disc in world mm (RAS+), instead of `discs`.
    pmj : LabelImage or sequence of 3 floats, optional
        Pontomedullary junction (label 50, or any single label), or its world coordinates.
    definition : str
        ``"caudal"`` or ``"extent"``; see :mod:`sct_rootlets.levels.definitions`.
    reach_mm : float
        Distance from the cord surface within which a rootlet counts.
    has_level_identity : bool, optional
        Whether values are spinal levels; by default, unless 1 is the only value.
    centerline : Centerline, optional
        Of `cord`, if it is known already.

    Raises
    ------
    UsageError
        If cord and rootlets are swapped, the definition is unknown, or rootlets without
        level identity come without a disc.
    InputError
        If an image cannot be used: grids that differ, an empty one, values that are no
        spinal levels, levels that run the wrong way.
    """
    if definition not in DEFINITIONS:
        raise UsageError(
            f"there is no definition {definition!r}",
            remedy=f"Choose one of {', '.join(DEFINITIONS)}",
        )
    if not 0 < reach_mm < 20:
        raise UsageError(f"a reach of {reach_mm:g} mm is out of range", remedy="1.5 mm is usual")
    require_same_grid(cord, rootlets)
    _refuse_swapped(rootlets, cord)
    values = rootlets.labels
    if not values:
        raise InputError("is empty: it has no rootlet voxel", path=rootlets.path)
    if has_level_identity is None:
        has_level_identity = values != [1]
    curve = Centerline.fit(cord) if centerline is None else centerline
    warnings: list[str] = []

    disc_s_mm = {} if discs is None else disc_positions(discs, curve)
    if c2c3_world is not None:
        disc_s_mm[DISC_C2C3] = float(curve.project(c2c3_world).s_mm[0])
    numbering = None
    if not has_level_identity:
        if not disc_s_mm:
            raise _no_disc(discs, rootlets)
        numbering = number_rootlets(rootlets, cord, curve, disc_s_mm)
        rootlets = numbering.labels
        warnings += numbering.warnings
    elif not set(values) <= {level.value for level in SpinalLevel}:
        raise InputError(
            f"has values that are no spinal levels: {[v for v in values if v > 30][:5]}",
            path=rootlets.path,
            remedy="Spinal levels are C1-C8 = 1-8, T1 = 9, ... S5 = 30",
        )

    zones = measure(rootlets, cord, curve, reach_mm)
    ends, remarks = level_zones(zones, rootlets.grid)
    warnings += remarks
    seen = set(ends)
    levels = [lv for lv in SpinalLevel if lv in ROOTLET_LEVELS or lv in seen]
    rows = []
    for border in DEFINITIONS[definition](ends, levels):
        rows.append(
            LevelRow(
                border.level,
                border.status,
                border.rostral_mm,
                border.caudal_mm,
                _world(curve, border.rostral_mm),
                _world(curve, border.caudal_mm),
                zones.counts(border.level.value),
                border.notes,
            )
        )
    details: dict[str, object] = {
        "cord_length_mm": round(curve.length_mm, 2),
        "numbering": None if numbering is None else numbering.report(),
        "discs_mm": {str(k): round(v, 3) for k, v in sorted(disc_s_mm.items())},
    }
    pmj_s = _pmj_position(pmj, curve)
    if pmj_s is not None:
        details["pmj_mm"] = round(pmj_s, 3)
        details["distance_from_pmj_mm"] = {
            str(row.level): round(row.midpoint_mm - pmj_s, 3)
            for row in rows
            if row.midpoint_mm is not None
        }
    for text in warnings:
        log.warning(text)
    table = LevelTable(tuple(rows), definition, reach_mm, warnings=tuple(warnings), details=details)
    return Derived(table, _paint(cord, curve, table), rootlets, curve, zones, numbering)


def _no_disc(discs: LabelImage | None, rootlets: LabelImage) -> UsageError:
    found = "" if discs is None else f"; {discs.path} has none (labels {discs.labels})"
    return UsageError(
        "the rootlets carry no level identity (their only value is 1), and looks alone do not "
        f"tell one level from the next: at least one disc label is needed{found}",
        path=rootlets.path,
        remedy="Give -discs with at least one disc label (C2/C3 = 3), or -c2c3 x,y,z",
    )


def _refuse_swapped(rootlets: LabelImage, cord: LabelImage) -> None:
    """Raise unless `cord` looks more like a cord than `rootlets` does.

    A cord is one part that holds nearly all voxels and is solid: eroding it leaves much.
    Rootlets come in many thin parts, and around the cord.
    """
    if not (np.asarray(rootlets.data) > 0).any() or not (np.asarray(cord.data) > 0).any():
        return
    if _solidity(rootlets) > 0.3 and _solidity(cord) < 0.1:
        raise UsageError(
            f"{rootlets.path} looks like the cord mask and {cord.path} like the rootlets",
            remedy="Swap them: -i takes the rootlets, -s the cord mask",
        )


def _solidity(labels: LabelImage) -> float:
    """Share of the voxels that is in the largest part and not on its surface in a slice."""
    parts, count = ndimage.label(np.asarray(labels.data) > 0, structure=np.ones((3, 3, 3)))
    if count == 0:
        return 0.0
    sizes = np.bincount(parts.ravel())[1:]
    largest = parts == int(sizes.argmax()) + 1
    return float(ndimage.binary_erosion(largest).sum() / sizes.sum())


def _pmj_position(pmj: LabelImage | Sequence[float] | None, curve: Centerline) -> float | None:
    if pmj is None:
        return None
    if isinstance(pmj, LabelImage):
        label = PMJ_LABEL if PMJ_LABEL in pmj.labels else None
        if label is None and len(pmj.labels) != 1:
            raise InputError(f"has no PMJ label ({PMJ_LABEL}) among {pmj.labels}", path=pmj.path)
        return float(curve.project(pmj.points_world(label).mean(axis=0)).s_mm[0])
    return float(curve.project(pmj).s_mm[0])


def _world(curve: Centerline, s_mm: float | None) -> Point | None:
    if s_mm is None:
        return None
    x, y, z = (float(v) for v in curve.point(s_mm))
    return (x, y, z)


def _paint(cord: LabelImage, curve: Centerline, table: LevelTable) -> LabelImage:
    """Give every cord voxel the spinal level whose range along the cord holds its centre."""
    mask = np.asarray(cord.data) > 0
    painted = np.zeros(mask.shape, dtype=np.int32)
    s = curve.project(cord.points_world()).s_mm
    values = np.zeros(len(s), dtype=np.int32)
    for row in table.rows:
        if row.rostral_mm is not None and row.caudal_mm is not None:
            values[(s >= row.rostral_mm) & (s < row.caudal_mm)] = row.level.value
    painted[mask] = values
    return LabelImage(painted, cord.grid, cord.header, cord.path)
