"""What was found, as rows of a table, remarks in words and the details of its JSON file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sct_rootlets.anatomy import disc_name
from sct_rootlets.centerline import Centerline
from sct_rootlets.levels.definitions import Borders
from sct_rootlets.levels.numbering.assignment import Numbering
from sct_rootlets.levels.numbering.identity import Identity
from sct_rootlets.levels.spine.column import VertebralColumn
from sct_rootlets.levels.table.level_table import LevelRow, Point
from sct_rootlets.levels.zones.observed import Observed
from sct_rootlets.levels.zones.order import Stray

__all__ = ["details_of", "remarks_on", "renumbered_remark", "row_of"]


def row_of(
    border: Borders,
    curve: Centerline,
    observed: Observed,
    column: VertebralColumn | None,
    *,
    renumbered: bool,
) -> LevelRow:
    """Return the row of one level.

    Parameters
    ----------
    border : Borders
        Its borders, mm along `curve`.
    curve : Centerline
        Gives the borders in world RAS+ mm.
    observed : Observed
    column : VertebralColumn or None
    renumbered : bool
        Whether the levels were moved to fit the vertebrae.
    """
    zone = observed.zones.get(border.level)
    flags = border.flags
    if zone is not None:
        flags += zone.flags + ("renumbered",) * renumbered
    flags += ("strays",) * any(stray.level is border.level for stray in observed.strays)
    row = LevelRow(
        border.level,
        border.status,
        border.rostral_mm,
        border.caudal_mm,
        _world(curve, border.rostral_mm),
        _world(curve, border.caudal_mm),
        {} if observed.entry_zones is None else observed.entry_zones.counts(border.level.value),
        () if zone is None else zone.notes,
        border.rostral_sd_mm,
        border.caudal_sd_mm,
        border.midpoint_sd_mm,
        border.length_sd_mm,
        flags=flags,
    )
    middle = row.midpoint_mm
    if middle is None or row.rostral_mm is None or row.caudal_mm is None:
        return row
    relation = None if column is None else column.relation(row.rostral_mm, middle, row.caudal_mm)
    return replace(row, midpoint_world=_world(curve, middle), vertebral=relation)


def remarks_on(rows: Sequence[LevelRow], strays: Sequence[Stray]) -> list[str]:
    """Say in words what the flags of the rows and the strays are."""
    remarks = [
        f"{stray.level}: {stray.n_voxels} voxel{'s' * (stray.n_voxels > 1)} near "
        f"s = {stray.s_mm:.1f} mm left out: {stray.reason}"
        for stray in strays
    ]
    for row in rows:
        remarks += [f"{row.level}: {note}" for note in row.notes]
        if "contradicted" in row.flags:
            remarks.append(
                f"{row.level}: overlaps a neighbour; the border was put where both are likeliest"
            )
    return remarks


def details_of(
    curve: Centerline,
    observed: Observed,
    column: VertebralColumn | None,
    numbering: Numbering | None,
    identity: Identity | None,
    pmj_s_mm: float | None,
) -> dict[str, Any]:
    """Return what the JSON says beside the rows."""
    discs = {} if column is None else column.disc_s_mm
    return {
        "cord_length_mm": round(curve.length_mm, 2),
        "noise_of_rootlets": None if observed.noise is None else round(observed.noise, 2),
        "numbering": None if numbering is None else numbering.report(),
        "identity": None if identity is None else identity.report(),
        "vertebrae": None if column is None else column.source,
        "discs_mm": {disc_name(k): round(v, 3) for k, v in sorted(discs.items())},
        "pmj_mm": None if pmj_s_mm is None else round(pmj_s_mm, 3),
        "rejected": [
            {
                "level": str(stray.level),
                "n_voxels": stray.n_voxels,
                "s_mm": round(stray.s_mm, 2),
                "reason": stray.reason,
            }
            for stray in observed.strays
        ],
    }


def renumbered_remark(identity: Identity) -> str:
    """Say in words by how much the levels were moved, and why."""
    word = "caudally" if identity.best > 0 else "rostrally"
    return (
        f"renumbered: all levels were moved by {abs(identity.best)} {word}, which fits the "
        f"vertebrae best (probability {identity.probability[identity.best]:.3f}; as they were, "
        f"{identity.probability[0]:.2g})"
    )


def _world(curve: Centerline, s_mm: float | None) -> Point | None:
    if s_mm is None:
        return None
    x, y, z = (float(v) for v in curve.point(s_mm))
    return (x, y, z)
