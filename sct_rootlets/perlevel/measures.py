"""What is measured of every level: the sections of the cord in it, and maps within it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.image import Image
from sct_rootlets.perlevel.level_borders import LevelBorders
from sct_rootlets.perlevel.sampling import in_voxels, sample_map, voxel_numbers
from sct_rootlets.perlevel.sections import SHAPES, Sections
from sct_rootlets.perlevel.spreads import (
    Spread,
    share_between,
    spread_of_planes,
    spread_of_points,
)

__all__ = ["METHODS", "LevelMeasures", "measure_levels", "region_volume"]

Floats = NDArray[np.float64]

#: How the voxels at the edge of the cord or of a region count, by SCT's names.
METHODS = ("wa", "bin")
#: Less of a level than this is "partly" covered.
_WHOLE = 0.95


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
        As :func:`sct_rootlets.perlevel.sampling.sample_map` takes it.
    """
    volume = region_volume(sections) if volume_mm3 is None else volume_mm3
    values = {
        name: (
            sample_map(image, sections.xyz_world, interpolation),
            voxel_numbers(image, sections.xyz_world),
        )
        for name, image in (maps or {}).items()
    }
    cord, region = (
        np.bincount(sections.plane, part, minlength=len(sections.s_mm))
        for part in (region_volume(sections), volume)
    )
    measured = []
    for borders in levels:
        share = share_between(sections, borders.rostral_mm, borders.caudal_mm) * sections.is_whole
        measured.append(
            LevelMeasures(
                borders,
                n_planes=int((share >= 0.5).sum()),
                length_mm=float(share.sum() * sections.step_mm),
                shapes={
                    name: spread_of_planes(sections, borders, share, sections.shapes[name])
                    for name in SHAPES
                },
                volume_mm3=float(share @ cord),
                region_mm3=float(share @ region),
                maps={
                    name: spread_of_points(sections, borders, share, volume, *at_points)
                    for name, at_points in values.items()
                },
                flags=_flags(borders, float(share.sum() * sections.step_mm)),
            )
        )
    return tuple(measured)


def _flags(borders: LevelBorders, length_mm: float) -> tuple[str, ...]:
    if length_mm <= 0:
        return (*borders.flags, "not_covered")
    if length_mm < _WHOLE * (borders.length_mm or 0.0):
        return (*borders.flags, "partly_covered")
    return borders.flags
