"""FSL's affines, which count in scaled voxels of the two images they are for."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.image import Grid, load_grid

__all__ = ["flirt_from_ijk", "world_from_flirt"]

Floats = NDArray[np.float64]


def world_from_flirt(
    matrix: Floats, source: str | os.PathLike[str], reference: str | os.PathLike[str]
) -> Floats:
    """Return FLIRT's matrix as world mm of the source from world mm of the reference, (4, 4).

    Parameters
    ----------
    matrix : (4, 4) array
        Of ``flirt -omat``: FSL's coordinates of the reference from those of the source.
    source, reference : path-like
        Images of flirt's ``-in`` and ``-ref``.

    Raises
    ------
    InputError
        If an image cannot be read.
    """
    moving, fixed = load_grid(source, "FSL's -in"), load_grid(reference, "FSL's -ref")
    to_moving = moving.affine @ np.linalg.inv(flirt_from_ijk(moving))
    to_fixed = fixed.affine @ np.linalg.inv(flirt_from_ijk(fixed))
    return np.asarray(to_moving @ np.linalg.inv(matrix) @ np.linalg.inv(to_fixed))


def flirt_from_ijk(grid: Grid) -> Floats:
    """Return FSL's coordinates from voxel indices, (4, 4).

    They are mm from the first voxel. Where the affine has a positive determinant
    ("neurological" storage), the first axis is counted from its other end.

    Source: https://fsl.fmrib.ox.ac.uk/fsl/docs/#/registration/flirt/faq ("What is the format
    of the matrix used by FLIRT").
    """
    scaled = np.diag([*grid.spacing_mm, 1.0])
    if np.linalg.det(grid.affine[:3, :3]) > 0:
        scaled[0, 3] = (grid.shape[0] - 1) * grid.spacing_mm[0]
        scaled[0, 0] *= -1
    return scaled
