"""Several predictions, one after the other: a broken pair does not lose the others."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import UsageError
from sct_rootlets.evaluation import columns, result_rows
from sct_rootlets.evaluation.one import PairResult, evaluate_pair
from sct_rootlets.evaluation.summary import POOLED, Figure, summarise
from sct_rootlets.files.guards import require_no_input
from sct_rootlets.files.results import ResultSet
from sct_rootlets.files.sidecar import distinct_names, hashes, sidecar
from sct_rootlets.qc import accuracy
from sct_rootlets.qc.figure import has_matplotlib, png
from sct_rootlets.tables import Column, describe, to_text

__all__ = ["Evaluation", "evaluate", "evaluation_files"]

PathLike = str | os.PathLike[str]
Progress = Callable[[str, int, int], None]

_KIND = "agreement of rootlets with a reference"
_STAGE = "comparing"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was measured of several predictions.

    Attributes
    ----------
    results : tuple of PairResult
    failures : tuple of (str, Exception)
        Name of a prediction that could not be measured, and why.
    parameters : mapping
    sources : tuple of str
        Files that were read.
    """

    results: tuple[PairResult, ...]
    failures: tuple[tuple[str, Exception], ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[str, ...] = ()

    @property
    def summary(self) -> list[Figure]:
        """Mean, standard deviation and median over the images, by level."""
        return summarise(self.results)

    def write(self, target: PathLike, *, overwrite: bool = False) -> dict[str, Path]:
        """Write the tables, whole or not at all; return their paths by what they are.

        Where matplotlib is installed there is a figure too.

        Parameters
        ----------
        target : path-like
            Table of image and level, ``.tsv``; the others are named after it.
        overwrite : bool
            Replace also files that are not as an earlier evaluation wrote them.

        Raises
        ------
        UsageError
            If an input, or without `overwrite` such a file, would be replaced.
        """
        files = evaluation_files(target)
        require_no_input(files.values(), self.sources)
        folder = files["metrics"].parent
        content: dict[str, tuple[Sequence[Mapping[str, Any]], Sequence[Column]]] = {
            "metrics": (result_rows.metric_rows(self.results), columns.METRICS),
            "summary": ([f.cells for f in self.summary], columns.SUMMARY),
            "images": (result_rows.image_rows(self.results, folder), columns.IMAGES),
            "confusion": (
                result_rows.confusion_rows(self.results),
                result_rows.confusion_columns(self.results),
            ),
            "borders": (result_rows.border_rows(self.results), columns.BORDERS),
            "calibration": (result_rows.calibration_rows(self.results), columns.CALIBRATION),
        }
        written = {what: files[what] for what, (rows, _) in content.items() if rows}
        described = {what: content[what][1] for what in written}
        with ResultSet(overwrite=overwrite) as outputs:
            for what, columns_of_it in described.items():
                outputs.write(files[what], to_text(columns_of_it, content[what][0]))
            written["json"] = files["json"]
            outputs.record(files["json"], self._sidecar(files, described), files.values())
            if has_matplotlib():
                written["figure"] = files["figure"]
                outputs.write(files["figure"], png(accuracy.draw(self._shown())))
            # What an earlier run left under these names is not of this one.
            for what in files.keys() - written.keys():
                outputs.remove(files[what])
        return written

    def _shown(self) -> accuracy.Accuracy:
        """Return what the figure shows."""
        figures = [f for f in self.summary if f.metric == "dice" and f.level != POOLED]
        values, counts = result_rows.confusion(self.results)
        count = len(self.results)
        return accuracy.Accuracy(
            "Agreement with the reference",
            f"{count} images" if count > 1 else self.results[0].name,
            tuple(SpinalLevel(value) for value in values),
            counts,
            {figure.level: figure.values for figure in figures},
        )

    def _sidecar(
        self, files: Mapping[str, Path], described: Mapping[str, Sequence[Column]]
    ) -> dict[str, Any]:
        folder = files["metrics"].parent
        return sidecar(
            beside=folder,
            sources=self.sources,
            spatial_reference=None,
            description="Agreement of rootlets with a reference, by image and spinal level.",
            parameters=self.parameters,
            extra={
                "Kind": _KIND,
                "SourceSHA256": hashes(self.sources, folder),
                "EmptyCases": columns.EMPTY_CASES,
                "Remarks": {r.name: list(r.remarks) for r in self.results if r.remarks},
                "LevelWarnings": {
                    r.name: list(r.level_warnings) for r in self.results if r.level_warnings
                },
                "Failed": {name: str(error) for name, error in self.failures},
                **describe(columns.METRICS),
                "Tables": {
                    files[what].name: describe(mine)
                    for what, mine in described.items()
                    if what != "metrics"
                },
            },
        )


def evaluate(
    predicted: Sequence[PathLike],
    references: Sequence[PathLike],
    *,
    cords: Sequence[PathLike] | None = None,
    tables: Sequence[PathLike] | None = None,
    reference_tables: Sequence[PathLike] | None = None,
    definition: str = "caudal",
    only: Collection[SpinalLevel] | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure predictions against their references.

    Parameters
    ----------
    predicted, references : sequence of path-like
        Rootlets, in the same order.
    cords : sequence of path-like, optional
        Cord masks in the same order: give errors of borders.
    tables, reference_tables : sequences of path-like, optional
        Tables of levels (TSV) in the same order, in place of levels derived from the rootlets.
    definition : str
        What a level is, where levels are derived.
    only : collection of SpinalLevel, optional
        Levels to compare; all others are taken for background on both sides.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Raises
    ------
    UsageError
        If the numbers of files differ, or a pair is given twice. What is wrong with one pair
        is in the `failures`.
    """
    given = {"-ref": references, "-s": cords, "-tables": tables, "-ref-tables": reference_tables}
    for option, files in given.items():
        if files is not None and len(files) != len(predicted):
            raise UsageError(
                f"{option} has {len(files)} and -i has {len(predicted)} files",
                remedy=f"Give one file with {option} for each prediction, in the same order",
            )
    pairs = [tuple(map(os.path.realpath, pair)) for pair in zip(predicted, references, strict=True)]
    again = next((k for k, pair in enumerate(pairs) if pair in pairs[:k]), None)
    if again is not None:
        raise UsageError(
            "is given twice with the same reference",
            path=predicted[again],
            remedy="Give every pair once",
        )
    if (tables is None) != (reference_tables is None):
        raise UsageError(
            "there are tables of one side only",
            remedy="Give both -tables and -ref-tables, or neither",
        )
    results, failures = [], []
    names = distinct_names(predicted)
    for k, name in enumerate(names):
        if progress is not None:
            progress(_STAGE, k, len(names))
        pair = None
        if tables is not None and reference_tables is not None:
            pair = (tables[k], reference_tables[k])
        try:
            result = evaluate_pair(
                predicted[k],
                references[k],
                name=name,
                cord=None if cords is None else cords[k],
                tables=pair,
                definition=definition,
                only=only,
            )
            results.append(result)
        except Exception as error:  # noqa: BLE001  whatever it is, it belongs to this pair
            failures.append((name, error))
    if progress is not None:
        progress(_STAGE, len(names), len(names))
    sources = [predicted, references, cords, tables, reference_tables]
    return Evaluation(
        tuple(results),
        tuple(failures),
        {
            "definition": definition if cords is not None and tables is None else None,
            "levels": None if only is None else [str(level) for level in sorted(only)],
        },
        tuple(os.fspath(path) for files in sources if files is not None for path in files),
    )


def evaluation_files(target: PathLike) -> dict[str, Path]:
    """Return the files of an evaluation, by what they are.

    Examples
    --------
    >>> [path.name for path in evaluation_files("metrics.tsv").values()]
    ... # doctest: +NORMALIZE_WHITESPACE
    ['metrics.tsv', 'metrics_summary.tsv', 'metrics_images.tsv', 'metrics_confusion.tsv',
     'metrics_borders.tsv', 'metrics_calibration.tsv', 'metrics.json', 'metrics.png']
    """
    path = Path(target)
    if path.suffix.lower() != ".tsv":
        raise UsageError("does not end in .tsv", path=path, remedy="Name the table X.tsv")
    further = ("summary", "images", "confusion", "borders", "calibration")
    return {
        "metrics": path,
        **{what: path.with_name(f"{path.stem}_{what}.tsv") for what in further},
        "json": path.with_suffix(".json"),
        "figure": path.with_suffix(".png"),
    }
