"""Tables and figures of a study on disk, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sct_rootlets.errors import UsageError
from sct_rootlets.files.guards import require_no_input
from sct_rootlets.files.results import ResultSet
from sct_rootlets.files.sidecar import sidecar
from sct_rootlets.qc.figure import has_matplotlib
from sct_rootlets.tables import Column, columns_of, decimals, describe, to_text
from sct_rootlets.variability.agreement import AgreementRow, IccRow
from sct_rootlets.variability.analysis import Variability
from sct_rootlets.variability.distances import MEASURES, ORIGINS
from sct_rootlets.variability.effects import EffectRow
from sct_rootlets.variability.spread import SpreadRow
from sct_rootlets.variability.vertebral_position import PLACES, PositionRow, ShareRow

__all__ = ["study_files", "write"]

_TITLES = {
    "": "Variability of spinal levels",
    "distances": "Distances of every level in every image, as the other tables use them",
    "icc": "Intraclass correlations of repeated measurements",
    "pairs": "Bias and limits of agreement of paired measurements (Bland-Altman)",
    "effects": "Tests of the factors",
    "vertebrae": "In which vertebrae the levels lie",
    "vertebra_positions": "Spinal levels against the vertebrae of their name and above",
}
_LEFT_OUT = "n/a where not measured, or left out for its status or a flag"


def study_files(target: str | os.PathLike[str], factors: Iterable[str] = ()) -> dict[str, Path]:
    """Return all files that may be written for the table `target`, by what stands after its name.

    Raises
    ------
    UsageError
        If the name does not end in ``.tsv``.

    Examples
    --------
    >>> files = study_files("X.tsv", ["site"])
    >>> files[""].name, files["icc json"].name, files["bland_altman_site.png"].name
    ('X.tsv', 'X_icc.json', 'X_bland_altman_site.png')
    """
    main = Path(target)
    if main.suffix != ".tsv":
        raise UsageError("does not end in .tsv", path=main, remedy="Name a .tsv file")
    files = {name: _beside(main, f"{name}.tsv" if name else "") for name in _TITLES}
    files |= {f"{name} json": path.with_suffix(".json") for name, path in files.items()}
    figures = ["levels", "cov", "vertebrae", *(f"bland_altman_{factor}" for factor in factors)]
    ends = [f"{figure}.{kind}" for figure in figures for kind in ("png", "svg")]
    return {**files, **{end: _beside(main, end) for end in ends}}


def write(
    found: Variability, target: str | os.PathLike[str], *, overwrite: bool = False
) -> dict[str, Path]:
    """Write the tables, a JSON beside each that describes its columns, and the figures.

    Parameters
    ----------
    found : Variability
    target : path-like
        Table of the spread, ``X.tsv``. The others are ``X_distances.tsv``, ``X_icc.tsv``,
        ``X_pairs.tsv``, ``X_effects.tsv``, ``X_vertebrae.tsv`` and
        ``X_vertebra_positions.tsv``, where they have a row; the figures ``X_levels``,
        ``X_cov``, ``X_vertebrae`` and ``X_bland_altman_FACTOR``, each ``.png`` and ``.svg``,
        where matplotlib is installed.
    overwrite : bool
        Replace also files that are not as an earlier run wrote them.

    Returns
    -------
    dict of str to Path
        What was written, by what stands after ``X`` (``""`` is the table of the spread).

    Raises
    ------
    UsageError
        If a file would replace a table that was read or, without `overwrite`, a file that is not
        as we wrote it; or the name does not end in ``.tsv``.
    """
    named = study_files(target, found.distances.study.factors)
    tables: dict[str, tuple[Sequence[Column], Iterable[Mapping[str, Any]]]] = {
        "": (columns_of(SpreadRow, _number), map(vars, found.spread)),
        "distances": (_distances_columns(found), _distances_rows(found)),
    }
    for name, row_type, rows in (
        ("icc", IccRow, found.icc),
        ("pairs", AgreementRow, found.pairs),
        ("effects", EffectRow, found.effects),
        ("vertebrae", ShareRow, found.vertebra_shares),
        ("vertebra_positions", PositionRow, found.vertebra_positions),
    ):
        if rows:
            tables[name] = (columns_of(row_type, _number), map(vars, rows))
    figures: dict[str, bytes] = {}
    if has_matplotlib():
        from sct_rootlets.variability.figures import draw

        figures = draw(found)
    names = [*tables, *(f"{name} json" for name in tables), *figures]
    files = {name: named[name] for name in names}
    tables_read = [Path(scan.path) for scan in found.distances.study.scans]
    beside = [path.with_suffix(".json") for path in tables_read]
    require_no_input(files.values(), [*tables_read, *beside])
    with ResultSet(overwrite=overwrite) as outputs:
        for name, (columns, rows_of_it) in tables.items():
            outputs.write(files[name], to_text(columns, rows_of_it))
            content = _content(found, name, named[""].parent, describe(columns))
            outputs.record(files[f"{name} json"], content, [files[name]])
        for name, picture in figures.items():
            outputs.write(files[name], picture)
        outputs.list_in(files[" json"], [files[name] for name in figures])
    return files


def _beside(main: Path, end: str) -> Path:
    return main.with_name(f"{main.stem}_{end}") if end else main


def _content(
    found: Variability, name: str, folder: Path, columns: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the JSON beside one table."""
    distances = found.distances
    study = distances.study
    parameters = {
        "by": list(study.factors),
        "from": ORIGINS[distances.origin],
        "statuses": list(distances.statuses),
        "definition": study.definition,
        "confidence": found.confidence,
        "resamples": found.n_resamples,
        "seed": found.seed,
    }
    return sidecar(
        beside=folder,
        sources=[scan.path for scan in study.scans],
        spatial_reference=None,
        description=_TITLES[name],
        parameters=parameters,
        extra={"warnings": list(found.warnings), **columns},
    )


def _number(number: float) -> str:
    """Return the text of a number; one that the decimals would make 0 has two digits."""
    return f"{number:.2e}" if 0 < abs(number) < 1e-4 else decimals(4)(number)


def _distances_columns(found: Variability) -> list[Column]:
    origin = ORIGINS[found.distances.origin]
    measures = []
    for measure in MEASURES:
        what = "Length of the level" if measure == "length" else f"{measure} from {origin}"
        text = f"{what[:1].upper()}{what[1:]}; {_LEFT_OUT}"
        measures.append(Column(f"{measure}_mm", text, "mm", number=_number))
    return [
        Column("participant_id", "Subject"),
        Column("session_id", "Session in the name of the table"),
        Column("table", "File name of the table"),
        *(Column(name, f"Factor: {name}") for name in found.distances.study.factors),
        Column("level", "Spinal level"),
        Column("status", "How the borders of the level are known"),
        *measures,
        *(Column(f"{place}_vertebra", f"Vertebral level of its {place}") for place in PLACES),
    ]


def _distances_rows(found: Variability) -> Iterator[dict[str, Any]]:
    distances = found.distances
    for scan, values in zip(distances.study.scans, distances.values, strict=True):
        session = scan.entities.get("ses")
        for level, numbers in zip(distances.levels, values, strict=True):
            row = scan.table.row(level)
            if row is None:
                continue
            places = {place: getattr(row.vertebral, place, None) for place in PLACES}
            yield {
                **dict.fromkeys(distances.study.factors),
                **scan.factors,
                "participant_id": f"sub-{scan.subject}",
                "session_id": None if session is None else f"ses-{session}",
                "table": Path(scan.path).name,
                "level": level,
                "status": row.status,
                **{f"{m}_mm": float(v) for m, v in zip(MEASURES, numbers, strict=True)},
                **{f"{k}_vertebra": v and v.vertebra for k, v in places.items()},
            }
