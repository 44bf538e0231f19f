"""Names of BIDS, and the other endings in use: taken apart here and nowhere else.

Source: https://bids-specification.readthedocs.io/en/stable/common-principles.html.
"""

from __future__ import annotations

import os
import re
from pathlib import PurePath

__all__ = [
    "SESSION",
    "SUBJECT",
    "applies_to",
    "entities_of",
    "image_stem",
    "is_of_label",
    "levels_stem",
    "split_suffix",
    "without_label",
    "without_levels",
]

#: Folders of a subject and of a session.
SUBJECT, SESSION = re.compile(r"sub-[A-Za-z0-9]+"), re.compile(r"ses-[A-Za-z0-9]+")

_ENTITY = re.compile(r"([A-Za-z]+)-(.+)")
#: The published script's raters stand at the end of a name, as in ``_label-rootlet_rater1``.
_RATER = re.compile(r"rater[A-Za-z0-9]+")
_SUFFIX = re.compile(r"(sub-[A-Za-z0-9]+(?:_[A-Za-z]+-[A-Za-z0-9]+)*)_([A-Za-z0-9]+)")
_LABEL = re.compile(r"_label-[A-Za-z0-9]+")
#: Ends of the names of rootlets and of cord masks.
_LABEL_ENDING = re.compile(r"_label-[A-Za-z0-9]+_(dseg|seg|mask)$")
_PLAIN_ENDING = re.compile(r"(_label-[A-Za-z0-9]+|[_-]rootlets?|_seg)$")
_LEVELS_ENDING = re.compile(r"(_spinal_levels|_label-spinallevels)$")
#: What belongs to levels, by the names that `run` and `levels` give; the look-up, whose name
#: ends in ``_dseg.tsv``, does not.
_OF_LEVELS = re.compile(r"(?:\.tsv|(?:_dseg)?\.(?:json|nii|nii\.gz))$")


def entities_of(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the entities in the name of a file; ``sub`` and ``ses`` may be those of a folder.

    Examples
    --------
    >>> entities_of("out/sub-01/ses-a/anat/sub-01_acq-08mm_T2w_spinal_levels.tsv")
    {'sub': '01', 'ses': 'a', 'acq': '08mm'}
    >>> entities_of("sub-02_T2w_label-rootlet_rater1_pmj_distance.csv")["rater"]
    'rater1'
    """
    where = PurePath(path)
    found: dict[str, str] = {}
    for folder in where.parts[:-1]:
        match = _ENTITY.fullmatch(folder)
        if match and match[1] in ("sub", "ses"):
            found[match[1]] = match[2]
    for part in where.name.split(".")[0].split("_"):
        match = _ENTITY.fullmatch(part)
        if match:
            found[match[1]] = match[2]
        elif _RATER.fullmatch(part):
            found.setdefault("rater", part)
    return found


def applies_to(stem: str, image: str) -> bool:
    """Say whether a JSON file of this stem may be inherited by an image of the stem `image`.

    It has the suffix of the image, and no entity that the image has not.

    Examples
    --------
    >>> applies_to("task-rest_bold", "sub-1_task-rest_bold"), applies_to("bold", "sub-1_bold")
    (True, True)
    >>> applies_to("sub-1_echo-1_bold", "sub-1_task-rest_bold"), applies_to("T2w", "sub-1_bold")
    (False, False)
    """
    parts, known = stem.split("_"), image.split("_")
    return parts[-1] == known[-1] and set(parts[:-1]) <= set(known[:-1])


def split_suffix(stem: str) -> tuple[str, str] | None:
    """Split a stem of BIDS into entities and suffix; None if it is no such stem.

    Examples
    --------
    >>> split_suffix("sub-1_task-rest_bold")
    ('sub-1_task-rest', 'bold')
    """
    found = _SUFFIX.fullmatch(stem)
    return (found[1], found[2]) if found else None


def without_label(stem: str) -> str:
    """Return a stem without its label, ``sub-1_probseg`` for ``sub-1_label-C5_probseg``."""
    return _LABEL.sub("", stem)


def is_of_label(stem: str) -> bool:
    """Say whether a stem is that of a derivative with a label, as ``_label-rootlets_dseg``."""
    return _LABEL_ENDING.search(stem) is not None


def image_stem(stem: str) -> str:
    """Return the stem of the image that rootlets or a cord mask are of.

    Examples
    --------
    >>> image_stem("sub-1_T2w_label-rootlets_dseg"), image_stem("t2_rootlets"), image_stem("t2")
    ('sub-1_T2w', 't2', 't2')
    """
    return _PLAIN_ENDING.sub("", _LABEL_ENDING.sub("", stem))


def levels_stem(name: str) -> str | None:
    """Return the stem of the table of levels that a file belongs to, None if to none.

    Examples
    --------
    >>> levels_stem("sub-1_label-spinallevels_dseg.nii.gz"), levels_stem("t2_spinal_levels.tsv")
    ('sub-1_label-spinallevels', 't2_spinal_levels')
    """
    stem = _OF_LEVELS.sub("", name)
    return stem if stem != name and _LEVELS_ENDING.search(stem) else None


def without_levels(stem: str) -> str:
    """Return the stem of what levels are of.

    Examples
    --------
    >>> without_levels("t2_spinal_levels"), without_levels("sub-1_T2w_label-spinallevels")
    ('t2', 'sub-1_T2w')
    """
    return _LEVELS_ENDING.sub("", stem)
