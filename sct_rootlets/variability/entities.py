"""What the name of a file says about an image: subject, session, and the other entities of BIDS."""

from __future__ import annotations

import os
import re
from pathlib import PurePath

__all__ = ["ENTITIES", "entities_of"]

#: Entities that may say what a factor is, by the factor; the first that is there counts.
#: ``rater-`` is no entity of BIDS, and in use all the same.
ENTITIES: dict[str, tuple[str, ...]] = {
    "session": ("ses",),
    "rater": ("rater", "desc"),
    "resolution": ("res", "acq"),
}
_ENTITY = re.compile(r"^([A-Za-z]+)-(.+)$")
#: The published script's raters stand at the end of a name, as in ``_label-rootlet_rater1``.
_RATER = re.compile(r"^rater[A-Za-z0-9]+$")


def entities_of(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the entities in the name of a file; ``sub`` and ``ses`` may be those of a folder.

    Source: https://bids-specification.readthedocs.io/en/stable/common-principles.html.

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
        match = _ENTITY.match(folder)
        if match and match[1] in ("sub", "ses"):
            found[match[1]] = match[2]
    for part in where.name.split(".")[0].split("_"):
        match = _ENTITY.match(part)
        if match:
            found[match[1]] = match[2]
        elif _RATER.match(part):
            found.setdefault("rater", part)
    return found
