"""Where levels begin and end in a label image, by the voxels in the core of the cord."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.image import Grid, LabelImage

__all__ = ["Seen", "seen_of_both"]

Floats = NDArray[np.float64]
Values = NDArray[np.int64]

#: Part of the cord's radius within which voxels say where a level begins and ends.
_CORE = 0.5
#: Fewer voxels in the core of the cord are points or specks, and no painted level.
_FEWEST = 4


@dataclass(frozen=True)
class Seen:
    """Where a level lies along the curve, by the voxels in the core of the cord."""

    rostral: float
    caudal: float


def seen_of_both(
    labels: LabelImage,
    curve: Centerline,
    painted: dict[SpinalLevel, tuple[float, float]],
    voxel_mm: float,
) -> tuple[dict[SpinalLevel, Seen], dict[SpinalLevel, Seen]]:
    """Return where levels lie in an image, and where they would if they were painted again.

    Parameters
    ----------
    labels : LabelImage
    curve : Centerline
        Through the labelled cord.
    painted : dict of SpinalLevel to (float, float)
        Borders along `curve`, mm, of levels to paint on the voxels in the core of the cord.
    voxel_mm : float
        Of the image, along the cord.
    """
    s, value = _core_of(labels, curve, painted, voxel_mm)
    expected = np.zeros(len(s), dtype=np.int64)
    for level, (rostral, caudal) in painted.items():
        expected[(s >= rostral) & (s < caudal)] = level.value
    return _borders_seen(s, value, voxel_mm), _borders_seen(s, expected, voxel_mm)


def _core_of(
    labels: LabelImage,
    curve: Centerline,
    painted: dict[SpinalLevel, tuple[float, float]],
    voxel_mm: float,
) -> tuple[Floats, Values]:
    """Return position and label, (N,) each, of the voxels around the curve.

    They reach beyond the levels of image and table, gaps between levels included, as far as the
    image does.
    """
    grid = labels.grid
    low = min(curve.start_mm, *(rostral for rostral, _ in painted.values())) - 2 * voxel_mm
    high = max(curve.end_mm, *(caudal for _, caudal in painted.values())) + 2 * voxel_mm
    volume = np.count_nonzero(labels.data) * grid.voxel_volume_mm3
    across = float(np.sort(grid.spacing_mm)[:2].max())
    radius = max(_CORE * float(np.sqrt(volume / curve.length_mm / np.pi)), across)
    ijk = _around(grid, curve.point(np.arange(low, high, voxel_mm / 2)), radius)
    at = curve.project(grid.world_from_ijk(ijk))
    core = (at.radius_mm <= radius) & (at.s_mm >= low) & (at.s_mm <= high)
    value = np.asarray(labels.data)[tuple(ijk[core].T)].astype(np.int64)
    value[~np.isin(value, [level.value for level in SpinalLevel])] = 0
    return at.s_mm[core], value


def _around(grid: Grid, xyz_world: Floats, radius_mm: float) -> NDArray[np.intp]:
    """Return the indices (N, 3) of voxels of a grid near points, and of some farther ones."""
    ijk = np.rint(grid.ijk_from_world(xyz_world)).astype(np.intp)
    ijk = ijk[np.all((ijk >= 0) & (ijk < grid.shape), axis=1)]
    if len(ijk) == 0:
        return ijk
    room = np.ceil(radius_mm / grid.spacing_mm).astype(int) + 1
    first = np.maximum(ijk.min(axis=0) - room, 0)
    last = np.minimum(ijk.max(axis=0) + room, np.array(grid.shape) - 1)
    away = np.ones(last - first + 1, dtype=bool)
    away[tuple((ijk - first).T)] = False
    far = scipy.ndimage.distance_transform_edt(away, sampling=grid.spacing_mm)
    return np.argwhere(far <= radius_mm + grid.spacing_mm.max()) + first


def _borders_seen(s: Floats, value: Values, voxel_mm: float) -> dict[SpinalLevel, Seen]:
    """Return where levels begin and end along s (N,), by the value of every voxel (N,).

    A border lies where as many voxels lie on its wrong side in either direction: that is exact
    for borders perpendicular to the cord, and the middle of those that are oblique to it.
    """
    found = {}
    for number in np.unique(value[value > 0]):
        own = value == number
        if own.sum() < _FEWEST:
            continue
        # A hole in the mask is no border.
        first, last = np.quantile(s[own], (0.02, 0.98))
        own |= (value == 0) & (s > first) & (s < last)
        middle = float(np.median(s[own]))
        rostral, caudal = s < middle, s >= middle
        found[SpinalLevel(int(number))] = Seen(
            _split(s[rostral], own[rostral], voxel_mm),
            -_split(-s[caudal], own[caudal], voxel_mm),
        )
    return found


def _split(s: Floats, own: NDArray[np.bool_], voxel_mm: float) -> float:
    """Return where voxels that are its `own`, the last along `s`, begin."""
    ordered, count = np.sort(s), int((~own).sum())
    if count == 0:  # the image ends here
        return float(ordered[0]) - voxel_mm / 2
    if count == len(ordered):
        return float(ordered[-1])
    return float(ordered[count - 1 : count + 1].mean())
