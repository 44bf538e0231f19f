"""Where the voxels of a file lie in the world, and whether its header can be believed.

A NIfTI header may say it three times: ``pixdim`` gives the size of the voxels, ``qform`` a
place without shear, ``sform`` any place; and ``xyzt_units`` the unit of all three. nibabel, FSL
and SPM take the sform where its code is not 0, then the qform. ITK's tools (ANTs,
``sct_register_*``) take the qform unless the sform's code is 1. Where all agree nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from sct_rootlets.errors import InputError
from sct_rootlets.image.grid import Grid

__all__ = ["Placement", "place"]

#: Millimetres in the units of NIfTI: unknown, metre, millimetre, micrometre.
_UNITS = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_UNIT_NAMES = {0: "none", 1: "metre", 2: "mm", 3: "micron"}
#: Voxels of an image of a neck, mm, and its field of view along each axis.
_VOXELS_MM = (0.05, 20.0)
_FIELD_MM = (5.0, 1200.0)
#: No scanner is farther from its image than that, mm.
_FARTHEST_MM = 1e5
#: Volume of the cell of three axes of unit length below which they lie in one plane: an image
#: may be sheared, by a tilted gantry or an affine registration, but not so much.
_FLATTEST = 0.2
#: Sizes of voxels that contradict each other by more than this factor are an error: which one
#: is right decides what an image shows.
_WRONG_SIZE = 1.25
#: ... and by less than this one, rounding.
_SAME_SIZE = 1.01

Affine = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Placement:
    """Where voxels lie, by the header of their file.

    Attributes
    ----------
    grid : Grid
        As nibabel, FSL and SPM read it, in mm.
    itk_grid : Grid, optional
        As ITK's tools read it, where that is another place.
    remarks : tuple of str
        What the header leaves open or contradicts itself in.
    """

    grid: Grid
    itk_grid: Grid | None
    remarks: tuple[str, ...]


def place(nifti: Any, shape: tuple[int, int, int], path: Path, role: str) -> Placement:
    """Judge the place of the voxels of an image by its header.

    Parameters
    ----------
    nifti : nibabel image
    shape : (3,) tuple of int
        Voxels of one volume.
    path : Path
    role : str
        For messages.

    Raises
    ------
    InputError
        If the affine cannot be inverted, no neck has voxels or a field of view of its size, or
        the header contradicts itself about the size of the voxels.
    """
    about = f"{path.name} ({role})"
    header = nifti.header
    affine = np.asarray(nifti.affine, dtype=float)
    if not isinstance(header, nib.Nifti1Header):
        _require_size(affine, shape, "", path, role)
        # Analyze has no room for an orientation; SPM writes one into a file beside it.
        is_open = isinstance(header, nib.AnalyzeHeader) and not path.with_suffix(".mat").exists()
        remark = (_no_orientation(affine, about),) if is_open else ()
        return Placement(Grid(shape, affine), None, remark)
    code = int(header["xyzt_units"]) & 7
    to_mm = np.diag([_UNITS.get(code, 1.0)] * 3 + [1.0])
    remarks = []
    if code not in _UNITS:
        remarks.append(f"{about} states a unit that NIfTI does not have ({code}): taken as mm")
    elif _UNITS[code] != 1:
        remarks.append(f"{about} is in the unit {_UNIT_NAMES[code]} by its header: taken so")
    _require_size(to_mm @ affine, shape, _unit_doubt(code, affine), path, role)
    grid = Grid(shape, to_mm @ affine)
    said, itk_grid = _forms(header, grid, to_mm, path, role)
    return Placement(grid, itk_grid, (*remarks, *said))


def _forms(
    header: Any, grid: Grid, to_mm: Affine, path: Path, role: str
) -> tuple[list[str], Grid | None]:
    """Return what to say of the three statements of a header, and where ITK's tools see `grid`."""
    about = f"{path.name} ({role})"
    q_code, s_code = int(header["qform_code"]), int(header["sform_code"])
    if not s_code:
        return ([] if q_code else [_no_orientation(grid.affine, about)]), None
    if not q_code:
        pixdim = np.abs(np.asarray(header["pixdim"][1:4], dtype=float)) * to_mm[0, 0]
        return _pixdim_remarks(grid, pixdim, path, role), None
    other = _qform(header)
    if other is None:
        return [f"{about} has a qform that is no rotation: its sform was taken"], None
    by_qform = Grid(grid.shape, to_mm @ other)
    _require_one_size(grid.spacing_mm, by_qform.spacing_mm, "qform", path, role)
    if grid.matches(by_qform):
        return [], None
    remark = (
        f"{about}: its sform (code {s_code}) and its qform (code {q_code}) "
        f"{grid.differs_by(by_qform)}; the sform was taken, as FSL and SPM do, and ITK's tools "
        f"take {'the same' if s_code == 1 else 'the qform'}"
    )
    return [remark], None if s_code == 1 else by_qform


def _no_orientation(affine: Affine, about: str) -> str:
    letters = Grid((2, 2, 2), affine).orientation_sct
    return (
        f"{about} states no orientation (neither qform nor sform): its axes were taken as "
        f"{letters} (SCT letters), which nobody has confirmed; left and right, or top and bottom, "
        "may be exchanged"
    )


def _qform(header: Any) -> Affine | None:
    """Return the qform, None where its quaternion is no rotation."""
    try:
        found = np.asarray(header.get_qform(), dtype=float)
    except ValueError:  # nibabel's HeaderDataError is one
        return None
    return found if np.isfinite(found).all() else None


def _pixdim_remarks(grid: Grid, pixdim: NDArray[np.float64], path: Path, role: str) -> list[str]:
    about = f"{path.name} ({role})"
    if not np.all(np.isfinite(pixdim) & (pixdim > 0)):
        said = "x".join(f"{mm:g}" for mm in pixdim)
        return [f"{about} has a pixdim of {said} mm: the size of its sform's voxels was taken"]
    _require_one_size(grid.spacing_mm, pixdim, "pixdim", path, role)
    ratio = np.maximum(grid.spacing_mm / pixdim, pixdim / grid.spacing_mm)
    if ratio.max() <= _SAME_SIZE:
        return []
    return [
        f"{about}: its voxels are of {_size(grid.spacing_mm)} mm by its sform and of "
        f"{_size(pixdim)} mm by its pixdim; the sform was taken"
    ]


def _require_one_size(
    taken: NDArray[np.float64], other: NDArray[np.float64], name: str, path: Path, role: str
) -> None:
    """Raise if two statements about the size of the voxels contradict each other badly."""
    with np.errstate(divide="ignore"):
        ratio = float(np.maximum(taken / other, other / taken).max())
    if ratio > _WRONG_SIZE:
        raise InputError(
            f"contradicts itself: its voxels are of {_size(taken)} mm by its sform and of "
            f"{_size(other)} mm by its {name} ({role})",
            path=path,
            remedy="Find out which is right, and make them one: sct_image -set-qform-to-sform "
            "keeps the sform, -set-sform-to-qform the qform and pixdim",
        )


def _unit_doubt(code: int, affine: Affine) -> str:
    """Return what may be wrong with the unit where the size of an image is impossible."""
    voxels = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    if not np.isfinite(voxels).all():
        return ""
    for other, factor in _UNITS.items():
        sizes = voxels * factor
        if other and factor != _UNITS.get(code) and ((sizes > 0.15) & (sizes < 8)).all():
            said = (
                f"says {_UNIT_NAMES[code]}"
                if _UNIT_NAMES.get(code, "none") != "none"
                else ("says no unit")
            )
            return (
                f"Its header {said} (xyzt_units), and its numbers look like {_UNIT_NAMES[other]}: "
                "correct its unit, or export it again in mm"
            )
    return ""


def _require_size(
    affine: Affine, shape: tuple[int, int, int], doubt: str, path: Path, role: str
) -> None:
    """Raise unless an affine to world mm can be that of an image of a neck."""
    remedy = doubt or "Repair its header, or export it again; lengths are in mm"

    def refuse(problem: str) -> InputError:
        return InputError(f"{problem} ({role})", path=path, remedy=remedy)

    if not np.isfinite(affine).all() or np.abs(affine).max() > _FARTHEST_MM:
        worst = affine.flat[int(np.argmax(np.where(np.isfinite(affine), np.abs(affine), np.inf)))]
        raise refuse(f"has no valid orientation: its affine holds {worst:g} mm")
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    if spacing.min() < _VOXELS_MM[0] or spacing.max() > _VOXELS_MM[1]:
        raise refuse(
            f"has voxels of {_size(spacing)} mm by its header, and an image of a neck has some "
            f"of {_VOXELS_MM[0]:g} to {_VOXELS_MM[1]:g} mm"
        )
    field = spacing * shape
    if field.min() < _FIELD_MM[0] or field.max() > _FIELD_MM[1]:
        raise refuse(
            f"has a field of view of {_size(field)} mm by its header ({_size(np.array(shape))} "
            f"voxels of {_size(spacing)} mm), and that of a neck is {_FIELD_MM[0]:g} to "
            f"{_FIELD_MM[1]:g} mm"
        )
    if abs(np.linalg.det(affine[:3, :3] / spacing)) < _FLATTEST:
        raise refuse("has no valid orientation: its affine is singular, or nearly so")


def _size(numbers: NDArray[Any]) -> str:
    return "x".join(f"{number:.3g}" for number in numbers)
