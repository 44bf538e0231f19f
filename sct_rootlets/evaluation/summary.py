"""Figures over images: mean, standard deviation and median, level by level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.evaluation.columns import FIGURES, SUMMARY_METRICS
from sct_rootlets.evaluation.one import PairResult
from sct_rootlets.evaluation.result_rows import ALL
from sct_rootlets.tables import aligned

__all__ = ["POOLED", "Figure", "format_summary", "summarise"]

#: Name of the values of all images and levels together, as papers pool them.
POOLED = "levels"
_SHOWN = {
    "dice": "Dice",
    "f1_slice": "F1 by slice",
    "hd95_mm": "HD95, mm",
    "assd_mm": "ASSD, mm",
    "nsd_1mm": "NSD 1 mm",
    "border_error_mm": "borders, mm",
}


@dataclass(frozen=True)
class Figure:
    """One figure of one level over the images.

    Attributes
    ----------
    level : str
        Name of a level, ``"all"`` or ``"levels"``.
    metric : str
    values : (N,) array
        Of the images that have one.
    n_missed, n_invented : int
        Images where one side lacks the level.
    """

    level: str
    metric: str
    values: NDArray[np.float64]
    n_missed: int
    n_invented: int

    @property
    def mean(self) -> float:
        """Mean, NaN without values."""
        return float(self.values.mean()) if len(self.values) else float("nan")

    @property
    def sd(self) -> float:
        """Standard deviation (n - 1), NaN for fewer than two values."""
        return float(self.values.std(ddof=1)) if len(self.values) > 1 else float("nan")

    @property
    def median(self) -> float:
        """Median, NaN without values."""
        return float(np.median(self.values)) if len(self.values) else float("nan")

    @property
    def cells(self) -> dict[str, Any]:
        """The row of the table."""
        figures = {"mean": self.mean, "sd": self.sd, "median": self.median}
        return {**vars(self), "n": len(self.values), **figures}


def summarise(results: Sequence[PairResult]) -> list[Figure]:
    """Return every figure of every level, of all levels as one, and of all levels pooled.

    A level counts for the images in which either side has it: an image that misses it has a
    Dice of 0 there, and no distance.
    """
    levels = sorted(
        {row.level for result in results for row in result.agreement if row.level is not None}
    )
    names = [*map(str, levels), *([POOLED] if levels else []), ALL]
    figures = []
    for name in names:
        rows = [
            row
            for result in results
            for row in result.agreement
            if (str(row.level) == name if name not in (POOLED, ALL) else _is_of(name, row.level))
        ]
        missed = sum(row.is_missed for row in rows)
        invented = sum(row.is_invented for row in rows)
        for metric in SUMMARY_METRICS:
            if metric in FIGURES:
                values = [getattr(row, metric) for row in rows]
            else:
                values = [v for result in results for v in _border_values(result, metric, name)]
            known = np.array([value for value in values if np.isfinite(value)], dtype=float)
            figures.append(Figure(name, metric, known, missed, invented))
    return figures


def format_summary(figures: Sequence[Figure]) -> str:
    """Return mean ± standard deviation of the most usual figures by level, as plain text."""
    lines = [["level", "n", *_SHOWN.values(), "missed", "invented"]]
    for level in dict.fromkeys(figure.level for figure in figures):
        mine = {figure.metric: figure for figure in figures if figure.level == level}
        first = mine["dice"]
        lines.append(
            [
                level,
                str(len(first.values)),
                *(_spread(mine[metric]) for metric in _SHOWN),
                str(first.n_missed),
                str(first.n_invented),
            ]
        )
    kept = [k for k in range(len(lines[0])) if k < 2 or any(_says(line[k]) for line in lines[1:])]
    return "\n".join(aligned([[line[k] for k in kept] for line in lines]))


def _is_of(name: str, level: SpinalLevel | None) -> bool:
    """Say whether a row is of the levels pooled, or of all as one."""
    return (level is not None) == (name == POOLED)


def _border_values(result: PairResult, metric: str, name: str) -> Iterator[float]:
    """Yield the mean absolute error of each level of one image that `name` stands for.

    Of all levels as one it is that of the image, where a border that two levels share counts
    once.
    """
    places = ("midpoint",) if metric.startswith("midpoint") else ("rostral", "caudal")
    if name == ALL:
        errors = np.abs(result.border_errors_mm(*places))
        if len(errors):
            yield float(errors.mean())
        return
    for level in dict.fromkeys(row.level for row in result.borders):
        if name in (POOLED, str(level)):
            mine = [
                abs(row.error_mm)
                for row in result.borders
                if row.level is level and row.place in places and row.counts
            ]
            known = [error for error in mine if np.isfinite(error)]
            if known:
                yield float(np.mean(known))


def _spread(figure: Figure) -> str:
    if not len(figure.values):
        return "n/a"
    return f"{figure.mean:.2f}" + (f" ± {figure.sd:.2f}" if len(figure.values) > 1 else "")


def _says(cell: str) -> bool:
    return cell not in ("n/a", "0")
