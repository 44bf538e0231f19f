"""A label image of levels as a function of world points, finer than its voxels."""

from __future__ import annotations

from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError
from sct_rootlets.fmri.borders_on_cord import BordersOnCord
from sct_rootlets.fmri.surface import cord_surface
from sct_rootlets.image import Grid, LabelImage

__all__ = ["MARGIN_MM", "LevelSampler"]

Floats = NDArray[np.float64]

#: How far from a point a level may be to count as near it, mm.
MARGIN_MM = 3.0


class LevelSampler:
    """Which spinal level lies at a point, by a label image of levels.

    The surface of the labelled cord is that of its mask, smoothed so that it keeps its volume:
    it runs between the voxels instead of along their faces. Within it the level follows from
    the `borders`, or else is the label with the largest trilinear weight among the labelled
    voxels around the point.

    Parameters
    ----------
    labels : LabelImage
        Spinal level values.
    borders : BordersOnCord, optional

    Raises
    ------
    InputError
        If a value is no spinal level.
    """

    def __init__(self, labels: LabelImage, borders: BordersOnCord | None = None) -> None:
        known = {level.value for level in SpinalLevel}
        foreign = [value for value in labels.labels if value not in known]
        if foreign:
            raise InputError(
                f"holds values that are no spinal levels: {', '.join(map(str, foreign[:5]))}",
                path=labels.path,
                remedy="Give a label image of sct_rootlets levels (C1 = 1 ... T1 = 9 ... S5 = 30)",
            )
        self.levels = tuple(SpinalLevel(value) for value in labels.labels)
        self.volume_mm3 = float(np.count_nonzero(labels.data)) * labels.grid.voxel_volume_mm3
        self._borders = borders
        # Cropped to the levels, with room around them for the smoothing and for `near`.
        ijk = np.argwhere(labels.data)
        first, last = ijk.min(axis=0), ijk.max(axis=0)
        box = tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))
        room = np.ceil(MARGIN_MM / labels.grid.spacing_mm).astype(int) + 1
        data = np.pad(np.asarray(labels.data)[box], [(n, n) for n in room])
        affine = labels.grid.affine.copy()
        affine[:3, 3] = labels.grid.world_from_ijk(first - room)
        i, j, k = data.shape
        self.grid = Grid((i, j, k), affine)
        self._mask = data > 0
        index = np.zeros(len(known) + 1, dtype=np.uint8)
        index[[level.value for level in self.levels]] = np.arange(1, len(self.levels) + 1)
        # Every voxel takes the label of the nearest that has one: only the surface says where
        # the cord ends.
        nearest = ndimage.distance_transform_edt(
            ~self._mask,
            sampling=self.grid.spacing_mm,
            return_distances=False,
            return_indices=True,
        )
        self._index = index[data[tuple(nearest)]]

    @cached_property
    def _surface(self) -> NDArray[np.float32]:
        """Positive inside the cord, 0 at its surface."""
        return cord_surface(self._mask, self.grid, self._borders)

    @cached_property
    def _wide(self) -> NDArray[np.bool_]:
        """The levels, wider by the margin."""
        wide = self._mask
        for axis, mm in enumerate(self.grid.spacing_mm):
            wide = ndimage.maximum_filter1d(wide, 2 * int(np.ceil(MARGIN_MM / mm)) + 1, axis=axis)
        return np.asarray(wide)

    def at(self, xyz_world: Floats) -> NDArray[np.uint8]:
        """Return the index of the level at points (N, 3) of the source, world mm.

        0 is none, 1 the first of `levels`. A point that is NaN has none.
        """
        answer = np.zeros(len(xyz_world), dtype=np.uint8)
        ijk = self.grid.ijk_from_world(xyz_world)
        with np.errstate(invalid="ignore"):
            within = np.all((ijk >= 0) & (ijk <= np.array(self.grid.shape) - 1), axis=1)
        where = np.flatnonzero(within)
        depth = ndimage.map_coordinates(self._surface, ijk[where].T, order=1)
        where = where[depth > 0]
        if self._borders is None:
            answer[where] = self._largest(ijk[where])
        else:
            mine = {level: n for n, level in enumerate(self.levels, start=1)}
            turn = np.array([0, *(mine.get(level, 0) for level in self._borders.levels)])
            answer[where] = turn[self._borders.at(xyz_world[where])]
        return answer

    def _largest(self, ijk: Floats) -> NDArray[np.uint8]:
        """Return the label with the largest trilinear weight at indices (N, 3)."""
        low = np.minimum(ijk.astype(np.intp), np.array(self.grid.shape) - 2)
        share = ijk - low
        corners = list(product((0, 1), repeat=3))
        values = np.stack([self._index[tuple((low + corner).T)] for corner in corners])
        # Within a level, and that is nearly everywhere, all eight are the same.
        answer = values[0].copy()
        mixed = np.flatnonzero((values != values[0]).any(axis=0))
        values, share = values[:, mixed], share[mixed]
        weights = np.stack([np.where(c, share, 1 - share).prod(axis=1) for c in corners])
        best = np.zeros(len(mixed))
        for label in range(1, len(self.levels) + 1):
            total = np.where(values == label, weights, 0).sum(axis=0)
            answer[mixed[total > best]] = label
            best = np.maximum(best, total)
        return answer

    def near(self, xyz_world: Floats) -> NDArray[np.bool_]:
        """Say which points (N, 3) lie within `MARGIN_MM` of a level, or a little farther."""
        ijk = self.grid.ijk_from_world(xyz_world)
        with np.errstate(invalid="ignore"):
            within = np.all((ijk > -0.5) & (ijk < np.array(self.grid.shape) - 0.5), axis=1)
        found = np.zeros(len(ijk), dtype=bool)
        found[within] = self._wide[tuple(np.rint(ijk[within]).astype(np.intp).T)]
        return found
