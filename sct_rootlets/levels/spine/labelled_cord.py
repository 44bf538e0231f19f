"""A cord labelled with vertebral levels: where one level gives way to the next.

The border with the fewest voxels on its wrong side comes first; mislabelled voxels elsewhere
do not move it. Within `WINDOW_MM` of it the border is then put where as much of the level
above lies caudal of it as of the level below lies rostral of it, each voxel spread over its
own extent along the cord. That is where the plane between the levels meets the centerline,
whether it is cut along the cord or oblique to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import VertebralLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import LabelImage
from sct_rootlets.levels.spine.point_labels import APART_MM, all_far, vertebral_voxels

__all__ = ["ON_CORD_MM", "Border", "find_borders"]

Floats = NDArray[np.float64]

#: How far from the middle of the cord, mm, a labelled cord may lie in the median; twice as far
#: off a voxel is none of it.
ON_CORD_MM = 10.0
#: Half of the stretch of the cord that settles one border, mm.
WINDOW_MM = 6.0
#: Share of a level's voxels that may lie apart from it, and of the usual number of voxels below
#: which a level out of order is a mistake rather than a level.
APART_SHARE, FEW_SHARE = 0.2, 0.05


@dataclass(frozen=True)
class Border:
    """Border between two vertebral levels on the cord.

    Attributes
    ----------
    below : VertebralLevel
        The level caudal of it.
    s_mm : float
        Position along the centerline.
    gap_mm : float
        Length of the cord between the two levels that has no label.
    """

    below: VertebralLevel
    s_mm: float
    gap_mm: float


def find_borders(labels: LabelImage, centerline: Centerline) -> tuple[list[Border], list[str]]:
    """Return the borders between neighbouring levels, rostral to caudal, and warnings.

    Parameters
    ----------
    labels : LabelImage
        Cord voxels with the values of vertebral levels, on any grid of the same world.
    centerline : Centerline

    Raises
    ------
    InputError
        If values are no vertebral levels, levels do not follow each other along the cord,
        or one occurs twice.
    """
    s, width, value, warnings = _labelled_voxels(labels, centerline)
    groups = {VertebralLevel(int(v)): np.flatnonzero(value == v) for v in np.unique(value)}
    groups = {
        level: _largest_stretch(level, at, s, width, labels, warnings)
        for level, at in groups.items()
    }
    groups = _ascending(groups, s, labels, warnings)
    borders = []
    for above, below in pairwise(sorted(groups)):
        if above.shifted(1) is not below:
            missing = [level for level in VertebralLevel if above < level < below]
            warnings.append(
                f"the labelled cord has no {', '.join(map(str, missing))} between {above} and "
                f"{below}: the discs there are not known"
            )
            continue
        found = _border(s, width, groups[above], groups[below])
        if found is None:
            warnings.append(
                f"the labelled cord has too few voxels of {above} or {below} in one place: the "
                f"{above}/{below} disc is not known"
            )
            continue
        borders.append(Border(below, *found))
        if borders[-1].gap_mm > APART_MM:
            warnings.append(
                f"{borders[-1].gap_mm:.0f} mm of the cord between {above} and {below} are not "
                f"labelled: the {above}/{below} disc was put in their middle"
            )
    return borders, warnings


def _labelled_voxels(
    labels: LabelImage, centerline: Centerline
) -> tuple[Floats, Floats, NDArray[np.int64], list[str]]:
    """Return position, extent along the cord and value of the labelled voxels (N,)."""
    voxels = vertebral_voxels(labels)
    value = np.repeat(list(voxels), [len(xyz) for xyz in voxels.values()])
    at = centerline.project(np.concatenate(list(voxels.values())))
    near = at.radius_mm <= 2 * ON_CORD_MM
    warnings = []
    if not near.any():
        raise all_far(labels, "labelled voxel")
    if not near.all():
        warnings.append(
            f"{int((~near).sum())} voxels of the labelled cord lie more than "
            f"{2 * ON_CORD_MM:.0f} mm off the centerline and were left out"
        )
    tangent = centerline.frame(at.s_mm)[0]
    width = np.sqrt(((tangent @ labels.grid.affine[:3, :3]) ** 2).sum(axis=1))
    return at.s_mm[near], width[near], value[near], warnings


def _largest_stretch(
    level: VertebralLevel,
    members: NDArray[np.intp],
    s: Floats,
    width: Floats,
    labels: LabelImage,
    warnings: list[str],
) -> NDArray[np.intp]:
    """Return the voxels of a level without those that lie apart along the cord."""
    members = members[np.argsort(s[members], kind="stable")]
    limit = APART_MM + float(width[members].max())
    parts = np.split(members, np.flatnonzero(np.diff(s[members]) > limit) + 1)
    largest = max(parts, key=len)
    apart = len(members) - len(largest)
    if apart > APART_SHARE * len(members):
        raise InputError(
            f"has {level} (value {level.value}) in {len(parts)} places along the cord",
            path=labels.path,
            remedy="Each vertebral level must be one stretch of the cord",
        )
    if apart:
        warnings.append(
            f"{apart} voxels of {level} in the labelled cord lie apart from it and were left out"
        )
    return np.asarray(largest)


def _ascending(
    groups: dict[VertebralLevel, NDArray[np.intp]],
    s: Floats,
    labels: LabelImage,
    warnings: list[str],
) -> dict[VertebralLevel, NDArray[np.intp]]:
    """Return the levels that follow each other; few voxels out of order are left out."""
    middle = {level: float(np.median(s[at])) for level, at in groups.items()}
    few = FEW_SHARE * float(np.median([len(at) for at in groups.values()]))
    kept: list[VertebralLevel] = []
    large = [level for level in sorted(groups) if len(groups[level]) >= few]
    for above, below in pairwise(large):
        if middle[below] <= middle[above]:
            raise InputError(
                f"has {below} (value {below.value}) rostral of {above} (value {above.value})",
                path=labels.path,
                remedy="Vertebral levels must follow each other: C1-C7 = 1-7, T1 = 8, ...",
            )
    for level in sorted(groups):
        in_order = all((middle[level] > middle[o]) == (level > o) for o in large if o is not level)
        if in_order:
            kept.append(level)
        else:
            warnings.append(
                f"{len(groups[level])} voxels of {level} in the labelled cord are out of order and "
                "were left out"
            )
    return {level: groups[level] for level in kept}


def _border(
    s: Floats, width: Floats, above: NDArray[np.intp], below: NDArray[np.intp]
) -> tuple[float, float] | None:
    """Return the border between two stretches of cord and the gap in it, mm; None if unclear."""
    first, second = np.sort(s[above]), np.sort(s[below])
    at = np.unique(np.concatenate([first, second]))
    if len(at) < 2:
        return None
    cuts = (at[:-1] + at[1:]) / 2
    wrong = len(first) - np.searchsorted(first, cuts) + np.searchsorted(second, cuts)
    start = float(np.median(cuts[wrong == wrong.min()]))
    if (first < start).mean() < 0.5 or (second > start).mean() < 0.5:
        return None
    gap = second[0] - width[below].mean() / 2 - first[-1] - width[above].mean() / 2
    gap = max(float(gap), 0.0)
    near = np.abs(s - start) <= WINDOW_MM
    above, below = above[near[above]], below[near[below]]

    def surplus(at: float) -> float:
        return _beyond(s[above], width[above], at) - _beyond(-s[below], width[below], -at)

    low = _last(lambda at: surplus(at) > 1e-6, start)
    high = -_last(lambda at: surplus(-at) < -1e-6, -start)
    return (low + high) / 2, gap


def _beyond(s: Floats, width: Floats, at: float) -> float:
    """Return how many of the voxels `s` (N,), each spread over its `width`, lie beyond `at`."""
    return float(np.clip((s - at) / width + 0.5, 0.0, 1.0).sum())


def _last(holds: Callable[[float], bool], start: float) -> float:
    """Return the last position near `start` at which `holds`, which then holds no more."""
    low, high = start - WINDOW_MM, start + WINDOW_MM
    if not holds(low):
        return start
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
