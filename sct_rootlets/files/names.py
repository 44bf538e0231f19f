"""What the files of a result are called."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from sct_rootlets.anatomy import PLACES
from sct_rootlets.files.bids import image_stem, is_of_label, levels_stem
from sct_rootlets.files.json_files import object_if_readable
from sct_rootlets.files.sidecar import sidecar_path, split_nifti
from sct_rootlets.image import Image

__all__ = [
    "QC_FILES",
    "SUFFIXES",
    "image_outputs",
    "intermediate_files",
    "level_files",
    "levels_image_of",
    "levels_target",
    "page_stem",
    "qc_files",
    "run_files",
    "segmentation_targets",
    "stem_of",
    "with_qc",
]

#: Names of pages that are longer, in bytes, have a digest in place of folders.
_LONGEST = 180
#: Suffixes of the files of one image, by what they are.
SUFFIXES = {"rootlets": "_rootlets", "cord": "_seg", "levels": "_spinal_levels"}
#: Files of quality control, by what they are, and their extensions.
QC_FILES = {"qc_figure": ".png", "qc_report": ".html"}


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


def intermediate_files(folder: Path, stem: str) -> dict[str, Path]:
    """Return the files that lie between an image named `stem` and its levels, by what they are."""
    return {
        "predicted": folder / f"{stem}_rootlets-predicted.nii.gz",
        "csf": folder / f"{stem}_csf.nii.gz",
        "centerline": folder / f"{stem}_centerline.tsv",
    }


def qc_files(folder: Path, stem: str) -> dict[str, Path]:
    """Return the files of quality control for `folder`, by what they are."""
    return {what: folder / f"{stem}{extension}" for what, extension in QC_FILES.items()}


def run_files(
    stem: str,
    folder: Path,
    *,
    csv: Path | None = None,
    qc: Path | None = None,
    page: str = "",
    intermediate: bool = False,
) -> dict[str, Path]:
    """Return all files that a run may write for an image named `stem`, by what they are.

    Parameters
    ----------
    stem : str
    folder : Path
    csv : Path, optional
        Of the table in the layout of the published script.
    qc : Path, optional
        Folder for the quality control.
    page : str, optional
        Name of its page, as of :func:`page_stem`; by default that of the levels.
    intermediate : bool
        Whether what lies between the image and its levels is kept.
    """
    files = image_outputs(stem, folder, cord=True)
    files |= level_files(files["levels"])
    if csv is not None:
        files["csv"] = csv
    if intermediate:
        files |= intermediate_files(folder, stem)
    return with_qc(files, qc, page or f"{stem}{SUFFIXES['levels']}")


def with_qc(
    files: dict[str, Path], folder: Path | None, stem: str, *, figure: bool = True
) -> dict[str, Path]:
    """Return files with those of quality control; its figure may be that of the result."""
    more = {} if folder is None else qc_files(folder, stem)
    if not figure:
        more.pop("qc_figure", None)
    there = {path.absolute() for path in files.values()}
    return {**files, **{k: path for k, path in more.items() if path.absolute() not in there}}


def levels_image_of(table: str | os.PathLike[str]) -> Path | None:
    """Return the label image of levels that a table lies beside, None where there is none.

    An image of the table's name counts where that says that it is of levels, or where the JSON
    beside it does: a table may also have been renamed to the name of another image.
    """
    folder, stem = Path(table).parent, Path(table).stem
    for ending in ("_dseg.nii.gz", "_dseg.nii", ".nii.gz", ".nii"):
        image = folder / f"{stem}{ending}"
        if image.is_file() and (
            levels_stem(image.name) is not None
            or isinstance(object_if_readable(sidecar_path(image)).get("levels"), list)
        ):
            return image
    return None


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
    ending = "_label-spinallevels_dseg" if is_of_label(stem) else SUFFIXES["levels"]
    return (folder or beside) / f"{image_stem(stem)}{ending}{extension or '.nii.gz'}"


def page_stem(
    source: str | os.PathLike[str], stem: str, folder: str | os.PathLike[str] | None
) -> str:
    """Return the name of the page of a result in a folder for quality control, without extension.

    Such a folder holds the pages of many subjects, whose images may have one name: the page is
    named after the place of what it is about, as seen from where the folder lies.

    Parameters
    ----------
    source : path-like
        Image or rootlets that the result is of.
    stem : str
        Name of the result.
    folder : path-like, optional
        That of the page; without one there is no other page to be told from.

    Examples
    --------
    >>> page_stem("t2.nii.gz", "t2_spinal_levels", "qc")
    't2_spinal_levels'
    >>> page_stem("t2.nii.gz", "t2_spinal_levels", "results/qc")
    't2_spinal_levels'
    >>> page_stem("sub-01/anat/t2.nii.gz", "t2_spinal_levels", "qc")
    'sub-01_anat_t2_spinal_levels'
    >>> page_stem("../b/t2.nii.gz", "t2_spinal_levels", "qc")
    'up_b_t2_spinal_levels'
    """
    # A link is not followed: those of DataLad point to files whose names say nothing.
    place = Path(os.path.abspath(source)).parent
    if folder is None or place == Path(os.path.abspath(folder)):
        return stem
    try:
        away = Path(os.path.relpath(place, Path(os.path.abspath(folder)).parent))
    except ValueError:  # another drive on Windows
        away = place.relative_to(place.anchor)
    words = ["up" if part == ".." else part for part in away.parts]
    if set(words) == {"up"}:  # the folder lies below the image, as -qc results/qc does
        return stem
    name = "_".join([*words, stem])
    if len(os.fsencode(name)) <= _LONGEST:
        return name
    digest = hashlib.sha256(os.fsencode("/".join(words))).hexdigest()[:12]
    return f"{digest}_{stem}"


def segmentation_targets(
    image: str | os.PathLike[str],
    target: Path | None = None,
    folder: Path | None = None,
    *,
    intermediate: bool = False,
) -> dict[str, Path]:
    """Return the NIfTI files of a segmentation, by what they are.

    Parameters
    ----------
    image : path-like
    target : Path, optional
        Rootlets to write.
    folder : Path, optional
        Where they are written by default; that of the image if not given.
    intermediate : bool
        Whether what lies between the image and its rootlets is kept.

    Examples
    --------
    >>> segmentation_targets("a/t2.nii.gz", folder=Path("b"))["rootlets"].as_posix()
    'b/t2_rootlets.nii.gz'
    """
    beside, stem, _ = split_nifti(image)
    rootlets = target or (folder or beside) / f"{stem}{SUFFIXES['rootlets']}.nii.gz"
    files = {"rootlets": rootlets, "cord": rootlets.parent / f"{stem}{SUFFIXES['cord']}.nii.gz"}
    if intermediate:
        between = intermediate_files(rootlets.parent, stem)
        files |= {what: between[what] for what in ("predicted", "csf")}
    return files


def stem_of(image: Image) -> str:
    """Return the name of the image's file without its extension, ``image`` without a file."""
    return split_nifti(image.path)[1] if os.path.exists(image.path) else "image"
