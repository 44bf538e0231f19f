"""What every voxel of a fine grid is made of: tissue, threads, and what a rater would paint.

Tissue is looked up in the cord's own frame; rootlets and vessels are thin tubes with exact
distances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import Sector, Side
from sct_rootlets.image import Grid
from sct_rootlets.phantom.model import Anatomy, Filament
from sct_rootlets.phantom.tissue import Canal, Tissue, cord_coordinates, tissue_at
from sct_rootlets.phantom.tubes import tubes

__all__ = [
    "Composition",
    "compose",
    "open_sleeves",
    "painted_share",
    "part_value",
    "world_from_ijk",
]

#: Rootlets are painted at least this thick (radius, mm), as raters do on ~1 mm voxels.
PAINTED_RADIUS_MM = 0.5


def part_value(filament: Filament) -> int:
    """Return the value of a rootlet in `Phantom.parts`, 0 for a distractor."""
    if filament.level is None:
        return 0
    side = 0 if filament.side is Side.LEFT else 2
    return 10 * filament.level.value + 1 + side + (filament.sector is Sector.VENTRAL)


@dataclass(frozen=True, eq=False)
class Composition:
    """What every voxel of a fine grid is made of; each array is (I, J, K).

    Attributes
    ----------
    tissue : uint8
        A value of :class:`Tissue`, rootlets and vessels left aside.
    thread : float32
        Share of the voxel that a rootlet or a vessel fills.
    painted : float32
        Share that a rater would paint as rootlet.
    part : int32
        Whose rootlet is nearest, see :func:`part_value`; 0 where none is near.
    """

    tissue: NDArray[np.uint8]
    thread: NDArray[np.float32]
    painted: NDArray[np.float32]
    part: NDArray[np.int32]


def compose(anatomy: Anatomy, grid: Grid, canal: Canal | None = None) -> Composition:
    """Look up what lies at every voxel centre of `grid`.

    Parameters
    ----------
    anatomy : Anatomy
    grid : Grid
        Of (I, J, K) voxels, fine enough that none holds much of two tissues.
    canal : callable, optional
        As :func:`~sct_rootlets.phantom.tissue.tissue_at` takes it.
    """
    ijk = np.indices(grid.shape, dtype=np.float32).reshape(3, -1).T
    tissue = tissue_at(anatomy, *cord_coordinates(anatomy, world_from_ijk(grid, ijk)), canal)
    tissue = tissue.reshape(grid.shape)
    outside = open_sleeves(anatomy, grid, tissue)
    thread, _ = share(anatomy, anatomy.filaments, [f.radius_mm for f in anatomy.filaments], grid)
    return Composition(tissue, thread * outside, *painted_share(anatomy, grid, tissue))


def world_from_ijk(grid: Grid, ijk: NDArray[np.float32]) -> NDArray[np.float32]:
    """Map voxel indices (N, 3) to world RAS+ mm (N, 3), in single precision to save memory."""
    return np.asarray(
        ijk @ grid.affine[:3, :3].T.astype(np.float32) + grid.affine[:3, 3].astype(np.float32)
    )


def share(
    anatomy: Anatomy, filaments: Sequence[Filament], radii_mm: list[float], grid: Grid
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return the share of every voxel that threads fill, and whose it is.

    Parameters
    ----------
    filaments : sequence of F filaments
    radii_mm : list of F floats
        Radius to use for each.

    Returns
    -------
    share_inside : (I, J, K) float32 array
        From 0 to 1, linear in the distance from the thread's surface over a voxel.
    owner : (I, J, K) int32 array
        Index of the nearest thread, -1 where none is near.
    """
    distance, owner = tubes(anatomy, filaments, grid, np.array(radii_mm))
    share_inside = np.clip(0.5 - distance / np.float32(grid.spacing_mm.mean()), 0, 1)
    return share_inside.astype(np.float32), owner


def open_sleeves(anatomy: Anatomy, grid: Grid, tissue: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Fill the root sleeves in `tissue` (I, J, K) with CSF, in place.

    Returns
    -------
    (I, J, K) bool array
        Which voxels lie outside the cord.
    """
    outside = ~np.isin(tissue, (Tissue.WHITE, Tissue.GREY))
    sleeve, _ = share(anatomy, anatomy.sleeves, [f.radius_mm for f in anatomy.sleeves], grid)
    tissue[(sleeve > 0.5) & outside] = Tissue.CSF
    return outside


def painted_share(
    anatomy: Anatomy, grid: Grid, tissue: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return `painted` and `part` of a :class:`Composition`, for its `tissue` (I, J, K)."""
    rootlets = [f for f in anatomy.filaments if f.level is not None]
    radii = [max(f.radius_mm, PAINTED_RADIUS_MM) for f in rootlets]
    painted, owner = share(anatomy, rootlets, radii, grid)
    values = np.array([part_value(f) for f in rootlets] + [0], dtype=np.int32)
    # Raters paint rootlets as far as they see them: within the CSF.
    return painted * (tissue == Tissue.CSF), values[owner]
