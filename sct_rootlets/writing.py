"""Results on disk: their names, their sidecars, and what they may not replace."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import RootletsError, UsageError
from sct_rootlets.image import LabelImage, save
from sct_rootlets.levels.derive import Derived
from sct_rootlets.outputs import OutputSet
from sct_rootlets.sidecar import (
    ModelIdentity,
    is_generated_here,
    sidecar,
    sidecar_path,
    split_nifti,
    to_json,
)

__all__ = [
    "image_outputs",
    "require_free",
    "stage_intermediate",
    "stage_levels",
    "stage_segmentation",
]

#: Suffixes of the files of one image, by what they are.
SUFFIXES = {"rootlets": "_rootlets", "cord": "_seg", "levels": "_levels"}


def image_outputs(stem: str, folder: Path, *, cord: bool) -> dict[str, Path]:
    """Return the NIfTI files that belong to an image named `stem`, by what they are.

    Parameters
    ----------
    stem : str
    folder : Path
    cord : bool
        Whether a cord mask is among them.
    """
    files = {what: folder / f"{stem}{suffix}.nii.gz" for what, suffix in SUFFIXES.items()}
    if not cord:
        del files["cord"]
    return files


def require_free(files: Mapping[str, Path], inputs: Iterable[str | os.PathLike[str]] = ()) -> None:
    """Raise unless `files` can be written without harm; call it before any work.

    Parameters
    ----------
    files : mapping of str to Path
        Files to write, by what they are. Those that exist are taken for results of an
        earlier run, but for ``cord``: a cord mask that this package did not make (by its
        sidecar) is somebody's work and is never replaced.
    inputs : iterable of path-like
        Files that were read and must stay as they are.

    Raises
    ------
    UsageError
        If an output is an input, or would replace the cord mask of somebody else.
    RootletsError
        If the folder cannot be written to.
    """
    read = [Path(path) for path in inputs]
    for output in files.values():
        for path in (output, sidecar_path(output)):
            if any(_same_file(path, other) for other in read):
                raise UsageError(
                    "is an input, and would be replaced by an output",
                    path=path,
                    remedy="Choose another -o or -ofolder",
                )
        _require_writable(output)
    cord = files.get("cord")
    if cord is not None and cord.exists() and not is_generated_here(cord):
        raise UsageError(
            "is a cord mask that sct_rootlets did not make, and would be replaced",
            path=cord,
            remedy=f"Use it with -s {cord}, or choose another folder for the results",
        )


def stage_levels(
    outputs: OutputSet,
    target: Path,
    derived: Derived,
    *,
    sources: Iterable[str | os.PathLike[str]],
    model: ModelIdentity | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> dict[str, Path]:
    """Stage the levels painted on the cord, their table (TSV) and their JSON.

    Returns
    -------
    dict of str to Path
        ``levels``, ``table`` and ``json``: `target` and its siblings ``.tsv``, ``.json``.
    """
    folder, stem, _ = split_nifti(target)
    table = folder / f"{stem}.tsv"
    content = sidecar(
        beside=folder,
        sources=sources,
        description="Spinal levels, painted on the cord mask by the value of the level; the "
        "table beside it has their borders.",
        model=model,
        parameters=parameters,
        extra={"Labels": _level_names(derived.levels), **derived.table.to_json()},
    )
    _stage_labels(outputs, target, derived.levels, content)
    outputs.stage(table).write_text(derived.table.to_tsv(), encoding="utf-8")
    return {"levels": target, "table": table, "json": sidecar_path(target)}


def stage_segmentation(
    outputs: OutputSet,
    files: Mapping[str, Path],
    rootlets: LabelImage,
    cord: LabelImage | None,
    *,
    sources: Iterable[str | os.PathLike[str]],
    model: ModelIdentity,
    numbered: bool,
    notes: Iterable[str] = (),
    parameters: Mapping[str, Any] | None = None,
) -> None:
    """Stage the rootlets, and the cord mask where `files` names it, with their sidecars.

    Parameters
    ----------
    files : mapping of str to Path
        Targets ``rootlets`` and, optionally, ``cord``.
    numbered : bool
        Whether the values of `rootlets` are spinal levels.
    """
    common: dict[str, Any] = {"sources": list(sources), "model": model, "parameters": parameters}
    names = _level_names(rootlets) if numbered else {"1": "rootlet"}
    content = sidecar(
        beside=files["rootlets"].parent,
        description="Rootlets of the spinal cord"
        + (", by the value of their spinal level." if numbered else ", without their level."),
        extra={"Labels": names, "Notes": list(notes)},
        **common,
    )
    _stage_labels(outputs, files["rootlets"], rootlets, content)
    if cord is not None and "cord" in files:
        content = sidecar(
            beside=files["cord"].parent,
            description="Mask of the spinal cord.",
            extra={"Labels": {"1": "spinal cord"}},
            **common,
        )
        _stage_labels(outputs, files["cord"], cord, content)


def stage_intermediate(
    outputs: OutputSet,
    folder: Path,
    stem: str,
    *,
    rootlets: LabelImage | None = None,
    csf: LabelImage | None = None,
    centerline: Centerline | None = None,
) -> dict[str, Path]:
    """Stage what lies between the image and its levels, as far as it is given.

    Parameters
    ----------
    rootlets : LabelImage, optional
        As predicted, before numbering; ``<stem>_rootlets-predicted.nii.gz``.
    csf : LabelImage, optional
        ``<stem>_csf.nii.gz``.
    centerline : Centerline, optional
        ``<stem>_centerline.tsv``: s_mm and world mm (RAS+).
    """
    files = {}
    if rootlets is not None:
        files["predicted"] = folder / f"{stem}_rootlets-predicted.nii.gz"
        save(rootlets, outputs.stage(files["predicted"]))
    if csf is not None:
        files["csf"] = folder / f"{stem}_csf.nii.gz"
        save(csf, outputs.stage(files["csf"]))
    if centerline is not None:
        files["centerline"] = folder / f"{stem}_centerline.tsv"
        rows = np.column_stack([centerline.s_mm, centerline.xyz_world])
        lines = ["s_mm\tx\ty\tz", *("\t".join(f"{v:.4f}" for v in row) for row in rows)]
        text = "\n".join(lines) + "\n"
        outputs.stage(files["centerline"]).write_text(text, encoding="utf-8")
    return files


def _stage_labels(
    outputs: OutputSet, target: Path, labels: LabelImage, content: Mapping[str, Any]
) -> None:
    """Stage a label image and, beside it, its JSON sidecar of `content`."""
    save(labels, outputs.stage(target))
    outputs.stage(sidecar_path(target)).write_text(to_json(content), encoding="utf-8")


def _level_names(labels: LabelImage) -> dict[str, str]:
    """Return the spinal level of every value present, for a sidecar."""
    known = {level.value: level.name for level in SpinalLevel}
    return {str(value): known[value] for value in labels.labels if value in known}


def _same_file(first: Path, second: Path) -> bool:
    try:
        return first.samefile(second)
    except OSError:  # one of them does not exist
        return False


def _require_writable(path: Path) -> None:
    if path.is_dir():
        raise UsageError("is a folder, not a file to write", path=path)
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        problem = "is not a folder" if not above.is_dir() else "is not writable"
        raise RootletsError(problem, path=above, remedy="Choose another folder for the results")
