"""Errors of level borders, in mm along the cord."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline

__all__ = ["BorderError", "BorderErrors", "border_errors", "truth_on"]


class _Row(Protocol):
    @property
    def level(self) -> Any: ...

    @property
    def rostral_mm(self) -> float | None: ...

    @property
    def caudal_mm(self) -> float | None: ...


class _Table(Protocol):
    @property
    def rows(self) -> Iterable[_Row]: ...


@dataclass(frozen=True)
class BorderError:
    """One border of one level, in mm along the cord, caudal-positive.

    Attributes
    ----------
    level : SpinalLevel
    border : str
        ``"rostral"`` or ``"caudal"``.
    found_mm, truth_mm : float
        NaN where it is not known.
    """

    level: SpinalLevel
    border: str
    found_mm: float
    truth_mm: float

    @property
    def signed_mm(self) -> float:
        """Found minus truth: positive where the border was found too far caudal."""
        return self.found_mm - self.truth_mm


@dataclass(frozen=True)
class BorderErrors:
    """Errors of all borders of a table.

    A border that two neighbouring levels share (always so in the ``caudal`` definition)
    is in `rows` under both, and enters the summaries once. Borders unknown on one side
    enter none of them; `missing` counts those the truth has and the table has not.
    """

    rows: tuple[BorderError, ...]

    @property
    def signed_mm(self) -> NDArray[np.float64]:
        """Signed errors of the distinct borders known on both sides, (N,) in mm."""
        distinct: dict[tuple[float, float], float] = {}
        for row in self.rows:
            if np.isfinite(row.signed_mm):
                key = (round(row.found_mm, 6), round(row.truth_mm, 6))
                distinct.setdefault(key, row.signed_mm)
        return np.array(list(distinct.values()), dtype=float)

    @property
    def absolute_mm(self) -> NDArray[np.float64]:
        """Absolute errors of the same borders, (N,) in mm."""
        return np.abs(self.signed_mm)

    @property
    def median_mm(self) -> float:
        """Median absolute error in mm, NaN where no border is known on both sides."""
        return float(np.median(self.absolute_mm)) if self.absolute_mm.size else float("nan")

    @property
    def mean_mm(self) -> float:
        """Mean absolute error in mm, NaN where no border is known on both sides."""
        return float(self.absolute_mm.mean()) if self.absolute_mm.size else float("nan")

    @property
    def max_mm(self) -> float:
        """Largest absolute error in mm, NaN where no border is known on both sides."""
        return float(self.absolute_mm.max()) if self.absolute_mm.size else float("nan")

    @property
    def bias_mm(self) -> float:
        """Mean signed error in mm, NaN where no border is known on both sides."""
        return float(self.signed_mm.mean()) if self.signed_mm.size else float("nan")

    @property
    def missing(self) -> int:
        """How many borders the truth knows and the table does not."""
        return sum(np.isfinite(r.truth_mm) and not np.isfinite(r.found_mm) for r in self.rows)

    def of(self, level: SpinalLevel) -> dict[str, BorderError]:
        """Return the errors of one level by border; empty where the truth lacks it."""
        return {row.border: row for row in self.rows if row.level is level}


def border_errors(
    table: _Table, truth: _Table | Mapping[SpinalLevel, tuple[float, float]]
) -> BorderErrors:
    """Compare the borders of a table of levels with the truth, level by level.

    Parameters
    ----------
    table : LevelTable
        Levels derived.
    truth : LevelTable or mapping of SpinalLevel to (rostral_mm, caudal_mm)
        Levels to compare with, in the frame of `table`: the same origin and centerline.
        Borders given as world points are projected on the centerline of the table first.

    Returns
    -------
    BorderErrors
        Two rows for each level of the truth, ordered from rostral to caudal.
    """
    wanted = dict(truth) if isinstance(truth, Mapping) else _borders(truth)
    found = _borders(table)
    rows = []
    for level in sorted(wanted):
        for index, border in enumerate(("rostral", "caudal")):
            at = found.get(level, (None, None))[index]
            rows.append(BorderError(level, border, _number(at), _number(wanted[level][index])))
    return BorderErrors(tuple(rows))


def truth_on(
    centerline: Centerline,
    borders_world: Mapping[SpinalLevel, tuple[ArrayLike, ArrayLike]],
) -> dict[SpinalLevel, tuple[float, float]]:
    """Return true borders, given as world points, in mm along another centerline.

    The truth lies on its own centerline, whose 0 is elsewhere and whose length differs a
    little; a border is a plane across the cord, so its point is projected.

    Parameters
    ----------
    centerline : Centerline
        The one the table to be compared was derived on.
    borders_world : mapping of SpinalLevel to two (3,) arrays
        Rostral and caudal border in world mm (RAS+); NaN where not known.
    """
    truth = {}
    for level, points in borders_world.items():
        s_mm = [float("nan")] * 2
        for index, xyz in enumerate(np.asarray(points, dtype=float).reshape(2, 3)):
            if np.isfinite(xyz).all():
                s_mm[index] = float(centerline.project(xyz[None]).s_mm[0])
        truth[level] = (s_mm[0], s_mm[1])
    return truth


def _borders(table: _Table) -> dict[SpinalLevel, tuple[float, float]]:
    return {row.level: (_number(row.rostral_mm), _number(row.caudal_mm)) for row in table.rows}


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
