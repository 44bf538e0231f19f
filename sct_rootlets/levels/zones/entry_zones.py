"""Where rootlets meet the cord: every rootlet voxel in the frame of the cord.

A rootlet voxel gets its position along the cord, its distance from the cord's surface,
its side and its sector. The *entry zone* of a level is its rootlet tissue within
`reach_mm` of the surface; farther out the rootlets have descended, the more the more
caudal the level, and say little about the cord.

Surface
-------
The cord's surface is not read from the voxels' faces, which would shift it by up to
half a voxel, but from the mask's volume: in polar coordinates about the centerline the
moments of the mask's cross-section are the Fourier coefficients of the squared radius,

    R^2(theta) = (A / pi) + sum_k (2 / pi) [C_k cos k theta + S_k sin k theta],

with A, C_k, S_k the integrals of 1, cos k theta, sin k theta over the section. Volumes
survive voxelisation without bias, whatever the voxel's shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from sct_rootlets.anatomy import Sector, Side
from sct_rootlets.centerline import Centerline, CordCoordinates
from sct_rootlets.errors import InputError
from sct_rootlets.image import LabelImage, require_same_grid

__all__ = ["REACH_MM", "CordSurface", "EntryZones", "measure"]

Floats = NDArray[np.float64]

#: Default distance from the cord surface within which a rootlet enters the cord, mm.
REACH_MM = 1.5
#: Order of the Fourier series of the surface; an ellipse of 3:2 needs 6 for 0.05 mm.
ORDER = 6
#: Standard deviation, along the cord, of the window that averages the surface, mm.
SURFACE_SIGMA_MM = 2.0
#: Angle from dorsal, degrees, that parts dorsal from ventral rootlets at the cord, and
#: how it grows per mm of depth, because dorsal roots turn ventrally on their way out.
#: Halfway between the sectors of PAM50: dorsal 74-90 at the cord, up to 106 at 5.5 mm;
#: ventral 105-123 throughout.
SECTOR_ANGLE = 97.0
SECTOR_ANGLE_PER_MM = 2.5


@dataclass(frozen=True, eq=False)
class CordSurface:
    """The cord's surface: its radius as a function of s and of the angle about the curve.

    Attributes
    ----------
    s_mm : (M,) array
    cosine, sine : (M, ORDER + 1) arrays
        Fourier coefficients of the squared radius, mm^2; straight on beyond both ends.
    """

    s_mm: Floats
    cosine: Floats
    sine: Floats

    @classmethod
    def fit(cls, cord: LabelImage, centerline: Centerline) -> CordSurface:
        """Fit the surface to a cord mask (volume moments, averaged along the cord)."""
        at = centerline.project(cord.points_world())
        near = at.radius_mm < 25.0  # a stray part far away is no cord
        s, angle = at.s_mm[near], at.angle[near]
        # Nodes no closer than slices, so that each holds whole slices' worth of volume.
        thick = max(1.0, float(cord.grid.spacing_mm.max()))
        count = max(int(centerline.length_mm / thick), 4)
        step = centerline.length_mm / count
        nodes = centerline.start_mm + step * np.arange(count + 1)
        place = np.clip((s - nodes[0]) / step, -1, count + 1)
        sigma = max(SURFACE_SIGMA_MM, float(cord.grid.spacing_mm.max()) / 2) / step
        reach = int(np.ceil(4 * sigma))
        offset = np.arange(-reach, reach + 1)

        def spread(weights: Floats) -> Floats:
            """Sum `weights` per mm in Gaussian windows at the nodes (count + 1,)."""
            first = np.floor(place).astype(int)
            share = place - first
            size = count + 3
            bins = np.bincount(first + 1, weights * (1 - share), size)
            bins += np.bincount(first + 2, weights * share, size)[:size]
            return np.asarray(bins)

        kernel = np.exp(-0.5 * (offset / sigma) ** 2)
        volume = spread(np.full(len(s), cord.grid.voxel_volume_mm3))
        # Only whole sections enter: a gap or a ragged end is no thin cord.
        usual = np.median(volume[1:-1][volume[1:-1] > 0])
        local = scipy.ndimage.median_filter(volume, size=15, mode="nearest")
        whole = volume > 0.7 * np.where(local > 0.3 * usual, local, usual)
        if not whole.any():
            whole = volume > 0
        weight = scipy.ndimage.correlate1d(whole.astype(float), kernel, mode="constant") * step
        rows = []
        for k in range(ORDER + 1):
            for wave in (np.cos, np.sin):
                moment = np.where(whole, spread(wave(k * angle) * cord.grid.voxel_volume_mm3), 0)
                total = scipy.ndimage.correlate1d(moment, kernel, mode="constant")
                rows.append(total[1:-1] / np.maximum(weight[1:-1], 1e-12))
        good = weight[1:-1] > 1e-6
        scale = np.array([1 / np.pi] + [2 / np.pi] * ORDER)
        cosine = np.stack([np.interp(nodes, nodes[good], r[good]) for r in rows[::2]], 1) * scale
        sine = np.stack([np.interp(nodes, nodes[good], r[good]) for r in rows[1::2]], 1) * scale
        return cls(np.asarray(nodes, dtype=np.float64), cosine, sine)

    def radius(self, s_mm: Floats, angle: Floats) -> Floats:
        """Return the radius (...) at `s_mm` and `angle`, which broadcast to (...)."""
        # Interpolated before they are broadcast: a fan of angles has one place.
        squared = np.zeros(np.broadcast_shapes(np.shape(s_mm), np.shape(angle)))
        for k in range(self.cosine.shape[1]):
            squared += np.interp(s_mm, self.s_mm, self.cosine[:, k]) * np.cos(k * angle)
            squared += np.interp(s_mm, self.s_mm, self.sine[:, k]) * np.sin(k * angle)
        return np.sqrt(np.maximum(squared, 0.25))

    def depth(self, at: CordCoordinates) -> Floats:
        """Return the distance (N,) of points from the surface, mm, negative inside.

        It is the distance to the outline of the section in which the point lies.
        """
        if len(at.s_mm) == 0:
            return np.zeros(0)
        fan = np.radians(np.arange(-75.0, 75.1, 2.5))
        angle = at.angle[:, None] + fan
        radius = self.radius(at.s_mm[:, None], angle)
        outline = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=-1)
        point = np.stack([at.left_mm, at.dorsal_mm], axis=-1)[:, None]
        start, edge = outline[:, :-1], np.diff(outline, axis=1)
        along = ((point - start) * edge).sum(-1) / np.maximum((edge**2).sum(-1), 1e-12)
        foot = start + np.clip(along, 0, 1)[..., None] * edge
        distance = np.linalg.norm(point - foot, axis=-1).min(axis=1)
        inside = at.radius_mm < radius[:, len(fan) // 2]
        return np.where(inside, -distance, distance)


@dataclass(frozen=True, eq=False)
class EntryZones:
    """Rootlet voxels in the frame of the cord; arrays of length N, one entry a voxel.

    Attributes
    ----------
    ijk : (N, 3) int array
    value : int array
        Value in the rootlets image: the spinal level, or 1 without level identity.
    s_mm : array
        Position of the centre along the cord.
    half_mm : array
        Half of the voxel's extent along the cord.
    depth_mm : array
        Distance of the centre from the cord surface, negative inside.
    angle : array
        Angle about the centerline, rad (see `CordCoordinates.angle`).
    side, sector : arrays of str
        ``"L"`` or ``"R"``; ``"D"`` or ``"V"``.
    part : int array
        Connected part (26 neighbours, one value), numbered from 1.
    within_reach : bool array
        Whether the centre lies within `reach_mm` of the surface.
    face_s_mm, face_depth_mm : (N, 2) arrays
        Position and depth of the middles of the rostral and the caudal face.
    radial_mm : array
        Extent of the voxel perpendicular to the cord surface.
    axis : int
        Axis of the grid that runs along the cord.
    reach_mm : float
    """

    ijk: NDArray[np.int64]
    value: NDArray[np.int64]
    s_mm: Floats
    half_mm: Floats
    depth_mm: Floats
    angle: Floats
    side: NDArray[np.str_]
    sector: NDArray[np.str_]
    part: NDArray[np.int64]
    within_reach: NDArray[np.bool_]
    face_s_mm: Floats
    face_depth_mm: Floats
    radial_mm: Floats
    axis: int
    reach_mm: float

    def counts(self, value: int) -> dict[str, int]:
        """Return the number of voxels of `value` per side and sector, such as ``"LD"``."""
        chosen = self.value == value
        return {
            side.value + sector.value: int(
                (chosen & (self.side == side.value) & (self.sector == sector.value)).sum()
            )
            for side in Side
            for sector in Sector
        }


def measure(
    rootlets: LabelImage, cord: LabelImage, centerline: Centerline, reach_mm: float = REACH_MM
) -> EntryZones:
    """Measure every rootlet voxel in the frame of the cord.

    Parameters
    ----------
    rootlets, cord : LabelImage
        On the same grid; every value above 0 of `cord` counts.
    centerline : Centerline
        Of `cord`.
    reach_mm : float
        Distance from the cord surface within which a rootlet enters the cord.

    Raises
    ------
    InputError
        If the grids differ, or there are no rootlets.
    ValueError
        If `reach_mm` is not positive.
    """
    require_same_grid(cord, rootlets)
    if not reach_mm > 0:
        raise ValueError(f"reach_mm must be above 0, not {reach_mm}")
    ijk = np.argwhere(np.asarray(rootlets.data) > 0)
    if len(ijk) == 0:
        raise InputError("is empty: it has no rootlet voxel", path=rootlets.path)
    value = np.asarray(rootlets.data)[tuple(ijk.T)].astype(np.int64)
    surface = CordSurface.fit(cord, centerline)
    xyz = rootlets.grid.world_from_ijk(ijk)
    at = centerline.project(xyz)
    depth = surface.depth(at)

    edges = rootlets.grid.affine[:3, :3].T  # (3 axes, 3 world): steps of one voxel
    tangent = centerline.frame(at.s_mm)[0]
    along = tangent @ edges.T  # (N, 3 axes)
    axis = int(np.argmax(np.abs(along).sum(axis=0)))
    toward = np.where(along[:, axis] >= 0, 0.5, -0.5)[:, None] * edges[axis]  # caudally
    faces = [centerline.project(xyz - toward), centerline.project(xyz + toward)]
    outward = xyz - centerline.point(at.s_mm)
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9)
    part = _parts(ijk, value)
    return EntryZones(
        ijk=ijk,
        value=value,
        s_mm=at.s_mm,
        half_mm=0.5 * np.sqrt((along**2).sum(axis=1)),
        depth_mm=depth,
        angle=at.angle,
        side=np.where(at.left_mm >= 0, Side.LEFT.value, Side.RIGHT.value),
        sector=_sectors(at.angle, depth, part),
        part=part,
        within_reach=depth <= reach_mm,
        face_s_mm=np.stack([face.s_mm for face in faces], axis=1),
        face_depth_mm=np.stack([surface.depth(face) for face in faces], axis=1),
        radial_mm=np.sqrt(((outward @ edges.T) ** 2).sum(axis=1)),
        axis=axis,
        reach_mm=reach_mm,
    )


def _parts(ijk: NDArray[np.int64], value: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the connected parts (26 neighbours) of one value each, from 1, voxel by voxel."""
    parts = np.zeros(len(ijk), dtype=np.int64)
    highest = 0
    for own in np.unique(value):
        here = np.flatnonzero(value == own)
        place = ijk[here] - ijk[here].min(axis=0)
        box = np.zeros(place.max(axis=0) + 1, dtype=bool)
        box[tuple(place.T)] = True
        found, count = scipy.ndimage.label(box, structure=np.ones((3, 3, 3)))
        parts[here] = found[tuple(place.T)] + highest
        highest += count
    return parts


def _sectors(angle: Floats, depth: Floats, part: NDArray[np.int64]) -> NDArray[np.str_]:
    """Say ``"D"`` or ``"V"`` for every voxel.

    A voxel far out is ambiguous, because dorsal roots turn ventrally; the voxels of one
    connected part therefore vote, those near the cord most, unless the vote is divided
    (a dorsal and a ventral rootlet that touch).
    """
    bound = SECTOR_ANGLE + SECTOR_ANGLE_PER_MM * np.clip(depth, 0, 6)
    ventral = np.degrees(np.abs(angle)) > bound
    weight = 1 / (1 + np.clip(depth, 0, None))
    share = np.bincount(part, weight * ventral) / np.maximum(np.bincount(part, weight), 1e-9)
    share = share[part]
    ventral = np.where(share > 0.75, True, np.where(share < 0.25, False, ventral))
    return np.where(ventral, Sector.VENTRAL.value, Sector.DORSAL.value)
