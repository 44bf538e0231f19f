"""Displacement fields as ITK, ANTs and SCT write them: vectors in NIfTI files.

They are read with nibabel. SimpleITK reads them as well, and the tests compare the two on a
real field; it refuses grids whose axes are not exactly at right angles, takes the qform where
the rest of this package takes the sform, and is a large installation for a few lines.
nitransforms interpolates with cubic splines, which spread the number that stands for "no
answer" (3.4e38, all over the real field) over the rest, and are not what ITK applies.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sct_rootlets.errors import InputError
from sct_rootlets.fmri.transforms.chain import DisplacementField
from sct_rootlets.image import open_nifti, voxels_of

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
    opened = open_nifti(path, "transform")
    if len(opened.shape) != 5 or opened.shape[3:] != (1, 3):
        size = "x".join(str(n) for n in opened.shape)
        raise InputError(f"is no displacement field: it is {size}", path=path, remedy=_REMEDY)
    code = int(opened.nifti.header["intent_code"])
    if code not in _SIGNS:
        raise InputError(
            f"is no displacement field by its header: its intent is {code}, not 1007 (vector)",
            path=path,
            remedy=_REMEDY,
        )
    if opened.itk_grid is not None:
        raise InputError(
            f"has a qform and an sform that {opened.grid.differs_by(opened.itk_grid)}, so that "
            "its place is not certain",
            path=path,
            remedy="Set one to the other, for example with sct_image -set-sform-to-qform",
        )
    values = np.asarray(voxels_of(opened, ()), dtype=np.float32)[:, :, :, 0]
    displacement = values * np.array(_SIGNS[code], dtype=np.float32)
    unknown = ~(np.abs(displacement) < _FARTHEST_MM).all(axis=-1)
    if unknown.all():
        raise InputError("is a displacement field without a single displacement", path=path)
    displacement[unknown] = np.nan
    return DisplacementField(opened.grid, displacement, str(path), opened.remarks)
