"""Spinal levels from rootlets: from label images to a table and a map of the cord.

The journey: a curve through the cord; what the rootlets show (`observed`): their voxels in its
frame (`entry_zones`), levels in their order and strays left out (`order`), the ends of every
entry zone with their errors (`ends`); the vertebrae along the same curve (`column`), which
number the rootlets (`numbering`) or check their numbers (`identity`); the ends that were not
seen, from the population (`prior`, `positions`); borders by a definition (`definitions`), as
`rows` of a table (`table`). What cannot be used is refused before any of it (`refusals`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sct_rootlets.anatomy import (
    DISC_C2C3,
    PMJ_LABEL,
    ROOTLET_LEVELS,
    SpinalLevel,
)
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image import LabelImage
from sct_rootlets.levels.definitions import DEFINITIONS, apply_definition, statuses_of
from sct_rootlets.levels.numbering.assignment import Numbering, number_rootlets
from sct_rootlets.levels.numbering.identity import (
    Identity,
    check_identity,
    predict_ends,
    renumber_labels,
)
from sct_rootlets.levels.paint import paint_levels
from sct_rootlets.levels.population.prior import Prior
from sct_rootlets.levels.population.reference_data import PAM50_DISCS_MM
from sct_rootlets.levels.positions import locate_ends
from sct_rootlets.levels.refusals import no_disc, require_levels, require_rootlets
from sct_rootlets.levels.rows import details_of, remarks_of, renumbered_remark, row_of
from sct_rootlets.levels.spine.column import VertebralColumn
from sct_rootlets.levels.table.level_table import LevelTable
from sct_rootlets.levels.zones.entry_zones import REACH_MM, EntryZones
from sct_rootlets.levels.zones.observed import Observed, observe
from sct_rootlets.levels.zones.order import Stray

__all__ = ["DEFINITIONS", "Derived", "column_of", "derive"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Derived:
    """What rootlets say about spinal levels.

    Attributes
    ----------
    table : LevelTable
    levels : LabelImage
        Spinal level values painted on the cord mask.
    rootlets : LabelImage
        Rootlets with their spinal level values; empty where levels were predicted.
    centerline : Centerline
    entry_zones : EntryZones or None
        None where levels were predicted without rootlets.
    numbering : Numbering or None
        How rootlets without level identity were numbered.
    strays : tuple of Stray
        Rootlet voxels that were left out, and why.
    identity : Identity or None
        How well the numbers of the rootlets fit the vertebrae.
    column : VertebralColumn or None
        The vertebrae along the cord.
    """

    table: LevelTable
    levels: LabelImage
    rootlets: LabelImage
    centerline: Centerline
    entry_zones: EntryZones | None = None
    numbering: Numbering | None = None
    strays: tuple[Stray, ...] = ()
    identity: Identity | None = None
    column: VertebralColumn | None = None


def derive(
    rootlets: LabelImage | None,
    cord: LabelImage,
    *,
    discs: LabelImage | None = None,
    vertebrae: LabelImage | None = None,
    c2c3_world: Sequence[float] | None = None,
    pmj: LabelImage | Sequence[float] | None = None,
    definition: str = "caudal",
    reach_mm: float = REACH_MM,
    extend: SpinalLevel | None = None,
    renumber: bool = False,
    has_level_identity: bool | None = None,
    centerline: Centerline | None = None,
) -> Derived:
    """Derive spinal levels from segmented rootlets.

    Parameters
    ----------
    rootlets : LabelImage or None
        Spinal level values, or 1 throughout. None predicts the levels from the vertebrae
        alone.
    cord : LabelImage
        Cord mask on the grid of the rootlets.
    discs : LabelImage, optional
        Disc labels, on any grid of the same world.
    vertebrae : LabelImage, optional
        Cord labelled with vertebral levels, or points at the centres of vertebral bodies,
        instead of `discs`.
    c2c3_world : sequence of 3 floats, optional
        One point of the C2/C3 disc in world mm (RAS+), instead of `discs`.
    pmj : LabelImage or sequence of 3 floats, optional
        Pontomedullary junction (label 50, or any single label), or its world coordinates.
    definition : str
        ``"caudal"``, ``"extent"`` or ``"midgap"``; see
        :mod:`sct_rootlets.levels.definitions`.
    reach_mm : float
        Distance from the cord surface within which a rootlet counts.
    extend : SpinalLevel, optional
        Last level of the table; levels beyond the seen ones are extrapolated, from C1 to it.
    renumber : bool
        Whether to give the rootlets the numbers that fit the vertebrae best.
    has_level_identity : bool, optional
        Whether values are spinal levels; by default, unless 1 is the only value.
    centerline : Centerline, optional
        Of `cord`, if it is known already.

    Raises
    ------
    UsageError
        If cord and rootlets are swapped, the definition is unknown, or vertebrae are needed
        and there are none: without level identity, without rootlets, to renumber.
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
    if rootlets is not None:
        require_rootlets(rootlets, cord)
    curve = Centerline.fit(cord) if centerline is None else centerline
    column = column_of(curve, discs, vertebrae, c2c3_world)
    if (column is None or not _places_levels(column)) and (rootlets is None or renumber):
        raise UsageError(
            "levels cannot be predicted without rootlets unless the vertebrae are known"
            if rootlets is None
            else "rootlets cannot be renumbered unless the vertebrae are known",
            remedy="Give -discs or -vertfile, with a disc from C1/C2 to T5/T6",
        )
    pmj_s = _pmj_position(pmj, curve)
    warnings = list(() if column is None else column.warnings)

    numbering, identity = None, None
    if rootlets is None:
        nothing = np.zeros_like(np.asarray(cord.data), dtype=np.int32)
        empty = LabelImage(nothing, cord.grid, cord.header, cord.path)
        observed = Observed(empty, None, {})
    else:
        if has_level_identity is None:
            has_level_identity = rootlets.labels != [1]
        if has_level_identity:
            require_levels(rootlets)
        else:
            if column is None:
                raise no_disc(discs, rootlets)
            numbering = number_rootlets(rootlets, cord, curve, column)
            rootlets = numbering.labels
            warnings += numbering.warnings
        observed = observe(rootlets, cord, curve, reach_mm)
        if column is not None and numbering is None and _places_levels(column):
            identity = check_identity(observed.evidence, column)
            if renumber and identity.best:
                warnings.append(renumbered_remark(identity))
                observed = observe(renumber_labels(rootlets, identity.best), cord, curve, reach_mm)
            else:
                warnings += identity.warnings

    statuses = statuses_of(
        observed.zones,
        [level for level in SpinalLevel if level <= (extend or ROOTLET_LEVELS[-1])],
        extend=extend is not None,
        predicted=rootlets is None,
    )
    known = [level for level, status in statuses.items() if status != "unseen"]
    positions = locate_ends(observed.zones, _prior(column, pmj_s)).in_order(known)
    was_renumbered = identity is not None and renumber and identity.best != 0
    rows = [
        row_of(border, curve, observed, column, renumbered=was_renumbered)
        for border in apply_definition(definition, positions, statuses)
    ]
    warnings += remarks_of(rows, observed.strays)
    for text in warnings:
        log.warning(text)
    table = LevelTable(
        tuple(rows),
        definition,
        reach_mm,
        pmj_mm=pmj_s,
        c3_c7_height_mm=None if column is None else column.c3_c7_height_mm,
        warnings=tuple(warnings),
        details=details_of(curve, observed, column, numbering, identity, pmj_s),
    )
    painted = paint_levels(cord, curve, table)
    return Derived(
        table,
        painted,
        observed.rootlets,
        curve,
        observed.entry_zones,
        numbering,
        observed.strays,
        identity,
        column,
    )


def column_of(
    curve: Centerline,
    discs: LabelImage | None,
    vertebrae: LabelImage | None,
    c2c3_world: Sequence[float] | None,
) -> VertebralColumn | None:
    """Return the vertebrae along the curve, from whatever was given; None without any.

    Parameters as in :func:`derive`.

    Raises
    ------
    UsageError
        If they were given twice.
    InputError
        If they cannot be used.
    """
    if vertebrae is not None and (discs is not None or c2c3_world is not None):
        raise UsageError(
            "vertebrae were given twice, as labelled vertebrae and as discs",
            remedy="Give -vertfile, or -discs and -c2c3",
        )
    if vertebrae is not None:
        return VertebralColumn.from_labels(vertebrae, curve)
    point = None if c2c3_world is None else float(curve.project(c2c3_world).s_mm[0])
    if discs is not None and any(2 <= label <= 25 for label in discs.labels):
        column = VertebralColumn.from_discs(discs, curve)
        if point is None:
            return column
        return replace(column, disc_s_mm={**column.disc_s_mm, DISC_C2C3: point})
    if point is None:
        return None
    return VertebralColumn({DISC_C2C3: point}, source="the C2/C3 point")


def _prior(column: VertebralColumn | None, pmj_s_mm: float | None) -> Prior:
    """Return what the population says, anchored by the best landmark there is."""
    if column is not None and _places_levels(column):
        return predict_ends(column)
    return Prior.floating() if pmj_s_mm is None else Prior.from_pmj(pmj_s_mm)


def _places_levels(column: VertebralColumn) -> bool:
    """Whether a disc is known from which the entry zones' places are: those of PAM50."""
    return any(label in PAM50_DISCS_MM for label in column.disc_s_mm)


def _pmj_position(pmj: LabelImage | Sequence[float] | None, curve: Centerline) -> float | None:
    if pmj is None:
        return None
    if isinstance(pmj, LabelImage):
        label = PMJ_LABEL if PMJ_LABEL in pmj.labels else None
        if label is None and len(pmj.labels) != 1:
            raise InputError(f"has no PMJ label ({PMJ_LABEL}) among {pmj.labels}", path=pmj.path)
        return float(curve.project(pmj.points_world(label).mean(axis=0)).s_mm[0])
    return float(curve.project(pmj).s_mm[0])
