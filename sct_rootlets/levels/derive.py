"""Spinal levels from rootlets: from label images to a table and a map of the cord.

The journey: a curve through the cord; what the rootlets show (`observed`): their voxels in its
frame (`entry_zones`), levels in their order and strays left out (`order`), the ends of every
entry zone with their errors (`ends`); the vertebrae along the same curve (`column`), which
number the rootlets (`numbering`) or check their numbers (`identity`); the ends that were not
seen, from the population (`prior`, `positions`); borders by a definition (`definitions`), as
`rows` of a table (`table`). What cannot be used is refused before any of it (`refusals`).
The published voxel method (`valosek2024`) goes its own way between the same inputs and results.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sct_rootlets.anatomy import DISC_C2C3, PLACES, ROOTLET_LEVELS, SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import UsageError
from sct_rootlets.image import LabelImage
from sct_rootlets.inputs import LandmarkImages, name_of, remarks_of
from sct_rootlets.levels import valosek2024
from sct_rootlets.levels.axial_slices import with_slices
from sct_rootlets.levels.definitions import DEFINITIONS, apply_definition, statuses_of
from sct_rootlets.levels.numbering.assignment import Numbering, number_rootlets
from sct_rootlets.levels.numbering.identity import (
    Identity,
    check_identity,
    predict_ends,
    renumber_labels,
)
from sct_rootlets.levels.options import LevelOptions
from sct_rootlets.levels.paint import paint_levels, paint_points, unpainted
from sct_rootlets.levels.population.prior import Prior
from sct_rootlets.levels.population.reference_data import PAM50_DISCS_MM
from sct_rootlets.levels.positions import locate_ends
from sct_rootlets.levels.refusals import no_disc, pmj_points, require_levels, require_rootlets
from sct_rootlets.levels.rows import details_of, remarks_on, renumbered_remark, row_of
from sct_rootlets.levels.spine.column import VertebralColumn
from sct_rootlets.levels.table.level_table import LevelTable
from sct_rootlets.levels.zones.entry_zones import EntryZones, measure
from sct_rootlets.levels.zones.observed import Observed, observe
from sct_rootlets.levels.zones.order import Stray

__all__ = ["DEFINITIONS", "Derived", "column_of", "derive", "numbered"]

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
    landmarks: LandmarkImages = LandmarkImages(),
    options: LevelOptions = LevelOptions(),
    *,
    has_level_identity: bool | None = None,
    centerline: Centerline | None = None,
    fname: str | None = None,
    remarks: Sequence[str] = (),
) -> Derived:
    """Derive spinal levels from segmented rootlets, by any definition.

    Parameters
    ----------
    rootlets : LabelImage or None
        Spinal level values, or 1 throughout. None predicts the levels from the vertebrae
        alone.
    cord : LabelImage
        Cord mask on the grid of the rootlets.
    landmarks : LandmarkImages
        The vertebrae, which number rootlets or check their numbers, and the PMJ.
    options : LevelOptions
    has_level_identity : bool, optional
        Whether values are spinal levels; by default, unless 1 is the only value.
    centerline : Centerline, optional
        Of `cord`, if it is known already.
    fname : str, optional
        File name of the rootlets, for the table; by default of the file they were read from.
    remarks : sequence of str
        About further inputs; they become warnings beside those about these.

    Raises
    ------
    UsageError
        If cord and rootlets are swapped, discs are a labelled cord, or what the options need
        is not there: rootlets for the published method; vertebrae without level identity,
        without rootlets, or to renumber.
    InputError
        If an image cannot be used: grids that differ, an empty one, values that are no
        spinal levels, levels that run the wrong way.
    """
    landmarks.require_points(cord)
    by_definition = _published if options.is_published else _of_entry_zones
    derived = by_definition(rootlets, cord, landmarks, options, has_level_identity, centerline)
    curve = derived.centerline
    table = with_slices(derived.table, cord.grid, curve)
    points = {place: paint_points(cord, curve, table, place) for place in PLACES}
    warnings = [*table.warnings, *remarks, *remarks_of(rootlets, cord, *landmarks.images)]
    warnings += unpainted(points)
    for text in warnings:
        log.warning(text)
    name = name_of(rootlets) if fname is None else fname
    return replace(derived, table=replace(table, fname=name, warnings=tuple(warnings)))


def numbered(rootlets: LabelImage, cord: LabelImage, landmarks: LandmarkImages) -> LabelImage:
    """Return rootlets without level identity with the levels that the vertebrae give them.

    Parameters and errors as of :func:`derive`.
    """
    return _numbered(rootlets, cord, landmarks, None).rootlets


def _numbered(
    rootlets: LabelImage,
    cord: LabelImage,
    landmarks: LandmarkImages,
    centerline: Centerline | None,
) -> Derived:
    """Derive levels for the sake of the numbers, and log what is said about them."""
    derived = _of_entry_zones(rootlets, cord, landmarks, LevelOptions(), False, centerline)
    for text in derived.table.warnings:
        log.warning(text)
    return derived


def _of_entry_zones(
    rootlets: LabelImage | None,
    cord: LabelImage,
    landmarks: LandmarkImages,
    options: LevelOptions,
    has_level_identity: bool | None,
    centerline: Centerline | None,
) -> Derived:
    """Derive levels from where along the cord rootlets enter it."""
    if rootlets is not None:
        require_rootlets(rootlets, cord)
    curve = Centerline.fit(cord) if centerline is None else centerline
    column = column_of(curve, landmarks)
    if (column is None or not _places_levels(column)) and (rootlets is None or options.renumber):
        raise UsageError(
            "levels cannot be predicted without rootlets unless the vertebrae are known"
            if rootlets is None
            else "rootlets cannot be renumbered unless the vertebrae are known",
            remedy="Give -discs or -vertfile, with a disc from C1/C2 to T5/T6",
        )
    pmj_s = None
    if landmarks.pmj is not None:
        pmj_s = float(curve.project(pmj_points(landmarks.pmj).mean(axis=0)).s_mm[0])
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
                raise no_disc(landmarks.discs, rootlets)
            numbering = number_rootlets(rootlets, cord, curve, column)
            rootlets = numbering.labels
            warnings += numbering.warnings
        observed = observe(rootlets, cord, curve, options.reach_mm)
        if column is not None and numbering is None and _places_levels(column):
            identity = check_identity(observed.evidence, column)
            if options.renumber and identity.best:
                warnings.append(renumbered_remark(identity))
                moved = renumber_labels(rootlets, identity.best)
                observed = observe(moved, cord, curve, options.reach_mm)
            else:
                warnings += identity.warnings

    statuses = statuses_of(
        observed.zones,
        [level for level in SpinalLevel if level <= (options.extend or ROOTLET_LEVELS[-1])],
        extend=options.extend is not None,
        predicted=rootlets is None,
    )
    known = [level for level, status in statuses.items() if status != "unseen"]
    positions = locate_ends(observed.zones, _prior(column, pmj_s)).in_order(known)
    was_renumbered = identity is not None and options.renumber and identity.best != 0
    rows = [
        row_of(border, curve, observed, column, renumbered=was_renumbered)
        for border in apply_definition(options.definition, positions, statuses)
    ]
    table = LevelTable(
        tuple(rows),
        options.definition,
        options.reach_mm,
        pmj_mm=pmj_s,
        c3_c7_height_mm=None if column is None else column.c3_c7_height_mm,
        warnings=(*warnings, *remarks_on(rows, observed.strays)),
        details=details_of(curve, observed, column, numbering, identity, pmj_s),
    )
    return Derived(
        table,
        paint_levels(cord, curve, table, axial=options.axial),
        observed.rootlets,
        curve,
        observed.entry_zones,
        numbering,
        observed.strays,
        identity,
        column,
    )


def _published(
    rootlets: LabelImage | None,
    cord: LabelImage,
    landmarks: LandmarkImages,
    options: LevelOptions,
    has_level_identity: bool | None,
    centerline: Centerline | None,
) -> Derived:
    """Derive levels by the published method, of rootlets that are numbered first if need be."""
    if rootlets is None:
        raise UsageError(
            f"the published method ({options.definition}) needs rootlets",
            remedy="Give them with -i, or choose another -definition",
        )
    numbering = None
    identity = rootlets.labels != [1] if has_level_identity is None else has_level_identity
    if not identity:
        first = _numbered(rootlets, cord, landmarks, centerline)
        rootlets, numbering = first.rootlets, first.numbering
    curve = Centerline.fit(cord) if centerline is None else centerline
    column = column_of(curve, landmarks)
    published = valosek2024.published_levels(rootlets, cord, options.dilation)
    table = valosek2024.published_table(
        published, curve, landmarks.pmj, None if column is None else column.relation
    )
    if column is not None:
        table = replace(table, c3_c7_height_mm=column.c3_c7_height_mm)
    if numbering is not None:
        table = replace(table, warnings=(*numbering.warnings, *table.warnings))
    painted = published.painted
    if options.axial:
        painted = paint_levels(cord, curve, table, axial=True)
    zones = measure(rootlets, cord, curve)
    return Derived(table, painted, rootlets, curve, zones, numbering, column=column)


def column_of(curve: Centerline, landmarks: LandmarkImages) -> VertebralColumn | None:
    """Return the vertebrae along the curve, from whatever was given; None without any.

    Raises
    ------
    UsageError
        If they were given twice.
    InputError
        If they cannot be used.
    """
    discs, vertebrae = landmarks.discs, landmarks.vertebrae
    c2c3_world = landmarks.c2c3_world
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
