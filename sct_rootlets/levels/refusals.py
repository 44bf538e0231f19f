"""Why no levels can be derived from what was given, and what to do about it."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from sct_rootlets.anatomy import PMJ_LABEL, SpinalLevel
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image import LabelImage, require_same_grid

__all__ = ["no_disc", "pmj_points", "require_levels", "require_rootlets"]


def require_rootlets(rootlets: LabelImage, cord: LabelImage) -> None:
    """Raise unless the masks share a grid, are not swapped, and there are rootlets."""
    require_same_grid(cord, rootlets)
    _refuse_swapped(rootlets, cord)
    if not rootlets.labels:
        raise InputError("is empty: it has no rootlet voxel", path=rootlets.path)


def require_levels(rootlets: LabelImage) -> None:
    """Raise unless all values of the rootlets are spinal levels."""
    known = {level.value for level in SpinalLevel}
    if not set(rootlets.labels) <= known:
        raise InputError(
            f"has values that are no spinal levels: "
            f"{[v for v in rootlets.labels if v not in known][:5]}",
            path=rootlets.path,
            remedy="Spinal levels are C1-C8 = 1-8, T1 = 9, ... S5 = 30",
        )


def pmj_points(pmj: LabelImage) -> NDArray[np.float64]:
    """Return the world points (N, 3) of the PMJ; a lone label is meant, whatever its value.

    Raises
    ------
    InputError
        If there are several labels, and none is that of the PMJ.
    """
    label = PMJ_LABEL if PMJ_LABEL in pmj.labels else None
    if label is None and len(pmj.labels) != 1:
        raise InputError(f"has no PMJ label ({PMJ_LABEL}) among {pmj.labels}", path=pmj.path)
    return pmj.points_world(label)


def no_disc(discs: LabelImage | None, rootlets: LabelImage) -> UsageError:
    """Return the error of rootlets without a level, with no disc that would name them."""
    found = "" if discs is None else f"; {discs.path} has none (labels {discs.labels})"
    return UsageError(
        "the rootlets carry no level identity (their only value is 1), and looks alone do not "
        f"tell one level from the next: at least one disc label is needed{found}",
        path=rootlets.path,
        remedy="Give -discs with at least one disc label (C2/C3 = 3), -vertfile, or -c2c3 x,y,z",
    )


def _refuse_swapped(rootlets: LabelImage, cord: LabelImage) -> None:
    """Raise unless `cord` looks more like a cord than `rootlets` does.

    A cord is one part that holds nearly all voxels and is solid: eroding it leaves much.
    Rootlets come in many thin parts, and around the cord.
    """
    if _solidity(rootlets) > 0.3 and _solidity(cord) < 0.1:
        raise UsageError(
            f"{rootlets.path} looks like the cord mask and {cord.path} like the rootlets",
            remedy="Swap them: -i takes the rootlets, -s the cord mask",
        )


def _solidity(labels: LabelImage) -> float:
    """Share of the voxels that is in the largest part and not on its surface in a slice."""
    ijk = np.argwhere(np.asarray(labels.data) > 0)
    if len(ijk) == 0:
        return 0.0
    ijk -= ijk.min(axis=0) - 1
    box = np.zeros(ijk.max(axis=0) + 2, dtype=bool)
    box[tuple(ijk.T)] = True
    parts, _ = scipy.ndimage.label(box, structure=np.ones((3, 3, 3)))
    sizes = np.bincount(parts.ravel())[1:]
    largest = parts == int(sizes.argmax()) + 1
    return float(scipy.ndimage.binary_erosion(largest).sum() / sizes.sum())
