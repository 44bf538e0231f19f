"""All figures of one prediction against one reference: a row a level, and one for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.image import Grid
from sct_rootlets.levels.axial_slices import superior_axis
from sct_rootlets.metrics.overlap import as_masks, box_of, dice, precision, recall
from sct_rootlets.metrics.slice_agreement import f1_slice
from sct_rootlets.metrics.surfaces import centre_distance, surface_distances

__all__ = ["LevelAgreement", "compare"]


@dataclass(frozen=True)
class LevelAgreement:
    """Agreement of one level, or of all levels together.

    Attributes
    ----------
    level : SpinalLevel or None
        None for all together: the rootlets as one structure, whatever their level.
    dice, precision, recall : float
        Of voxels; see :mod:`sct_rootlets.metrics.overlap`.
    f1_slice : float
        Of axial slices; see :mod:`sct_rootlets.metrics.slice_agreement`.
    hd95_mm, assd_mm, nsd_1vox, nsd_1mm : float
        Of surfaces; see :mod:`sct_rootlets.metrics.surfaces`.
    centre_distance_mm : float
        Between the centres of mass.
    n_pred, n_ref : int
        Voxels of either side.

    What is not defined is NaN: distances, where a side is empty; precision, where the
    prediction is; recall, where the reference is; everything, where both are.
    """

    level: SpinalLevel | None
    dice: float
    f1_slice: float
    precision: float
    recall: float
    hd95_mm: float
    assd_mm: float
    nsd_1vox: float
    nsd_1mm: float
    centre_distance_mm: float
    n_pred: int
    n_ref: int

    @property
    def is_missed(self) -> bool:
        """Whether the reference has it and the prediction does not."""
        return self.n_ref > 0 and self.n_pred == 0

    @property
    def is_invented(self) -> bool:
        """Whether the prediction has it and the reference does not."""
        return self.n_pred > 0 and self.n_ref == 0


def compare(
    predicted: NDArray[Any], reference: NDArray[Any], grid: Grid, *, by_level: bool = True
) -> tuple[LevelAgreement, ...]:
    """Compare a prediction with a reference, level by level and as a whole.

    Parameters
    ----------
    predicted, reference : (I, J, K) integer array
        Spinal level values, 0 for background; both on `grid`.
    grid : Grid
    by_level : bool
        Whether the values are levels. If not, there is only the row of all together.

    Returns
    -------
    tuple of LevelAgreement
        Levels that either side has, rostral to caudal, and then all together.

    Raises
    ------
    ValueError
        If the shapes differ, or a value is no spinal level.
    """
    a, b = as_masks(predicted, reference)
    box = box_of(a | b)
    found, wanted = np.asarray(predicted)[box], np.asarray(reference)[box]
    rows = []
    if by_level:
        values = np.union1d(found, wanted)
        for value in values[values != 0]:
            level = SpinalLevel(int(value))
            rows.append(_agreement(level, found == value, wanted == value, grid))
    return (*rows, _agreement(None, found != 0, wanted != 0, grid))


def _agreement(
    level: SpinalLevel | None,
    found: NDArray[np.bool_],
    wanted: NDArray[np.bool_],
    grid: Grid,
) -> LevelAgreement:
    surfaces = surface_distances(found, wanted, grid.affine)
    return LevelAgreement(
        level=level,
        dice=dice(found, wanted),
        f1_slice=f1_slice(found, wanted, superior_axis(grid)[0]),
        precision=precision(found, wanted),
        recall=recall(found, wanted),
        hd95_mm=surfaces.hausdorff_mm(95),
        assd_mm=surfaces.assd_mm,
        nsd_1vox=surfaces.surface_dice_voxels(1),
        nsd_1mm=surfaces.surface_dice(1.0),
        centre_distance_mm=centre_distance(found, wanted, grid.affine),
        n_pred=int(found.sum()),
        n_ref=int(wanted.sum()),
    )
