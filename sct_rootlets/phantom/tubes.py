"""Thin tubes: the exact distance of every voxel from the nearest filament."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.image import Grid
from sct_rootlets.phantom.model import Anatomy, Filament

__all__ = ["tubes"]


def tubes(
    anatomy: Anatomy, filaments: Sequence[Filament], grid: Grid, radii_mm: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Measure the distance of every voxel from the surface of the nearest filament.

    Parameters
    ----------
    filaments : sequence of F filaments
    grid : Grid
    radii_mm : (F,) array
        Radius to use for each.

    Returns
    -------
    distance_mm : (I, J, K) float32 array
        Signed, negative inside; `numpy.inf` farther than about a millimetre away.
    owner : (I, J, K) int32 array
        Index of that filament, -1 where there is none near.
    """
    if not filaments:
        return np.full(grid.shape, np.inf, np.float32), np.full(grid.shape, -1, np.int32)
    points = np.concatenate([f.points_suv[::2] for f in filaments])
    index = np.repeat(np.arange(len(filaments)), [len(f.points_suv[::2]) for f in filaments])
    ijk = grid.ijk_from_world(anatomy.world_from_suv(points))
    near_mm = 0.6 * float(grid.spacing_mm.max())
    margin = float(np.max(radii_mm)) + near_mm
    reach = np.ceil(margin / grid.spacing_mm).astype(int)
    keep = np.all((ijk > -reach - 1) & (ijk < np.array(grid.shape) + reach), axis=1)
    ijk, index = ijk[keep], index[keep].astype(np.int32)
    # The work is done on a padded grid, so that no neighbour falls outside of it.
    padded = tuple(int(n + 2 * (2 * r + 2)) for n, r in zip(grid.shape, reach, strict=True))
    strides = np.array([padded[1] * padded[2], padded[2], 1])
    centre = np.rint(ijk)
    to_centre = ((centre - ijk) @ grid.affine[:3, :3].T).astype(np.float32)
    at = ((centre.astype(np.int64) + 2 * reach + 2) @ strides).astype(np.int64)
    radius = radii_mm.astype(np.float32)[index]
    best: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = []
    for offset in np.stack(np.meshgrid(*[np.arange(-r, r + 1) for r in reach]), -1).reshape(-1, 3):
        step = (grid.affine[:3, :3] @ offset).astype(np.float32)
        away = np.sqrt(sum((to_centre[:, axis] + step[axis]) ** 2 for axis in range(3))) - radius
        near = np.flatnonzero(away < near_mm)
        best.append((at[near] + int(offset @ strides), away[near], index[near]))
    flat = np.concatenate([b[0] for b in best])
    away = np.concatenate([b[1] for b in best])
    who = np.concatenate([b[2] for b in best])
    order = np.argsort(-away, kind="stable")  # the nearest is written last and stays
    distance = np.full(int(np.prod(padded)), np.inf, np.float32)
    owner = np.full(distance.shape, -1, np.int32)
    distance[flat[order]] = away[order]
    owner[flat[order]] = who[order]
    inside = tuple(slice(2 * r + 2, -(2 * r + 2)) for r in reach)
    return distance.reshape(padded)[inside], owner.reshape(padded)[inside]
