"""Regions of a level: left and right, dorsal and ventral, grey and white.

The cord is divided where it is in the EPI: in every slice through its own middle, along its own
left and dorsal. A level has four quadrants; with the grey matter each quadrant is a horn and
the white matter around it.
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import Sector, Side
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.fmri.fractions import Fractions
from sct_rootlets.fmri.parcels import Parcel, Parcels, level_parcels
from sct_rootlets.image import Grid, Image, LabelImage, load_image, on_grid_of

__all__ = ["QUADRANTS", "SliceFrames", "colour_of_parcel", "load_grey_matter", "region_parcels"]

Floats = NDArray[np.float64]

#: Quadrants, in the order of their numbers 1 to 4.
QUADRANTS = (
    (Side.LEFT, Sector.DORSAL),
    (Side.RIGHT, Sector.DORSAL),
    (Side.LEFT, Sector.VENTRAL),
    (Side.RIGHT, Sector.VENTRAL),
)
#: What is added to 100 times the level's value and the number of the quadrant.
_TISSUES: dict[str | None, int] = {None: 0, "grey": 10, "white": 20}
#: Into how many parts a voxel is divided along each axis for its share of a quadrant.
_PARTS = 6
#: By how much a voxel has to lie more on one side to count as not cut in half.
_TIE = 1e-6


class SliceFrames:
    """The middle of the cord in every slice, and its left and dorsal there.

    Parameters
    ----------
    grid : Grid
    axis : int
        Axis that counts the slices.
    cord : (I, J, K) array
        How much of each voxel is cord.

    Attributes
    ----------
    centre, left, dorsal : (K, 3) arrays
        World mm and unit vectors; NaN in slices without cord.

    Notes
    -----
    The middle of a slice is the centroid of its cord. The curve through the middles gives the
    tangent, and :class:`~sct_rootlets.centerline.Centerline` the frame: left is the world's
    left as far as it is perpendicular to the cord, so that a head turned about the cord is not
    noticed. One slice alone has the direction of the slice axis.
    """

    def __init__(self, grid: Grid, axis: int, cord: NDArray[np.floating]) -> None:
        count = grid.shape[axis]
        self.centre = np.full((count, 3), np.nan)
        self.left, self.dorsal = self.centre.copy(), self.centre.copy()
        ijk = np.argwhere(cord > 0)
        weight = cord[tuple(ijk.T)].astype(np.float64)
        total = np.bincount(ijk[:, axis], weight, count)
        xyz = grid.world_from_ijk(ijk)
        known = np.flatnonzero(total)
        for k in range(3):
            sums = np.bincount(ijk[:, axis], weight * xyz[:, k], count)
            self.centre[known, k] = sums[known] / total[known]
        down = grid.affine[:3, axis] * -np.sign(grid.affine[2, axis])
        ordered = known if down @ grid.affine[:3, axis] > 0 else known[::-1]
        points = self.centre[ordered]
        if len(points) == 1:
            points = np.stack([points[0], points[0] + down])
        curve = Centerline.from_points(points)
        _, left, dorsal = curve.frame(curve.s_mm)
        self.left[ordered] = left[: len(ordered)]
        self.dorsal[ordered] = dorsal[: len(ordered)]

    def offsets(self, grid: Grid, ijk: Floats, slices: NDArray[np.intp]) -> Floats:
        """Return how far points (N, 3), in voxels, of `slices` (N,) lie left and dorsal, (N, 2)."""
        away = grid.world_from_ijk(ijk) - self.centre[slices]
        left = (away * self.left[slices]).sum(axis=1)
        return np.stack([left, (away * self.dorsal[slices]).sum(axis=1)], axis=1)


def region_parcels(
    fractions: Fractions,
    labels: LabelImage,
    *,
    cord: NDArray[np.floating] | None = None,
    grey_matter: NDArray[np.floating] | None = None,
) -> Parcels:
    """Divide levels into quadrants, and with the grey matter into horns and white matter.

    Parameters
    ----------
    fractions : Fractions
    labels : LabelImage
        Level of every voxel, on the same grid. A region's label lies within that of its level.
    cord : (I, J, K) array, optional
        Mask of the cord in the EPI, whose middle divides it; by default the mapped cord.
    grey_matter : (I, J, K) array, optional
        How much of each voxel is grey matter, 0 to 1.

    Returns
    -------
    Parcels
        Rostral to caudal, the quadrants in the order of `QUADRANTS`, horns before white matter.
        The weight of a region is the share of the level in the voxel, times the share of the
        voxel that lies in the quadrant, times that of the tissue. A voxel has the label of the
        region with the largest share; one that is cut exactly in half goes to either side in
        turn, as on a chess board, so that no side gains by it.

    Notes
    -----
    The number of a region is 100 times the value of its level, plus 1 to 4 for the quadrant,
    plus 10 for its grey and 20 for its white matter: 501 is C5_left_dorsal, 511
    C5_left_dorsal_horn.
    """
    levels = level_parcels(fractions, labels)
    whole = fractions.share.sum(axis=-1) if cord is None else np.asarray(cord, dtype=np.float64)
    if not len(levels.ijk):
        return Parcels((), levels.ijk, np.zeros((0, 0)), levels.label, levels.grid)
    # Slices that the mask leaves out, and that have a level all the same, are cut by the latter.
    missing = ~np.isin(np.arange(levels.grid.shape[fractions.axis]), _slices(whole, fractions.axis))
    if missing.any():
        broad = [-1 if a == fractions.axis else 1 for a in range(3)]
        whole = np.where(missing.reshape(broad), fractions.share.sum(axis=-1), whole)
    frames = SliceFrames(levels.grid, fractions.axis, whole)
    quadrant = _shares_of_quadrants(levels, frames, fractions.axis)
    tissues: list[tuple[str | None, Floats]] = [(None, np.ones(len(levels.ijk)))]
    if grey_matter is not None:
        grey = np.clip(np.asarray(grey_matter, np.float64)[tuple(levels.ijk.T)], 0, 1)
        tissues = [("grey", grey), ("white", 1 - grey)]
    # Shares of (tissue, quadrant) in every voxel, the same for every level.
    kinds = [(tissue, q) for tissue, _ in tissues for q in range(4)]
    share = np.concatenate([part[:, None] * quadrant for _, part in tissues], axis=1)
    weight = (levels.weight[:, :, None] * share[:, None, :]).reshape(len(share), -1)
    parcels = tuple(
        Parcel(100 * level.value + _TISSUES[tissue] + q + 1, level, *QUADRANTS[q], tissue)
        for level in fractions.levels
        for tissue, q in kinds
    )
    parity = np.where(levels.ijk.sum(axis=1) % 2, _TIE, -_TIE)
    signs = np.array([[1.0 if q in (0, 2) else -1.0 for _, q in kinds]])
    depth = np.array([[0.5 if q in (0, 1) else -0.5 for _, q in kinds]])
    best = (share + parity[:, None] * (signs + depth)).argmax(axis=1)
    label = np.where(levels.label < 0, -1, levels.label * len(kinds) + best)
    return Parcels(parcels, levels.ijk, weight, label, levels.grid)


def load_grey_matter(path: str | os.PathLike[str], reference: Image) -> Image:
    """Return the grey matter on the grid of `reference`: a mask, or probabilities from 0 to 1.

    Raises
    ------
    InputError
        If it cannot be read, is on another grid, or holds anything else.
    """
    image = load_image(path, "grey matter")
    if image.data.min() < 0 or image.data.max() > 1.001:
        raise InputError(
            f"holds values from {image.data.min():.3g} to {image.data.max():.3g}, and not from 0 "
            "to 1 (grey matter)",
            path=path,
            remedy="Give a mask of the grey matter, or its probability, as of sct_deepseg_gm or "
            "PAM50_gm warped to the EPI",
        )
    return on_grid_of(image, reference)


def colour_of_parcel(parcel: Parcel, colour: str) -> str:
    """Return a shade of the colour of its level: dorsal lighter, right duller.

    Examples
    --------
    >>> from sct_rootlets.anatomy import SpinalLevel
    >>> colour_of_parcel(Parcel(5, SpinalLevel.C5), "#0072B2")
    '#0072B2'
    >>> colour_of_parcel(Parcel(501, SpinalLevel.C5, *QUADRANTS[0]), "#0072B2")
    '#59A3CD'
    """
    if parcel.side is None:
        return colour
    rgb = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)], dtype=float)
    if parcel.sector is Sector.DORSAL:
        rgb += 0.35 * (255 - rgb)
    if parcel.side is Side.RIGHT:
        rgb *= 0.72
    if parcel.tissue == "white":
        rgb += 0.45 * (255 - rgb)
    return "#" + "".join(f"{int(value):02X}" for value in np.rint(rgb))


def _slices(cord: NDArray[np.floating], axis: int) -> NDArray[np.intp]:
    """Return the slices that hold cord."""
    across = tuple(a for a in range(3) if a != axis)
    return np.flatnonzero((cord > 0).any(axis=across))


def _shares_of_quadrants(levels: Parcels, frames: SliceFrames, axis: int) -> Floats:
    """Return the share of every voxel (N,) in each quadrant, (N, 4)."""
    counts = [1 if a == axis else _PARTS for a in range(3)]
    parts = (np.indices(counts).reshape(3, -1).T + 0.5) / counts - 0.5
    share = np.zeros((len(levels.ijk), 4))
    slices = levels.ijk[:, axis]
    for part in parts:
        offset = frames.offsets(levels.grid, levels.ijk + part, slices)
        # A part that the cut runs through exactly counts for both sides alike.
        left, dorsal = (0.5 * (1 + np.sign(np.round(offset, 6)))).T
        share += np.stack(
            [left * dorsal, (1 - left) * dorsal, left * (1 - dorsal), (1 - left) * (1 - dorsal)],
            axis=1,
        )
    return share / len(parts)
