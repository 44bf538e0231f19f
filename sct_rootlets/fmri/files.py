"""What the files of levels in EPI space are called."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.files.bids import split_suffix, without_label
from sct_rootlets.files.sidecar import sidecar_path, split_nifti

__all__ = ["mapped_files", "mapped_target", "planned_files"]


def mapped_target(destination: str | os.PathLike[str], folder: Path | None = None) -> Path:
    """Return the name of the label image of levels in the space of an EPI.

    Parameters
    ----------
    destination : path-like
    folder : Path, optional
        By default that of `destination`.

    Examples
    --------
    >>> mapped_target("bold.nii.gz").name
    'bold_spinal_levels.nii.gz'

    A name of BIDS is answered by one; its space is that of the EPI itself:

    >>> mapped_target("sub-1_task-rest_bold.nii.gz").name
    'sub-1_task-rest_space-bold_label-spinallevels_dseg.nii.gz'
    """
    beside, stem, extension = split_nifti(destination)
    name = f"{stem}_spinal_levels"
    bids = split_suffix(stem)
    if bids is not None:
        stem, suffix = without_label(bids[0]), bids[1]
        space = "" if "_space-" in stem else f"_space-{suffix}"
        name = f"{stem}{space}_label-spinallevels_dseg"
    return (folder or beside) / f"{name}{extension or '.nii.gz'}"


def mapped_files(target: Path) -> dict[str, Path]:
    """Return the files that belong to the label image `target`, by what they are.

    Examples
    --------
    >>> {what: path.name for what, path in mapped_files(Path("X.nii.gz")).items()}
    ... # doctest: +NORMALIZE_WHITESPACE
    {'levels': 'X.nii.gz', 'json': 'X.json', 'lookup': 'X_dseg.tsv',
     'slices': 'X_slices.tsv', 'slices_json': 'X_slices.json', 'probseg': 'X_probseg.nii.gz'}
    """
    folder, stem, extension = split_nifti(target)
    stem = stem.removesuffix("_dseg")
    return {
        "levels": target,
        "json": sidecar_path(target),
        "lookup": folder / f"{stem}_dseg.tsv",
        "slices": folder / f"{stem}_slices.tsv",
        "slices_json": folder / f"{stem}_slices.json",
        "probseg": folder / f"{stem}_probseg{extension}",
    }


def planned_files(
    target: Path, levels: Iterable[SpinalLevel], probseg: str | None
) -> dict[str, Path]:
    """Return what is written for `target`: as :func:`mapped_files`, by the kind of probseg.

    Examples
    --------
    >>> target = Path("sub-1_label-spinallevels_dseg.nii.gz")
    >>> files = planned_files(target, [SpinalLevel.C5], "files")
    >>> files["probseg_C5"].name
    'sub-1_label-C5_probseg.nii.gz'
    """
    files = mapped_files(target)
    whole = files.pop("probseg")
    if probseg == "4d":
        files["probseg"] = whole
    elif probseg == "files":
        folder, stem, extension = split_nifti(whole)
        stem = without_label(stem.removesuffix("_probseg"))
        for level in levels:
            name = f"{stem}_label-{level}_probseg{extension}"
            files[f"probseg_{level}"] = folder / name
    return files
