"""Sections of the cord on planes perpendicular to its centerline.

A plane stands at every position of a row along the cord, and carries a fine square raster of
points in the frame of the cord (left, dorsal). What an image holds at them is interpolated
between the voxels around, in the world, so that neither the orientation of the image nor a
bend of the cord enters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid, Image
from sct_rootlets.levels.axial_slices import axis_along
from sct_rootlets.perlevel.sampling import in_voxels, interpolated

__all__ = ["SHAPES", "Sections", "cut_sections"]

Floats = NDArray[np.float64]

#: Largest distance between two planes, mm.
STEP_MM = 0.5
#: Distance between the points of a plane, mm.
RASTER_MM = 0.25
#: Farthest from the centerline that a plane reaches, and the nearest point of its section lies.
REACH_MM, NEAR_MM = 25.0, 3.0
#: What is measured of a section, by SCT's names.
SHAPES = ("area", "diameter_AP", "diameter_RL", "eccentricity", "solidity")
#: RL extent over which the AP diameter is a mean, as in SCT (`_measure_ap_diameter`), mm.
AP_EXTENT_MM = 3.0


@dataclass(frozen=True, eq=False)
class Sections:
    """The sections of a cord, one a plane, and all the points in them.

    Attributes
    ----------
    s_mm : (N,) array
        Where the planes stand along the cord; they are `step_mm` apart.
    step_mm : float
    is_whole : (N,) bool array
        Whether the section is whole: within the field of view and the ends of the mask.
    shapes : dict of str to (N,) array
        ``area`` in mm², ``diameter_AP`` and ``diameter_RL`` in mm, ``eccentricity`` and
        ``solidity``, by these names of SCT; NaN where the section is not whole.
    plane : (M,) int array
        Plane of every point.
    xyz_world : (M, 3) array
        The points, in world mm.
    volume_mm3 : (M,) array
        Volume of the cord that a point stands for: the share of the cord in the voxel that it
        lies in, times the volume around the point.
    full_mm3 : (M,) array
        Volume around the point.
    edge_mm : (M,) array
        Distance of the point from the edge of the section, within its plane.
    """

    s_mm: Floats
    step_mm: float
    is_whole: NDArray[np.bool_]
    shapes: dict[str, Floats]
    plane: NDArray[np.intp]
    xyz_world: Floats
    volume_mm3: Floats
    full_mm3: Floats
    edge_mm: Floats


def cut_sections(cord: Image, centerline: Centerline) -> Sections:
    """Cut the cord by planes perpendicular to its centerline, all along it.

    Parameters
    ----------
    cord : Image
        Share of every voxel that the cord fills, 0 to 1; a mask of 0 and 1 is one.
    centerline : Centerline
        Of that cord.

    Raises
    ------
    InputError
        If no plane meets the cord at its centerline.

    Notes
    -----
    The area of a section is the integral of the share over the plane, and not the area where
    the interpolated share exceeds a half. Linear interpolation keeps the integral of an image,
    so that the mean of the areas times the length is the volume of the voxels (Cavalieri, and
    for a bent cord Pappus), whatever their size and the angle at which the planes cut them.
    """
    cord = cord.with_data(np.asarray(cord.data, dtype=np.float32))  # once for all planes
    count = max(int(np.ceil(centerline.length_mm / STEP_MM)), 1)
    step = centerline.length_mm / count
    s: Floats = np.asarray(centerline.start_mm + (np.arange(count) + 0.5) * step, np.float64)
    raster = _raster(cord, centerline)
    left_mm, dorsal_mm = (part.ravel() for part in np.meshgrid(raster, raster, indexing="ij"))
    _, left, dorsal = centerline.frame(s)
    bend = np.gradient(centerline.frame(s)[0], s, axis=0) if count > 1 else np.zeros((1, 3))
    blur = _blur(cord.grid, left, dorsal)
    shapes = {name: np.full(count, np.nan) for name in SHAPES}
    is_whole = np.zeros(count, dtype=bool)
    first, last = _ends_of_mask(cord, centerline)
    parts: list[tuple[NDArray[Any], ...]] = []
    for k, centre in enumerate(centerline.point(s)):
        xyz = centre + left_mm[:, None] * left[k] + dorsal_mm[:, None] * dorsal[k]
        ijk = cord.grid.ijk_from_world(xyz)
        share = interpolated(cord, ijk).reshape(len(raster), -1)
        inside = _at_the_centre(share > 1e-6, left_mm, dorsal_mm)
        if inside is None:
            continue
        share = np.where(inside, share, 0.0)
        within = inside.ravel()
        is_whole[k] = bool(np.all((ijk[within] >= first) & (ijk[within] <= last)))
        if is_whole[k]:
            shape = _shape(share, left_mm, dorsal_mm, blur[k])
            for name in SHAPES:
                shapes[name][k] = shape[name]
        # In a bend, planes stand closer together on the inner side than on the outer one.
        apart = 1 - left_mm * (bend[k] @ left[k]) - dorsal_mm * (bend[k] @ dorsal[k])
        full = np.maximum(apart, 0) * RASTER_MM**2 * step
        edge = scipy.ndimage.distance_transform_edt(share >= 0.5).ravel() * RASTER_MM
        parts.append(
            (
                np.full(int(within.sum()), k),
                xyz[within],
                in_voxels(cord, ijk[within]) * full[within],
                full[within],
                edge[within],
            )
        )
    if not parts:
        raise InputError("has no section at its own centerline", path=cord.path)
    plane, xyz, volume, full, edge = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Sections(s, step, is_whole, shapes, plane, xyz, volume, full, edge)


def _raster(cord: Image, centerline: Centerline) -> Floats:
    """Return the offsets (R,) of the points of a plane from its centre along either axis."""
    points = cord.grid.world_from_ijk(np.argwhere(np.asarray(cord.data) > 0))
    farthest = float(centerline.project(points).radius_mm.max(initial=0.0))
    # Beyond the middle of the outermost voxel the interpolated mask falls off within a voxel.
    reach = min(farthest + float(np.linalg.norm(cord.grid.spacing_mm)), REACH_MM)
    half = int(np.ceil(reach / RASTER_MM))
    # Off the centre by an odd part of a step: points on the faces of voxels belong to neither.
    return np.asarray((np.arange(-half, half + 1) + 0.3) * RASTER_MM, dtype=np.float64)


def _ends_of_mask(cord: Image, centerline: Centerline) -> tuple[Floats, Floats]:
    """Return the first and the last voxel index (3,) between which the mask is complete.

    Across the cord that is the field of view. Along it, it is from the middle of the first
    slice to the middle of the last one, slices that hold less than half of what their
    neighbours do not counting: beyond, a mask of 0 and 1 says nothing about the area.
    """
    first, last = np.zeros(3), np.array(cord.grid.shape, dtype=float) - 1
    axis = axis_along(cord.grid, centerline)
    others = tuple(k for k in range(3) if k != axis)
    amount = np.asarray(cord.data, dtype=float).sum(axis=others)
    filled = np.flatnonzero(amount)
    part = amount[filled[0] : filled[-1] + 1]
    usual = scipy.ndimage.median_filter(part, size=11, mode="mirror")
    good = filled[0] + np.flatnonzero((part > 0) & (part >= 0.5 * usual))
    if len(good):
        first[axis], last[axis] = good[0], good[-1]
    # A rounding error is no step outside.
    return first - 1e-6, last + 1e-6


def _at_the_centre(
    inside: NDArray[np.bool_], left_mm: Floats, dorsal_mm: Floats
) -> NDArray[np.bool_] | None:
    """Return the connected piece of a section that lies at its centre; None where none does."""
    pieces, count = scipy.ndimage.label(inside, structure=np.ones((3, 3)))
    if count == 0:
        return None
    which = pieces.ravel()
    away = np.where(which > 0, np.hypot(left_mm, dorsal_mm), np.inf)
    nearest = int(away.argmin())
    if away[nearest] > NEAR_MM:
        return None
    return np.asarray(pieces == which[nearest])


def _blur(grid: Grid, left: Floats, dorsal: Floats) -> Floats:
    """Return the covariance (N, 2, 2), mm², that linear interpolation adds to a section.

    Linear interpolation is a convolution with a hat as wide as a voxel on either side along
    each axis of the grid, of variance spacing² / 6; on a plane that axis is foreshortened.
    """
    axes = grid.affine[:3, :3].T  # one row an axis, as long as a voxel
    seen = np.stack([left @ axes.T, dorsal @ axes.T], axis=1)  # (N, 2, 3)
    return np.asarray(seen @ np.swapaxes(seen, 1, 2) / 6)


def _shape(share: Floats, left_mm: Floats, dorsal_mm: Floats, blur: Floats) -> dict[str, float]:
    """Measure one section, given by the share of the cord (R, R) at its points.

    RL and AP are the axes of the ellipse of equal second moments, the one nearer to left
    being RL, as in SCT. `blur` (2, 2) is what interpolation added to the moments.
    """
    weight = share.ravel()
    total = float(weight.sum())
    offset = np.stack([left_mm, dorsal_mm])
    centre = (offset * weight).sum(axis=1) / total
    offset = offset - centre[:, None]
    moments = (offset * weight) @ offset.T / total - blur
    variance, axes = np.linalg.eigh(moments)
    rl = int(np.abs(axes[0]).argmax())
    minor, major = np.maximum(variance, 1e-9)
    # Points at the rim of the extent count as far as the square around them lies within.
    beyond = np.abs(axes[:, rl] @ offset) - AP_EXTENT_MM / 2
    across = np.clip(0.5 - beyond / RASTER_MM, 0, 1)
    return {
        "area": total * RASTER_MM**2,
        "diameter_AP": float(across @ weight) * RASTER_MM**2 / AP_EXTENT_MM,
        "diameter_RL": 4 * float(np.sqrt(max(variance[rl], 0.0))),
        "eccentricity": float(np.sqrt(1 - minor / major)),
        "solidity": _solidity(offset[:, weight >= 0.5].T),
    }


def _solidity(points: Floats) -> float:
    """Return the area of points (K, 2) of the raster over that of their convex hull."""
    half = RASTER_MM / 2
    corners = np.array([(-half, -half), (-half, half), (half, -half), (half, half)])
    try:
        hull = scipy.spatial.ConvexHull((points[:, None] + corners).reshape(-1, 2)).volume
    except (scipy.spatial.QhullError, ValueError):
        return float("nan")
    return float(len(points) * RASTER_MM**2 / hull)
