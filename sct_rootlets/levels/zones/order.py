"""Which voxels of each level are the level: strays left out, levels in their order.

The voxels of a level fall into *groups* where more than `GROUP_GAP_MM` of the cord between
them is empty. Of each level one group is kept, or none, such that the levels follow each
other. Which, is settled by likelihood: a group left out costs the more the larger it is
(voxels are evidence), and two groups kept one after the other cost what the population
says about their distance, as a normal deviate. The cheapest choice is found by dynamic
programming. What is left out is returned, never dropped silently.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError
from sct_rootlets.levels.population.prior import End, Prior
from sct_rootlets.levels.zones.entry_zones import EntryZones

__all__ = ["Group", "Stray", "ordered_groups", "split"]

#: Empty stretch along the cord, mm, that parts a level's voxels into groups: half of a
#: level, and more than any gap between the filaments of one.
GROUP_GAP_MM = 6.0
#: Cost (natural logarithm) of leaving out a group as large as a usual level.
LEFT_OUT_COST = 12.0
#: Spread of the distance between the middles of two levels beyond that of the population, mm:
#: what is seen of a level need not be its middle. And the cost that no distance exceeds.
MIDDLE_SD_MM, FARTHEST_COST = 2.0, 20.0


@dataclass(frozen=True, eq=False)
class Group:
    """Voxels of one level that lie together.

    Attributes
    ----------
    level : SpinalLevel
    members : (N,) int array
        Indices of the voxels in `EntryZones`.
    middle_mm : float
        Median position along the cord.
    """

    level: SpinalLevel
    members: NDArray[np.intp]
    middle_mm: float


@dataclass(frozen=True)
class Stray:
    """Rootlet voxels that were left out.

    Attributes
    ----------
    level : SpinalLevel
        By their value.
    n_voxels : int
    s_mm : float
        Median position along the cord.
    reason : str
    """

    level: SpinalLevel
    n_voxels: int
    s_mm: float
    reason: str


def ordered_groups(zones: EntryZones) -> tuple[dict[SpinalLevel, Group], list[Stray]]:
    """Return the voxels of every level that was seen, rostral to caudal, and the strays.

    Parameters
    ----------
    zones : EntryZones
        Of rootlets whose values are spinal levels.

    Raises
    ------
    InputError
        If the levels run in the wrong direction along the cord.
    """
    groups = _groups(zones)
    _refuse_reversed(groups)
    kept = _cheapest(groups)
    levels = {group.level for group in kept}
    strays = [
        Stray(
            group.level,
            len(group.members),
            group.middle_mm,
            "apart from the rest of the level"
            if group.level in levels
            else "out of order with its neighbours",
        )
        for group in groups
        if group not in kept
    ]
    return {group.level: group for group in sorted(kept, key=lambda g: g.level)}, strays


def _groups(zones: EntryZones) -> list[Group]:
    """Split every level's voxels where the cord between them is empty."""
    groups = []
    for value in np.unique(zones.value):
        for part in split(zones, np.flatnonzero(zones.value == value), GROUP_GAP_MM):
            middle = float(np.median(zones.s_mm[part]))
            groups.append(Group(SpinalLevel(int(value)), part, middle))
    return groups


def _cheapest(groups: list[Group]) -> list[Group]:
    """Choose at most one group a level, ascending along the cord, at the least cost."""
    largest = {
        level: max(len(g.members) for g in groups if g.level is level)
        for level in {g.level for g in groups}
    }
    usual = float(np.median(list(largest.values())))
    population = Prior.floating()
    worth = [LEFT_OUT_COST * min(len(g.members) / (0.5 * usual), 1.0) for g in groups]
    best: list[tuple[float, list[Group]]] = []
    for group, gain in zip(groups, worth, strict=True):  # groups come in the order of levels
        options = [
            (score - _distance_cost(population, chain[-1], group), chain)
            for score, chain in best
            if chain[-1].level < group.level and chain[-1].middle_mm < group.middle_mm
        ]
        score, chain = max(options, key=lambda option: option[0], default=(0.0, []))
        if score < 0:
            score, chain = 0.0, []
        best.append((score + gain, [*chain, group]))
    return max(best, key=lambda option: option[0])[1]


def _distance_cost(population: Prior, above: Group, below: Group) -> float:
    """Return what the distance of two groups costs, natural logarithm."""
    weights = {
        (above.level, End.ROSTRAL): -0.5,
        (above.level, End.CAUDAL): -0.5,
        (below.level, End.ROSTRAL): 0.5,
        (below.level, End.CAUDAL): 0.5,
    }
    expected = sum(w * population.mean(node) for node, w in weights.items())
    variance = sum(
        v * w * population.covariance(a, b) for a, v in weights.items() for b, w in weights.items()
    )
    away = below.middle_mm - above.middle_mm - expected
    return min(0.5 * away**2 / (variance + MIDDLE_SD_MM**2), FARTHEST_COST)


def _refuse_reversed(groups: list[Group]) -> None:
    largest: dict[SpinalLevel, Group] = {}
    for group in groups:
        if group.level not in largest or len(group.members) > len(largest[group.level].members):
            largest[group.level] = group
    middles = [largest[level].middle_mm for level in sorted(largest)]
    if len(middles) >= 3 and all(b < a for a, b in pairwise(middles)):
        raise InputError(
            "the levels of the rootlets run from caudal to rostral",
            remedy="The image's orientation (affine) is wrong, or its level values are",
        )


def split(zones: EntryZones, members: NDArray[np.intp], gap_mm: float) -> list[NDArray[np.intp]]:
    """Split voxels where more than `gap_mm` of the cord between them is empty."""
    members = members[np.argsort(zones.s_mm[members], kind="stable")]
    s, half = zones.s_mm[members], zones.half_mm[members]
    empty = (s[1:] - half[1:]) - (s[:-1] + half[:-1])
    return np.split(members, np.flatnonzero(empty > gap_mm) + 1)
