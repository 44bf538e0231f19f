"""Transforms from files, told apart by what is in them.

===================================  =====================================================
``warp.nii.gz``                      displacement field of ITK, ANTs or SCT
``affine.mat``, ``affine.txt``       ITK transform file, binary or text
``flirt.mat,source,reference``       matrix of FSL's FLIRT, with the two images it is for
``matrix.txt``                       4x4 numbers: source world mm from destination world mm
===================================  =====================================================
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.fmri.transforms.chain import Affine, Chain, Transform
from sct_rootlets.fmri.transforms.field import read_field
from sct_rootlets.fmri.transforms.fsl import world_from_flirt
from sct_rootlets.fmri.transforms.itk import is_itk, read_itk_affine
from sct_rootlets.pointers import absent
from sct_rootlets.tables import read_matrix

__all__ = ["files_of", "read_chain", "read_transform"]

Word = str | os.PathLike[str]

#: By more than this no affine between images stretches or shrinks, or moves, mm.
_MOST_SCALE, _FARTHEST_MM = 100, 10_000.0


def read_chain(words: Sequence[Word], inverted: Sequence[Word] = ()) -> Chain:
    """Read transforms and compose them as ``sct_apply_transfo`` does.

    Parameters
    ----------
    words : sequence of path-like
        From the source to the destination, as of :func:`read_transform`.
    inverted : sequence of path-like
        Those of `words` to invert first; affines only.

    Raises
    ------
    InputError
        If a file is missing or no transform.
    UsageError
        If an entry of `inverted` is not among `words`, or is a displacement field.
    MissingDependencyError
        If an ITK affine is given and SimpleITK is not installed.
    """
    names, turned = [os.fspath(word) for word in words], {os.fspath(word) for word in inverted}
    foreign = sorted(turned - set(names))
    if foreign:
        raise UsageError(
            f"{', '.join(foreign)} is to be inverted and is not among the transforms",
            remedy="Name it with -w too, as for sct_apply_transfo",
        )
    steps: list[Transform] = []
    for name in names:
        step = read_transform(name)
        steps.append(step.inverse() if name in turned else step)
    return Chain(tuple(steps))


def files_of(word: Word) -> list[str]:
    """Return the files that one word names: one, or three for FLIRT's matrices."""
    text = os.fspath(word)
    return [text] if os.path.exists(text) else text.split(",")


def read_transform(word: Word) -> Transform:
    """Read one transform.

    Parameters
    ----------
    word : path-like
        A file of the table above; ``matrix,source,reference`` for FLIRT's.

    Raises
    ------
    InputError, UsageError, MissingDependencyError
        As :func:`read_chain`.
    """
    matrix, *images = files_of(word)
    path = Path(matrix)
    if not path.exists():
        problem, remedy = absent(path)
        raise InputError(f"{problem} (transform)", path=path, remedy=remedy)
    if path.is_dir() or path.stat().st_size == 0:
        raise InputError("is a folder or empty, not a transform", path=path)
    if path.name.lower().endswith((".nii", ".nii.gz")):
        return read_field(path)
    if images:
        if len(images) != 2:
            raise UsageError(
                f"{os.fspath(word)} is not a matrix and two images",
                remedy="Give a matrix of FSL as matrix.mat,source.nii.gz,reference.nii.gz",
            )
        return Affine(world_from_flirt(_matrix(path), *images), matrix)
    if is_itk(path):
        return Affine(_usable(read_itk_affine(path), path), matrix)
    numbers = _matrix(path)
    if path.suffix.lower() == ".mat":
        raise UsageError(
            "is a 4x4 matrix in a .mat file, as FSL's FLIRT writes them, and its images are not "
            "given",
            path=path,
            remedy=f"Give {path.name},SOURCE,REFERENCE with the images of flirt's -in and -ref, or "
            "call the file .txt if it maps world mm of the destination to world mm of the source",
        )
    return Affine(numbers, matrix)


def _matrix(path: Path) -> NDArray[np.float64]:
    """Read 4x4 numbers of an affine that has an inverse."""
    try:
        matrix = np.array(read_matrix(path))
    except InputError as error:
        raise InputError(
            f"is no transform that is known here: {error.problem}",
            path=path,
            remedy=error.remedy
            or "Give an ITK affine (.mat, .txt), a displacement field (.nii.gz), a matrix of "
            "FSL with its two images, or a text file of 4x4 numbers",
        ) from error
    if matrix.shape != (4, 4) or not np.allclose(matrix[3], (0, 0, 0, 1)):
        raise InputError(
            f"holds {matrix.shape[0]}x{matrix.shape[1]} numbers that are no affine of 4x4",
            path=path,
            remedy="An affine's last row is 0 0 0 1",
        )
    return _usable(matrix, path)


def _usable(matrix: NDArray[np.float64], path: Path) -> NDArray[np.float64]:
    """Return an affine (4, 4), if it may be one between two images of a person."""
    if not np.isfinite(matrix).all():
        raise InputError("holds an affine with an entry that is no finite number", path=path)
    farthest = float(np.abs(matrix[:3, 3]).max())
    if farthest > _FARTHEST_MM:
        raise InputError(f"holds an affine that moves by {farthest:.3g} mm", path=path)
    scales = np.linalg.svd(matrix[:3, :3], compute_uv=False)
    if scales[-1] < 1e-9 * scales[0]:
        raise InputError("holds an affine without an inverse", path=path)
    if scales[-1] < 1 / _MOST_SCALE or scales[0] > _MOST_SCALE:
        raise InputError(
            f"holds an affine that makes {scales[-1]:.3g} to {scales[0]:.3g} mm of 1 mm, and no "
            f"two images of a person differ by a factor of more than {_MOST_SCALE}",
            path=path,
            remedy="It has to map mm to mm, not voxels",
        )
    return matrix
