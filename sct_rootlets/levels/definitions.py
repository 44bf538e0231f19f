"""From entry zones to spinal levels: the definitions in use, each with its source.

A definition says which ends of entry zones make the borders of a level. With R(n) and C(n)
for the rostral and the caudal end of the entry zone of level n:

`caudal`
    From C(n-1) to C(n) (Mendez et al. 2021, Mayo Clin Proc 96(6):1426-1437); contiguous.
    C2, above which no model sees rootlets, begins at R(C2) unless C1 was seen.
`extent`
    From R(n) to C(n), the entry zone itself (Valosek et al. 2024, Imaging Neuroscience 2).
    Levels leave gaps.
`midgap`
    From (C(n-1) + R(n)) / 2 to (C(n) + R(n+1)) / 2; contiguous, borders in the middle of
    the gaps. C1 begins at R(C1), and the last level of all ends at its C.

An end that was not seen is taken from :class:`~sct_rootlets.levels.positions.Positions`,
and the row says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.levels.population.prior import End
from sct_rootlets.levels.positions import Positions, Weights

__all__ = ["DEFINITIONS", "Borders", "apply_definition", "weighted_sum"]


@dataclass(frozen=True)
class Borders:
    """Borders of one level; None where unknown.

    Attributes
    ----------
    level : SpinalLevel
    status : str
        As in `LevelRow`.
    rostral_mm, caudal_mm : float or None
    rostral_sd_mm, caudal_sd_mm, midpoint_sd_mm, length_sd_mm : float or None
    flags : tuple of str
        ``rostral_estimated``, ``caudal_estimated``, ``contradicted``.
    """

    level: SpinalLevel
    status: str
    rostral_mm: float | None = None
    caudal_mm: float | None = None
    rostral_sd_mm: float | None = None
    caudal_sd_mm: float | None = None
    midpoint_sd_mm: float | None = None
    length_sd_mm: float | None = None
    flags: tuple[str, ...] = ()


Pair = tuple[Weights, Weights]


def _caudal(level: SpinalLevel, seen: Collection[SpinalLevel]) -> Pair:
    above = level.shifted(-1)
    own = {(level, End.CAUDAL): 1.0}
    if above is None or (level is SpinalLevel.C2 and above not in seen):
        return {(level, End.ROSTRAL): 1.0}, own
    return {(above, End.CAUDAL): 1.0}, own


def _extent(level: SpinalLevel, seen: Collection[SpinalLevel]) -> Pair:
    return {(level, End.ROSTRAL): 1.0}, {(level, End.CAUDAL): 1.0}


def _midgap(level: SpinalLevel, seen: Collection[SpinalLevel]) -> Pair:
    above, below = level.shifted(-1), level.shifted(1)
    rostral, caudal = {(level, End.ROSTRAL): 1.0}, {(level, End.CAUDAL): 1.0}
    if above is not None:
        rostral = {(above, End.CAUDAL): 0.5, (level, End.ROSTRAL): 0.5}
    if below is not None:
        caudal = {(level, End.CAUDAL): 0.5, (below, End.ROSTRAL): 0.5}
    return rostral, caudal


#: Which ends make the borders of a level, by the name of the definition.
DEFINITIONS: Mapping[str, Callable[[SpinalLevel, Collection[SpinalLevel]], Pair]] = (
    MappingProxyType({"caudal": _caudal, "extent": _extent, "midgap": _midgap})
)


def apply_definition(
    name: str,
    positions: Positions,
    statuses: Mapping[SpinalLevel, str],
) -> list[Borders]:
    """Return the borders of every level by one definition.

    Parameters
    ----------
    name : str
        Key of `DEFINITIONS`.
    positions : Positions
        In order.
    statuses : mapping of SpinalLevel to str
        Of every level of the answer; ``"unseen"`` ones get no borders.
    """
    seen = {level for level, status in statuses.items() if status == "measured"}
    rows = []
    for level, status in sorted(statuses.items()):
        if status == "unseen":
            rows.append(Borders(level, status))
            continue
        rostral, caudal = DEFINITIONS[name](level, seen)
        midpoint = weighted_sum(rostral, caudal, 0.5, 0.5)
        length = weighted_sum(caudal, rostral, 1.0, -1.0)
        flags = []
        if status == "measured":
            flags += ["rostral_estimated"] * (not set(rostral) <= positions.measured)
            flags += ["caudal_estimated"] * (not set(caudal) <= positions.measured)
            flags += ["contradicted"] * bool(set(midpoint) & positions.contradicted)
        rows.append(
            Borders(
                level,
                status,
                positions.value(rostral),
                positions.value(caudal),
                positions.sd(rostral),
                positions.sd(caudal),
                positions.sd(midpoint),
                positions.sd(length),
                tuple(flags),
            )
        )
    return rows


def statuses_of(
    seen: Iterable[SpinalLevel],
    asked: Iterable[SpinalLevel],
    *,
    extend: bool = False,
    predicted: bool = False,
) -> dict[SpinalLevel, str]:
    """Say of every level how its borders are known.

    Parameters
    ----------
    seen : iterable of SpinalLevel
        Levels whose rootlets were seen.
    asked : iterable of SpinalLevel
        Levels of the answer.
    extend : bool
        Whether levels beyond the seen ones are extrapolated.
    predicted : bool
        Whether levels are placed from the vertebrae alone, without any seen.
    """
    ordered = sorted(seen)
    answer: dict[SpinalLevel, str] = {}
    for level in sorted({*asked, *ordered}):
        if level in ordered:
            status = "measured"
        elif ordered and ordered[0] < level < ordered[-1]:
            status = "interpolated"
        elif predicted and not ordered:
            status = "predicted"
        else:
            status = "extrapolated" if extend and ordered else "unseen"
        answer[level] = status
    return answer


def weighted_sum(first: Weights, second: Weights, a: float, b: float) -> Weights:
    """Return `a` times the first border and `b` times the second, as one sum of ends."""
    total = {node: a * weight for node, weight in first.items()}
    for node, weight in second.items():
        total[node] = total.get(node, 0.0) + b * weight
    return total
