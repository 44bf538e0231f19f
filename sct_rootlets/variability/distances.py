"""Distances of every level's borders and midpoint from the PMJ or a disc, of a whole study."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import DISC_C2C3, SpinalLevel, disc_name
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.levels.table.columns import STATUSES
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable
from sct_rootlets.variability.study import Scan, Study

__all__ = ["ESTIMATED", "MEASURES", "ORIGINS", "Distances", "cell_means", "measure"]

Floats = NDArray[np.float64]

_Key = TypeVar("_Key", bound=Hashable)

#: What is measured of a level, in the order of the last axis of `Distances.values`.
MEASURES = ("rostral", "caudal", "midpoint", "length")
#: Where distances start, by the word of -from.
ORIGINS = {"pmj": "the pontomedullary junction (PMJ)", "c2c3": "the disc C2/C3"}
#: The word that lets borders in that a flag says were not seen, besides the statuses.
ESTIMATED = "estimated"
#: So many levels that lack a border are named in a warning.
_MOST_NAMED = 3


@dataclass(frozen=True, eq=False)
class Distances:
    """What is measured of every level in every image.

    Attributes
    ----------
    study : Study
    levels : tuple of SpinalLevel
        Rostral to caudal: those that any image has.
    values : (S, L, 4) array
        mm, caudal-positive, of the rostral border, the caudal border and the midpoint from the
        origin, and the length; NaN where there is none or it does not count.
    is_left_out : (S, L, 4) bool array
        Where there is one and it does not count, for its status or a flag.
    is_missing : (S, L, 4) bool array
        Where it would count, and the table has no number.
    origin : str
        Key of `ORIGINS`.
    statuses : tuple of str
        That count.
    warnings : tuple of str
    """

    study: Study
    levels: tuple[SpinalLevel, ...]
    values: Floats
    is_left_out: NDArray[np.bool_]
    is_missing: NDArray[np.bool_]
    origin: str
    statuses: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    def subjects(self) -> list[str]:
        """Return the subject of every image, (S,)."""
        return [scan.subject for scan in self.study.scans]

    def groups(self, factor: str) -> list[str | None]:
        """Return what `factor` is for every image, (S,); None where it is not known."""
        return [scan.factors.get(factor) for scan in self.study.scans]


def measure(
    study: Study, *, origin: str = "pmj", statuses: Collection[str] = ("measured",)
) -> Distances:
    """Measure the distances in all images of a study.

    Parameters
    ----------
    study : Study
    origin : {"pmj", "c2c3"}
        Where distances start. Lengths need none.
    statuses : collection of str
        Statuses of rows that count (:data:`sct_rootlets.levels.table.columns.STATUSES`). With
        ``"estimated"`` also the borders of measured rows count that a flag says were taken from
        the population or lie where the view ends.

    Raises
    ------
    UsageError
        If a word of `statuses` or `origin` is unknown.
    InputError
        If no table has the origin, or no level counts.
    """
    words = [*(status for status in STATUSES if status != "unseen"), ESTIMATED]
    unknown = [status for status in statuses if status not in words]
    if unknown or not statuses:
        raise UsageError(
            f"'{', '.join(unknown)}' (-status) is no status of a level",
            remedy=f"Give some of {', '.join(words)}",
        )
    if origin not in ORIGINS:
        raise UsageError(f"'{origin}' (-from) is no origin", remedy=f"Give {' or '.join(ORIGINS)}")
    scans = study.scans
    levels = tuple(sorted({row.level for scan in scans for row in scan.table.rows}))
    place = {level: k for k, level in enumerate(levels)}
    values = np.full((len(scans), len(levels), len(MEASURES)), np.nan)
    counts = np.zeros(values.shape, dtype=bool)
    zeros = [_origin_s_mm(scan.table, origin) for scan in scans]
    without = [scan for scan, zero in zip(scans, zeros, strict=True) if zero is None]
    if len(without) == len(scans):
        raise _lacking(origin, without[0])
    for i, (scan, zero) in enumerate(zip(scans, zeros, strict=True)):
        for row in scan.table.rows:
            values[i, place[row.level]] = _measures(row, zero)
            counts[i, place[row.level]] = _counted(row, statuses)
    known = np.isfinite(values)
    warnings = []
    if without:
        warnings.append(
            f"{len(without)} of {len(scans)} tables have no distance from {ORIGINS[origin]}, "
            f"such as {without[0].path}: only the lengths of their levels count"
        )
    warnings += _lacking_numbers(scans, statuses)
    used = known & counts
    if not used.any():
        raise InputError(
            f"none of the {len(scans)} tables has a level that counts "
            f"(status {', '.join(statuses)})",
            remedy="Let other levels in with -status",
        )
    kept = used.any(axis=(0, 2)) | (known & ~counts).any(axis=(0, 2))
    return Distances(
        study,
        tuple(level for level, keep in zip(levels, kept, strict=True) if keep),
        np.where(used, values, np.nan)[:, kept],
        (known & ~counts)[:, kept],
        (counts & ~known)[:, kept],
        origin,
        tuple(statuses),
        tuple(warnings),
    )


def cell_means(values: Floats, keys: Sequence[_Key | None]) -> tuple[list[_Key], Floats]:
    """Return the means (K, ...) of the values (S, ...) that have the same key, NaN left out.

    Those of the key None are left out altogether; the others come in the order of their first.
    """
    distinct = list(dict.fromkeys(key for key in keys if key is not None))
    place = {key: k for k, key in enumerate(distinct)}
    sums = np.zeros((len(distinct), *values.shape[1:]))
    counts = np.zeros(sums.shape)
    for key, value in zip(keys, values, strict=True):
        if key is not None:
            is_known = np.isfinite(value)
            sums[place[key]] += np.where(is_known, value, 0.0)
            counts[place[key]] += is_known
    with np.errstate(invalid="ignore"):
        return distinct, sums / counts


def _origin_s_mm(table: LevelTable, origin: str) -> float | None:
    return table.pmj_mm if origin == "pmj" else table.disc_s_mm.get(DISC_C2C3)


def _measures(row: LevelRow, zero: float | None) -> tuple[float, ...]:
    """Return what `MEASURES` names of a row; NaN where not known."""
    ends = (row.rostral_mm, row.caudal_mm, row.midpoint_mm)
    away = (np.nan if s is None or zero is None else s - zero for s in ends)
    return (*away, np.nan if row.length_mm is None else row.length_mm)


def _counted(row: LevelRow, statuses: Collection[str]) -> tuple[bool, ...]:
    """Say which of `MEASURES` count."""
    counts = row.status in statuses
    rostral = caudal = counts
    if row.status == "measured" and ESTIMATED not in statuses:
        rostral = counts and not {"rostral_estimated", "cut_rostral"} & set(row.flags)
        caudal = counts and not {"caudal_estimated", "cut_caudal"} & set(row.flags)
    elif row.status == "measured":
        rostral = caudal = True
    return rostral, caudal, rostral and caudal, rostral and caudal


def _lacking_numbers(scans: Sequence[Scan], statuses: Collection[str]) -> list[str]:
    """Say which levels count by their status, and have no number, in tables that have some."""
    lacking = [
        f"{scan.path} has no {row.lacking} of {row.level} ({row.status})"
        for scan in scans
        if any(row.rostral_mm is not None or row.caudal_mm is not None for row in scan.table.rows)
        for row in scan.table.rows
        if row.status in statuses and row.lacking
    ]
    if not lacking:
        return []
    more = "; ..." if len(lacking) > _MOST_NAMED else ""
    return [
        f"{len(lacking)} levels lack a number, and means are of the others (n_missing counts "
        f"them): {'; '.join(lacking[:_MOST_NAMED])}{more}"
    ]


def _lacking(origin: str, scan: Scan) -> InputError:
    if origin == "pmj":
        return InputError(
            "has no distances from the pontomedullary junction (PMJ), and no other table has",
            path=scan.path,
            remedy="Give 'sct_rootlets levels' a PMJ label (-pmj), or measure from the disc C2/C3 "
            "(-from c2c3)",
        )
    return InputError(
        f"has no distances from the disc {disc_name(DISC_C2C3)}, and no other table has",
        path=scan.path,
        remedy="Give 'sct_rootlets levels' discs (-discs), keep the JSON beside each table, or "
        "measure from the PMJ (-from pmj)",
    )
