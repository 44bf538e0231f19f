"""Displacement fields as ITK, ANTs and SCT write them: vectors in NIfTI files.

They are read with nibabel. SimpleITK reads them as well, and the tests compare the two on a
real field; it refuses grids whose axes are not exactly at right angles, takes the qform where
the rest of this package takes the sform, and is a large installation for a few lines.
nitransforms interpolates with cubic splines, which spread the number that stands for "no
answer" (3.4e38, all over the real field) over the rest, and are not what ITK applies.
"""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import SpatialImage

from sct_rootlets.errors import InputError
from sct_rootlets.fmri.transforms.chain import DisplacementField
from sct_rootlets.image import GRID_TOLERANCE_MM, Grid

__all__ = ["read_field"]

#: NIfTI's codes of what a vector is, and the signs that turn it into RAS+. ITK writes vectors
#: in its own frame, LPS; displacements by the name of NIfTI are RAS+, and ITK reads them so.
_SIGNS = {1007: (-1.0, -1.0, 1.0), 1006: (1.0, 1.0, 1.0)}
#: No point of a body is moved farther, mm. ITK writes 3.4e38 where it knows no displacement.
_FARTHEST_MM = 1e5
_REMEDY = (
    "Give a warping field of sct_register_multimodal or antsRegistration: 5 dimensions "
    "(I, J, K, 1, 3) with the intent 'vector'"
)


def read_field(path: Path) -> DisplacementField:
    """Read a displacement field.

    Raises
    ------
    InputError
        If the file cannot be read, is no displacement field, or contradicts itself.
    """
    try:
        nifti = nib.load(path, mmap=False)
        values = np.asarray(nifti.dataobj, dtype=np.float32)
    except (ImageFileError, OSError, EOFError, ValueError) as error:
        raise InputError("cannot be read as a NIfTI file (transform)", path=path) from error
    if not isinstance(nifti, SpatialImage) or values.ndim != 5 or values.shape[3:] != (1, 3):
        size = "x".join(str(n) for n in values.shape)
        raise InputError(f"is no displacement field: it is {size}", path=path, remedy=_REMEDY)
    code = int(nifti.header["intent_code"])
    if code not in _SIGNS:
        raise InputError(
            f"is no displacement field by its header: its intent is {code}, not 1007 (vector)",
            path=path,
            remedy=_REMEDY,
        )
    affine = np.asarray(nifti.affine, dtype=float)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise InputError("has no valid orientation: its affine is singular", path=path)
    shape = (values.shape[0], values.shape[1], values.shape[2])
    grid = Grid(shape, affine)
    _require_one_frame(nifti, grid, path)
    displacement = values[:, :, :, 0] * np.array(_SIGNS[code], dtype=np.float32)
    unknown = ~(np.abs(displacement) < _FARTHEST_MM).all(axis=-1)
    if unknown.all():
        raise InputError("is a displacement field without a single displacement", path=path)
    displacement[unknown] = np.nan
    return DisplacementField(grid, displacement, str(path))


def _require_one_frame(nifti: SpatialImage, grid: Grid, path: Path) -> None:
    """Raise if qform and sform differ: ITK takes the one, nibabel the other."""
    qform, code = nifti.header.get_qform(coded=True)
    if not code or not nifti.header.get_sform(coded=True)[1]:
        return
    if not grid.matches(Grid(grid.shape, np.asarray(qform, dtype=float)), 4 * GRID_TOLERANCE_MM):
        raise InputError(
            "has a qform and an sform that differ, so that its place is not certain",
            path=path,
            remedy="Set one to the other, for example with sct_image -set-sform-to-qform",
        )
