"""Manual segmentations and labels of a BIDS dataset, by the names that SCT's users give them.

Batch scripts of SCT look for a manual file first and segment only where there is none
(``segment_if_does_not_exist``); they keep those files under ``derivatives/labels``.
"""

from __future__ import annotations

import os
from pathlib import Path

from sct_rootlets.errors import InputError
from sct_rootlets.files.bids import SESSION, SUBJECT
from sct_rootlets.files.names import SUFFIXES as OURS
from sct_rootlets.files.sidecar import split_nifti
from sct_rootlets.files.standing import Standing, standing

__all__ = [
    "DATA",
    "LABELS",
    "PROCESSED",
    "SUFFIXES",
    "find_manual",
    "find_rootlets",
    "require_fetched",
]

#: Exported by ``sct_run_batch``: the dataset, and the folder that scripts copy its images to.
DATA, PROCESSED = "PATH_DATA", "PATH_DATA_PROCESSED"

#: Where manual files are, below the folder of a dataset.
LABELS = Path("derivatives", "labels")

#: What stands between the name of the image and the extension, the name of today first.
SUFFIXES = {
    "cord": ("_label-SC_seg", "_label-SC_mask", "_seg-manual", "_seg"),
    "discs": ("_label-discs_dlabel", "_label-disc-manual", "_labels-disc-manual", "_label-disc"),
    "pmj": ("_label-pmj", "_label-PMJ_dlabel", "_label-pmj_dlabel", "_pmj-manual", "_pmj"),
    "rootlets": ("_label-rootlets_dseg", "_rootlets-manual"),
}


def find_manual(image: str | os.PathLike[str]) -> dict[str, Path]:
    """Return the manual files of an image of a BIDS dataset.

    They are looked for in the dataset of the image, ``derivatives/labels/sub-X[/ses-Y]/anat/``;
    and for a copy of the image below ``PATH_DATA_PROCESSED`` in ``PATH_DATA`` before that, both
    of which ``sct_run_batch`` exports. The second is a name that other things may have in other
    places, so that it counts for images below the first only.

    Parameters
    ----------
    image : path-like
        ``<dataset>/sub-X[/ses-Y]/anat/sub-X_..._T2w.nii.gz``. For any other path there is
        nothing to be found.

    Returns
    -------
    dict of str to Path
        ``cord``, ``discs``, ``pmj`` and ``rootlets``, those that are there. A link whose content
        was not fetched (git-annex, DataLad) is there too: it is somebody's work that must not
        be passed over in silence.

    Examples
    --------
    >>> find_manual("t2.nii.gz")
    {}
    """
    # Not resolved: in a dataset under git-annex an image is a link to somewhere else.
    path = Path(os.path.abspath(image))
    place = _place_in_dataset(path)
    if place is None:
        return {}
    dataset, below = place
    stem = split_nifti(path)[1]
    found: dict[str, Path] = {}
    for root in (*_batch_data(path), dataset):
        for kind, suffixes in SUFFIXES.items():
            for suffix in suffixes:
                file = root / LABELS / below / f"{stem}{suffix}.nii.gz"
                if kind not in found and os.path.lexists(file):
                    found[kind] = file
    return found


#: Whose rootlets at the place of ours are used: anybody's, or ours that somebody corrected.
_SOMEBODYS = (Standing.FOREIGN, Standing.CHANGED, Standing.PROTECTED, Standing.UNREADABLE)


def find_rootlets(image: str | os.PathLike[str], folder: Path) -> tuple[Path, str] | None:
    """Return rootlets of an image that somebody made or corrected, and how they came there.

    Those of the dataset (:func:`find_manual`) come first, and then a file where ours would be,
    ``<image>_rootlets.nii.gz`` in `folder` or beside the image: ``sct_deepseg rootlets`` writes
    that name too. One that we predicted, and that nobody has changed since, does not count.

    Parameters
    ----------
    image : path-like
    folder : Path
        Where results go.

    Returns
    -------
    Path, str
        And ``"manual"`` or ``"at hand"``; None where there is nothing.

    Raises
    ------
    InputError
        If they are a link whose content was not fetched.
    """
    found = find_manual(image).get("rootlets")
    if found is not None:
        require_fetched(found, "rootlets")
        return found, "manual"
    stem = split_nifti(image)[1]
    for place in (folder, Path(image).parent):
        for extension in (".nii.gz", ".nii"):
            file = place / f"{stem}{OURS['rootlets']}{extension}"
            if standing(file) in _SOMEBODYS:
                require_fetched(file, "rootlets")
                return file, "at hand"
    return None


def require_fetched(path: Path, what: str) -> None:
    """Raise an `InputError` if a manual file is a link to content that is not there."""
    if not path.exists():
        raise InputError(
            "is a link to a file that is not there, as in a dataset whose content was not "
            f"fetched (manual {what})",
            path=path,
            remedy="Fetch it, with 'git annex get' or 'datalad get', or give another file",
        )


def _place_in_dataset(image: Path) -> tuple[Path, Path] | None:
    """Return the folder of the dataset, and the folder of the image below it."""
    above = list(image.parents[1:3])
    if len(above) == 2 and SESSION.fullmatch(above[0].name):
        del above[0]
    if not above or not SUBJECT.fullmatch(above[0].name):
        return None
    folder = above[0]
    if not image.name.startswith(f"{folder.name}_"):
        return None
    return folder.parent, image.parent.relative_to(folder.parent)


def _batch_data(image: Path) -> tuple[Path, ...]:
    """Return the dataset that ``sct_run_batch`` has copied an image from, if it has."""
    data, processed = (os.environ.get(name, "").strip() for name in (DATA, PROCESSED))
    if not data or not processed:
        return ()
    # On a Mac /tmp is a link; what the shell exports and what it is called with may differ.
    if Path(os.path.realpath(processed)) not in Path(os.path.realpath(image.parent)).parents:
        return ()
    return (Path(os.path.abspath(data)),)
