"""What is measured of every level: the sections of the cord in it, and maps within it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.image import Image
from sct_rootlets.perlevel.level_borders import LevelBorders
from sct_rootlets.perlevel.sections import SHAPES, Sections, in_voxels, sample_map

__all__ = [
    "METHODS",
    "LevelMeasures",
    "Spread",
    "measure_levels",
    "region_volume",
    "weighted_median",
]

Floats = NDArray[np.float64]

#: How the voxels at the edge of the cord or of a region count, by SCT's names.
METHODS = ("wa", "bin")
#: Less of a level than this is "partly" covered.
_WHOLE = 0.95


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
    """

    mean: float | None = None
    std: float | None = None
    border_sd: float | None = None
    median: float | None = None
    volume_mm3: float | None = None


@dataclass(frozen=True)
class LevelMeasures:
    """What was measured of one level.

    Attributes
    ----------
    borders : LevelBorders
    n_planes : int
        Whole sections whose plane stands within the level.
    length_mm : float
        Length of the level that they cover.
    shapes : dict of str to Spread
        By the names of `SHAPES`.
    volume_mm3, region_mm3 : float
        Volume of the cord over that length, and what of it counts for maps.
    maps : dict of str to Spread
        By the name of the map.
    flags : tuple of str
    """

    borders: LevelBorders
    n_planes: int
    length_mm: float
    shapes: Mapping[str, Spread]
    volume_mm3: float
    region_mm3: float
    maps: Mapping[str, Spread] = field(default_factory=dict)
    flags: tuple[str, ...] = ()

    @property
    def level(self) -> SpinalLevel:
        """The level."""
        return self.borders.level

    @property
    def coverage(self) -> float | None:
        """Share of the level's length that whole sections cover, 0 to 1."""
        whole = self.borders.length_mm
        return None if not whole else min(self.length_mm / whole, 1.0)


def region_volume(
    sections: Sections, region: Image | None = None, *, method: str = "wa", erode_mm: float = 0.0
) -> Floats:
    """Return the volume (M,), mm³, with which every point of the sections counts for a map.

    Parameters
    ----------
    sections : Sections
    region : Image, optional
        Share of every voxel that a region fills, on any grid of the same world: the volume is
        that of the cord times the share of the region.
    method : str
        ``"wa"``: as it is. ``"bin"``: points where cord times region is less than a half do not
        count, and the others do wholly.
    erode_mm : float
        Points nearer than this to the edge of the section, within its plane, do not count.
    """
    volume = sections.volume_mm3
    if region is not None:
        volume = volume * in_voxels(region, region.grid.ijk_from_world(sections.xyz_world))
    if method == "bin":
        share = np.divide(
            volume, sections.full_mm3, out=np.zeros_like(volume), where=sections.full_mm3 > 0
        )
        volume = np.where(share >= 0.5, sections.full_mm3, 0.0)
    if erode_mm > 0:
        volume = np.where(sections.edge_mm > erode_mm, volume, 0.0)
    return np.where(sections.is_whole[sections.plane], volume, 0.0)


def measure_levels(
    sections: Sections,
    levels: Sequence[LevelBorders],
    maps: Mapping[str, Image] | None = None,
    *,
    volume_mm3: Floats | None = None,
    interpolation: str = "nn",
) -> tuple[LevelMeasures, ...]:
    """Measure every level.

    A plane stands for the stretch of `step_mm` around it, and counts for a level with the part
    of that stretch that lies within the borders.

    Parameters
    ----------
    sections : Sections
    levels : sequence of LevelBorders
    maps : mapping of str to Image, optional
        On any grids of the same world; NaN where they are not known.
    volume_mm3 : (M,) array, optional
        As of :func:`region_volume`; by default that of the whole cord.
    interpolation : str
        As :func:`sct_rootlets.perlevel.sections.sample_map` takes it.
    """
    volume = region_volume(sections) if volume_mm3 is None else volume_mm3
    values = {
        name: sample_map(image, sections.xyz_world, interpolation)
        for name, image in (maps or {}).items()
    }
    cord, region = (
        np.bincount(sections.plane, part, minlength=len(sections.s_mm))
        for part in (region_volume(sections), volume)
    )
    measured = []
    for borders in levels:
        share = _share(sections, borders.rostral_mm, borders.caudal_mm) * sections.is_whole
        measured.append(
            LevelMeasures(
                borders,
                n_planes=int((share >= 0.5).sum()),
                length_mm=float(share.sum() * sections.step_mm),
                shapes={
                    name: _of_planes(sections, borders, share, sections.shapes[name])
                    for name in SHAPES
                },
                volume_mm3=float(share @ cord),
                region_mm3=float(share @ region),
                maps={
                    name: _of_points(sections, borders, share, volume, value)
                    for name, value in values.items()
                },
                flags=_flags(borders, float(share.sum() * sections.step_mm)),
            )
        )
    return tuple(measured)


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


def _flags(borders: LevelBorders, length_mm: float) -> tuple[str, ...]:
    if length_mm <= 0:
        return (*borders.flags, "not_covered")
    if length_mm < _WHOLE * (borders.length_mm or 0.0):
        return (*borders.flags, "partly_covered")
    return borders.flags


def _share(sections: Sections, rostral_mm: float | None, caudal_mm: float | None) -> Floats:
    """Return how much of the stretch around each plane lies between two positions, 0 to 1."""
    if rostral_mm is None or caudal_mm is None:
        return np.zeros(len(sections.s_mm))
    half = sections.step_mm / 2
    low = np.maximum(sections.s_mm - half, rostral_mm)
    high = np.minimum(sections.s_mm + half, caudal_mm)
    return np.asarray(np.clip((high - low) / sections.step_mm, 0, 1))


def _of_planes(sections: Sections, borders: LevelBorders, share: Floats, values: Floats) -> Spread:
    """Average over planes what each of them has, NaN where it has nothing."""
    share = np.where(np.isfinite(values), share, 0.0)
    values = np.where(np.isfinite(values), values, 0.0)
    if share.sum() <= 0:
        return Spread()
    mean = float(np.average(values, weights=share))
    std = float(np.sqrt(np.average((values - mean) ** 2, weights=share)))
    weight = np.where(sections.is_whole, 1.0, 0.0)
    return Spread(mean, std, _border_sd(sections, borders, mean, weight, values))


def _of_points(
    sections: Sections, borders: LevelBorders, share: Floats, volume: Floats, values: Floats
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
    inside = _share(sections, borders.rostral_mm, borders.caudal_mm)
    total = float(inside @ weight) * sections.step_mm
    slopes = []
    for at, sd, sign in (
        (borders.rostral_mm, borders.rostral_sd_mm, 1.0),
        (borders.caudal_mm, borders.caudal_sd_mm, -1.0),
    ):
        reach = max(sd, sections.step_mm)
        near = _share(sections, at - reach, at + reach)
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
