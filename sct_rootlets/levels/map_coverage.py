"""What has to be said of a map whose means are taken by level: where it has no values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel

__all__ = ["MapCoverage", "coverage_remarks", "extreme_remarks"]

#: A map that is known in a smaller part of a level, or 0 in a larger part than the rest, is
#: warned of.
_KNOWN = 0.95
#: A value so many times as large as nearly all others is a mean by itself: in a level of a
#: thousand voxels it counts as much as they do together.
_EXTREME = 1000.0
#: Fewer values do not tell what is usual.
_FEW = 10


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


def extreme_remarks(name: str, values: NDArray[np.floating]) -> list[str]:
    """Return a warning if single values are so large that they make the means.

    Parameters
    ----------
    name : str
        Of what the values are of.
    values : (N,) array
        All that enter.
    """
    sizes = np.abs(values[np.isfinite(values) & (values != 0)])
    if len(sizes) < _FEW:
        return []
    usual = float(np.percentile(sizes, 95))
    if sizes.max() <= _EXTREME * usual:
        return []
    return [
        f"{name} holds extreme values within the levels, such as {sizes.max():.3g} where nearly "
        f"all others are below {usual:.3g}: they make the means. Replace them, or leave them out "
        "with -mask"
    ]


def _shares(levels: Mapping[SpinalLevel, float]) -> str:
    return ", ".join(f"{level} ({share:.0%})" for level, share in levels.items())
