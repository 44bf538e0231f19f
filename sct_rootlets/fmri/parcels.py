"""Parcels: the weights of levels or regions in the voxels of an image, and their names.

A table by level, a time series and a statistic ask the same of levels and of regions: which
voxels, with which weight, under which name.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import Sector, Side, SpinalLevel
from sct_rootlets.fmri.fractions import Fractions
from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.tables import Column

__all__ = ["COLUMNS", "Parcel", "Parcels", "level_parcels"]

Floats = NDArray[np.float64]

#: Columns that say which parcel a row of a table is about.
COLUMNS = (
    Column("name", "Name of the level (C5) or of the region (C5_left_dorsal)"),
    Column("level", "Spinal level"),
    Column("side", "Side of the subject, left or right; n/a for a whole level"),
    Column("sector", "dorsal or ventral half of the cord; n/a for a whole level"),
    Column("tissue", "grey or white matter; n/a where no grey matter was given"),
)


@dataclass(frozen=True)
class Parcel:
    """One level or one region.

    Attributes
    ----------
    index : int
        Its value in the label image.
    level : SpinalLevel
    side : Side or None
    sector : Sector or None
        None for a whole level.
    tissue : str or None
        ``grey``, ``white``, or None for both.
    """

    index: int
    level: SpinalLevel
    side: Side | None = None
    sector: Sector | None = None
    tissue: str | None = None

    @property
    def name(self) -> str:
        """Name, such as ``C5``, ``C5_left_dorsal`` or ``C5_left_dorsal_horn``."""
        if self.side is None or self.sector is None:
            return str(self.level)
        name = f"{self.level}_{self.side.name.lower()}_{self.sector.name.lower()}"
        return name + {None: "", "grey": "_horn", "white": "_white"}[self.tissue]

    @property
    def cells(self) -> dict[str, str | None]:
        """The values of `COLUMNS`."""
        return {
            "name": self.name,
            "level": str(self.level),
            "side": None if self.side is None else self.side.name.lower(),
            "sector": None if self.sector is None else self.sector.name.lower(),
            "tissue": self.tissue,
        }


@dataclass(frozen=True, eq=False)
class Parcels:
    """Parcels in the voxels of a grid; only voxels that hold a part of one are stored.

    Attributes
    ----------
    parcels : tuple of Parcel
    ijk : (N, 3) array
        Voxels.
    weight : (N, P) array
        Share of each voxel that lies in each parcel, 0 to 1.
    label : (N,) array
        Place among `parcels` of the one whose label the voxel has, -1 for none.
    grid : Grid
    """

    parcels: tuple[Parcel, ...]
    ijk: NDArray[np.intp]
    weight: Floats
    label: NDArray[np.intp]
    grid: Grid

    @property
    def names(self) -> list[str]:
        """Names of the parcels."""
        return [parcel.name for parcel in self.parcels]

    @property
    def indicator(self) -> Floats:
        """1 where a voxel has the label of a parcel, else 0, (N, P)."""
        return (self.label[:, None] == np.arange(len(self.parcels))).astype(np.float64)

    def label_image(self, like: LabelImage) -> LabelImage:
        """Return the label image, with the header of `like`."""
        data = np.zeros(self.grid.shape, dtype=np.int32)
        values = np.array([0, *(parcel.index for parcel in self.parcels)])
        data[tuple(self.ijk.T)] = values[self.label + 1]
        return LabelImage(data, self.grid, like.header, like.path)


def level_parcels(fractions: Fractions, labels: LabelImage) -> Parcels:
    """Return the levels themselves as parcels.

    Parameters
    ----------
    fractions : Fractions
    labels : LabelImage
        Level of every voxel, on the same grid.
    """
    painted = np.asarray(labels.data)
    ijk = np.argwhere(fractions.share.any(axis=-1) | (painted > 0))
    place = np.full(max(level.value for level in SpinalLevel) + 1, -1, dtype=np.intp)
    for n, level in enumerate(fractions.levels):
        place[level.value] = n
    at = tuple(ijk.T)
    return Parcels(
        tuple(Parcel(level.value, level) for level in fractions.levels),
        ijk,
        fractions.share[at].astype(np.float64),
        place[painted[at]],
        fractions.grid,
    )
