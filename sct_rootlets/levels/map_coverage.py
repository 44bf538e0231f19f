"""What has to be said of a map whose means are taken by level: where it has no values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sct_rootlets.anatomy import SpinalLevel

__all__ = ["MapCoverage", "coverage_remarks"]

#: A map that is known in a smaller part of a level, or 0 in a larger part than the rest, is
#: warned of.
_KNOWN = 0.95


@dataclass(frozen=True)
class MapCoverage:
    """What a map has of one level.

    Attributes
    ----------
    known : float
        Share of the level's volume in which it is a finite number, 0 to 1.
    zero : float
        Share of what is known in which it is exactly 0, 0 to 1.
    n_voxels : int
        Voxels of the map that enter the mean.
    """

    known: float
    zero: float
    n_voxels: int


def coverage_remarks(
    name: str, levels: Mapping[SpinalLevel, MapCoverage], remedy: str
) -> list[str]:
    """Return warnings about a map, by the name of its file.

    Parameters
    ----------
    name : str
    levels : mapping of SpinalLevel to MapCoverage
    remedy : str
        What to do where its zeros are no values, after "if nothing was measured there".
    """
    remarks = []
    short = {level: one.known for level, one in levels.items() if one.known < _KNOWN}
    if short:
        remarks.append(
            f"{name} is known in less than {100 * _KNOWN:.0f} % of the volume of "
            f"{_shares(short)}: it is NaN, infinite or ends there, and the means are of the rest"
        )
    zeros = {level: one.zero for level, one in levels.items() if one.zero > 1 - _KNOWN}
    if zeros:
        remarks.append(
            f"{name} is exactly 0 in a part of {_shares(zeros)}, and these zeros enter the means: "
            f"if nothing was measured there, {remedy}"
        )
    single = [str(level) for level, one in levels.items() if one.n_voxels == 1]
    if single:
        remarks.append(f"{name} has one voxel only in {', '.join(single)}: that is no mean")
    return remarks


def _shares(levels: Mapping[SpinalLevel, float]) -> str:
    return ", ".join(f"{level} ({share:.0%})" for level, share in levels.items())
