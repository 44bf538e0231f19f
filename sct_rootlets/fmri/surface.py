"""The surface of the cord, finer than the voxels of its mask.

A mask says of every voxel whether its middle lies in the cord, and so leaves open by half a voxel
where the surface runs. The cord helps: its cross-section hardly changes over a few millimetres
along it, while its course takes it through the voxels at ever other places. Averaged along the
cord, the steps of the mask become the smooth surface between them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sct_rootlets.fmri.borders_on_cord import BordersOnCord
from sct_rootlets.image import Grid

__all__ = ["cord_surface"]

Floats = NDArray[np.float64]

#: Width (standard deviation) of what smooths the mask in all directions, in voxels of its finest
#: axis: enough to even out the steps of a cord that runs along an axis, and less than it is thick.
_SMOOTHING = 1.0
#: The same where the mask is averaged along the cord besides.
_SMOOTHING_ACROSS = 0.85
#: Width (standard deviation) of that average along the cord, mm: less than the enlargement of the
#: cord or a bend of the neck takes to change its cross-section.
_ALONG_MM = 3.0
#: Steps of the average, mm, and how many widths it reaches.
_STEP_MM, _REACH = 0.5, 2.0
#: Values of the smoothed mask between which the surface may lie.
_BAND = (0.03, 0.97)


def cord_surface(
    mask: NDArray[np.bool_], grid: Grid, borders: BordersOnCord | None = None
) -> NDArray[np.float32]:
    """Return a smooth function that is positive inside the cord and 0 at its surface.

    Parameters
    ----------
    mask : (I, J, K) array
        The labelled cord.
    grid : Grid
    borders : BordersOnCord, optional
        Where along the cord it is labelled. With them the mask is also averaged along the cord,
        and the surface goes on straight over the ends of the labelled parts; without, these
        ends are rounded with everything else.

    Returns
    -------
    (I, J, K) float32 array
        To be interpolated linearly. The surface encloses the volume of the mask.
    """
    if borders is None:
        smooth = _smoothed(mask, grid, _SMOOTHING)
        labelled = np.ones(mask.shape, dtype=bool)
    else:
        smooth, labelled = _along_the_cord(mask, grid, borders)
    level = _enclosing(smooth, labelled, float(np.count_nonzero(mask & labelled)))
    return np.asarray(smooth - np.float32(level))


def _smoothed(mask: NDArray[np.bool_], grid: Grid, voxels: float) -> NDArray[np.float32]:
    width = voxels * grid.spacing_mm.min() / grid.spacing_mm
    return np.asarray(ndimage.gaussian_filter(mask.astype(np.float32), width))


def _along_the_cord(
    mask: NDArray[np.bool_], grid: Grid, borders: BordersOnCord
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the mask averaged along the cord, and which voxels lie between the borders.

    A voxel takes the mean of the smoothed mask at the points that lie as it does to the left and
    dorsally of the centerline, a little more rostral and caudal. Those within the smoothing of
    an end of a labelled part say nothing of the cord and do not count.
    """
    smooth = _smoothed(mask, grid, _SMOOTHING_ACROSS)
    margin = _SMOOTHING_ACROSS * float(grid.spacing_mm.min())
    wide = ndimage.maximum_filter(mask, size=3 + 2 * int(np.ceil(2 * _SMOOTHING_ACROSS)))
    ijk = np.argwhere(wide)
    at = borders.centerline.project(grid.world_from_ijk(ijk))
    labelled = np.zeros(mask.shape, dtype=bool)
    labelled[tuple(ijk.T)] = borders.along(at.s_mm) > 0
    value = smooth[tuple(ijk.T)]
    near_end = borders.along(at.s_mm - margin) * borders.along(at.s_mm + margin) == 0
    chosen = ((value > _BAND[0]) & (value < _BAND[1])) | near_end
    s, left, dorsal = (part[chosen] for part in (at.s_mm, at.left_mm, at.dorsal_mm))
    total, weights = np.zeros(len(s)), np.zeros(len(s))
    count = round(_REACH * _ALONG_MM / _STEP_MM)
    for step in _STEP_MM * np.arange(-count, count + 1):
        there = s + step
        known = (borders.along(there - margin) > 0) & (borders.along(there + margin) > 0)
        if not known.any():
            continue
        xyz = _beside(borders, there[known], left[known], dorsal[known])
        found = ndimage.map_coordinates(smooth, grid.ijk_from_world(xyz).T, order=1)
        weight = np.exp(-0.5 * (step / _ALONG_MM) ** 2)
        total[known] += weight * found
        weights[known] += weight
    averaged = value[chosen]
    seen = weights > 0
    averaged[seen] = (total[seen] / weights[seen]).astype(np.float32)
    value[chosen] = averaged
    smooth[tuple(ijk.T)] = value
    return smooth, labelled


def _beside(borders: BordersOnCord, s_mm: Floats, left_mm: Floats, dorsal_mm: Floats) -> Floats:
    """Return the world points (N, 3) at `s_mm` (N,) along the cord, beside its centerline."""
    _, left, dorsal = borders.centerline.frame(s_mm)
    offset = left_mm[:, None] * left + dorsal_mm[:, None] * dorsal
    return np.asarray(borders.centerline.point(s_mm) + offset)


def _enclosing(smooth: NDArray[np.float32], labelled: NDArray[np.bool_], volume: float) -> float:
    """Return the value whose surface in `smooth` (I, J, K) encloses a volume, in voxels.

    Only voxels that are `labelled` (I, J, K) count. At 0.5, a round cord would be thinner than its
    mask. A voxel counts by how far its middle lies from the surface, which is its distance in
    value over the gradient.
    """
    gradient = np.sqrt(sum(np.square(step) for step in np.gradient(smooth)))
    band = (gradient > 1e-3) & labelled
    value, slope = smooth[band], gradient[band]
    rest = smooth[labelled & ~band]
    low, high = 0.02, 0.98
    for _ in range(20):
        middle = (low + high) / 2
        inside = np.clip(0.5 + (value - middle) / slope, 0, 1).sum()
        inside += np.count_nonzero(rest > middle)
        low, high = (middle, high) if inside > volume else (low, middle)
    return (low + high) / 2
