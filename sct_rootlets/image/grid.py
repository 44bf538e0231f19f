"""A grid of voxels in the world, and images on one."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from nibabel.orientations import aff2axcodes
from numpy.typing import ArrayLike, NDArray

__all__ = ["GRID_TOLERANCE_MM", "Grid", "Image", "LabelImage"]

#: Largest distance, in mm, between the corners of two grids that count as one grid.
GRID_TOLERANCE_MM = 0.05

_OPPOSITE = dict(zip("RLAPSI", "LRPAIS", strict=True))


@dataclass(frozen=True, eq=False)
class Grid:
    """A shape and an affine: where the voxels of an image lie in the world.

    Attributes
    ----------
    shape : (3,) tuple of int
    affine : (4, 4) float array
        From ``ijk`` to ``xyz_world`` (RAS+ mm).
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """Distance between voxel centres along each index axis, (3,) in mm."""
        return np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel in mm^3."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    @property
    def orientation_nib(self) -> str:
        """Orientation by the letters where the axes end (nibabel's), such as ``"LAS"``."""
        return "".join(aff2axcodes(self.affine))

    @property
    def orientation_sct(self) -> str:
        """Orientation by the letters where the axes start (SCT's), such as ``"RPI"``."""
        return "".join(_OPPOSITE[letter] for letter in self.orientation_nib)

    def world_from_ijk(self, ijk: ArrayLike) -> NDArray[np.float64]:
        """Map voxel indices (..., 3) to world mm (..., 3)."""
        return np.asarray(ijk, dtype=float) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def ijk_from_world(self, xyz_world: ArrayLike) -> NDArray[np.float64]:
        """Map world mm (..., 3) to continuous voxel indices (..., 3)."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(xyz_world, dtype=float) @ inverse[:3, :3].T + inverse[:3, 3]

    def contains(self, xyz_world: ArrayLike) -> NDArray[np.bool_]:
        """Say for world points (..., 3) whether they lie within the field of view (...)."""
        return self.holds(self.ijk_from_world(xyz_world))

    def holds(self, ijk: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say for continuous voxel indices (..., 3) whether they lie in the field of view (...)."""
        inside = np.ones(ijk.shape[:-1], dtype=bool)
        for axis, n in enumerate(self.shape):  # an axis at a time: np.all over three is slow
            inside &= (ijk[..., axis] >= -0.5) & (ijk[..., axis] <= n - 0.5)
        return inside

    def matches(self, other: Grid, tolerance_mm: float = GRID_TOLERANCE_MM) -> bool:
        """Say whether `other` has the same voxels: equal shape, corners within tolerance."""
        if self.shape != other.shape:
            return False
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in self.shape])).reshape(3, -1).T
        apart = self.world_from_ijk(corners) - other.world_from_ijk(corners)
        return bool(np.sqrt((apart**2).sum(axis=1)).max() <= tolerance_mm)

    def describe(self) -> str:
        """Return shape, spacing and orientation in words, for messages."""
        shape = "x".join(str(n) for n in self.shape)
        spacing = "x".join(f"{mm:.3g}" for mm in self.spacing_mm)
        return f"{shape} voxels of {spacing} mm, {self.orientation_sct} (SCT letters)"


@dataclass(frozen=True, eq=False)
class Image:
    """A three-dimensional image on its grid.

    Attributes
    ----------
    data : (I, J, K) array
    grid : Grid
    header : nibabel.Nifti1Header, optional
        Header it was read with, kept so that both its qform and its sform survive the
        way back.
    path : str
        Where it came from, for messages.
    remarks : tuple of str
        What had to be done to the file to read it so, for the warnings of a result.
    """

    data: NDArray[Any]
    grid: Grid
    header: Any = field(default=None, repr=False)
    path: str = "image in memory"
    remarks: tuple[str, ...] = ()

    def with_data(self, data: NDArray[Any]) -> Image:
        """Return an image of other `data` (I, J, K) on the same grid, with the same header."""
        return type(self)(data, self.grid, self.header, self.path)


@dataclass(frozen=True, eq=False)
class LabelImage(Image):
    """An image of integer labels; 0 is background. A mask is one with the value 1."""

    @cached_property
    def _labelled(self) -> tuple[NDArray[np.intp], NDArray[Any]]:
        """Indices (N, 3) and values (N,) of all voxels that are not 0: few of many."""
        ijk = np.argwhere(self.data)
        return ijk, np.asarray(self.data)[tuple(ijk.T)]

    @property
    def labels(self) -> list[int]:
        """Values present besides 0, ascending."""
        return [int(value) for value in np.unique(self._labelled[1])]

    def points_world(self, label: int | None = None) -> NDArray[np.float64]:
        """Return the centres (N, 3), in world mm, of the voxels of `label` (default: any)."""
        ijk, values = self._labelled
        return self.grid.world_from_ijk(ijk if label is None else ijk[values == label])
