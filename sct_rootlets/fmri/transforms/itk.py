"""ITK's affines, of whatever kind, in binary (.mat) and text (.txt) files.

SimpleITK reads them: a file may hold an affine, a rotation by Euler's angles or a versor, a
similarity or a shift, each with parameters of its own and a centre. It comes with nnU-Net, and
so with SCT.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.errors import InputError, MissingDependencyError

__all__ = ["is_itk", "read_itk_affine"]

_TEXT = b"#Insight Transform File"


def is_itk(path: Path) -> bool:
    """Say whether a file may be ITK's: its text starts so, or it is no text at all."""
    with path.open("rb") as file:
        start = file.read(512)
    return start.startswith(_TEXT) or b"\0" in start


def read_itk_affine(path: Path) -> NDArray[np.float64]:
    """Read an affine of ITK as source from destination, world mm RAS+, (4, 4).

    Raises
    ------
    MissingDependencyError
        If SimpleITK is not installed.
    InputError
        If the file cannot be read, or holds something else than one affine of 3D.
    """
    try:
        import SimpleITK
    except ImportError:
        raise MissingDependencyError(
            "is an affine of ITK, and SimpleITK, which reads it, is not installed",
            path=path,
            remedy="Install it with: pip install 'sct_rootlets[fmri]'",
        ) from None
    try:
        transform: Any = SimpleITK.ReadTransform(str(path))
    except RuntimeError as error:
        raise InputError("cannot be read as a transform of ITK", path=path) from error
    if transform.GetDimension() != 3 or not transform.IsLinear():
        raise InputError(
            f"holds a {transform.GetName()} of {transform.GetDimension()} dimensions, and an "
            "affine of 3 is needed",
            path=path,
            remedy="Give its affines and its displacement fields as files of their own",
        )
    lps = np.eye(4)
    lps[:3, 3] = transform.TransformPoint((0.0, 0.0, 0.0))
    for axis in range(3):
        unit = [0.0, 0.0, 0.0]
        unit[axis] = 1.0
        lps[:3, axis] = np.array(transform.TransformPoint(unit)) - lps[:3, 3]
    ras_from_lps = np.diag([-1.0, -1.0, 1.0, 1.0])
    return np.asarray(ras_from_lps @ lps @ ras_from_lps)
