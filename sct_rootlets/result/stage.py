"""What several results write: label images with their sidecars, and what lies between."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.files.names import intermediate_files
from sct_rootlets.files.results import ResultSet
from sct_rootlets.files.sidecar import ModelIdentity, sidecar, sidecar_path
from sct_rootlets.image import LabelImage, save
from sct_rootlets.tables import Column, to_text

__all__ = ["level_names", "stage_cord", "stage_intermediate", "stage_labels"]


def stage_cord(
    outputs: ResultSet,
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
    stage_labels(outputs, target, cord, content)


def stage_intermediate(
    outputs: ResultSet,
    folder: Path,
    stem: str,
    of: Path,
    *,
    rootlets: LabelImage | None = None,
    csf: LabelImage | None = None,
    centerline: Centerline | None = None,
) -> dict[str, Path]:
    """Stage what lies between the image and its levels, as far as it is given.

    Parameters
    ----------
    outputs : ResultSet
    folder, stem
        As :func:`sct_rootlets.files.names.intermediate_files` takes them.
    of : Path
        JSON of the result that they belong to.
    rootlets : LabelImage, optional
        As predicted, before numbering; ``<stem>_rootlets-predicted.nii.gz``.
    csf : LabelImage, optional
        ``<stem>_csf.nii.gz``.
    centerline : Centerline, optional
        ``<stem>_centerline.tsv``: s_mm and world mm (RAS+).
    """
    given = {"predicted": rootlets, "csf": csf, "centerline": centerline}
    named = intermediate_files(folder, stem)
    files = {what: named[what] for what, content in given.items() if content is not None}
    outputs.list_in(of, files.values())
    if rootlets is not None:
        save(rootlets, outputs.stage(files["predicted"]))
    if csf is not None:
        save(csf, outputs.stage(files["csf"]))
    if centerline is not None:
        rows = np.column_stack([centerline.s_mm, centerline.xyz_world])
        columns = [Column(name, number="{:.4f}".format) for name in ("s_mm", "x", "y", "z")]
        names = [column.name for column in columns]
        lines = to_text(columns, (dict(zip(names, row, strict=True)) for row in rows.tolist()))
        outputs.write(files["centerline"], lines)
    return files


def stage_labels(
    outputs: ResultSet, target: Path, labels: LabelImage, content: Mapping[str, Any]
) -> None:
    """Stage a label image and, beside it, its JSON sidecar of `content`."""
    save(labels, outputs.stage(target))
    outputs.record(sidecar_path(target), content, [target])


def level_names(labels: LabelImage) -> dict[str, str]:
    """Return the spinal level of every value present, for a sidecar."""
    known = {level.value: level.name for level in SpinalLevel}
    return {str(value): known[value] for value in labels.labels if value in known}
