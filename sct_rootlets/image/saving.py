"""An image written with the header that it was read with."""

from __future__ import annotations

import os

import nibabel as nib
import numpy as np

from sct_rootlets.image.grid import Image

__all__ = ["save"]


def save(image: Image, path: str | os.PathLike[str]) -> None:
    """Write `image` as NIfTI, labels in the smallest unsigned integer that holds them.

    The header it was read with is kept, so that qform, sform and their codes survive.
    """
    data = np.asarray(image.data)
    if data.dtype.kind in "biu":
        data = data.astype(np.min_scalar_type(int(data.max(initial=0))))
        if data.dtype.itemsize > 2:
            data = data.astype(np.int32)
    else:
        data = data.astype(np.float32)
    if image.header is None:
        nifti = nib.Nifti1Image(data, image.grid.affine)
        nifti.set_qform(image.grid.affine, code=1)
        nifti.set_sform(image.grid.affine, code=1)
    else:
        header = image.header.copy()
        header.set_data_shape(data.shape)
        header["cal_min"] = header["cal_max"] = 0
        header["scl_slope"], header["scl_inter"] = 1, 0
        # With affine=None nibabel leaves qform and sform exactly as the header has them.
        nifti = nib.Nifti1Image(data, None, header)
    nifti.set_data_dtype(data.dtype)
    nib.save(nifti, os.fspath(path))
