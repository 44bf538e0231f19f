"""Sheets cut through an image along the cord: sagittal, coronal, axial, and unrolled.

A sheet is a grid of world points (RAS+ mm) with two axes in mm or degrees; any image is
sampled on it. Voxel order, obliquity and anisotropy of the image therefore do not change
what is seen, and a millimetre is a millimetre along both axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from sct_rootlets.centerline import Centerline
from sct_rootlets.image import Image, LabelImage
from sct_rootlets.levels.zones.entry_zones import CordSurface

__all__ = ["Coronal", "Sagittal", "Sheet", "UNROLLED_DEG", "axial", "sample", "unrolled"]

Floats = NDArray[np.float64]

#: Angles of the unrolled cord, seen from behind: ventral, left, dorsal (0), right, ventral.
UNROLLED_DEG = (-180.0, 180.0)


@dataclass(frozen=True, eq=False)
class Sheet:
    """A rectangular grid of world points with its two axes.

    Attributes
    ----------
    xyz_world : (R, C, 3) array
    across, down : (C,) and (R,) arrays
        Coordinates of the columns, and of the rows from the top.
    """

    xyz_world: Floats
    across: Floats
    down: Floats

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top edge, as matplotlib's ``imshow`` takes them."""
        half_a = (self.across[1] - self.across[0]) / 2
        half_d = (self.down[1] - self.down[0]) / 2
        return (
            float(self.across[0] - half_a),
            float(self.across[-1] + half_a),
            float(self.down[-1] + half_d),
            float(self.down[0] - half_d),
        )

    def cropped(self, seen: NDArray[np.bool_], share: float = 0.3) -> Sheet:
        """Return the rows and columns of which at least a `share` is `seen` (R, C)."""
        rows = np.flatnonzero(seen.mean(axis=1) >= share * seen.mean(axis=1).max())
        columns = np.flatnonzero(seen.mean(axis=0) >= share * seen.mean(axis=0).max())
        part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        return Sheet(self.xyz_world[part], self.across[part[1]], self.down[part[0]])

    def sample(self, image: Image) -> Floats:
        """Return `image` on the sheet (R, C), linearly interpolated, NaN outside it."""
        return sample(image, self.xyz_world)

    def sample_labels(self, labels: LabelImage) -> NDArray[np.int_]:
        """Return the nearest voxel's label on the sheet (R, C), 0 outside the image."""
        return np.nan_to_num(sample(labels, self.xyz_world, order=0)).astype(int)


def sample(image: Image, xyz_world: Floats, order: int = 1) -> Floats:
    """Return `image` at world points (..., 3), NaN outside its field of view.

    Parameters
    ----------
    image : Image
    xyz_world : (..., 3) array
    order : int
        1 interpolates linearly, 0 takes the nearest voxel.
    """
    at = image.grid.ijk_from_world(xyz_world)
    inside = image.grid.holds(at)
    if not np.any(inside):
        return np.full(np.shape(inside), np.nan)
    ijk = np.moveaxis(at, -1, 0)
    # Only the voxels around the points are turned to floats: a sheet needs few of an image.
    seen = ijk[:, inside]
    low = np.maximum(np.floor(seen.min(axis=1)).astype(int) - 1, 0)
    high = np.ceil(seen.max(axis=1)).astype(int) + 2
    part = image.data[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    # "nearest" beyond the centres of the outer voxels, so that their outer halves are seen.
    values = scipy.ndimage.map_coordinates(
        np.asarray(part, dtype=np.float32),
        ijk - low.reshape(3, *[1] * (ijk.ndim - 1)),
        order=order,
        mode="nearest",
        prefilter=False,
    )
    return np.where(inside, values, np.nan)


class _Upright:
    """A sheet along the cord that stands upright and follows the cord out of its own plane.

    Up in it is along the chord of the cord from its caudal to its rostral end, so that a
    tilted head or an oblique image stand upright. What is bent within the sheet is shown as it
    is; what is bent out of it is followed.

    Parameters
    ----------
    centerline : Centerline
    s_range_mm : (float, float)
        Part of the cord to show, rostral to caudal.
    """

    def __init__(self, centerline: Centerline, s_range_mm: tuple[float, float]) -> None:
        s = np.linspace(*s_range_mm, max(int(np.ceil(np.ptp(s_range_mm))), 2) + 1)
        points = centerline.point(s)
        self._origin = points[0]
        down = points[-1] - points[0]
        self._down = down / np.linalg.norm(down)
        left = centerline.frame(s)[1].mean(axis=0)
        left -= self._down * (left @ self._down)
        left /= np.linalg.norm(left)
        # Same handedness as the frames of the centerline: dorsal = left x tangent.
        self._across, self._out = self._directions(left, np.cross(left, self._down))
        offsets = points - self._origin
        order = np.argsort(offsets @ self._down)
        self._at = (offsets @ self._down)[order]
        self._aside = (offsets @ self._out)[order]

    def _directions(self, left: Floats, dorsal: Floats) -> tuple[Floats, Floats]:
        """Return the unit vectors (3,) along the columns, and out of the sheet."""
        raise NotImplementedError

    def place(self, xyz_world: ArrayLike) -> Floats:
        """Return the place (..., 2) of world points (..., 3): mm across, mm downwards."""
        offsets = np.asarray(xyz_world, dtype=float) - self._origin
        return np.stack([offsets @ self._across, offsets @ self._down], axis=-1)

    def sheet(
        self, across_mm: tuple[float, float], down_mm: tuple[float, float], step_mm: float = 0.25
    ) -> Sheet:
        """Return the sheet over a range of mm across and of mm downwards."""
        across = np.arange(across_mm[0], across_mm[1] + step_mm, step_mm)
        down = np.arange(down_mm[0], down_mm[1] + step_mm, step_mm)
        aside = np.interp(down, self._at, self._aside)
        xyz = (
            self._origin
            + across[None, :, None] * self._across
            + down[:, None, None] * self._down
            + aside[:, None, None] * self._out
        )
        return Sheet(xyz, across, down)


class Sagittal(_Upright):
    """The median sheet of the cord: curved to the sides as the cord is, else a plane.

    Ventral is left, and across are mm dorsal. Seen from the side it is not distorted: the curve
    of the neck is kept.
    """

    def _directions(self, left: Floats, dorsal: Floats) -> tuple[Floats, Floats]:
        return dorsal, left


class Coronal(_Upright):
    """The coronal sheet through the cord, which follows the curve of the neck.

    The subject's right is left, as radiologists look at it, and across are mm to the left.
    """

    def _directions(self, left: Floats, dorsal: Floats) -> tuple[Floats, Floats]:
        return left, dorsal


def axial(
    centerline: Centerline, s_mm: float, half_mm: float = 13.0, step_mm: float = 0.1
) -> Sheet:
    """Return the sheet perpendicular to the cord at `s_mm`, in the radiological view.

    Columns run from the subject's right to the left (mm left), rows from ventral to
    dorsal (mm dorsal), both centred on the cord.
    """
    along = np.arange(-half_mm, half_mm + step_mm / 2, step_mm)
    _, left, dorsal = centerline.frame(s_mm)
    xyz = centerline.point(s_mm) + along[None, :, None] * left + along[:, None, None] * dorsal
    return Sheet(xyz, along, along)


def unrolled(
    cord: LabelImage,
    centerline: Centerline,
    s_range_mm: tuple[float, float],
    beyond_surface_mm: Sequence[float],
) -> tuple[Floats, Floats, Floats]:
    """Return points on shells around the cord, cut ventrally and laid flat.

    Parameters
    ----------
    cord : LabelImage
    centerline : Centerline
    s_range_mm : (float, float)
        Part of the cord, rostral to caudal.
    beyond_surface_mm : sequence of D floats
        Distances of the shells from the surface of the cord.

    Returns
    -------
    xyz_world : (D, R, C, 3) array
    s_mm : (R,) array
    shown_deg : (C,) array
        0 is dorsal, negative to the subject's left: the cord is seen from behind.
    """
    s = np.arange(s_range_mm[0], s_range_mm[1] + 0.5, 0.5)
    shown_deg = np.arange(UNROLLED_DEG[0] + 1.0, UNROLLED_DEG[1], 2.0)
    angle = -np.deg2rad(shown_deg)
    radius = CordSurface.fit(cord, centerline).radius(s[:, None], angle[None, :])
    shells = radius[None] + np.asarray(beyond_surface_mm, dtype=float)[:, None, None]
    _, left, dorsal = centerline.frame(s)
    outwards = (
        np.sin(angle)[None, :, None] * left[:, None]
        + np.cos(angle)[None, :, None] * dorsal[:, None]
    )
    points = centerline.point(s)[None, :, None] + shells[..., None] * outwards[None]
    return points, s, shown_deg
