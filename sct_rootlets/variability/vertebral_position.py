"""Agreement of spinal with vertebral levels: in which vertebra one lies, how far from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sct_rootlets.anatomy import SpinalLevel, VertebralLevel
from sct_rootlets.levels.table.level_table import LevelRow
from sct_rootlets.tables import column
from sct_rootlets.variability.distances import Distances

__all__ = [
    "PLACES",
    "PositionRow",
    "ShareRow",
    "own_vertebra",
    "position_rows",
    "share_rows",
    "wilson",
]

Floats = NDArray[np.float64]

#: Places of a level, with the place of what is measured of them in `Distances.values`.
PLACES = {"rostral": 0, "midpoint": 2, "caudal": 1}
#: How many vertebrae above its own a spinal level is compared with.
OFFSETS = (0, 1)


@dataclass(frozen=True)
class ShareRow:
    """How often one place of a level lies in one vertebra."""

    level: str = column("Spinal level")
    place: str = column("Its rostral border, midpoint or caudal border")
    vertebra: str = column("Vertebral level in which it lies")
    vertebrae_above: int = column(
        "How many vertebrae above its own it lies; negative below. A nerve's own vertebra is the "
        "one of its name, and T1 for C8, above which that nerve leaves"
    )
    n_subjects: int = column("Subjects of which it is known")
    share_percent: float = column(
        "Share of the subjects; one with several images counts in parts, one in all", "percent"
    )
    share_low: float = column("Lower end of its confidence interval (Wilson)", "percent")
    share_high: float = column("Upper end of its confidence interval (Wilson)", "percent")


@dataclass(frozen=True)
class PositionRow:
    """A spinal level against a vertebral level, over subjects."""

    level: str = column("Spinal level")
    vertebra: str = column("Vertebral level it is compared with")
    vertebrae_above: int = column("How many vertebrae above the level's own that is")
    n_subjects: int = column("Subjects of which both positions are known")
    difference_mm: float | None = column(
        "Mean of the middle of the vertebra less the midpoint of the level, along the centerline; "
        "positive where the vertebra lies caudal",
        "mm",
    )
    difference_sd_mm: float | None = column("Its standard deviation", "mm")
    lower_mm: float | None = column("Lower 95 % limit of agreement", "mm")
    upper_mm: float | None = column("Upper 95 % limit of agreement", "mm")
    pearson: float | None = column(
        "Correlation (Pearson) over subjects of the distances of both from the origin"
    )
    spearman: float | None = column("The same of ranks (Spearman)")
    overlap_percent: float | None = column(
        "Mean share of the length of the level that lies in the vertebra", "percent"
    )


def own_vertebra(level: SpinalLevel) -> VertebralLevel:
    """Return the vertebra of a spinal level's own name; T1 for C8, which no vertebra has.

    Nerves C1-C7 leave above the vertebra of their name and C8 above T1, so that one vertebra
    above means the same for all of these.

    Examples
    --------
    >>> own_vertebra(SpinalLevel.C6), own_vertebra(SpinalLevel.C8)
    (<VertebralLevel.C6: 6>, <VertebralLevel.T1: 8>)
    """
    return VertebralLevel["T1" if level is SpinalLevel.C8 else level.name]


def share_rows(distances: Distances, confidence: float = 0.95) -> Iterator[ShareRow]:
    """Yield in which vertebrae every place of every level lies, over subjects."""
    subjects = distances.subjects()
    for k, level in enumerate(distances.levels):
        own = own_vertebra(level)
        for place, measure in PLACES.items():
            found: list[tuple[str, VertebralLevel]] = []
            for i, scan in enumerate(distances.study.scans):
                row = scan.table.row(level)
                vertebra = None if row is None else _vertebra(row, place)
                if vertebra is not None and _counts(distances, i, k, measure):
                    found.append((subjects[i], vertebra))
            images = {subject: 0 for subject, _ in found}
            for subject, _ in found:
                images[subject] += 1
            for vertebra in sorted({vertebra for _, vertebra in found}):
                part = sum(1 / images[s] for s, where in found if where is vertebra)
                part = min(part, float(len(images)))  # thirds do not add up to one
                low, high = wilson(part, len(images), confidence)
                yield ShareRow(
                    str(level),
                    place,
                    str(vertebra),
                    _steps(own, vertebra),
                    len(images),
                    100 * part / len(images),
                    100 * low,
                    100 * high,
                )


def position_rows(distances: Distances) -> Iterator[PositionRow]:
    """Yield how far every level lies from its own vertebra and from the one above, over subjects.

    Needs the discs above and below the vertebra, which the JSON beside each table has.
    """
    middle = PLACES["midpoint"]
    known = [scan.table.disc_s_mm for scan in distances.study.scans]
    for k, level in enumerate(distances.levels):
        for offset in OFFSETS:
            vertebra = own_vertebra(level).shifted(-offset)
            found: dict[str, list[tuple[float, float, float]]] = {}
            for i, scan in enumerate(distances.study.scans):
                row = scan.table.row(level)
                bounds = None if vertebra is None else _bounds(known[i], vertebra)
                if row is None or bounds is None or not _counts(distances, i, k, middle):
                    continue
                assert row.midpoint_mm is not None
                away = sum(bounds) / 2 - row.midpoint_mm
                position = float(distances.values[i, k, middle])
                found.setdefault(scan.subject, []).append((position, away, _overlap(row, bounds)))
            if found and vertebra is not None:
                means = np.array([np.mean(rows, axis=0) for rows in found.values()])
                yield _position(level, vertebra, offset, means)


def _position(
    level: SpinalLevel, vertebra: VertebralLevel, offset: int, means: Floats
) -> PositionRow:
    """Return the row of subjects (N, 3): midpoint, difference, overlap."""
    position, away, overlap = means.T
    mean, sd = float(away.mean()), float(away.std(ddof=1)) if len(away) > 1 else None
    half = None if sd is None else float(stats.norm.ppf(0.975)) * sd
    pearson = spearman = None
    of_vertebra = position + away
    vary = all(np.isfinite(v).all() and np.ptp(v) > 0 for v in (position, of_vertebra))
    if len(position) > 2 and vary:
        pearson = float(stats.pearsonr(position, of_vertebra).statistic)
        spearman = float(stats.spearmanr(position, of_vertebra).statistic)
    return PositionRow(
        str(level),
        str(vertebra),
        offset,
        len(means),
        mean,
        sd,
        None if half is None else mean - half,
        None if half is None else mean + half,
        pearson,
        spearman,
        100 * float(overlap.mean()),
    )


def wilson(part: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of a share `part` of `n` (Wilson 1927, J Am Stat Assoc 22:209).

    Examples
    --------
    >>> tuple(round(end, 3) for end in wilson(15, 16))
    (0.717, 0.989)
    """
    z = float(stats.norm.ppf((1 + confidence) / 2))
    p, correction = part / n, z**2 / n
    centre = (p + correction / 2) / (1 + correction)
    half = z * np.sqrt(p * (1 - p) / n + correction / (4 * n)) / (1 + correction)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def _counts(distances: Distances, i: int, k: int, measure: int) -> bool:
    """Say whether a measure is in use: where the origin is not known, its length says so."""
    if np.isfinite(distances.values[i, k, measure]):
        return True
    return bool(
        np.isnan(distances.values[i, :, :3]).all() and np.isfinite(distances.values[i, k, 3])
    )


def _vertebra(row: LevelRow, place: str) -> VertebralLevel | None:
    found = None if row.vertebral is None else getattr(row.vertebral, place)
    return None if found is None else found.vertebra


def _steps(own: VertebralLevel, vertebra: VertebralLevel) -> int:
    order = list(VertebralLevel)
    return order.index(own) - order.index(vertebra)


def _bounds(discs: dict[int, float], vertebra: VertebralLevel) -> tuple[float, float] | None:
    """Return the discs above and below a vertebra, mm; disc label N is the one above vertebra N."""
    above, below = discs.get(vertebra.value), discs.get(vertebra.value + 1)
    return None if above is None or below is None else (above, below)


def _overlap(row: LevelRow, bounds: tuple[float, float]) -> float:
    assert row.rostral_mm is not None
    assert row.caudal_mm is not None
    shared = min(row.caudal_mm, bounds[1]) - max(row.rostral_mm, bounds[0])
    length = row.caudal_mm - row.rostral_mm
    return max(0.0, shared) / length if length > 0 else 0.0
