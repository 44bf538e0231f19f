"""A phantom as files, named as in a BIDS dataset with SCT's derivatives."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, ornt_transform

from sct_rootlets.anatomy import ROOTLET_LEVELS
from sct_rootlets.errors import UsageError
from sct_rootlets.files.guards import require_free
from sct_rootlets.files.results import ResultSet
from sct_rootlets.files.sidecar import GENERATOR, sidecar
from sct_rootlets.image import Grid, save
from sct_rootlets.phantom.contrast import Acquisition
from sct_rootlets.phantom.draw import random_anatomy
from sct_rootlets.phantom.model import Anatomy
from sct_rootlets.phantom.render import render
from sct_rootlets.phantom.truth import true_levels
from sct_rootlets.tables import Column, to_text

__all__ = ["make_grid", "phantom_files", "write"]

#: Field of view (mm) left-right, front-back and along the body.
FIELD_OF_VIEW_MM = (60.0, 110.0, 210.0)

_IMAGES = ("image", "cord", "csf", "rootlets", "parts", "discs", "pmj")
#: What stands after the name of a phantom.
_ENDINGS = {
    "image": ".nii.gz",
    "cord": "_label-SC_seg.nii.gz",
    "csf": "_label-CSF_seg.nii.gz",
    "rootlets": "_label-rootlets_dseg.nii.gz",
    "parts": "_label-rootletparts_dseg.nii.gz",
    "discs": "_label-discs_dlabel.nii.gz",
    "pmj": "_label-pmj_dlabel.nii.gz",
    "truth": "_truth.tsv",
    "look_up": "_label-rootletparts_dseg.tsv",
    "sidecar": ".json",
}

_OPPOSITE = dict(zip("RLAPSI", "LRPAIS", strict=True))


def make_grid(
    anatomy: Anatomy,
    spacing_mm: Sequence[float] = (1.0, 1.0, 1.0),
    *,
    orientation_sct: str = "RPI",
    oblique_deg: float = 0.0,
    field_of_view_mm: Sequence[float] = FIELD_OF_VIEW_MM,
) -> Grid:
    """Return a grid that covers the cervical cord of `anatomy`.

    Parameters
    ----------
    anatomy : Anatomy
    spacing_mm : (3,) sequence of float
        Left-right, front-back and along the body, whatever the orientation.
    orientation_sct : str
        Orientation of the voxels, by the letters where the axes start (SCT's).
    oblique_deg : float
        Angle by which the grid is turned about the left-right axis, and by a third of it
        about the front-back axis.
    field_of_view_mm : (3,) sequence of float

    Raises
    ------
    UsageError
        If the orientation is none, or spacing and field of view make no volume.
    """
    spacing, size = np.array(spacing_mm, float), np.array(field_of_view_mm, float)
    if spacing.shape != (3,) or (spacing <= 0).any() or (spacing > size / 2).any():
        raise UsageError(f"spacing {list(spacing_mm)} mm makes no volume of {list(size)} mm")
    letters = orientation_sct.upper()
    if sorted("RLAPSI".find(letter) // 2 for letter in letters) != [0, 1, 2]:
        raise UsageError(
            f"{orientation_sct!r} is not an orientation",
            remedy="Give three letters such as RPI, AIL or LPS",
        )
    shape = np.maximum(np.rint(size / spacing), 2).astype(int)
    a, b = np.deg2rad(oblique_deg), np.deg2rad(oblique_deg / 3)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = about_y @ about_x @ np.diag(spacing)
    # From a little below the PMJ's neighbourhood to the upper thoracic cord.
    at = (anatomy.s_mm > -15) & (anatomy.s_mm < 185)
    low, high = anatomy.xyz_world[at].min(axis=0), anatomy.xyz_world[at].max(axis=0)
    affine[:3, 3] = (low + high) / 2 - affine[:3, :3] @ ((shape - 1) / 2)
    axes = axcodes2ornt([_OPPOSITE[c] for c in letters])
    i, j, k = (int(shape[int(old)]) for old in axes[:, 0])
    turned = ornt_transform(axcodes2ornt("RAS"), axes)
    return Grid((i, j, k), affine @ inv_ornt_aff(turned, shape))


def _look_up() -> str:
    """Return the look-up table of the rootlet parts as tab-separated text."""
    parts = [(side, sector) for side in "LR" for sector in ("dorsal", "ventral")]
    rows = (
        {
            "index": 10 * level.value + n,
            "name": f"{level}_{side}_{sector}",
            "level": level,
            "side": side,
            "sector": sector,
        }
        for level in ROOTLET_LEVELS
        for n, (side, sector) in enumerate(parts, start=1)
    )
    return to_text([Column(name) for name in ("index", "name", "level", "side", "sector")], rows)


def phantom_files(folder: Path, seed: int, contrast: str) -> dict[str, Path]:
    """Return the files of a phantom, by what they are.

    Examples
    --------
    >>> phantom_files(Path("a"), 7, "T2w")["image"].name
    'phantom-7_T2w.nii.gz'
    """
    suffix = contrast if contrast != "random" else "MRI"
    return {what: folder / f"phantom-{seed}_{suffix}{ending}" for what, ending in _ENDINGS.items()}


def write(
    folder: str | os.PathLike[str],
    seed: int,
    *,
    acquisition: Acquisition = Acquisition(),
    spacing_mm: Sequence[float] = (0.8, 0.8, 0.8),
    orientation_sct: str = "RPI",
    oblique_deg: float = 0.0,
    field_of_view_mm: Sequence[float] = FIELD_OF_VIEW_MM,
    progress: Callable[[str, int, int], None] | None = None,
    overwrite: bool = False,
) -> dict[str, Path]:
    """Make the phantom of seed `seed` and write it and its truth into `folder`.

    Parameters
    ----------
    folder : path-like
        Made where missing.
    seed : int
        Of the anatomy; below 1,000,000 for anatomies no network was trained on.
    acquisition : Acquisition
        `seed` is its seed too.
    spacing_mm, orientation_sct, oblique_deg, field_of_view_mm
        Of the grid, see :func:`make_grid`.
    progress : callable, optional
        Called with a text, the work done and the whole work.
    overwrite : bool
        Replace also files that are not as this function wrote them before.

    Returns
    -------
    dict of str to Path
        ``image, cord, csf, rootlets, parts, discs, pmj, truth, look_up, sidecar``.

    Raises
    ------
    UsageError
        If the grid cannot be made, or without `overwrite` such a file would be replaced.
    """
    if seed < 0:
        raise UsageError(f"the seed is {seed}, and it must not be negative")
    acquisition = replace(acquisition, seed=seed)
    anatomy = random_anatomy(seed)
    grid = make_grid(
        anatomy,
        spacing_mm,
        orientation_sct=orientation_sct,
        oblique_deg=oblique_deg,
        field_of_view_mm=field_of_view_mm,
    )
    paths = phantom_files(Path(folder), seed, acquisition.contrast)
    require_free(paths.values(), overwrite=overwrite)
    phantom = render(anatomy, grid, acquisition, progress)
    about = sidecar(
        beside=Path(folder),
        sources=(),
        description="Procedural phantom of the cervical spine, not a subject",
        maker={"Name": f"{GENERATOR}: phantom"},
        spatial_reference=None,
        extra={
            "Seed": seed,
            "Acquisition": asdict(acquisition),
            "SpacingMm": [float(mm) for mm in spacing_mm],
            "Orientation": orientation_sct.upper(),
            "ObliqueDeg": oblique_deg,
            "DiscsMm": {str(n): round(s, 3) for n, s in anatomy.discs_mm.items()},
        },
    )
    with ResultSet(overwrite=overwrite) as outputs:
        for name in _IMAGES:
            save(getattr(phantom, name), outputs.stage(paths[name]))
        outputs.write(paths["truth"], true_levels(anatomy).to_tsv())
        outputs.write(paths["look_up"], _look_up())
        outputs.record(paths["sidecar"], about, paths.values())
    return paths
