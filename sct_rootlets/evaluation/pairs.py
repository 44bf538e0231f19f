"""A prediction and its reference, read onto one grid and made comparable."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid, Image, LabelImage, load_segmentation, on_grid_of

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


def read_pair(predicted: str | os.PathLike[str], reference: str | os.PathLike[str]) -> Pair:
    """Read a prediction and its reference.

    Either may be empty, stored in any orientation of the same grid, or probabilistic.

    Raises
    ------
    InputError
        If one cannot be read, holds a value that is no spinal level, or is on another grid.
    """
    wanted = load_segmentation(reference, "reference")
    found = on_grid_of(load_segmentation(predicted, "prediction"), wanted)
    remarks: list[str] = []
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
    if nameless:
        remarks.append(
            f"{' and '.join(nameless)} has no level identity (value 1 throughout): compared as "
            "one structure, as 'all' only"
        )
    return Pair(sides[0], sides[1], probability, not nameless, tuple(remarks))


def _labels(side: Image, remarks: list[str]) -> LabelImage:
    if isinstance(side, LabelImage):
        return side
    remarks.append(f"{Path(side.path).name} holds probabilities and was cut at {THRESHOLD:g}")
    data = (side.data >= THRESHOLD).astype(np.int32)
    return LabelImage(data, side.grid, side.header, side.path)
