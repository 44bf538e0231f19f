"""Borders of levels on the cord of their label image, from the table beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.image import LabelImage
from sct_rootlets.levels import LevelTable

__all__ = ["AGREEMENT", "BordersOnCord"]

Floats = NDArray[np.float64]

#: Share of the labelled voxels that a table has to give the same level to be that of the image.
AGREEMENT = 0.95


@dataclass(frozen=True, eq=False)
class BordersOnCord:
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
    def of(cls, labels: LabelImage, table: LevelTable) -> BordersOnCord | None:
        """Take the borders of a table of levels to the cord of their label image.

        They are known by their places in the world, so that it does not matter where the
        table counts from.

        Returns
        -------
        BordersOnCord or None
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
        return self.along(self.centerline.project(xyz_world).s_mm)

    def along(self, s_mm: Floats) -> NDArray[np.uint8]:
        """Return the index of the level at positions (N,) along the curve, likewise."""
        s = np.asarray(s_mm)
        index = np.zeros(len(s), dtype=np.uint8)
        for n, (rostral, caudal) in enumerate(self.s_mm, start=1):
            index[(s >= rostral) & (s < caudal)] = n
        return index
