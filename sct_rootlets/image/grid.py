"""A grid of voxels in the world, and images on one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from nibabel.orientations import aff2axcodes
from numpy.typing import ArrayLike, NDArray

__all__ = ["ROUNDING_VOXELS", "Grid", "Image", "LabelImage"]

#: Largest distance between two grids that count as one, as a part of the smallest side of a
#: voxel: what is left when headers are rounded, and less than anything here can see.
ROUNDING_VOXELS = 0.1

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
    def size_mm(self) -> NDArray[np.float64]:
        """Field of view along each index axis, (3,) in mm."""
        return self.spacing_mm * self.shape

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

    @property
    def tolerance_mm(self) -> float:
        """Largest distance, in mm, between the voxels of two grids that count as one."""
        return ROUNDING_VOXELS * float(self.spacing_mm.min())

    def distance_mm(self, other: Grid) -> float:
        """Return the largest distance between corner voxels; infinite for another shape."""
        if self.shape != other.shape:
            return math.inf
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in self.shape])).reshape(3, -1).T
        apart = self.world_from_ijk(corners) - other.world_from_ijk(corners)
        return float(np.sqrt((apart**2).sum(axis=1)).max())

    def matches(self, other: Grid) -> bool:
        """Say whether `other` has the same voxels: equal shape, corners within tolerance."""
        return self.distance_mm(other) <= self.tolerance_mm

    def differs_by(self, other: Grid) -> str:
        """Return in words by how much `other` differs, for messages: "differ by ..."."""
        if self.shape != other.shape:
            return f"differ in shape: {other.describe()} against {self.describe()}"
        words = [f"up to {self.distance_mm(other):.3g} mm"]
        mine, others = self.spacing_mm, other.spacing_mm
        angles = np.clip(
            ((self.affine / [*mine, 1]) * (other.affine / [*others, 1]))[:3].sum(0), -1, 1
        )
        angle = float(np.degrees(np.arccos(angles[:3])).max())
        if angle >= 0.01:
            words.append(f"turned by {angle:.2g} degrees")
        if not np.allclose(mine, others, rtol=1e-3):
            sizes = ["x".join(f"{mm:.4g}" for mm in each) for each in (others, mine)]
            words.append(f"voxels of {sizes[0]} against {sizes[1]} mm")
        return f"differ by {', '.join(words)}"

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
    itk_grid : Grid, optional
        Grid by which ITK's tools read the same file, where that is another one.
    """

    data: NDArray[Any]
    grid: Grid
    header: Any = field(default=None, repr=False)
    path: str = "image in memory"
    remarks: tuple[str, ...] = ()
    itk_grid: Grid | None = None

    def with_data(self, data: NDArray[Any]) -> Image:
        """Return an image of other `data` (I, J, K) on the same grid, with the same header."""
        return type(self)(data, self.grid, self.header, self.path, itk_grid=self.itk_grid)


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
