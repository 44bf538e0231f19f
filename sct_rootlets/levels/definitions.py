"""From entry zones to spinal levels: the definitions in use, each with its source.

Both take the entry zone of every level that was seen and return the borders of every
level from the first to the last of `levels`:

`caudal`
    A level reaches from the caudal end of the entry zone above to the caudal end of its
    own (Mendez et al. 2021, Mayo Clin Proc 96(6):1426-1437);
    contiguous. The first level seen has no zone above it and begins where its own does.
`extent`
    A level is its own entry zone (Valosek et al. 2024, Imaging Neuroscience 2). Levels
    leave gaps.

A level missing between two seen ones is interpolated with the mean proportions of the
population: neighbouring levels correlate at 0.94-0.99 between people. Levels beyond the
seen ones stay unseen; nothing is invented there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sct_rootlets.anatomy import ROOTLET_LEVELS, SpinalLevel
from sct_rootlets.levels.population import COHORT_ZONES_MM

__all__ = ["Borders", "Zone", "caudal", "extent"]


@dataclass(frozen=True)
class Zone:
    """Entry zone of one level: its ends in mm along the cord, and remarks."""

    rostral_mm: float
    caudal_mm: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Borders:
    """Borders of one level: None where unknown; `status` as in `LevelRow`."""

    level: SpinalLevel
    status: str
    rostral_mm: float | None = None
    caudal_mm: float | None = None
    notes: tuple[str, ...] = ()


def caudal(
    zones: Mapping[SpinalLevel, Zone], levels: Iterable[SpinalLevel] = ROOTLET_LEVELS
) -> list[Borders]:
    """Return contiguous levels, from caudal end to caudal end of the entry zones.

    Parameters
    ----------
    zones : mapping of SpinalLevel to Zone
        Entry zones of the levels seen; caudal ends must ascend.
    levels : iterable of SpinalLevel
        Levels of the answer, rostral to caudal.
    """
    rows: list[Borders] = []
    above: Borders | None = None
    for level, zone, status in _complete(zones, levels):
        if zone is None:
            rows.append(Borders(level, status))
            continue
        if above is None or above.caudal_mm is None:
            note = (
                f"no rootlets of the level above {level} were seen: its rostral border is the "
                "rostral end of its own entry zone",
            )
            above = Borders(level, status, zone.rostral_mm, zone.caudal_mm, zone.notes + note)
        else:
            above = Borders(level, status, above.caudal_mm, zone.caudal_mm, zone.notes)
        rows.append(above)
    return rows


def extent(
    zones: Mapping[SpinalLevel, Zone], levels: Iterable[SpinalLevel] = ROOTLET_LEVELS
) -> list[Borders]:
    """Return every level as its own entry zone; parameters as :func:`caudal`."""
    return [
        Borders(level, status)
        if zone is None
        else Borders(level, status, zone.rostral_mm, zone.caudal_mm, zone.notes)
        for level, zone, status in _complete(zones, levels)
    ]


def _complete(
    zones: Mapping[SpinalLevel, Zone], levels: Iterable[SpinalLevel]
) -> list[tuple[SpinalLevel, Zone | None, str]]:
    """Give every level its zone and status, interpolating between seen levels."""
    seen = sorted(zones)
    answer: list[tuple[SpinalLevel, Zone | None, str]] = []
    for level in levels:
        before = [s for s in seen if s < level]
        after = [s for s in seen if s > level]
        if level in zones:
            answer.append((level, zones[level], "measured"))
        elif before and after and {level, before[-1], after[0]} <= set(COHORT_ZONES_MM):
            answer.append((level, _between(level, before[-1], after[0], zones), "interpolated"))
        else:
            answer.append((level, None, "unseen"))
    return answer


def _between(
    level: SpinalLevel,
    above: SpinalLevel,
    below: SpinalLevel,
    zones: Mapping[SpinalLevel, Zone],
) -> Zone:
    """Place the zone of `level` between two others, in the proportions of the population."""
    low, high = COHORT_ZONES_MM[above][1], COHORT_ZONES_MM[below][1]
    start, end = zones[above].caudal_mm, zones[below].caudal_mm
    rostral, caudal = (
        start + (end - start) * (position - low) / (high - low)
        for position in COHORT_ZONES_MM[level]
    )
    note = f"no rootlets of {level} were seen: placed between {above} and {below}"
    return Zone(rostral, caudal, (note,))
