"""A prediction and its reference, read onto one grid and made comparable."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image import Grid, Image, LabelImage, load_segmentation, on_grid_of
from sct_rootlets.inputs import remarks_of

__all__ = ["THRESHOLD", "Pair", "read_pair"]

#: Probability from which on a voxel belongs to the rootlets.
THRESHOLD = 0.5


@dataclass(frozen=True, eq=False)
class Pair:
    """A prediction and a reference on the grid of the reference.

    Attributes
    ----------
    predicted, reference : LabelImage
        Probabilities are cut at `THRESHOLD` and have the value 1.
    probability : (I, J, K) array or None
        Of a prediction that is probabilistic.
    has_levels : bool
        Whether both sides name levels; otherwise they are compared as one structure.
    remarks : tuple of str
        What had to be done to them.
    """

    predicted: LabelImage
    reference: LabelImage
    probability: NDArray[Any] | None
    has_levels: bool
    remarks: tuple[str, ...]

    @property
    def grid(self) -> Grid:
        """Grid of the reference, and of both."""
        return self.reference.grid


def read_pair(
    predicted: str | os.PathLike[str],
    reference: str | os.PathLike[str],
    only: Collection[SpinalLevel] | None = None,
) -> Pair:
    """Read a prediction and its reference.

    Either may be empty, stored in any orientation of the same grid, or probabilistic. `only`
    gives the levels to compare: all others are taken for background on both sides, as where
    the reference was not annotated beyond some level.

    Raises
    ------
    InputError
        If one cannot be read, holds a value that is no spinal level, or is on another grid.
    UsageError
        If levels are chosen of a side that names none.
    """
    wanted = load_segmentation(reference, "reference")
    found = on_grid_of(load_segmentation(predicted, "prediction"), wanted)
    remarks = list(remarks_of(found, wanted))
    sides = [_labels(side, remarks) for side in (found, wanted)]
    probability = None if isinstance(found, LabelImage) else found.data
    for side in sides:
        if max(side.labels, default=0) > SpinalLevel.S5.value:
            raise InputError(
                f"holds the value {max(side.labels)}, and spinal levels end at S5 = "
                f"{SpinalLevel.S5.value}",
                path=side.path,
                remedy="Give a segmentation of rootlets",
            )
    nameless = [Path(side.path).name for side in sides if side.labels == [1]]
    if nameless and only is not None:
        raise UsageError(
            "has no level identity (value 1 throughout), and levels are chosen with -level",
            path=nameless[0],
            remedy="Number the rootlets first, or leave -level away",
        )
    if only is not None:
        sides = [_restricted(side, only) for side in sides]
    if nameless:
        remarks.append(
            f"{' and '.join(nameless)} has no level identity (value 1 throughout): compared as "
            "one structure, as 'all' only"
        )
    return Pair(sides[0], sides[1], probability, not nameless, tuple(remarks))


def _restricted(side: LabelImage, only: Collection[SpinalLevel]) -> LabelImage:
    kept = np.isin(side.data, [level.value for level in only])
    return replace(side, data=np.where(kept, side.data, 0))


def _labels(side: Image, remarks: list[str]) -> LabelImage:
    if isinstance(side, LabelImage):
        return side
    remarks.append(f"{Path(side.path).name} holds probabilities and was cut at {THRESHOLD:g}")
    data = (side.data >= THRESHOLD).astype(np.int32)
    return LabelImage(data, side.grid, side.header, side.path)
