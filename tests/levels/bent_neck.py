"""A bent neck with known discs, and label images of its vertebrae."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.image import Grid, LabelImage
from tests.levels.bent_cord import AP_MM, LR_MM, BentCord, point_labels, rotation

Floats = NDArray[np.float64]

#: A bent neck, and its discs C2/C3 to C7/T1 at unequal distances.
NECK = BentCord(length_mm=120.0, radius_mm=150.0)
DISCS = {3: 10.0, 4: 28.0, 5: 45.5, 6: 62.0, 7: 78.0, 8: 96.0}
GRIDS = {
    "1 mm": ((1.0, 1.0, 1.0), np.eye(3)),
    "0.5x0.5x3 mm": ((0.5, 0.5, 3.0), np.eye(3)),
    "sagittal 2 mm": ((2.0, 0.8, 0.8), np.eye(3)),
    "oblique": ((1.0, 1.0, 1.0), rotation(0, 30) @ rotation(2, 15)),
    "oblique 2 mm": ((2.0, 1.0, 1.0), rotation(0, -25) @ rotation(1, 10)),
}


def points_at(grid: Grid, at: dict[int, float], dorsal: float = 0.0) -> LabelImage:
    """Return point labels at positions along the cord, `dorsal` mm behind its middle."""
    offset = np.zeros(1), np.array([dorsal])
    where = {k: NECK.world(np.array([s]), *offset)[0] for k, s in at.items()}
    return point_labels(grid, where)


def labelled_cord(
    grid: Grid, borders: list[float], first: int, normal_deg: float = 0.0
) -> LabelImage:
    """Return a labelled cord: levels `first`, ... cut at `borders` along the cord.

    The cuts are turned in the sagittal plane by `normal_deg` against the cross-section.
    """
    s, left, dorsal = NECK.cord_coordinates(grid.world_from_ijk(np.indices(grid.shape).T))
    inside = (np.hypot(left / LR_MM, dorsal / AP_MM) <= 1) & (s >= 0) & (s <= NECK.length_mm)
    along = s + np.tan(np.radians(normal_deg)) * dorsal
    values = np.searchsorted(np.array(borders), along) + first
    data = np.where(inside, values, 0).astype(np.int32).T
    return LabelImage(data, grid, None, "labelled.nii.gz")


def mutated(labels: LabelImage, change: NDArray[np.bool_], value: int) -> LabelImage:
    return labels.with_data(np.where(change, value, labels.data))
