"""Whose a table is, and which map is which: never by a bare file name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from sct_rootlets.files.bids import SESSION, SUBJECT, entities_of
from sct_rootlets.files.sidecar import distinct_names, split_nifti

__all__ = ["UNITS", "map_of_all", "names_of_maps", "unit_of"]

#: What can be counted in a table of a group.
UNITS = ("subject", "session")


def names_of_maps(paths: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Return a name for each of several maps: that of its file, with folders where these differ.

    Examples
    --------
    >>> names_of_maps(["a/zstat1.nii.gz", "a/zstat2.nii.gz"])
    ['zstat1.nii.gz', 'zstat2.nii.gz']
    >>> names_of_maps(["run1.feat/zstat1.nii.gz", "run2.feat/zstat1.nii.gz"])
    ['run1.feat/zstat1.nii.gz', 'run2.feat/zstat1.nii.gz']
    """
    endings = [split_nifti(path)[2] for path in paths]
    return [f"{name}{end}" for name, end in zip(distinct_names(paths), endings, strict=True)]


def map_of_all(name: str) -> str:
    """Return the name of a map without whose it is, by which maps of several subjects are one.

    Examples
    --------
    >>> map_of_all("sub-01_ses-1_task-rest_zstat.nii.gz"), map_of_all("sub-01/a.feat/zstat1.nii.gz")
    ('task-rest_zstat.nii.gz', 'a.feat/zstat1.nii.gz')
    >>> map_of_all("n/a")
    'n/a'
    """
    *folders, last = PurePosixPath(name).parts
    kept = [part for part in folders if not (SUBJECT.fullmatch(part) or SESSION.fullmatch(part))]
    words = last.split("_")
    while len(words) > 1 and (SUBJECT.fullmatch(words[0]) or SESSION.fullmatch(words[0])):
        del words[0]
    return "/".join([*kept, "_".join(words)])


def unit_of(table: str, name_of_map: str, unit: str) -> str:
    """Return the subject, or the session, that a row of a table is of.

    By the entities ``sub`` and ``ses`` in the name of the map, else in the name of the table and
    of the folders above it. A table that names no subject is one of its own.

    Parameters
    ----------
    table : str
        Path of the table.
    name_of_map : str
        ``n/a`` in a table of a time series.
    unit : str
        One of `UNITS`.

    Examples
    --------
    >>> unit_of("out/sub-01_ses-1_levels.tsv", "n/a", "subject")
    'sub-01'
    >>> unit_of("out/sub-01_ses-1_levels.tsv", "n/a", "session")
    'sub-01_ses-1'
    """
    entities = {**entities_of(os.path.abspath(table)), **entities_of(name_of_map)}
    subject = entities.get("sub")
    if subject is None:
        return Path(table).as_posix()
    if unit == "session" and "ses" in entities:
        return f"sub-{subject}_ses-{entities['ses']}"
    return f"sub-{subject}"
