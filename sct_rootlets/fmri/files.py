"""Levels in EPI space as files: names, sidecars, look-up and tables."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.colours import look_up
from sct_rootlets.files.bids import relabelled, split_suffix
from sct_rootlets.files.guards import require_free
from sct_rootlets.files.outputs import OutputSet
from sct_rootlets.files.sidecar import hashes, relative, sidecar, sidecar_path, split_nifti, to_json
from sct_rootlets.fmri.slices import COLUMNS
from sct_rootlets.image import Image, save
from sct_rootlets.tables import describe, to_text

if TYPE_CHECKING:
    from sct_rootlets.fmri.mapping import MappedLevels

__all__ = [
    "mapped_files",
    "mapped_target",
    "planned_files",
    "stage",
    "stage_json",
    "without_series",
]


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
        stem, suffix = relabelled(bids[0]), bids[1]
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
        stem = relabelled(stem.removesuffix("_probseg"))
        for level in levels:
            name = f"{stem}_label-{level}_probseg{extension}"
            files[f"probseg_{level}"] = folder / name
    return files


def stage(
    outputs: OutputSet, mapped: MappedLevels, target: Path, *, probseg: str | None = None
) -> dict[str, Path]:
    """Stage what :meth:`MappedLevels.write` writes; parameters and errors as there."""
    fractions = mapped.fractions
    files = planned_files(target, fractions.levels, probseg)
    require_free(files, mapped.sources)
    names = {str(level.value): level.name for level in fractions.levels}
    save(without_series(mapped.labels), outputs.stage(files["levels"]))
    stage_json(
        outputs,
        files["json"],
        mapped,
        "Spinal levels in the space of the image that SpatialReference names: every voxel of the "
        "cord has the value of the level with the largest share of it.",
        Labels=names,
        Coverage={
            str(row.level): {
                key: round(value, 4)
                for key, value in asdict(row).items()
                if isinstance(value, int | float)
            }
            for row in mapped.coverage
        },
        LabelsKeptWithoutLargestShare=[str(level) for level in mapped.crowded],
        Borders=_borders(mapped),
        Warnings=list(mapped.warnings),
    )
    outputs.stage(files["lookup"]).write_text(look_up(fractions.levels), encoding="utf-8")
    slices = to_text(COLUMNS, map(vars, mapped.rows))
    outputs.stage(files["slices"]).write_text(slices, encoding="utf-8")
    axis = "ijk"[fractions.axis] + (
        "" if fractions.grid.orientation_nib[fractions.axis] == "S" else "-"
    )
    outputs.stage(files["slices_json"]).write_text(
        to_json({"SliceAxis": axis, **describe(COLUMNS)}), encoding="utf-8"
    )
    what = "Share, 0 to 1, of the volume of every voxel that lies in "
    if "probseg" in files:
        _stage_volumes(outputs, files["probseg"], mapped, fractions.share)
        stage_json(
            outputs,
            sidecar_path(files["probseg"]),
            mapped,
            f"{what}each spinal level; one volume a level, in the order of LabelMap.",
            LabelMap=[str(level) for level in fractions.levels],
            Labels=names,
        )
    for level in fractions.levels:
        path = files.get(f"probseg_{level}")
        if path is not None:
            _stage_volumes(outputs, path, mapped, fractions.of(level))
            stage_json(
                outputs,
                sidecar_path(path),
                mapped,
                f"{what}the spinal level {level}.",
                Labels={str(level.value): level.name},
            )
    return files


def stage_json(
    outputs: OutputSet,
    path: Path,
    mapped: MappedLevels,
    description: str,
    *,
    more_sources: Iterable[str] = (),
    more_parameters: Mapping[str, Any] | None = None,
    **extra: Any,
) -> None:
    """Stage the sidecar of one output.

    Parameters
    ----------
    outputs : OutputSet
    path : Path
        The sidecar.
    mapped : MappedLevels
    description : str
    more_sources : iterable of str
        Input files beside those of `mapped`.
    more_parameters : mapping, optional
        Parameters beside those of `mapped`.
    **extra
        Keys to add at the top level.
    """
    folder = path.parent
    sources = [*mapped.sources, *more_sources]
    extra = {
        # The grid is that of the EPI, not of the source image.
        "SpatialReference": relative(mapped.destination.path, folder),
        "SourceSHA256": hashes(sources, folder),
        **extra,
    }
    content = sidecar(
        beside=folder,
        sources=list(dict.fromkeys(sources)),
        description=description,
        parameters={**mapped.parameters, **(more_parameters or {})},
        extra=extra,
    )
    outputs.stage(path).write_text(to_json(content), encoding="utf-8")


def _borders(mapped: MappedLevels) -> dict[str, dict[str, Any]]:
    """Return the standard deviations of the borders, as the table of levels has them."""
    if mapped.table is None:
        return {}
    return {
        str(row.level): {
            "status": row.status,
            "rostral_sd_mm": row.rostral_sd_mm,
            "caudal_sd_mm": row.caudal_sd_mm,
        }
        for row in mapped.table.rows
        if row.level in mapped.fractions.levels
    }


def _stage_volumes(
    outputs: OutputSet, target: Path, mapped: MappedLevels, share: np.ndarray[Any, Any]
) -> None:
    image = Image(share, mapped.fractions.grid, mapped.destination.header)
    save(without_series(image), outputs.stage(target))


def without_series(image: Image) -> Image:
    """Return `image` with a header that says nothing of the time series it comes from."""
    if image.header is None:
        return image
    header = image.header.copy()
    header["pixdim"][4:] = 1
    for name in ("toffset", "slice_start", "slice_end", "slice_code", "slice_duration"):
        header[name] = 0
    header.set_intent("none")
    return type(image)(image.data, image.grid, header, image.path)
