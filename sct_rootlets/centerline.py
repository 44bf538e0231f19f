"""The cord as a curve: arc length, a frame at every point, and coordinates along it.

Everything happens in world millimetres (RAS+), so that the orientation, the obliquity
and the voxel size of an image do not enter the answer.

Frame
-----
At every point of the curve stand three unit vectors: the *tangent* points caudally,
*left* to the subject's left and *dorsal* to the subject's back, both perpendicular to
the tangent. The arc length ``s_mm`` is 0 at the rostral end of the cord mask and grows
caudally.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from sct_rootlets.errors import InputError
from sct_rootlets.image import LabelImage

__all__ = ["Centerline", "CordCoordinates"]

Floats = NDArray[np.float64]

#: Distance between the stored points of a curve, mm.
STEP_MM = 0.5
#: Bends of the cord shorter than this wavelength, mm, are taken for noise of the mask: the spline
#: halves a wiggle of this one.
SMOOTHING_WAVELENGTH_MM = 30.0
#: Shortest cord mask that has a direction, mm, and as a multiple of its diameter.
MIN_LENGTH_MM = 15.0
MIN_ELONGATION = 1.5
#: A part of the mask farther than this from the course of the others, mm, is no cord.
STRAY_MM = 10.0


@dataclass(frozen=True, eq=False)
class CordCoordinates:
    """Positions in the frame of the cord.

    Attributes
    ----------
    s_mm : (N,) array
        Arc length, caudal-positive; negative rostral of the cord mask.
    left_mm, dorsal_mm : (N,) arrays
        Offsets from the curve to the subject's left and to the back.
    """

    s_mm: Floats
    left_mm: Floats
    dorsal_mm: Floats

    @property
    def radius_mm(self) -> Floats:
        """Distance from the curve, (N,)."""
        return np.hypot(self.left_mm, self.dorsal_mm)

    @property
    def angle(self) -> Floats:
        """Angle about the curve, (N,) rad: 0 dorsal, +pi/2 left, pi ventral, -pi/2 right."""
        return np.arctan2(self.left_mm, self.dorsal_mm)


@dataclass(frozen=True, eq=False)
class Centerline:
    """A curve through the cord, from rostral to caudal.

    Attributes
    ----------
    s_mm : (N,) array
        Arc length of the points, ascending, 0 at the rostral end of the cord mask.
    xyz_world : (N, 3) array
    tangent, left, dorsal : (N, 3) arrays
        Orthonormal frame: caudal, the subject's left, the subject's back.
    start_mm, end_mm : float
        Range of s that the cord mask covers; outside it the curve goes on straight.
    """

    s_mm: Floats
    xyz_world: Floats
    tangent: Floats
    left: Floats
    dorsal: Floats
    start_mm: float
    end_mm: float

    @classmethod
    def fit(cls, cord: LabelImage) -> Centerline:
        """Fit the curve to a cord mask of any orientation and voxel size.

        Centroids of the mask in bins along the superior-inferior world axis start a
        smoothing spline; the mask is then cut again perpendicular to that curve and the
        spline fitted again, three times. Centroids weigh by the volume in their bin, bins
        are hat functions (so that no voxel jumps between bins through rounding), and
        bins that hold much less than their neighbours (ragged ends) do not count. The
        cord ends where its area falls to half of what it is further in.

        Parameters
        ----------
        cord : LabelImage
            Cord mask; every value above 0 counts.

        Raises
        ------
        InputError
            If the mask is empty, too short, or not elongated.

        Notes
        -----
        The penalty of the cubic smoothing spline (Reinsch 1967, Numer. Math. 10) has the
        frequency response 1 / (1 + lambda k^4), so that lambda = (wavelength / 2 pi)^4
        per centroid and mm.
        """
        points = _cord_points(cord)
        if np.ptp(points[:, 2]) < MIN_LENGTH_MM / 3:
            raise InputError(
                f"is no usable cord mask: {np.ptp(points[:, 2]):.0f} mm from top to bottom",
                path=cord.path,
                remedy=f"Give the mask of a cord at least {MIN_LENGTH_MM:.0f} mm long",
            )
        volume = cord.grid.voxel_volume_mm3
        spacing = float(cord.grid.spacing_mm.max())
        curve = _through(points, -points[:, 2], None, spacing)
        for _ in range(3):
            s = curve.project(points).s_mm
            curve = _through(points, s, curve, spacing)
        s = curve.project(points).s_mm
        start, end = _ends(s, spacing)
        length = end - start
        diameter = 2 * np.sqrt(len(points) * volume / max(length, 1e-6) / np.pi)
        if length < max(MIN_LENGTH_MM, MIN_ELONGATION * diameter):
            raise InputError(
                f"is no usable cord mask: {length:.0f} mm long and about {diameter:.0f} mm wide",
                path=cord.path,
                remedy=f"Give the mask of a cord at least {MIN_LENGTH_MM:.0f} mm long",
            )
        # Points outside the first and last reliable bin continue the curve straight.
        at = np.linspace(start, end, max(int(np.ceil(length / STEP_MM)), 2) + 1)
        return cls.from_points(curve.point(at))

    @classmethod
    def from_points(cls, xyz_world: ArrayLike) -> Centerline:
        """Make a curve of points (N, 3), ordered from rostral to caudal, in world mm.

        Raises
        ------
        InputError
            If there are fewer than two points, or two neighbours coincide.
        """
        xyz = np.asarray(xyz_world, dtype=float)
        if xyz.ndim != 2 or xyz.shape[1] != 3 or len(xyz) < 2:
            raise InputError(f"a centerline needs two or more points (N, 3), not {xyz.shape}")
        steps = np.linalg.norm(np.diff(xyz, axis=0), axis=1)
        if not np.all(steps > 1e-9):
            raise InputError("a centerline has two neighbouring points that coincide")
        # Chord lengths, corrected by the angle they turn (an arc's length over its chord).
        unit = np.diff(xyz, axis=0) / steps[:, None]
        turn = np.zeros(len(steps))
        if len(steps) > 1:
            between = np.arccos(np.clip((unit[:-1] * unit[1:]).sum(axis=1), -1, 1))
            turn[:-1] += between / 2
            turn[1:] += between / 2
            turn[[0, -1]] *= 2
        s = np.concatenate([[0.0], np.cumsum(steps * (1 + turn**2 / 24))])
        if len(s) > 2:
            tangent = _unit(np.gradient(xyz, s, axis=0, edge_order=2))
        else:
            tangent = np.repeat(unit, 2, axis=0)
        left = np.array([-1.0, 0.0, 0.0]) - tangent * -tangent[:, :1]
        # A cord that runs exactly left to right has no left; the back still has a side.
        flat = np.linalg.norm(left, axis=1) < 1e-6
        left[flat] = np.cross(tangent[flat], [0.0, -1.0, 0.0])
        left = _unit(left)
        return cls(s, xyz, tangent, left, np.cross(left, tangent), 0.0, float(s[-1]))

    @property
    def length_mm(self) -> float:
        """Length of the cord mask along the curve, mm."""
        return self.end_mm - self.start_mm

    def point(self, s_mm: ArrayLike) -> Floats:
        """Return the world points (..., 3) at arc length `s_mm` (...)."""
        return self._point_and_tangent(np.asarray(s_mm, dtype=float))[0]

    def _point_and_tangent(self, s: Floats) -> tuple[Floats, Floats]:
        """Return points and unit tangents, each (..., 3); beyond its ends the curve is straight."""
        inside = np.clip(s, self.s_mm[0], self.s_mm[-1])
        tangent = _unit(_sample(self.s_mm, self.tangent, inside))
        point = _sample(self.s_mm, self.xyz_world, inside) + (s - inside)[..., None] * tangent
        return point, tangent

    def frame(self, s_mm: ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Return tangent, left and dorsal, each (..., 3), at arc length `s_mm` (...)."""
        s = np.clip(np.asarray(s_mm, dtype=float), self.s_mm[0], self.s_mm[-1])
        tangent = _unit(_sample(self.s_mm, self.tangent, s))
        left = _sample(self.s_mm, self.left, s)
        left = _unit(left - tangent * (left * tangent).sum(axis=-1, keepdims=True))
        return tangent, left, np.cross(left, tangent)

    def project(self, xyz_world: ArrayLike) -> CordCoordinates:
        """Return the position of world points (N, 3) in the frame of the cord.

        The foot of a point is where its offset from the curve is perpendicular to the
        tangent, found from the nearest stored point by fixed-point steps, which converge
        for points nearer than the curve's radius of curvature.
        """
        xyz = np.asarray(xyz_world, dtype=float).reshape(-1, 3)
        if len(xyz) == 0:
            return CordCoordinates(np.zeros(0), np.zeros(0), np.zeros(0))
        s = self.s_mm[scipy.spatial.cKDTree(self.xyz_world).query(xyz)[1]]
        moving = np.arange(len(s))
        for _ in range(12):
            here = s[moving]
            point, tangent = self._point_and_tangent(here)
            step = ((xyz[moving] - point) * tangent).sum(axis=1)
            s[moving] = here + step
            moving = moving[np.abs(step) >= 1e-7]
            if len(moving) == 0:
                break
        _, left, dorsal = self.frame(s)
        offset = xyz - self.point(s)
        return CordCoordinates(s, (offset * left).sum(axis=1), (offset * dorsal).sum(axis=1))


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def _sample(at: Floats, values: Floats, where: Floats) -> Floats:
    """Interpolate the columns of `values` (N, 3), known `at` (N,), linearly at `where`."""
    return np.stack([np.interp(where, at, values[:, k]) for k in range(3)], axis=-1)


def _cord_points(cord: LabelImage) -> Floats:
    """Return the voxel centres (N, 3) of the cord, without parts that lie off its course.

    The largest connected part starts; others join, nearest first, when they lie within
    `STRAY_MM` of its continued course, so that a mask with gaps stays whole.
    """
    parts, count = scipy.ndimage.label(np.asarray(cord.data) > 0, structure=np.ones((3, 3, 3)))
    if count == 0:
        raise InputError("is empty: it has no cord voxel", path=cord.path)
    ijk = np.argwhere(parts)
    which = parts[tuple(ijk.T)]
    xyz = cord.grid.world_from_ijk(ijk)
    sizes = np.bincount(which)
    largest = int(sizes.argmax())
    kept = which == largest
    if count == 1 or sizes[largest] < 10:
        return np.asarray(xyz[kept])
    spacing = float(cord.grid.spacing_mm.max())
    axis = -xyz[:, 2]
    waiting = [p for p in range(1, count + 1) if p != largest and sizes[p] * 200 > sizes[largest]]
    while waiting:
        curve = _through(xyz[kept], axis[kept], None, spacing)
        low, high = axis[kept].min(), axis[kept].max()
        gap = {
            p: max(low - axis[which == p].max(), axis[which == p].min() - high, 0) for p in waiting
        }
        nearest = min(waiting, key=lambda p: gap[p])
        waiting.remove(nearest)
        centre = curve.project(xyz[which == nearest].mean(axis=0)[None])
        if centre.radius_mm[0] <= STRAY_MM + 0.15 * gap[nearest]:
            kept |= which == nearest
    return np.asarray(xyz[kept])


def _through(
    points: Floats, along: Floats, curve: Centerline | None, spacing_mm: float
) -> Centerline:
    """Fit a smoothing spline to the centroids of `points` (N, 3) in bins of `along` (N,)."""
    width = max(1.0, spacing_mm)
    low = along.min() - width / 2
    count = int(np.ceil((along.max() - low) / width)) + 2
    place = (along - low) / width
    first = np.floor(place).astype(int)
    share = place - first
    mass = np.bincount(first, 1 - share, count) + np.bincount(first + 1, share, count)
    sums = [
        np.bincount(first, (1 - share) * c, count) + np.bincount(first + 1, share * c, count)
        for c in (along, *points.T)
    ]
    # Bins with much less than the usual volume are ends, holes or specks: an eccentric
    # remnant of a section says nothing about its centre.
    usual = scipy.ndimage.median_filter(mass, size=11, mode="nearest")
    good = (mass > 0) & (mass >= 0.6 * np.where(usual > 0, usual, np.median(mass[mass > 0])))
    if good.sum() < 2:
        good = mass > 0
    if good.sum() < 2:
        raise InputError("the cord mask is too short to have a course")
    at, xyz = sums[0][good] / mass[good], np.stack(sums[1:], axis=1)[good] / mass[good][:, None]
    if good.sum() < 6:
        return Centerline.from_points(_straight(at, xyz))
    weight = mass[good] / mass[good].mean()
    penalty = (SMOOTHING_WAVELENGTH_MM / (2 * np.pi)) ** 4 / width
    fine = np.linspace(at[0], at[-1], int(np.ceil((at[-1] - at[0]) / STEP_MM)) + 1)
    # The spline wants no curvature at its ends. A cubic takes the overall bend of the neck
    # first, so that only what is left of it is flattened there.
    middle, scale = (at[0] + at[-1]) / 2, (at[-1] - at[0]) / 2
    unit, fine_unit = (at - middle) / scale, (fine - middle) / scale
    bend = np.polynomial.polynomial.polyfit(unit, xyz, 3, w=np.sqrt(weight))
    rest = xyz - np.polynomial.polynomial.polyval(unit, bend).T
    columns = [
        scipy.interpolate.make_smoothing_spline(at, c, w=weight, lam=penalty)(fine) for c in rest.T
    ]
    overall = np.polynomial.polynomial.polyval(fine_unit, bend).T
    return Centerline.from_points(overall + np.stack(columns, axis=1))


def _straight(at: Floats, xyz: Floats) -> Floats:
    """Return two points of the line that fits `xyz` (N, 3) over `at` (N,) best."""
    return np.stack([np.polyval(np.polyfit(at, c, 1), at[[0, -1]]) for c in xyz.T], axis=1)


def _ends(s: Floats, spacing_mm: float) -> tuple[float, float]:
    """Return where the cord begins and ends along s (N,).

    The end is where the area profile, seen through a hat of one voxel, first reaches
    half of the area 3 to 8 mm further in: for slices of any thickness that is the outer
    face of the last one, and for a cut oblique to the cord the middle of the cut.
    """
    width = max(1.0, spacing_mm)
    ends = []
    for sign in (1.0, -1.0):
        ordered = np.sort(sign * s)
        sums = np.concatenate([[0.0], np.cumsum(ordered)])

        def profile(
            at: Floats, ordered: Floats = ordered, sums: Floats = sums
        ) -> Floats:  # number of voxels per mm
            total = np.zeros_like(at)
            for slope, low, high in ((1.0, at - width, at), (-1.0, at, at + width)):
                i, j = np.searchsorted(ordered, low), np.searchsorted(ordered, high)
                total += (j - i) * (1 - slope * at / width) + slope * (sums[j] - sums[i]) / width
            return total / width

        at = ordered[0] - width + 0.1 * np.arange(int((ordered[-1] - ordered[0]) / 0.1) + 1)
        inner = profile(at[:, None] + np.linspace(3.0, 8.0, 11) + width / 2).mean(axis=1)
        ratio = profile(at) / np.maximum(inner, 1e-9) - 0.5
        k = max(int(np.argmax(ratio >= 0)), 1)
        share = -ratio[k - 1] / max(ratio[k] - ratio[k - 1], 1e-9)
        ends.append(sign * float(at[k - 1] + 0.1 * np.clip(share, 0, 1)))
    return ends[0], ends[1]
