"""A mask of the spinal cord, refused where no cord is of its size."""

from __future__ import annotations

import os

import numpy as np

from sct_rootlets.errors import InputError
from sct_rootlets.image.grid import Image, LabelImage
from sct_rootlets.image.reading import load_mask, load_share

__all__ = ["load_cord", "load_cord_share", "require_cord_size"]

#: A cord is 12 to 14 mm wide at its widest (Frostell et al. 2016), and cut at 45 degrees half as
#: much more; with its medulla some 450 mm long.
_WIDEST_MM, _LONGEST_MM = 25.0, 600.0


def load_cord(path: str | os.PathLike[str], role: str = "cord mask") -> LabelImage:
    """Load a mask of the cord; errors as of :func:`load_mask` and :func:`require_cord_size`."""
    mask = load_mask(path, role)
    require_cord_size(mask)
    return mask


def load_cord_share(path: str | os.PathLike[str], role: str = "cord mask") -> Image:
    """Load the share of the cord; errors as of :func:`load_share` and `require_cord_size`."""
    share = load_share(path, role)
    require_cord_size(share)
    return share


def require_cord_size(cord: Image) -> None:
    """Raise an `InputError` if a mask is wider or longer than any spinal cord.

    Its width is the median over its axial slices of its larger side there, so that a few stray
    voxels or a slice through the brain stem do not count.
    """
    axis = int(np.argmax(np.abs(cord.grid.affine[2, :3] / cord.grid.spacing_mm)))
    inside = np.asarray(cord.data) >= 0.5 if cord.data.dtype.kind == "f" else cord.data != 0
    sides, filled = [], np.zeros(0, dtype=np.intp)
    for other in (a for a in range(3) if a != axis):
        # (slices, positions along the other axis)
        flat = np.asarray(inside.any(axis=3 - axis - other))
        seen = flat if axis < other else flat.T
        filled = np.flatnonzero(seen.any(axis=1))
        first = seen[filled].argmax(axis=1)
        last = seen.shape[1] - 1 - seen[filled, ::-1].argmax(axis=1)
        sides.append((last - first + 1) * float(cord.grid.spacing_mm[other]))
    if not len(filled):
        return
    width = float(np.median(np.maximum(*sides)))
    length = float(filled[-1] - filled[0] + 1) * float(cord.grid.spacing_mm[axis])
    for is_wrong, said, most in (
        (width > _WIDEST_MM, f"{width:.0f} mm wide", _WIDEST_MM),
        (length > _LONGEST_MM, f"{length:.0f} mm long", _LONGEST_MM),
    ):
        if is_wrong:
            voxels = "x".join(f"{mm:.3g}" for mm in cord.grid.spacing_mm)
            raise InputError(
                f"is {said} (its voxels are of {voxels} mm by its header), and no spinal cord is "
                f"more than {most:.0f} mm",
                path=cord.path,
                remedy="If it is a mask of the cord alone, its header gives the voxels a wrong "
                "size: correct it",
            )
