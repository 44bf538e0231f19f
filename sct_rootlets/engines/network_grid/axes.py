"""Axis order and spacing of a network: there, and exactly back.

Everything about how voxels of an image become voxels of a network's array lives here.
A working grid is aligned with the axes of the image itself, not with the world, so that
an oblique image is not rotated, and resampling is separable: one small matrix an axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from nibabel.orientations import (
    apply_orientation,
    axcodes2ornt,
    inv_ornt_aff,
    io_orientation,
    ornt_transform,
)
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

__all__ = [
    "AxisGrid",
    "Grids",
    "Reorientation",
    "grids_at",
    "grids_of",
    "resample",
    "resampled",
]

_OPPOSITE = dict(zip("RLAPSI", "LRPAIS", strict=True))


@dataclass(frozen=True, eq=False)
class Reorientation:
    """The permutation and flips that bring an image's axes to another orientation.

    Attributes
    ----------
    there, back : (3, 2) array
        nibabel's orientation arrays, for the way to the model and home again.
    affine : (4, 4) array
        From indices of the reoriented array to world mm.
    """

    there: NDArray[np.float64]
    back: NDArray[np.float64]
    affine: NDArray[np.float64]

    @classmethod
    def to(
        cls, orientation_sct: str, affine: NDArray[np.float64], shape: tuple[int, ...]
    ) -> Reorientation:
        """Find how to bring an image of `affine` and `shape` to `orientation_sct`.

        An oblique image takes the orientation of which its axes are closest.
        """
        wanted = axcodes2ornt("".join(_OPPOSITE[letter] for letter in orientation_sct))
        present = io_orientation(affine)
        there = ornt_transform(present, wanted)
        back = ornt_transform(wanted, present)
        return cls(there, back, affine @ inv_ornt_aff(there, shape))

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """Distance between voxels along each axis of the reoriented array, (3,) in mm."""
        return np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))

    def apply(self, data: NDArray[Any]) -> NDArray[Any]:
        """Return `data` (I, J, K) in the new orientation, as a view where possible."""
        result: NDArray[Any] = apply_orientation(data, self.there)
        return result

    def undo(self, data: NDArray[Any]) -> NDArray[Any]:
        """Return reoriented `data` on the image's own grid, as a contiguous array."""
        return np.ascontiguousarray(apply_orientation(data, self.back))


@dataclass(frozen=True)
class AxisGrid:
    """Voxels along one axis of an image, at another spacing.

    Positions are in mm from the centre of the image's first voxel.

    Attributes
    ----------
    first_mm : float
        Centre of the first voxel.
    spacing_mm : float
    count : int
    """

    first_mm: float
    spacing_mm: float
    count: int

    @classmethod
    def over(cls, source_count: int, source_mm: float, spacing_mm: float) -> AxisGrid:
        """Cover an axis of `source_count` voxels of `source_mm`, centred on it.

        With equal spacings it is the axis itself.
        """
        length = source_count * source_mm
        count = max(1, round(length / spacing_mm))
        first = -source_mm / 2 + (length - count * spacing_mm) / 2 + spacing_mm / 2
        return cls(first, spacing_mm, count)

    @property
    def centres_mm(self) -> NDArray[np.float64]:
        """Positions of the voxel centres, (count,)."""
        return self.first_mm + self.spacing_mm * np.arange(self.count, dtype=np.float64)

    def part(self, start: int, stop: int) -> AxisGrid:
        """Return the grid of the voxels from `start` up to, not including, `stop`."""
        return AxisGrid(self.first_mm + start * self.spacing_mm, self.spacing_mm, stop - start)

    def span(self, low_mm: float, high_mm: float) -> tuple[int, int]:
        """Return the index range (start, stop) of voxels centred between two positions."""
        inside = (np.array([low_mm, high_mm]) - self.first_mm) / self.spacing_mm
        start = int(np.clip(np.ceil(inside[0] - 1e-6), 0, self.count))
        stop = int(np.clip(np.floor(inside[1] + 1e-6) + 1, start, self.count))
        return start, stop

    def matrix_from(self, source: AxisGrid, *, average: bool) -> csr_matrix:
        """Return the (count, source.count) matrix that resamples from `source`.

        The source is interpolated linearly; where a voxel is wider than a source voxel,
        by a ratio r, and `average` is set, the interpolation is averaged over a width of
        sqrt(r^2 - 1) source voxels. A source voxel is itself a mean over its width, so
        that adds up to the voxel's own width, avoids aliasing, and leaves equal grids as
        they are. Beyond the ends the last value continues. Every row sums to 1.
        """
        position = (self.centres_mm - source.first_mm) / source.spacing_mm
        position = np.clip(position, 0, source.count - 1)
        ratio = self.spacing_mm / source.spacing_mm if average else 1.0
        half = np.sqrt(max(ratio**2 - 1, 0.0)) / 2
        reach = int(np.ceil(half)) + 1
        column = np.rint(position).astype(int)[:, None] + np.arange(-reach, reach + 1)
        offset = position[:, None] - column
        if half > 1e-3:
            weight = (_hat_integral(offset + half) - _hat_integral(offset - half)) / (2 * half)
        else:
            weight = np.clip(1 - np.abs(offset), 0, None)
        weight[weight < 1e-6] = 0
        weight /= weight.sum(axis=1, keepdims=True)
        row, place = np.nonzero(weight)
        at = np.clip(column[row, place], 0, source.count - 1)
        entries = (weight[row, place].astype(np.float32), (row, at))
        return csr_matrix(entries, shape=(self.count, source.count))


def _hat_integral(upper: NDArray[np.float64]) -> NDArray[np.float64]:
    """Integrate the hat function of linear interpolation from minus infinity to `upper`."""
    inside = np.clip(upper, -1, 1)
    return np.where(inside < 0, (inside + 1) ** 2 / 2, 1 - (1 - inside) ** 2 / 2)


def resample(
    data: NDArray[Any], matrices: tuple[csr_matrix, csr_matrix, csr_matrix]
) -> NDArray[np.float32]:
    """Resample `data` (I, J, K) by one matrix an axis, as float32.

    Slice by slice in the plane, then along the last axis, so that nothing larger than
    the result is held besides the input.
    """
    first, second, third = matrices
    planes = np.empty((first.shape[0], second.shape[0], data.shape[2]), dtype=np.float32)
    used = np.unique(third.indices)
    for k in used:
        plane = np.asarray(data[:, :, k], dtype=np.float32)
        planes[:, :, k] = (second @ (first @ plane).T).T
    # Slices no row of `third` uses must not reach the product as whatever was in memory.
    flat = planes[:, :, used].reshape(-1, len(used)).T
    return np.ascontiguousarray((third[:, used] @ flat).T).reshape(*planes.shape[:2], -1)


#: The axes of a volume.
Grids = tuple[AxisGrid, AxisGrid, AxisGrid]


def grids_of(shape: tuple[int, ...], spacing_mm: NDArray[np.float64]) -> Grids:
    """Return the axes of a volume of `shape`."""
    first, second, third = (
        AxisGrid(0.0, float(mm), count) for count, mm in zip(shape, spacing_mm, strict=True)
    )
    return first, second, third


def grids_at(source: Grids, spacing_mm: NDArray[np.float64]) -> Grids:
    """Return axes that cover those of `source` at another spacing."""
    first, second, third = (
        AxisGrid.over(axis.count, axis.spacing_mm, float(mm))
        for axis, mm in zip(source, spacing_mm, strict=True)
    )
    return first, second, third


def resampled(data: NDArray[Any], source: Grids, target: Grids) -> NDArray[np.float32]:
    """Resample `data` (I, J, K) from its axes to others, averaging where they are coarser."""
    first, second, third = (
        grid.matrix_from(axis, average=True) for axis, grid in zip(source, target, strict=True)
    )
    return resample(data, (first, second, third))
