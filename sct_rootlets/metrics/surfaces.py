"""Distances between the surfaces of two masks, in mm and in voxels.

The surface of a mask are its voxels that have one of their six face neighbours outside of it;
what lies beyond the image is outside. Distances go between the centres of voxels, in the frame
of the grid's affine, so that anisotropic, oblique and sheared grids need no special case.
Rootlets are one or two voxels thick: nearly all of their voxels are surface.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from sct_rootlets.metrics.overlap import as_masks

__all__ = ["SurfaceDistances", "centre_distance", "surface", "surface_distances"]

Floats = NDArray[np.float64]

#: Rounding, in mm, that a tolerance forgives: NIfTI keeps affines as float32.
_ROUNDING_MM = 1e-3
_NAN = float("nan")


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """How far each surface voxel of one mask lies from the nearest one of the other.

    Attributes
    ----------
    predicted_mm, reference_mm : (N,), (M,) arrays
        Of the surface voxels of the prediction to the surface of the reference, and back; mm.
        Infinite where the other mask is empty.
    predicted_voxels, reference_voxels : (N,), (M,) arrays
        The same as chessboard distances: steps among the 26 neighbours.
    """

    predicted_mm: Floats
    reference_mm: Floats
    predicted_voxels: Floats
    reference_voxels: Floats

    @property
    def _is_defined(self) -> bool:
        return bool(len(self.predicted_mm) and len(self.reference_mm))

    @property
    def assd_mm(self) -> float:
        r"""Average symmetric surface distance, mm; NaN where a mask is empty.

        .. math:: \frac{\sum_{a \in S_A} d(a, S_B) + \sum_{b \in S_B} d(b, S_A)}{|S_A| + |S_B|}

        (Maier-Hein et al. 2024, Nat Methods 21:195-212.)
        """
        if not self._is_defined:
            return _NAN
        return float(np.concatenate([self.predicted_mm, self.reference_mm]).mean())

    def hausdorff_mm(self, percentile: float = 95.0) -> float:
        """Return the Hausdorff distance at a percentile, mm; NaN where a mask is empty.

        The larger one of the two percentiles, of the distances from either surface to the other
        (Maier-Hein et al. 2024), each interpolated linearly between ranks.
        """
        if not self._is_defined:
            return _NAN
        sides = (self.predicted_mm, self.reference_mm)
        return max(float(np.percentile(side, percentile)) for side in sides)

    def surface_dice(self, tolerance_mm: float) -> float:
        r"""Return the normalised surface Dice: the share of both surfaces within a tolerance.

        .. math::
            \frac{|\{a \in S_A : d(a, S_B) \le \tau\}| + |\{b \in S_B : d(b, S_A) \le \tau\}|}
            {|S_A| + |S_B|}

        (Nikolov et al. 2021, J Med Internet Res 23:e26151; surface voxels are counted, as
        Maier-Hein et al. 2024 and MONAI do, where Nikolov weighs each by an area.) 0 where one
        mask is empty, NaN where both are.
        """
        return _share_within(
            self.predicted_mm, self.reference_mm, float(tolerance_mm) + _ROUNDING_MM
        )

    def surface_dice_voxels(self, voxels: int = 1) -> float:
        """Return the same with a tolerance in voxels: so many steps among the 26 neighbours."""
        return _share_within(self.predicted_voxels, self.reference_voxels, voxels)


def surface(mask: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the voxels (I, J, K) of a mask that have a face neighbour outside of it."""
    inside = np.asarray(mask) != 0
    return np.asarray(inside & ~ndimage.binary_erosion(inside))


def surface_distances(
    predicted: NDArray[Any], reference: NDArray[Any], affine: NDArray[Any]
) -> SurfaceDistances:
    """Measure the distances between the surfaces of two masks on one grid.

    Parameters
    ----------
    predicted, reference : (I, J, K) array
        Every value but 0 belongs to the mask.
    affine : (4, 4) or (3, 3) array
        From voxel indices to world mm; a translation does not matter.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    a, b = as_masks(predicted, reference)
    ijk_a, ijk_b = np.argwhere(surface(a)), np.argwhere(surface(b))
    axes = np.asarray(affine, dtype=float)[:3, :3].T
    mm_a, mm_b = ijk_a @ axes, ijk_b @ axes
    return SurfaceDistances(
        _nearest(mm_a, mm_b, 2),
        _nearest(mm_b, mm_a, 2),
        _nearest(ijk_a, ijk_b, np.inf),
        _nearest(ijk_b, ijk_a, np.inf),
    )


def centre_distance(
    predicted: NDArray[Any], reference: NDArray[Any], affine: NDArray[Any]
) -> float:
    """Return the distance between the centres of mass of two masks, mm.

    Parameters and errors as :func:`surface_distances`. NaN where a mask is empty.
    """
    a, b = as_masks(predicted, reference)
    if not (a.any() and b.any()):
        return _NAN
    apart = np.argwhere(a).mean(axis=0) - np.argwhere(b).mean(axis=0)
    return float(np.linalg.norm(np.asarray(affine, dtype=float)[:3, :3] @ apart))


def _nearest(points: NDArray[Any], others: NDArray[Any], norm: float) -> Floats:
    if not len(others):
        return np.full(len(points), np.inf)
    return np.asarray(cKDTree(others).query(points, p=norm)[0], dtype=float)


def _share_within(predicted: Floats, reference: Floats, tolerance: float) -> float:
    total = len(predicted) + len(reference)
    if not total:
        return _NAN
    return (int((predicted <= tolerance).sum()) + int((reference <= tolerance).sum())) / total
