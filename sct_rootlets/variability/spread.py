"""Mean, SD and coefficient of variation of every level, between subjects and within them.

Formulas, with their sources, are in docs/variability.md. A coefficient of variation (CoV) is
100 SD / mean, and SD has n - 1 under it throughout.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.tables import column
from sct_rootlets.variability.distances import MEASURES, Distances, cell_means
from sct_rootlets.variability.group_spread import between_groups
from sct_rootlets.variability.groups import SubjectsByGroup, grid_of
from sct_rootlets.variability.resampling import Interval, Resampler
from sct_rootlets.variability.within_spread import within_subjects

__all__ = ["MEAN_LEVEL", "SCOPES", "SpreadRow", "cov_of", "spread"]

Floats = NDArray[np.float64]

SCOPES = {
    "between_subjects": "Over the subjects of a group, after the mean over the images of each",
    "between_groups": "Over the means of the groups of a factor: what the groups differ by, and "
    "what their means differ by since each is of few subjects",
    "between_groups_net": "The same less what few subjects make of it: the standard deviation of "
    "the groups alone; 0 where they differ by no more than subjects explain",
    "within_subject_rms": "Over the groups of a factor within each subject: root mean square of "
    "the subjects' coefficients, weighted by their degrees of freedom",
    "within_subject_mean": "The same as a plain mean of the subjects' coefficients, as published",
}
#: The level of rows that are the mean over levels.
MEAN_LEVEL = "mean"


@dataclass(frozen=True)
class SpreadRow:
    """The spread of one measure of one level."""

    scope: str = column("Over what it is a spread", values=SCOPES)
    factor: str = column("Factor; 'all' for all images together")
    group: str = column("Group of the factor; 'all' where it is over all of them")
    level: str = column("Spinal level; 'mean' for the mean of the coefficients over the levels")
    measure: str = column(
        "What is measured: distance of the rostral border, the caudal border or the midpoint from "
        "the origin, or length"
    )
    n_subjects: int | None = column("Subjects that count")
    n_images: int | None = column("Images that count")
    n_groups: int | None = column("Groups that count, where it is over groups; else n/a")
    n_left_out: int | None = column(
        "Images that have the level and do not count, since it is not measured in them"
    )
    n_missing: int | None = column(
        "Images that have the level and whose table has no number there: it is n/a or empty, or "
        "the table does not know the origin"
    )
    mean_mm: float | None = column("Mean", "mm")
    sd_mm: float | None = column("Standard deviation over what the scope says", "mm")
    cov_percent: float | None = column(
        "Coefficient of variation: 100 times sd_mm over the mean; of 'within_subject' scopes the "
        "root mean square or mean over subjects; n/a where the mean is not positive",
        "percent",
    )
    cov_low: float | None = column("Lower end of its confidence interval", "percent")
    cov_high: float | None = column("Upper end of its confidence interval", "percent")
    ci_over: str | None = column(
        "What was drawn again for the interval",
        values={
            "subjects": "subjects, each with all of its images",
            "images": "the images of the only subject",
            "groups": "groups, where each has one subject",
        },
    )
    cov_sd_percent: float | None = column(
        "Of rows with the level 'mean': standard deviation of the coefficients over the levels",
        "percent",
    )


def spread(distances: Distances, resampler: Resampler) -> list[SpreadRow]:
    """Return the spread of every measure of every level, in every scope there are images for."""
    rows: list[SpreadRow] = []
    subjects = distances.subjects()
    rows += _between_subjects(distances, subjects, "all", "all", resampler)
    for factor in distances.study.factors:
        groups = distances.groups(factor)
        grid = grid_of(distances, factor)
        for group in grid.groups:
            keys = [s if g == group else None for s, g in zip(subjects, groups, strict=True)]
            rows += _between_subjects(distances, keys, factor, group, resampler)
        rows += _between_groups(distances, grid, factor, resampler)
        rows += _within_subjects(distances, factor, resampler)
    return [row for row in rows if row.n_images]


def _between_subjects(
    distances: Distances,
    keys: Sequence[Hashable],
    factor: str,
    group: str,
    resampler: Resampler,
) -> Iterator[SpreadRow]:
    _, means = cell_means(distances.values, keys)
    counted = _Counted(distances, [key is not None for key in keys])
    for m, measure in enumerate(MEASURES):
        rows = []
        for k, level in enumerate(distances.levels):
            values = means[np.isfinite(means[:, k, m]), k, m]
            mean = float(values.mean()) if len(values) else None
            sd = float(values.std(ddof=1)) if len(values) > 1 else None
            interval = resampler.cov(values) if sd else None
            rows.append(
                _row(
                    ("between_subjects", factor, group, str(level), measure),
                    (len(values), None, *counted(k, m)),
                    (mean, sd, cov_of(mean, sd)),
                    (interval, "subjects"),
                )
            )
        yield from (*rows, *_mean_over_levels(rows))


def _between_groups(
    distances: Distances, grid: SubjectsByGroup, factor: str, resampler: Resampler
) -> Iterator[SpreadRow]:
    counted = _Counted(distances, [g is not None for g in distances.groups(factor)])
    for m, measure in enumerate(MEASURES):
        raw_rows: list[SpreadRow] = []
        net_rows: list[SpreadRow] = []
        for k, level in enumerate(distances.levels):
            cells = grid.cells(k, m)
            found = between_groups(cells, is_crossed=grid.is_crossed, resampler=resampler)
            if found is None:
                continue
            for name, sd, interval, over, rows in (
                ("between_groups", found.sd, found.interval, "groups", raw_rows),
                ("between_groups_net", found.net_sd, found.net_interval, "subjects", net_rows),
            ):
                rows.append(
                    _row(
                        (name, factor, "all", str(level), measure),
                        (found.n_subjects, found.n_groups, *counted(k, m)),
                        (found.mean, sd, cov_of(found.mean, sd)),
                        (interval, over),
                    )
                )
        yield from (*raw_rows, *_mean_over_levels(raw_rows))
        yield from (*net_rows, *_mean_over_levels(net_rows))


def _within_subjects(
    distances: Distances, factor: str, resampler: Resampler
) -> Iterator[SpreadRow]:
    grid = grid_of(distances, factor, apart=True)
    counted = _Counted(distances, [g is not None for g in distances.groups(factor)])
    for m, measure in enumerate(MEASURES):
        rms_rows: list[SpreadRow] = []
        mean_rows: list[SpreadRow] = []
        for k, level in enumerate(distances.levels):
            found = within_subjects(grid.cells(k, m), grid.subjects, resampler)
            if found is None:
                continue
            for name, cov, interval, rows in (
                ("within_subject_rms", found.rms, found.rms_interval, rms_rows),
                ("within_subject_mean", found.average, found.average_interval, mean_rows),
            ):
                rows.append(
                    _row(
                        (name, factor, "all", str(level), measure),
                        (found.n_subjects, found.n_groups, *counted(k, m)),
                        (found.mean, found.sd, cov),
                        (interval, "images" if found.n_subjects == 1 else "subjects"),
                    )
                )
        yield from (*rms_rows, *_mean_over_levels(rms_rows))
        yield from (*mean_rows, *_mean_over_levels(mean_rows))


def _mean_over_levels(rows: Sequence[SpreadRow]) -> list[SpreadRow]:
    """Return a row with mean and SD of the coefficients over the levels, as the paper has it."""
    covs = np.array([row.cov_percent for row in rows if row.cov_percent is not None])
    if len(covs) < 2:
        return []
    of_one_level = ("n_left_out", "n_missing", "mean_mm", "sd_mm", "cov_low", "cov_high", "ci_over")
    numbers: dict[str, Any] = {
        "n_subjects": max(row.n_subjects or 0 for row in rows),
        "n_images": max(row.n_images or 0 for row in rows),
        "cov_percent": float(covs.mean()),
        "cov_sd_percent": float(covs.std(ddof=1)),
        **dict.fromkeys(of_one_level),
    }
    return [replace(rows[0], level=MEAN_LEVEL, **numbers)]


class _Counted:
    """Counts images that count, that are left out and that have no number, of those chosen."""

    def __init__(self, distances: Distances, chosen: Sequence[bool]) -> None:
        self._used = np.isfinite(distances.values[list(chosen)]).sum(axis=0)
        self._out = distances.is_left_out[list(chosen)].sum(axis=0)
        self._missing = distances.is_missing[list(chosen)].sum(axis=0)

    def __call__(self, k: int, m: int) -> tuple[int, int, int]:
        return int(self._used[k, m]), int(self._out[k, m]), int(self._missing[k, m])


def _row(
    names: tuple[str, str, str, str, str],
    counts: tuple[int, int | None, int, int, int],
    numbers: tuple[float | None, float | None, float | None],
    interval: tuple[Interval | None, str],
) -> SpreadRow:
    n_subjects, n_groups, n_images, n_left_out, n_missing = counts
    low, high = interval[0] or (None, None)
    over = interval[1] if interval[0] else None
    counted = (n_subjects, n_images, n_groups, n_left_out, n_missing)
    return SpreadRow(*names, *counted, *numbers, low, high, over, None)


def cov_of(mean: float | None, sd: float | None) -> float | None:
    """Return 100 SD / mean; None where the mean is not positive, which has no such coefficient."""
    return None if mean is None or sd is None or not mean > 0 else 100 * sd / mean
