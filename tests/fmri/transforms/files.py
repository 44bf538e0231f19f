"""Transform files for the tests, written without the package."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

#: Signs between RAS+ and ITK's frame.
LPS = np.array([-1.0, -1.0, 1.0])


def oblique_affine() -> NDArray[np.float64]:
    """Return the affine of an oblique grid of unequal voxels, stored from left to right."""
    a, b = 0.3, 0.2
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = about_x @ about_z @ np.diag([-1.2, 0.9, 3.0])
    affine[:3, 3] = (11, -7, 23)
    return affine


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
