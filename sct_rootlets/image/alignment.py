"""Two images on one grid: turned, required, or resampled."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TypeVar

import numpy as np

from sct_rootlets.errors import InputError
from sct_rootlets.image.grid import ROUNDING_VOXELS, Grid, Image, LabelImage

__all__ = ["on_grid_of", "require_one_world", "require_same_grid", "resample_labels"]

#: Grids that are apart by less than this are the same without a word: headers hold single
#: precision, some 1e-5 mm at the far end of an image.
_SAID_VOXELS, _SAID_MM = 0.01, 1e-3

_ImageT = TypeVar("_ImageT", bound=Image)


def on_grid_of(labels: _ImageT, reference: Image) -> _ImageT:
    """Return `labels` with its axes in the order and direction of those of `reference`.

    Nothing is resampled: both have to have the same voxels in the world, and may only be
    stored in different orientations.

    Parameters
    ----------
    labels : LabelImage or Image
    reference : Image
        Gives the grid, and the header of what is written later.

    Raises
    ------
    InputError
        If the voxels are others.
    """
    step = np.linalg.inv(reference.grid.affine[:3, :3]) @ labels.grid.affine[:3, :3]
    axes = [int(k) for k in np.abs(step).argmax(axis=1)]
    if sorted(axes) != [0, 1, 2]:
        raise _other_grid(reference, labels, labels.grid)
    data = np.transpose(np.asarray(labels.data), axes)
    affine = labels.grid.affine[:, [*axes, 3]].copy()
    for axis, other in enumerate(axes):
        if step[axis, other] < 0:
            data = np.flip(data, axis)
            affine[:3, 3] += affine[:3, axis] * (data.shape[axis] - 1)
            affine[:3, axis] *= -1
    turned = Grid((int(data.shape[0]), int(data.shape[1]), int(data.shape[2])), affine)
    if not reference.grid.matches(turned):
        raise _other_grid(reference, labels, turned)
    return type(labels)(
        np.ascontiguousarray(data),
        reference.grid,
        reference.header,
        labels.path,
        (*labels.remarks, *_rounding(reference, labels, turned)),
        reference.itk_grid,
    )


def require_same_grid(first: Image, second: Image) -> None:
    """Raise an `InputError` unless both images have the same voxels."""
    if not first.grid.matches(second.grid):
        raise _other_grid(first, second, second.grid)


def _rounding(reference: Image, labels: Image, turned: Grid) -> tuple[str, ...]:
    """Say that grids were taken as one that differ by more than single precision rounds."""
    apart = reference.grid.distance_mm(turned)
    if apart <= max(_SAID_VOXELS * float(turned.spacing_mm.min()), _SAID_MM):
        return ()
    return (
        f"{Path(labels.path).name} lies up to {apart:.2g} mm off the grid of "
        f"{Path(reference.path).name}, less than {ROUNDING_VOXELS:g} voxel: taken as on it",
    )


def _other_grid(first: Image, second: Image, turned: Grid) -> InputError:
    """Return the error about `second`, whose grid is `turned` in the orientation of `first`."""
    tolerance = f"{first.grid.tolerance_mm:.2g}"
    remedy = "Bring it onto that grid, for example with sct_register_multimodal -identity 1 -x nn"
    for image, other in ((first, turned), (second, first.grid)):
        if image.itk_grid is not None and image.itk_grid.matches(other):
            remedy = (
                f"By the qform of {image.path} they are on one grid: if that is right, make it "
                "the sform too with sct_image -set-sform-to-qform"
            )
    return InputError(
        f"is not on the grid of {first.path}: they {first.grid.differs_by(turned)}; up to "
        f"{tolerance} mm would be rounding",
        path=second.path,
        remedy=remedy,
    )


def require_one_world(*images: Image | None) -> None:
    """Raise unless the images lie beside each other alike, whoever reads their headers.

    Where the qform and the sform of one differ, ITK's tools and the others put it in different
    places. What an ITK tool made beside it is then right by the qform, and what others made by
    the sform; nobody but the user knows.

    Parameters
    ----------
    images : Image or None
        Files that share a world and need not share a grid.

    Raises
    ------
    InputError
        If the one reading puts two of them elsewhere beside each other than the other reading.
    """
    given = [image for image in images if image is not None]
    for first, second in itertools.combinations(given, 2):
        if first.itk_grid is None and second.itk_grid is None:
            continue
        by_itk = (first.itk_grid or first.grid, second.itk_grid or second.grid)
        moved = first.grid.affine @ np.linalg.inv(by_itk[0].affine) @ by_itk[1].affine
        apart = second.grid.distance_mm(Grid(second.grid.shape, moved))
        tolerance = min(first.grid.tolerance_mm, second.grid.tolerance_mm)
        if apart <= tolerance or first.grid.matches(second.grid):
            continue
        unsure, beside = (first, second) if first.itk_grid is not None else (second, first)
        assert unsure.itk_grid is not None
        raise InputError(
            f"has a qform and an sform that {unsure.grid.differs_by(unsure.itk_grid)}, so that "
            f"{beside.path} lies {apart:.3g} mm elsewhere beside it by the one than by the other: "
            "ITK's tools (ANTs, sct_register) go by the qform, FSL, SPM and this program by the "
            "sform",
            path=unsure.path,
            remedy="Choose one: sct_image -set-sform-to-qform if the other file was made by ITK's "
            "tools, else -set-qform-to-sform",
        )


def resample_labels(labels: LabelImage, grid: Grid) -> LabelImage:
    """Return `labels` on another grid, each voxel taking its nearest neighbour's value."""
    ijk = np.indices(grid.shape).reshape(3, -1).T
    source = np.rint(labels.grid.ijk_from_world(grid.world_from_ijk(ijk))).astype(int)
    inside = np.all((source >= 0) & (source < labels.grid.shape), axis=1)
    values = np.zeros(len(ijk), dtype=labels.data.dtype)
    values[inside] = labels.data[tuple(source[inside].T)]
    return LabelImage(values.reshape(grid.shape), grid, None, labels.path)
