"""Errors of borders and midpoints of a prediction, in mm along one centerline.

The levels of either side come from tables that are there, or are derived from the rootlets
and one cord mask. Positions in two tables do not count from the same place; so the borders,
as points in the world, are projected on one curve.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sct_rootlets import levels, metrics
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image import LabelImage
from sct_rootlets.inputs import read_cord, remarks_of
from sct_rootlets.levels import LevelOptions, LevelRow, LevelTable, derive
from sct_rootlets.levels.edited import table_with_image
from sct_rootlets.levels.paint import UNPAINTED

__all__ = ["PLACES", "BorderRow", "Levels", "compare_levels", "derived_levels", "read_levels"]

logger = logging.getLogger(__name__)

PathLike = str | os.PathLike[str]

PLACES = ("rostral", "midpoint", "caudal")
#: What flags say that a border was not seen but taken from the population.
_ESTIMATED = {"rostral": "rostral_estimated", "caudal": "caudal_estimated"}
#: Points of a curve through borders lie at least so far from each other, mm.
_APART_MM = 0.5


@dataclass(frozen=True)
class BorderRow:
    """One border, or the midpoint, of one level on both sides.

    Attributes
    ----------
    level : SpinalLevel
    place : str
        ``"rostral"``, ``"midpoint"`` or ``"caudal"``.
    found_mm, truth_mm : float
        Along the centerline, growing caudally; NaN where not known.
    found_status, truth_status : str
        As in the table of levels, ``"estimated"`` for a border taken from the population, and
        ``"absent"`` where a table has no such level.
    """

    level: SpinalLevel
    place: str
    found_mm: float
    truth_mm: float
    found_status: str
    truth_status: str

    @property
    def error_mm(self) -> float:
        """Found less truth: positive where it was found too far caudal."""
        return self.found_mm - self.truth_mm

    @property
    def counts(self) -> bool:
        """Whether it enters summaries: only what the reference measured is a truth."""
        return self.truth_status == "measured" and bool(np.isfinite(self.truth_mm))


@dataclass(frozen=True, eq=False)
class Levels:
    """The levels of both sides, and the curve to compare them on."""

    found: LevelTable
    truth: LevelTable
    centerline: Centerline

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the derivation of either side warned of."""
        sides = {"prediction": self.found, "reference": self.truth}
        return tuple(f"{side}: {text}" for side, table in sides.items() for text in table.warnings)

    @property
    def lacking(self) -> tuple[str, ...]:
        """Which borders a table does not place, so that they are compared with nothing."""
        sides = {"prediction": self.found, "reference": self.truth}
        levels = {
            side: [
                str(row.level)
                for row in table.rows
                if row.status != "unseen" and None in (row.rostral_world, row.caudal_world)
            ]
            for side, table in sides.items()
        }
        return tuple(
            f"the table of the {side} has no place in the world (rostral_x to caudal_z) for a "
            f"border of {', '.join(names)}, which is not compared"
            for side, names in levels.items()
            if names
        )


def derived_levels(
    predicted: LabelImage, reference: LabelImage, cord: PathLike, definition: str
) -> Levels:
    """Derive the levels of both sides with one cord mask, and so on one centerline.

    Raises
    ------
    InputError, UsageError
        If the cord mask cannot be used or is one of the sides, or the levels of a side cannot be
        derived.
    """
    mask = read_cord(cord, reference)
    for side in (predicted, reference):
        if np.array_equal(side.data != 0, mask.data != 0):
            raise UsageError(
                f"has the same voxels as {side.path}, which are rootlets",
                path=mask.path,
                remedy="Give the cord mask with -s",
            )
    centerline = Centerline.fit(mask)
    options = LevelOptions(definition)
    tables = []
    with _quiet_levels():
        for side in (predicted, reference):
            table = LevelTable((), definition, None)
            if side.labels:
                table = derive(
                    side,
                    mask,
                    options=options,
                    has_level_identity=True,
                    centerline=centerline,
                ).table
                table = replace(table, warnings=_about_levels(table, side, mask))
            tables.append(table)
    return Levels(tables[0], tables[1], centerline)


def read_levels(found: PathLike, truth: PathLike, cord: PathLike | None) -> Levels:
    """Read tables that `sct_rootlets levels` or `run` wrote.

    Without a cord mask the curve goes through the borders of the reference.

    Raises
    ------
    InputError
        If a table cannot be read, or the reference has too few borders for a curve.
    UsageError
        If the two have different definitions of a level.
    """
    # What their derivation warned of is said where they were derived.
    tables = []
    for path in (found, truth):
        table, remarks = table_with_image(path)
        for remark in remarks:
            logger.warning(remark)
        tables.append(replace(table, warnings=()))
    names = [table.definition for table in tables]
    if "unknown" not in names and names[0] != names[1]:
        raise UsageError(
            f"has levels by the definition '{names[0]}', and {os.fspath(truth)} by '{names[1]}'",
            path=found,
            remedy="Derive both with the same -definition",
        )
    if cord is not None:
        centerline = Centerline.fit(read_cord(cord))
    else:
        centerline = _through_borders(tables[1], truth)
    return Levels(tables[0], tables[1], centerline)


def compare_levels(both: Levels) -> tuple[BorderRow, ...]:
    """Compare borders and midpoints, level by level, rostral to caudal.

    A midpoint is the middle between the two borders on the curve. Levels of which neither side
    knows a border are left out.
    """
    sides = [_positions(table, both.centerline) for table in (both.found, both.truth)]
    rows = []
    for level in sorted({row.level for row in (*both.found.rows, *both.truth.rows)}):
        here = [_places(side.get(level)) for side in sides]
        if not np.isfinite([mm for side in here for mm in side.values()]).any():
            continue
        states = [_states(table.row(level)) for table in (both.found, both.truth)]
        for place in PLACES:
            rows.append(
                BorderRow(
                    level, place, here[0][place], here[1][place], states[0][place], states[1][place]
                )
            )
    return tuple(rows)


@contextmanager
def _quiet_levels() -> Iterator[None]:
    """Log no warning of a derivation: those of many images would not say whose they are.

    They are in `Levels.warnings`, and from there in the JSON.
    """
    of_levels = logging.getLogger(levels.__name__)
    before = of_levels.level
    of_levels.setLevel(logging.ERROR)
    try:
        yield
    finally:
        of_levels.setLevel(before)


def _about_levels(table: LevelTable, *inputs: LabelImage) -> tuple[str, ...]:
    """Return the warnings of a table but those about its inputs, and points painted nowhere."""
    known = remarks_of(*inputs)
    return tuple(text for text in table.warnings if text not in known and UNPAINTED not in text)


def _positions(table: LevelTable, centerline: Centerline) -> dict[SpinalLevel, tuple[float, float]]:
    unknown = (float("nan"),) * 3
    points = {
        row.level: (row.rostral_world or unknown, row.caudal_world or unknown) for row in table.rows
    }
    return metrics.truth_on(centerline, points)


def _places(borders: tuple[float, float] | None) -> Mapping[str, float]:
    rostral, caudal = borders or (float("nan"),) * 2
    return {"rostral": rostral, "midpoint": (rostral + caudal) / 2, "caudal": caudal}


def _states(row: LevelRow | None) -> Mapping[str, str]:
    if row is None:
        return dict.fromkeys(PLACES, "absent")
    states = dict.fromkeys(PLACES, row.status)
    for place, flag in _ESTIMATED.items():
        if row.status == "measured" and flag in row.flags:
            states[place] = states["midpoint"] = "estimated"
    return states


def _through_borders(table: LevelTable, path: PathLike) -> Centerline:
    """Return a curve through the borders and midpoints of a table, in the order of its mm."""
    points = [
        (s_mm, xyz)
        for row in table.rows
        for s_mm, xyz in (
            (row.rostral_mm, row.rostral_world),
            (row.midpoint_mm, row.midpoint_world),
            (row.caudal_mm, row.caudal_world),
        )
        if s_mm is not None and xyz is not None
    ]
    points.sort(key=lambda point: point[0])
    kept: list[NDArray[np.float64]] = []
    for _, xyz in points:
        if not kept or np.linalg.norm(np.array(xyz) - kept[-1]) >= _APART_MM:
            kept.append(np.array(xyz))
    if len(kept) < 2:
        raise InputError(
            "has no two borders with a place in the world, and no cord mask is given",
            path=path,
            remedy="Give the cord mask with -s",
        )
    return Centerline.from_points(np.stack(kept))
