"""Tell the spinal cord from what else a coarse network may take for it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["clean_cord", "stray"]

#: Plausible mean cross-section of a cord found at 2 mm, in mm^2 (adults: 40 to 110).
AREA_MM2 = (12.0, 250.0)

#: A cord is at least this long, in mm, unless its view is short.
LENGTH_MM = 20.0

#: A cord is at least this many times as long as wide, unless its view is short.
ELONGATION = 1.5

#: In a field of view shorter than this along the last axis, in mm, a cord that crosses it
#: need not be elongated, but lies within `CROSSING_MM` across.
SHORT_VIEW_MM, CROSSING_MM = 40.0, 30.0

#: A piece this far, in mm, from the end of the cord may continue it.
GAP_MM = 25.0

_CORNERS = np.ones((3, 3, 3), dtype=bool)


def clean_cord(
    mask: NDArray[np.bool_], spacing_mm: NDArray[np.float64]
) -> NDArray[np.bool_] | None:
    """Keep the most plausible elongated component, and pieces that continue it.

    Parameters
    ----------
    mask : (X, Y, Z) bool array
        Candidate voxels, with the last axis closest to superior/inferior.
    spacing_mm : (3,) array

    Returns
    -------
    (X, Y, Z) bool array or None
        None where nothing looks like a cord.
    """
    labels, count = ndimage.label(mask, structure=_CORNERS)
    if count == 0:
        return None
    sizes = np.bincount(labels.ravel())[1:]
    pieces = []
    for label in np.argsort(sizes, kind="stable")[::-1][:20] + 1:
        piece = _Piece(label, np.argwhere(labels == label), spacing_mm)
        if piece.is_plausible(mask.shape[2] * float(spacing_mm[2])):
            pieces.append(piece)
    main = next((piece for piece in pieces if piece.is_cord), None)
    if main is None:
        return None
    kept, low, high, ends = [main.label], main.low_mm, main.high_mm, [main]
    for piece in pieces:
        overlap = min(high, piece.high_mm) - max(low, piece.low_mm)
        apart = min(piece.distance_mm(other) for other in ends)
        if piece is main or overlap > 0.3 * (piece.high_mm - piece.low_mm) or apart > GAP_MM:
            continue
        kept.append(piece.label)
        ends.append(piece)
        low, high = min(low, piece.low_mm), max(high, piece.high_mm)
    return np.isin(labels, kept)


class _Piece:
    """A connected component and its measures."""

    def __init__(self, label: int, ijk: NDArray[np.intp], spacing_mm: NDArray[np.float64]) -> None:
        self.label = int(label)
        xyz = ijk * spacing_mm
        self.volume_mm3 = len(ijk) * float(np.prod(spacing_mm))
        centred = xyz - xyz.mean(axis=0)
        _, axes = np.linalg.eigh(centred.T @ centred)
        along = centred @ axes[:, -1]
        voxel = float(spacing_mm.max())
        self.length_mm = float(np.ptp(along)) + voxel
        self.breadth_mm = float(np.ptp(centred @ axes[:, -2])) + voxel
        self.across_mm = float(np.ptp(xyz[:, :2], axis=0).max()) + voxel
        half = float(spacing_mm[2]) / 2
        self.low_mm = float(xyz[:, 2].min()) - half
        self.high_mm = float(xyz[:, 2].max()) + half
        order = np.argsort(along)
        tip = max(1, len(order) // 20)
        self._ends = np.array([xyz[order[:tip]].mean(axis=0), xyz[order[-tip:]].mean(axis=0)])
        self.is_cord = False

    def is_plausible(self, view_mm: float) -> bool:
        """Say whether it may be cord or a piece of it, and set `is_cord` if it can stand alone.

        A bent cord is broader than its cross-section, but less than it is long; a plate
        is not.
        """
        height = self.high_mm - self.low_mm
        crosses = (
            view_mm < SHORT_VIEW_MM and height >= 0.8 * view_mm and self.across_mm <= CROSSING_MM
        )
        length = height if crosses else self.length_mm
        fits = AREA_MM2[0] <= self.volume_mm3 / length <= AREA_MM2[1]
        upright = height >= 0.5 * self.length_mm
        long = upright and length >= max(LENGTH_MM, ELONGATION * self.breadth_mm)
        self.is_cord = fits and (long or crosses)
        return fits and length >= LENGTH_MM / 3

    def distance_mm(self, other: _Piece) -> float:
        """Return the smallest distance between its ends and those of `other`."""
        apart = self._ends[:, None] - other._ends[None]
        return float(np.sqrt((apart**2).sum(axis=-1)).min())


def stray(decided: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the voxels of components smaller than a twentieth of the largest.

    Parameters
    ----------
    decided : (Z, Y, X) bool array
        Voxels whose most probable class is cord.
    """
    labels, count = ndimage.label(decided, structure=_CORNERS)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    small = sizes < 0.05 * sizes.max()
    small[0] = False
    result: NDArray[np.bool_] = small[labels]
    return result
