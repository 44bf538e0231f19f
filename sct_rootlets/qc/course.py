"""The cord to show in a mosaic: its course, and whatever was found along it.

Levels know the centerline they were derived on. Rootlets alone may come without any cord mask;
then a smooth curve through the rootlets themselves stands for the cord, and without rootlets a
straight line through the image, since "nothing was found" has to be seen too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.colours import colour_of
from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid, Image, LabelImage
from sct_rootlets.qc.scene import Scene, Span, bands_of, grey_scale, side_sheet
from sct_rootlets.qc.views import Sagittal, Sheet, sample

if TYPE_CHECKING:
    from sct_rootlets.levels.derive import Derived

__all__ = ["UNNAMED", "Course"]

Floats = NDArray[np.float64]

#: Colour of rootlets whose level is not known: none of those of the levels.
UNNAMED = "#7CFF4F"
#: Part of the cord shown beyond the outermost rootlets, mm.
_BEYOND_MM = 8.0
#: Rootlets farther than this from the course of the others, mm, do not bend it.
_STRAY_MM = 20.0
#: Greys of masks that are shown where there is no image.
_EMPTY_GREY, _CORD_GREY, _ROOTLETS_GREY = 0.1, 0.35, 0.65


@dataclass(frozen=True, eq=False)
class Course:
    """What a mosaic shows.

    Attributes
    ----------
    centerline : Centerline
    s_range_mm : (float, float)
        Part of the centerline that is shown, rostral to caudal.
    image : Image or None
        Grey-value image; the masks in grey stand for it where there is none.
    cord, rootlets, levels, discs : LabelImage or None
        On any grid of the same world.
    spans : tuple of Span
        Levels with both borders.
    origin_mm : float
        What is counted at the start of the centerline.
    origin : str
        From where millimetres are counted.
    named : bool
        Whether the values of the rootlets are spinal levels.
    """

    centerline: Centerline
    s_range_mm: tuple[float, float]
    image: Image | None = None
    cord: LabelImage | None = None
    rootlets: LabelImage | None = None
    levels: LabelImage | None = None
    discs: LabelImage | None = None
    spans: tuple[Span, ...] = ()
    origin_mm: float = 0.0
    origin: str = "start of the curve"
    named: bool = True

    @classmethod
    def of_levels(
        cls,
        image: Image | None,
        cord: LabelImage,
        derived: Derived,
        discs: LabelImage | None = None,
    ) -> Course:
        """Show levels, on the centerline they were derived on, and all their rootlets."""
        scene = Scene.of(image, cord, derived, discs)
        low, high = scene.s_range_mm
        zones = derived.entry_zones
        if zones is not None and len(zones.s_mm):
            # Rootlets far from any level, such as false ones, are what a reader looks for.
            low = min(low, float(zones.s_mm.min()) - 2)
            high = max(high, float(zones.s_mm.max()) + 2)
        return cls(
            derived.centerline,
            (low, high),
            image,
            cord,
            derived.rootlets,
            derived.levels,
            discs,
            tuple(scene.known),
            scene.origin_mm,
            derived.table.origin,
        )

    @classmethod
    def of_rootlets(
        cls,
        image: Image,
        rootlets: LabelImage | None,
        cord: LabelImage | None = None,
        *,
        named: bool = True,
    ) -> Course:
        """Show rootlets without levels.

        Parameters
        ----------
        image : Image
        rootlets : LabelImage or None
        cord : LabelImage, optional
            A mask that is too short to have a course is not followed, but drawn.
        named : bool
            Whether the values of the rootlets are spinal levels.
        """
        xyz = rootlets.points_world() if rootlets is not None else np.zeros((0, 3))
        origin = "rostral end of the cord mask"
        try:
            curve = None if cord is None else Centerline.fit(cord)
        except InputError:
            curve = None
        if curve is None and len(xyz):
            curve, origin = _through(xyz), "top of the rootlets"
        elif curve is None:
            curve, origin = _straight(image.grid), "top of the image"
        s = curve.project(xyz).s_mm if len(xyz) else np.array([curve.start_mm, curve.end_mm])
        wide = _BEYOND_MM if len(xyz) else 0.0
        at = np.arange(s.min() - wide, s.max() + wide + 0.5, 0.5)
        seen = at[image.grid.contains(curve.point(at))]
        at = seen if len(seen) > 1 else at
        shown = (float(at[0]), float(at[-1]))
        return cls(curve, shown, image, cord, rootlets, origin=origin, named=named)

    @property
    def grid(self) -> Grid:
        """Voxels that are seen."""
        for image in (self.image, self.cord, self.rootlets):
            if image is not None:
                return image.grid
        raise InputError("there is nothing to show: no image, no cord and no rootlets")

    @cached_property
    def sagittal(self) -> Sagittal:
        """The median sheet."""
        return Sagittal(self.centerline, self.s_range_mm)

    @cached_property
    def side_sheet(self) -> Sheet:
        """The part of the median sheet that is shown, cropped to the field of view."""
        return side_sheet(self.sagittal, self.centerline, self.s_range_mm, self.grid)

    @property
    def bands(self) -> list[Span]:
        """Levels of which a part is shown."""
        return bands_of(self.spans, self.s_range_mm)

    @property
    def names_mm(self) -> float:
        """How far behind the cord the names of the levels stand, mm: behind the scale."""
        return 19.5

    def spans_at(self, s_mm: float) -> list[Span]:
        """Return the levels that a plane across the cord at `s_mm` belongs to."""
        return [span for span in self.spans if span.rostral_s_mm <= s_mm < span.caudal_s_mm]

    def colour(self, value: int) -> str:
        """Return the colour of rootlets of a `value`."""
        return colour_of(value) if self.named else UNNAMED

    def name(self, value: int) -> str:
        """Return the name of rootlets of a `value`, none where it is no level."""
        try:
            return SpinalLevel(value).name if self.named else ""
        except ValueError:
            return ""

    def grey(self, xyz_world: Floats) -> Floats:
        """Return shades (T, R, C), 0 to 1, at points (T, R, C, 3), each (R, C) on its own scale."""
        if self.image is not None:
            return np.stack([grey_scale(part) for part in sample(self.image, xyz_world)])
        shades = np.where(self.grid.contains(xyz_world), _EMPTY_GREY, 0.0)
        for mask, shade in ((self.cord, _CORD_GREY), (self.rootlets, _ROOTLETS_GREY)):
            if mask is not None:
                shades[self.labels(mask, xyz_world) > 0] = shade
        return shades

    @staticmethod
    def labels(labels: LabelImage, xyz_world: Floats) -> NDArray[np.int_]:
        """Return the nearest voxel's label at points (..., 3), 0 outside the image."""
        return np.nan_to_num(sample(labels, xyz_world, order=0)).astype(int)


def _through(xyz: Floats) -> Centerline:
    """Return a smooth curve through the middle of rootlets (N, 3), from rostral to caudal."""
    kept = xyz
    for _ in range(3):
        low, high = float(kept[:, 2].min()), float(kept[:, 2].max())
        length = high - low
        # Too short to have a direction: that of the body. A line, a bend, or two of them.
        degree = 0 if length < 16 else 1 if length < 40 else 2 if length < 90 else 3
        curve = np.polynomial.Polynomial.fit
        across = [curve(kept[:, 2], kept[:, axis], degree) for axis in (0, 1)]
        away = np.hypot(*(xyz[:, axis] - across[axis](xyz[:, 2]) for axis in (0, 1)))
        near = xyz[away < _STRAY_MM]
        if len(near) in (0, len(kept)):
            break
        kept = near
    z = np.linspace(high, min(low, high - 1.0), int(np.ceil(length)) + 2)
    return Centerline.from_points(np.column_stack([across[0](z), across[1](z), z]))


def _straight(grid: Grid) -> Centerline:
    """Return the line through the middle of an image that runs from head to feet."""
    middle = grid.world_from_ijk((np.array(grid.shape) - 1) / 2)
    far = float(np.linalg.norm(grid.spacing_mm * grid.shape))
    along = np.arange(far, -far, -1.0)
    line = middle + along[:, None] * np.array([0.0, 0.0, 1.0])
    line = line[grid.contains(line)]
    return Centerline.from_points(line if len(line) > 1 else np.stack([middle, middle - (0, 0, 1)]))
