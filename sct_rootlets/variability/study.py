"""A study: tables of levels, one an image, with the subject and the factors of each."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.files.bids import entities_of
from sct_rootlets.levels.edited import table_with_image
from sct_rootlets.levels.table.level_table import LevelTable
from sct_rootlets.tables import Line
from sct_rootlets.variability.participants import Participants, read_participants

__all__ = ["Scan", "Study", "read_study"]

logger = logging.getLogger(__name__)

#: Entities that may say what a factor is, by the factor; the first that is there counts.
#: ``rater-`` is no entity of BIDS, and in use all the same.
ENTITIES: dict[str, tuple[str, ...]] = {
    "session": ("ses",),
    "rater": ("rater", "desc"),
    "resolution": ("res", "acq"),
}


@dataclass(frozen=True)
class Scan:
    """One image of a study.

    Attributes
    ----------
    path : str
        Of its table.
    subject : str
        Label, without ``sub-``.
    table : LevelTable
    factors : dict of str to str
        What each factor of the study is for this image; without those that are not known.
    entities : dict of str to str
        Of its name.
    """

    path: str
    subject: str
    table: LevelTable
    factors: Mapping[str, str] = field(default_factory=dict)
    entities: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """Images of one study.

    Attributes
    ----------
    scans : tuple of Scan
    factors : tuple of str
        By which images are compared.
    warnings : tuple of str
    """

    scans: tuple[Scan, ...]
    factors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def definition(self) -> str:
        """What the tables call a spinal level."""
        known = {scan.table.definition for scan in self.scans} - {"unknown"}
        return known.pop() if known else "unknown"


def read_study(
    paths: Sequence[str | os.PathLike[str]],
    participants: str | os.PathLike[str] | None = None,
    by: Iterable[str] = (),
    progress: Callable[[str, int, int], None] | None = None,
) -> Study:
    """Read tables of levels, and find subject and factors of each.

    Parameters
    ----------
    paths : sequence of path-like
        As :func:`sct_rootlets.levels.edited.table_with_image` reads them.
    participants : path-like, optional
        participants.tsv.
    by : iterable of str
        Factors. Each is a column of participants.tsv (``vendor`` also ``manufacturer``, ``site``
        also ``institution_id``), else an entity of the names (``session`` is ``ses-``,
        ``resolution`` is ``res-`` or ``acq-``, ``rater`` is ``rater-`` or ``desc-``; any other
        by its own name, such as ``acq``).
    progress : callable, optional
        Called with (stage, done, total).

    Raises
    ------
    InputError
        If a file cannot be read, or has no subject, or its subject is not in participants.tsv.
    UsageError
        If a factor is not known or has one value only; if two tables are of the same image.
    """
    known = None if participants is None else read_participants(participants)
    factors = tuple(dict.fromkeys(name.strip() for name in by if name.strip()))
    scans = []
    for number, path in enumerate(paths, 1):
        scans.append(_scan(os.fspath(path), known, factors))
        if progress is not None:
            progress("reading tables", number, len(paths))
    study = Study(tuple(scans), factors)
    _require_apart(study)
    _require_one_definition(study)
    warnings = [text for name in factors for text in _checked(study, name, known)]
    alike = Counter((scan.subject, *sorted(scan.factors.items())) for scan in scans)
    n_more = len({key[0] for key, count in alike.items() if count > 1})
    if n_more:
        warnings.append(
            f"{n_more} of the subjects have several tables that no factor of -by tells apart; "
            "the mean of these is taken"
        )
    return Study(study.scans, factors, tuple(warnings))


def _scan(path: str, participants: Participants | None, factors: tuple[str, ...]) -> Scan:
    table, remarks = table_with_image(path)
    for remark in remarks:
        logger.warning(remark)
    names = [path, *([table.fname] if table.fname else [])]
    entities = {**entities_of(table.fname or ""), **entities_of(path)}
    subject = entities.get("sub")
    rows: list[Line] = []
    if participants is not None:
        rows = participants.rows_of(subject, entities.get("ses"), names)
        if not rows:
            whom = "it" if subject is None else f"sub-{subject}"
            raise InputError(
                f"{participants.path} has no row for {whom}",
                path=path,
                remedy="Add one, or leave the table out",
            )
        if subject is None:
            label = participants.value(rows, "participant_id")
            subject = None if label is None else label.removeprefix("sub-")
    if subject is None:
        raise InputError(
            "does not say whose image it is of",
            path=path,
            remedy="Name tables or their folders as BIDS does (sub-01_...), or give a "
            "participants.tsv with the columns participant_id and filename",
        )
    found = {}
    for factor in factors:
        column = None if participants is None else participants.column_of(factor)
        value = None
        if participants is not None and column is not None:
            value = participants.value(rows, column)
        if value is None:
            keys = ENTITIES.get(factor.lower(), (factor,))
            value = next((entities[key] for key in keys if key in entities), None)
        if value is not None:
            found[factor] = value
    return Scan(path, subject, table, found, entities)


def _require_apart(study: Study) -> None:
    """Refuse two tables of the same image: the subject would count twice."""
    seen: dict[tuple[object, ...], str] = {}
    for scan in study.scans:
        key = (scan.subject, *sorted(scan.entities.items()), *sorted(scan.factors.items()))
        if key in seen:
            raise UsageError(
                f"is of the same image as {seen[key]}: sub-{scan.subject}, and nothing in the "
                "names tells them apart",
                path=scan.path,
                remedy="Give one of them, or name sessions, runs or raters (ses-, run-, rater-)",
            )
        seen[key] = scan.path


def _require_one_definition(study: Study) -> None:
    first: dict[str, str] = {}
    for scan in study.scans:
        if scan.table.definition != "unknown":
            first.setdefault(scan.table.definition, scan.path)
    if len(first) > 1:
        (one, a), (other, b) = list(first.items())[:2]
        raise UsageError(
            f"the tables have levels of several definitions: {one} ({a}) and {other} ({b})",
            remedy="Compare levels of one definition only",
        )


def _checked(study: Study, factor: str, participants: Participants | None) -> list[str]:
    """Return what has to be said about a factor."""
    values = [scan.factors.get(factor) for scan in study.scans]
    if not any(values):
        columns = "" if participants is None else ", ".join(participants.columns)
        raise UsageError(
            f"'{factor}' (-by) is neither a column of participants.tsv nor an entity in the names "
            "of the tables",
            remedy=f"Columns: {columns}" if columns else "Give a participants.tsv (-participants)",
        )
    if len(set(values) - {None}) < 2:
        only = next(value for value in values if value)
        raise UsageError(
            f"'{factor}' (-by) is '{only}' for all of the {len(values)} tables, so that there is "
            "nothing to compare",
            remedy="Leave it out of -by",
        )
    unknown = [scan.path for scan in study.scans if factor not in scan.factors]
    if unknown:
        return [
            f"{factor} is not known for {len(unknown)} of {len(values)} tables, which are left out "
            f"where it counts, such as {unknown[0]}"
        ]
    return []
