"""Results on disk: their names, their sidecars, and what they may not replace."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import RootletsError, UsageError
from sct_rootlets.image import LabelImage, save
from sct_rootlets.levels.derive import Derived
from sct_rootlets.levels.paint import PLACES, paint_points
from sct_rootlets.outputs import OutputSet
from sct_rootlets.sidecar import (
    ModelIdentity,
    hashes,
    is_generated_here,
    sidecar,
    sidecar_path,
    split_nifti,
    to_json,
)

__all__ = [
    "image_outputs",
    "level_files",
    "levels_target",
    "require_apart",
    "require_free",
    "segmentation_targets",
    "stage_cord",
    "stage_intermediate",
    "stage_levels",
    "stage_segmentation",
]

#: Suffixes of the files of one image, by what they are.
SUFFIXES = {"rootlets": "_rootlets", "cord": "_seg", "levels": "_spinal_levels"}
#: Ends of the names of rootlets and of cord masks that their levels are not named after.
_BIDS_ENDING = re.compile(r"_label-[A-Za-z0-9]+_(dseg|seg|mask)$")
_PLAIN_ENDING = re.compile(r"(_label-[A-Za-z0-9]+|[_-]rootlets?|_seg)$")
#: What images that are not replaced are called, and what to do instead.
_FOREIGN = {
    "cord": ("a cord mask", "Use it with -s {path}, or choose another folder for the results"),
    "levels": ("a label image", "Name another file with -o, or another folder"),
}


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


def level_files(target: Path) -> dict[str, Path]:
    """Return the files that belong to the label image of levels `target`, by what they are.

    Examples
    --------
    >>> {what: path.name for what, path in level_files(Path("X.nii.gz")).items()}
    ... # doctest: +NORMALIZE_WHITESPACE
    {'levels': 'X.nii.gz', 'table': 'X.tsv', 'json': 'X.json', 'lookup': 'X_dseg.tsv',
     'midpoint': 'X_midpoint.nii.gz', 'rostral': 'X_rostral.nii.gz',
     'caudal': 'X_caudal.nii.gz', 'figure': 'X.png'}

    A name of BIDS derivatives keeps its look-up beside the image that it explains:

    >>> level_files(Path("sub-1_label-spinallevels_dseg.nii.gz"))["lookup"].name
    'sub-1_label-spinallevels_dseg.tsv'
    >>> level_files(Path("sub-1_label-spinallevels_dseg.nii.gz"))["table"].name
    'sub-1_label-spinallevels.tsv'
    """
    folder, stem, extension = split_nifti(target)
    stem = stem.removesuffix("_dseg")
    return {
        "levels": target,
        "table": folder / f"{stem}.tsv",
        "json": sidecar_path(target),
        "lookup": folder / f"{stem}_dseg.tsv",
        **{place: folder / f"{stem}_{place}{extension}" for place in PLACES},
        "figure": folder / f"{stem}.png",
    }


def levels_target(source: str | os.PathLike[str], folder: Path | None = None) -> Path:
    """Return the name of the label image of levels of a rootlets image or a cord mask.

    Parameters
    ----------
    source : path-like
        Rootlets, or the cord mask where there are none.
    folder : Path, optional
        By default that of `source`.

    Examples
    --------
    >>> levels_target("t2_rootlets.nii.gz").name, levels_target("t2_seg.nii.gz").name
    ('t2_spinal_levels.nii.gz', 't2_spinal_levels.nii.gz')

    A name of BIDS derivatives is answered by one:

    >>> levels_target("sub-1_T2w_label-rootlets_dseg.nii.gz").name
    'sub-1_T2w_label-spinallevels_dseg.nii.gz'
    """
    beside, stem, extension = split_nifti(source)
    ending = "_label-spinallevels_dseg" if _BIDS_ENDING.search(stem) else SUFFIXES["levels"]
    stem = _BIDS_ENDING.sub("", stem)
    stem = _PLAIN_ENDING.sub("", stem)
    return (folder or beside) / f"{stem}{ending}{extension or '.nii.gz'}"


def segmentation_targets(
    image: str | os.PathLike[str], target: Path | None = None, folder: Path | None = None
) -> dict[str, Path]:
    """Return the NIfTI files of a segmentation, by what they are.

    Parameters
    ----------
    image : path-like
    target : Path, optional
        Rootlets to write.
    folder : Path, optional
        Where they are written by default; that of the image if not given.

    Examples
    --------
    >>> segmentation_targets("a/t2.nii.gz", folder=Path("b"))["rootlets"].as_posix()
    'b/t2_rootlets.nii.gz'
    """
    beside, stem, _ = split_nifti(image)
    rootlets = target or (folder or beside) / f"{stem}{SUFFIXES['rootlets']}.nii.gz"
    return {"rootlets": rootlets, "cord": rootlets.parent / f"{stem}{SUFFIXES['cord']}.nii.gz"}


def require_apart(
    planned: Sequence[tuple[str | os.PathLike[str], Iterable[Path]]],
) -> None:
    """Raise unless what is to be written for several images has names of its own.

    Parameters
    ----------
    planned : sequence of (path-like, iterable of Path)
        Images, and what is to be written for each of them. Each has a sidecar besides.

    Raises
    ------
    UsageError
        If two of them would write the same file.
    """
    owners: dict[Path, str] = {}
    for image, outputs in planned:
        for output in outputs:
            # Two outputs that differ in their extension only would still share the sidecar.
            paths = (output, sidecar_path(output))
            clash = next((path for path in paths if path.resolve() in owners), None)
            if clash is not None:
                raise UsageError(
                    f"would be written for {owners[clash.resolve()]} and again for {image}",
                    path=clash,
                    remedy="Give every output a name of its own with -o, or a folder",
                )
            owners |= {path.resolve(): os.fspath(image) for path in paths}


def require_free(
    files: Mapping[str, Path],
    inputs: Iterable[str | os.PathLike[str]] = (),
    *,
    keep: Collection[str] = ("cord",),
) -> None:
    """Raise unless `files` can be written without harm; call it before any work.

    Parameters
    ----------
    files : mapping of str to Path
        Files to write, by what they are. Those that exist are taken for results of an
        earlier run, but for those in `keep`.
    inputs : iterable of path-like
        Files that were read and must stay as they are.
    keep : collection of str
        Images that are somebody's work and never replaced where this package did not make
        them, by their sidecar: the ``cord`` mask, and whatever has a name that the user did
        not choose.

    Raises
    ------
    UsageError
        If an output is an input, or would replace an image or a sidecar of somebody else.
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
    for what, path in files.items():
        if what in keep and path.exists() and not is_generated_here(path):
            name, remedy = _FOREIGN[what]
            raise UsageError(
                f"is {name} that sct_rootlets did not make, and would be replaced",
                path=path,
                remedy=remedy.format(path=path),
            )
    levels = files.get("levels")
    if levels is not None and sidecar_path(levels).exists() and not is_generated_here(levels):
        raise UsageError(
            "is a sidecar that sct_rootlets did not make, and would be replaced",
            path=sidecar_path(levels),
            remedy="Choose another name for the levels",
        )


def stage_levels(
    outputs: OutputSet,
    target: Path,
    derived: Derived,
    *,
    sources: Iterable[str | os.PathLike[str]],
    colours: Mapping[int, str],
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
    colours : mapping of int to str
        ``#RRGGBB`` by level value, for the look-up.
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
            **table.to_json(),
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
    outputs.stage(files["table"]).write_text(table.to_tsv(), encoding="utf-8")
    rows = [f"{row.level.value}\t{row.level}\t{colours[row.level.value]}" for row in table.rows]
    lookup = "\n".join(["index\tname\tcolor", *rows]) + "\n"
    outputs.stage(files["lookup"]).write_text(lookup, encoding="utf-8")
    for place in PLACES:
        points = paint_points(derived.levels, derived.centerline, table, place)
        save(points.labels, outputs.stage(files[place]))
    if figure is None:
        del files["figure"]
    else:
        outputs.stage(files["figure"]).write_bytes(figure)
    if csv is not None:
        files["csv"] = csv
        outputs.stage(csv).write_text(table.to_csv(), encoding="utf-8")
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
        As :func:`sct_rootlets.sidecar.sidecar` takes it.
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
