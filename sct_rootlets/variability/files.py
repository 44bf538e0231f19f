"""Tables and figures of a study on disk, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sct_rootlets import __version__
from sct_rootlets.errors import UsageError
from sct_rootlets.files.outputs import OutputSet
from sct_rootlets.files.sidecar import GENERATOR, relative, to_json
from sct_rootlets.qc.figure import has_matplotlib
from sct_rootlets.variability.agreement import AgreementRow, IccRow
from sct_rootlets.variability.analysis import Variability
from sct_rootlets.variability.columns import cell, describe, to_tsv
from sct_rootlets.variability.distances import MEASURES, ORIGINS
from sct_rootlets.variability.effects import EffectRow
from sct_rootlets.variability.spread import SpreadRow
from sct_rootlets.variability.vertebral_position import PLACES, PositionRow, ShareRow

__all__ = ["write"]

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


def write(found: Variability, target: str | os.PathLike[str]) -> dict[str, Path]:
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

    Returns
    -------
    dict of str to Path
        What was written, by what stands after ``X`` (``""`` is the table of the spread).

    Raises
    ------
    UsageError
        If a file would replace a table that was read, or the name does not end in ``.tsv``.
    """
    main = Path(target)
    if main.suffix != ".tsv":
        raise UsageError("does not end in .tsv", path=main, remedy="Name a .tsv file")
    tables: dict[str, tuple[str, Mapping[str, Any]]] = {
        "": (to_tsv(SpreadRow, found.spread), describe(SpreadRow)),
        "distances": (_distances_tsv(found), _distances_columns(found)),
    }
    for name, row_type, rows in (
        ("icc", IccRow, found.icc),
        ("pairs", AgreementRow, found.pairs),
        ("effects", EffectRow, found.effects),
        ("vertebrae", ShareRow, found.vertebra_shares),
        ("vertebra_positions", PositionRow, found.vertebra_positions),
    ):
        if rows:
            tables[name] = (to_tsv(row_type, rows), describe(row_type))
    figures: dict[str, bytes] = {}
    if has_matplotlib():
        from sct_rootlets.variability.figures import draw

        figures = draw(found)
    files = {name: _beside(main, f"{name}.tsv" if name else "") for name in tables}
    files |= {f"{name} json": path.with_suffix(".json") for name, path in files.items()}
    files |= {name: _beside(main, name) for name in figures}
    _require_free(found, files)
    with OutputSet() as outputs:
        for name, (text, columns) in tables.items():
            outputs.stage(files[name]).write_text(text, encoding="utf-8")
            content = to_json(_content(found, name, main.parent, columns))
            outputs.stage(files[f"{name} json"]).write_text(content, encoding="utf-8")
        for name, picture in figures.items():
            outputs.stage(files[name]).write_bytes(picture)
    return files


def _beside(main: Path, end: str) -> Path:
    return main.with_name(f"{main.stem}_{end}") if end else main


def _require_free(found: Variability, files: Mapping[str, Path]) -> None:
    inputs = {Path(scan.path).resolve() for scan in found.distances.study.scans}
    inputs |= {path.with_suffix(".json") for path in inputs}
    for path in files.values():
        if path.resolve() in inputs:
            raise UsageError("is an input, and would be replaced by an output", path=path)


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
    return {
        "Description": _TITLES[name],
        "GeneratedBy": [{"Name": GENERATOR, "Version": __version__, "Parameters": parameters}],
        "Sources": [relative(scan.path, folder) for scan in study.scans],
        "warnings": list(found.warnings),
        **columns,
    }


def _distances_columns(found: Variability) -> dict[str, dict[str, Any]]:
    origin = ORIGINS[found.distances.origin]
    columns = {
        "participant_id": {"Description": "Subject"},
        "session_id": {"Description": "Session in the name of the table"},
        "table": {"Description": "File name of the table"},
        **{name: {"Description": f"Factor: {name}"} for name in found.distances.study.factors},
        "level": {"Description": "Spinal level"},
        "status": {"Description": "How the borders of the level are known"},
    }
    for measure in MEASURES:
        what = "Length of the level" if measure == "length" else f"{measure} from {origin}"
        columns[f"{measure}_mm"] = {
            "Description": f"{what[:1].upper()}{what[1:]}; {_LEFT_OUT}",
            "Units": "mm",
        }
    for place in PLACES:
        columns[f"{place}_vertebra"] = {"Description": f"Vertebral level of its {place}"}
    return columns


def _distances_tsv(found: Variability) -> str:
    lines = ["\t".join(_distances_columns(found))]
    lines += ["\t".join(map(cell, cells)) for cells in _distances_cells(found)]
    return "\n".join(lines) + "\n"


def _distances_cells(found: Variability) -> Iterator[list[Any]]:
    distances = found.distances
    for scan, values in zip(distances.study.scans, distances.values, strict=True):
        session = scan.entities.get("ses")
        names = [
            f"sub-{scan.subject}",
            None if session is None else f"ses-{session}",
            Path(scan.path).name,
            *(scan.factors.get(factor) for factor in distances.study.factors),
        ]
        for level, numbers in zip(distances.levels, values, strict=True):
            row = scan.table.row(level)
            if row is None:
                continue
            places = [
                None if row.vertebral is None else getattr(row.vertebral, place) for place in PLACES
            ]
            yield [
                *names,
                str(level),
                row.status,
                *(float(v) if np.isfinite(v) else None for v in numbers),
                *(None if place is None else str(place.vertebra) for place in places),
            ]
