"""Levels of rootlets that are segmented already: no network takes part."""

from __future__ import annotations

import numpy as np

from sct_rootlets.errors import UsageError
from sct_rootlets.inputs import LabelsLike, Landmarks, files_of, read_cord, read_rootlets
from sct_rootlets.levels import LevelOptions, derive
from sct_rootlets.result import LevelsResult

__all__ = ["levels"]


def levels(
    rootlets: LabelsLike | None,
    cord: LabelsLike,
    *,
    landmarks: Landmarks = Landmarks(),
    options: LevelOptions = LevelOptions(),
) -> LevelsResult:
    """Derive spinal levels from a segmentation of rootlets that is there already.

    Parameters
    ----------
    rootlets : path-like or LabelImage, or None
        Spinal level values; or the single value 1, for rootlets without level identity.
        None predicts the levels from the vertebrae alone.
    cord : path-like or LabelImage
        With the voxels of the rootlets, in any orientation.
    landmarks : Landmarks
        Vertebrae and PMJ, as files or images.
    options : LevelOptions
        The definition of a level, and what goes with it.

    Returns
    -------
    LevelsResult

    Raises
    ------
    InputError
        If an input cannot be used.
    UsageError
        If inputs are swapped, there are neither rootlets nor vertebrae, or rootlets without
        level identity come without vertebrae.
    """
    rootlets_ = None if rootlets is None else read_rootlets(rootlets)
    cord_ = read_cord(cord, rootlets_)
    found = landmarks.read(cord_)
    if rootlets_ is None and not found.name_levels:
        raise UsageError(
            "there is nothing to derive levels from",
            remedy="Give rootlets with -i, or vertebrae with -discs or -vertfile, from which "
            "levels are predicted with less certainty",
        )
    if rootlets_ is not None and np.array_equal(rootlets_.data != 0, cord_.data != 0):
        raise UsageError(
            f"has the same voxels as {cord_.path}, the cord mask",
            path=rootlets_.path,
            remedy="Give the rootlets with -i and the cord mask with -s",
        )
    return LevelsResult(
        derived=derive(rootlets_, cord_, found, options),
        cord=cord_,
        discs=found.discs,
        sources=files_of(rootlets_, cord_, *found.images),
        parameters={**options.parameters, **found.parameters},
    )
