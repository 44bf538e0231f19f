"""Mean, standard deviation and median of a quantity over one level, and how certain they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.perlevel.level_borders import LevelBorders
from sct_rootlets.perlevel.sections import Sections

__all__ = [
    "Spread",
    "share_between",
    "spread_of_planes",
    "spread_of_points",
    "weighted_median",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """A quantity over one level.

    Attributes
    ----------
    mean, std : float or None
        Over the planes of the level for shapes, over the volume for maps.
    border_sd : float or None
        Standard deviation of the mean that comes of that of the borders.
    median, volume_mm3 : float or None
        Of maps: median over the volume, and the volume itself.
    zero_mm3 : float or None
        Of maps: the part of that volume in which the map is exactly 0.
    n_voxels : int or None
        Of maps: their voxels in that volume.
    """

    mean: float | None = None
    std: float | None = None
    border_sd: float | None = None
    median: float | None = None
    volume_mm3: float | None = None
    zero_mm3: float | None = None
    n_voxels: int | None = None


def weighted_median(values: Floats, weights: Floats) -> float:
    """Return the value below and above which half of the weight lies, linear between values.

    Examples
    --------
    >>> weighted_median(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 1.0]))
    2.0
    """
    order = np.argsort(values, kind="stable")
    values, weights = values[order], weights[order]
    middle = np.cumsum(weights) - weights / 2
    return float(np.interp(weights.sum() / 2, middle, values))


def share_between(sections: Sections, rostral_mm: float | None, caudal_mm: float | None) -> Floats:
    """Return how much of the stretch around each plane lies between two positions, 0 to 1."""
    if rostral_mm is None or caudal_mm is None:
        return np.zeros(len(sections.s_mm))
    half = sections.step_mm / 2
    low = np.maximum(sections.s_mm - half, rostral_mm)
    high = np.minimum(sections.s_mm + half, caudal_mm)
    return np.asarray(np.clip((high - low) / sections.step_mm, 0, 1))


def spread_of_planes(
    sections: Sections, borders: LevelBorders, share: Floats, values: Floats
) -> Spread:
    """Average over planes what each of them has, NaN where it has nothing."""
    share = np.where(np.isfinite(values), share, 0.0)
    values = np.where(np.isfinite(values), values, 0.0)
    if share.sum() <= 0:
        return Spread()
    mean = float(np.average(values, weights=share))
    std = float(np.sqrt(np.average((values - mean) ** 2, weights=share)))
    weight = np.where(sections.is_whole, 1.0, 0.0)
    return Spread(mean, std, _border_sd(sections, borders, mean, weight, values))


def spread_of_points(
    sections: Sections,
    borders: LevelBorders,
    share: Floats,
    volume: Floats,
    values: Floats,
    voxels: NDArray[np.intp],
) -> Spread:
    """Average over the points of the planes, each with its volume."""
    volume = np.where(np.isfinite(values), volume, 0.0)
    values = np.where(np.isfinite(values), values, 0.0)
    here = volume * share[sections.plane]
    total = float(here.sum())
    if total <= 0:
        return Spread()
    mean = float(here @ values / total)
    std = float(np.sqrt(here @ (values - mean) ** 2 / total))
    used = here > 0
    count = len(sections.s_mm)
    weight = np.asarray(np.bincount(sections.plane, volume, minlength=count), dtype=np.float64)
    sums = np.bincount(sections.plane, volume * values, minlength=count)
    by_plane = sums / np.where(weight > 0, weight, 1.0)
    return Spread(
        mean,
        std,
        _border_sd(sections, borders, mean, weight, by_plane),
        weighted_median(values[used], here[used]),
        total,
        float(here[values == 0].sum()),
        len(np.unique(voxels[used])),
    )


def _border_sd(
    sections: Sections, borders: LevelBorders, mean: float, weight: Floats, values: Floats
) -> float | None:
    """Return the standard deviation of a mean that comes of that of the borders.

    With weight w(s) and value v(s) along the cord, the mean m between r and c, and the total
    weight W between them, dm/dr = w(r) (m - v(r)) / W and dm/dc = w(c) (v(c) - m) / W. The
    weight and the value at a border are means over one standard deviation on either side of
    it. The covariance of the borders follows from the standard deviation of the length.
    """
    if borders.rostral_mm is None or borders.caudal_mm is None:
        return None
    if borders.rostral_sd_mm is None or borders.caudal_sd_mm is None:
        return None
    inside = share_between(sections, borders.rostral_mm, borders.caudal_mm)
    total = float(inside @ weight) * sections.step_mm
    slopes = []
    for at, sd, sign in (
        (borders.rostral_mm, borders.rostral_sd_mm, 1.0),
        (borders.caudal_mm, borders.caudal_sd_mm, -1.0),
    ):
        reach = max(sd, sections.step_mm)
        near = share_between(sections, at - reach, at + reach)
        there = float(near @ weight)
        if there <= 0:
            return None  # nothing is known of what lies around this border
        density = there / float(near.sum())
        value = float((near * weight) @ values) / there
        slopes.append(sign * density * (mean - value) / total)
    first, second = borders.rostral_sd_mm, borders.caudal_sd_mm
    covariance = 0.0
    if borders.length_sd_mm is not None:
        largest = first * second
        covariance = float(
            np.clip((first**2 + second**2 - borders.length_sd_mm**2) / 2, -largest, largest)
        )
    variance = (
        (slopes[0] * first) ** 2
        + (slopes[1] * second) ** 2
        + 2 * slopes[0] * slopes[1] * covariance
    )
    return float(np.sqrt(max(variance, 0.0)))
