"""A label image of levels as a function of world points, finer than its voxels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.levels import LevelTable

__all__ = ["AGREEMENT", "MARGIN_MM", "Borders", "LevelSampler"]

Floats = NDArray[np.float64]

#: How far from a point a level may be to count as near it, mm.
MARGIN_MM = 3.0
#: Share of the labelled voxels that a table has to give the same level to be that of the image.
AGREEMENT = 0.95
#: Width (standard deviation) of what smooths the surface of the cord, in voxels of its finest
#: axis: enough to even out the steps of a mask, and less than a cord is thick.
_SMOOTHING = 1.0


@dataclass(frozen=True, eq=False)
class Borders:
    """Borders of levels along a curve through the labelled cord.

    Attributes
    ----------
    centerline : Centerline
    levels : tuple of SpinalLevel
        Rostral to caudal.
    s_mm : (L, 2) array
        Rostral and caudal border of each level along `centerline`.
    sd_mm : (L, 2) array
        Their standard deviations; NaN where not known.
    """

    centerline: Centerline
    levels: tuple[SpinalLevel, ...]
    s_mm: Floats
    sd_mm: Floats

    @classmethod
    def of(cls, labels: LabelImage, table: LevelTable) -> Borders | None:
        """Take the borders of a table of levels to the cord of their label image.

        They are known by their places in the world, so that it does not matter where the
        table counts from.

        Returns
        -------
        Borders or None
            None if a level of the image has no borders in the table, or if the two disagree
            about the level of more than a few voxels: the image was edited, or painted in
            axial slices.

        Raises
        ------
        InputError
            If the labelled cord is too short to have a course.
        """
        rows = [row for row in table.rows if row.rostral_world and row.caudal_world]
        levels = tuple(row.level for row in rows)
        if not {SpinalLevel(value) for value in labels.labels} <= set(levels):
            return None
        centerline = Centerline.fit(labels)
        ends = centerline.project(np.array([[r.rostral_world, r.caudal_world] for r in rows]))
        known = [[row.rostral_sd_mm, row.caudal_sd_mm] for row in rows]
        sd_mm = np.array([[np.nan if mm is None else mm for mm in pair] for pair in known])
        borders = cls(centerline, levels, ends.s_mm.reshape(-1, 2), sd_mm)
        values = np.array([0, *(level.value for level in levels)])
        ijk = np.argwhere(labels.data)
        found = values[borders.at(labels.grid.world_from_ijk(ijk))]
        same = float((found == np.asarray(labels.data)[tuple(ijk.T)]).mean())
        return borders if same >= AGREEMENT else None

    def at(self, xyz_world: Floats) -> NDArray[np.uint8]:
        """Return the index of the level at points (N, 3), 0 for none, 1 for the first."""
        s = self.centerline.project(xyz_world).s_mm
        index = np.zeros(len(s), dtype=np.uint8)
        for n, (rostral, caudal) in enumerate(self.s_mm, start=1):
            index[(s >= rostral) & (s < caudal)] = n
        return index


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
    borders : Borders, optional

    Raises
    ------
    InputError
        If a value is no spinal level.
    """

    def __init__(self, labels: LabelImage, borders: Borders | None = None) -> None:
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
        """Smoothed mask less its value at the surface: positive inside."""
        width = _SMOOTHING * self.grid.spacing_mm.min() / self.grid.spacing_mm
        smooth = ndimage.gaussian_filter(self._mask.astype(np.float32), width)
        return np.asarray(smooth - _enclosing(smooth, self._mask.sum()), dtype=np.float32)

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


def _enclosing(smooth: NDArray[np.float32], volume: float) -> float:
    """Return the value whose surface in `smooth` (I, J, K) encloses a volume, in voxels.

    At 0.5, a round cord would be thinner than its mask. A voxel counts by how far its middle
    lies from the surface, which is its distance in value over the gradient.
    """
    gradient = np.sqrt(sum(np.square(step) for step in np.gradient(smooth)))
    band = gradient > 1e-3
    value, slope = smooth[band], gradient[band]
    low, high = 0.02, 0.98
    for _ in range(20):
        middle = (low + high) / 2
        inside = np.clip(0.5 + (value - middle) / slope, 0, 1).sum()
        inside += np.count_nonzero(smooth[~band] > middle)
        low, high = (middle, high) if inside > volume else (low, middle)
    return (low + high) / 2
