"""Transform files for the tests, written without the package."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from tests.orientations import oblique_affine

#: Signs between RAS+ and ITK's frame.
LPS = np.array([-1.0, -1.0, 1.0])


#: The affine of an oblique grid of unequal voxels, stored from left to right.
OBLIQUE = oblique_affine((-1.2, 0.9, 3.0), (17, 0, 11), (11, -7, 23))


def write_field(
    path: Path,
    displacement: NDArray[np.float64],
    affine: NDArray[np.float64],
    code: int | str = "vector",
) -> Path:
    """Write displacements (I, J, K, 3) as they are, in five dimensions with an intent."""
    nifti = nib.Nifti1Image(displacement[:, :, :, None, :].astype(np.float32), affine)
    nifti.set_sform(affine, 1)
    nifti.set_qform(affine, 1)
    nifti.header.set_intent(code)
    nib.save(nifti, path)
    return path
