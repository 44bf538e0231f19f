"""What the rootlets of an image show: the entry zones of their levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.image import LabelImage
from sct_rootlets.levels.population.prior import Evidence
from sct_rootlets.levels.zones.ends import Zone, level_zones, measured_ends
from sct_rootlets.levels.zones.entry_zones import EntryZones, measure
from sct_rootlets.levels.zones.order import Stray, ordered_groups

__all__ = ["Observed", "observe"]


@dataclass(frozen=True, eq=False)
class Observed:
    """What the rootlets show: the entry zones of their levels, and what was left out."""

    rootlets: LabelImage
    entry_zones: EntryZones | None
    zones: Mapping[SpinalLevel, Zone]
    strays: tuple[Stray, ...] = ()
    noise: float | None = None

    @property
    def evidence(self) -> Evidence:
        """Measured ends with their standard deviations; none that the image cuts off."""
        return measured_ends(self.zones)


def observe(rootlets: LabelImage, cord: LabelImage, curve: Centerline, reach_mm: float) -> Observed:
    """Measure the entry zones of rootlets whose values are spinal levels.

    Parameters
    ----------
    rootlets, cord : LabelImage
        On one grid.
    curve : Centerline
        Of the cord.
    reach_mm : float
        Largest distance from the cord surface at which rootlets count as entering it.
    """
    entry_zones = measure(rootlets, cord, curve, reach_mm)
    groups, strays = ordered_groups(entry_zones)
    zones, within, noise = level_zones(entry_zones, groups, rootlets.grid)
    return Observed(rootlets, entry_zones, zones, (*strays, *within), noise)
