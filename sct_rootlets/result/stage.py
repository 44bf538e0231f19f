"""Results into files: label images, tables and what says how they were made."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sct_rootlets.anatomy import PLACES, SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.colours import look_up
from sct_rootlets.files.names import level_files
from sct_rootlets.files.outputs import OutputSet
from sct_rootlets.files.sidecar import (
    ModelIdentity,
    hashes,
    sidecar,
    sidecar_path,
    to_json,
)
from sct_rootlets.image import LabelImage, save
from sct_rootlets.levels.derive import Derived
from sct_rootlets.levels.paint import paint_points
from sct_rootlets.levels.table import text
from sct_rootlets.tables import Column, to_text

__all__ = ["stage_cord", "stage_intermediate", "stage_levels", "stage_segmentation"]


def stage_levels(
    outputs: OutputSet,
    target: Path,
    derived: Derived,
    *,
    sources: Iterable[str | os.PathLike[str]],
    model: ModelIdentity | None = None,
    parameters: Mapping[str, Any] | None = None,
    figure: bytes | None = None,
    csv: Path | None = None,
) -> dict[str, Path]:
    """Stage the levels: label images, table, look-up, JSON and figure.

    Parameters
    ----------
    target : Path
        Label image of the levels; the others are named after it by :func:`level_files`.
    derived : Derived
    sources : iterable of path-like
        Input files; their hashes go to the JSON.
    figure : bytes, optional
        PNG.
    csv : Path, optional
        Where to put the table in the layout of the published script.

    Returns
    -------
    dict of str to Path
        As of :func:`level_files`, ``figure`` if it is given, ``csv`` if asked for.
    """
    files = level_files(target)
    folder, sources = files["table"].parent, list(sources)
    table = derived.table
    content = sidecar(
        beside=folder,
        sources=sources,
        description="Spinal levels, painted on the cord mask by the value of the level; the "
        "table beside it has their borders.",
        model=model,
        parameters=parameters,
        extra={
            "SourceSHA256": hashes(sources, folder),
            "Labels": _level_names(derived.levels),
            **text.to_json(table),
            "rejected": [
                {
                    "level": str(stray.level),
                    "n_voxels": stray.n_voxels,
                    "s_mm": round(float(stray.s_mm), 2),
                    "reason": stray.reason,
                }
                for stray in getattr(derived, "strays", ())
            ],
        },
    )
    identity = getattr(derived, "identity", None)
    if identity is not None:
        content["identity"] = identity.report()
    _stage_labels(outputs, target, derived.levels, content)
    outputs.write(files["table"], text.to_tsv(table))
    lookup = look_up(row.level for row in table.rows)
    outputs.write(files["lookup"], lookup)
    for place in PLACES:
        points = paint_points(derived.levels, derived.centerline, table, place)
        save(points.labels, outputs.stage(files[place]))
    if figure is None:
        del files["figure"]
    else:
        outputs.write(files["figure"], figure)
    if csv is not None:
        files["csv"] = csv
        outputs.write(csv, text.to_csv(table))
    return files


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
    maker: Mapping[str, Any] | None = None,
) -> None:
    """Stage the rootlets, and the cord mask where `files` names it, with their sidecars.

    Parameters
    ----------
    files : mapping of str to Path
        Targets ``rootlets`` and, optionally, ``cord``.
    numbered : bool
        Whether the values of `rootlets` are spinal levels.
    maker : mapping, optional
        As :func:`sct_rootlets.files.sidecar.sidecar` takes it.
    """
    common: dict[str, Any] = {
        "sources": list(sources),
        "model": model,
        "parameters": parameters,
        "maker": maker,
    }
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
        stage_cord(outputs, files["cord"], cord, **common)


def stage_cord(
    outputs: OutputSet,
    target: Path,
    cord: LabelImage,
    *,
    sources: Iterable[str | os.PathLike[str]],
    model: ModelIdentity,
    parameters: Mapping[str, Any] | None = None,
    maker: Mapping[str, Any] | None = None,
) -> None:
    """Stage a cord mask that a model predicted, with its sidecar."""
    content = sidecar(
        beside=target.parent,
        sources=sources,
        description="Mask of the spinal cord.",
        model=model,
        parameters=parameters,
        maker=maker,
        extra={"Labels": {"1": "spinal cord"}},
    )
    _stage_labels(outputs, target, cord, content)


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
        columns = [Column(name, number="{:.4f}".format) for name in ("s_mm", "x", "y", "z")]
        names = [column.name for column in columns]
        lines = to_text(columns, (dict(zip(names, row, strict=True)) for row in rows.tolist()))
        outputs.write(files["centerline"], lines)
    return files


def _stage_labels(
    outputs: OutputSet, target: Path, labels: LabelImage, content: Mapping[str, Any]
) -> None:
    """Stage a label image and, beside it, its JSON sidecar of `content`."""
    save(labels, outputs.stage(target))
    outputs.write(sidecar_path(target), to_json(content))


def _level_names(labels: LabelImage) -> dict[str, str]:
    """Return the spinal level of every value present, for a sidecar."""
    known = {level.value: level.name for level in SpinalLevel}
    return {str(value): known[value] for value in labels.labels if value in known}
