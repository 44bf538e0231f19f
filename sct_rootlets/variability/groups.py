"""Subjects by groups: what of each subject is known in each group of a factor."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.variability.distances import Distances, cell_means

__all__ = ["SubjectsByGroup", "grid_of", "natural"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SubjectsByGroup:
    """What is measured of every subject in every group of a factor.

    Attributes
    ----------
    subjects, groups : tuple of str
        Groups in natural order, so that ses-10 comes after ses-9.
    values : (N, G, L, 4) array
        mm, as of `Distances.values`; the mean where a subject has several images in a group,
        NaN where it has none.
    """

    subjects: tuple[str, ...]
    groups: tuple[str, ...]
    values: Floats

    @property
    def is_crossed(self) -> bool:
        """Whether any subject is in several groups."""
        present = np.isfinite(self.values).any(axis=(2, 3))
        return bool((present.sum(axis=1) > 1).any())

    def cells(self, level: int, measure: int) -> Floats:
        """Return one measure of one level, (N, G); the numbers are places in `Distances`."""
        return self.values[:, :, level, measure]


def grid_of(distances: Distances, factor: str, *, apart: bool = False) -> SubjectsByGroup:
    """Return what is measured by subject and group of `factor`; images without one left out.

    Parameters
    ----------
    distances : Distances
    factor : str
    apart : bool
        Keep the other factors apart: a subject then has a row for each rater, say, if `factor`
        is the session. Factors that follow from `factor`, as the vendor from the site, or from
        which it follows, do not count. Otherwise their mean is taken.
    """
    scans = distances.study.scans
    others = _independent(distances, factor) if apart else []
    rows = [(scan.subject, *(scan.factors.get(name, "") for name in others)) for scan in scans]
    keys = [
        None if group is None else (row, group)
        for row, group in zip(rows, distances.groups(factor), strict=True)
    ]
    found, means = cell_means(distances.values, keys)
    distinct = sorted(set(rows), key=lambda row: [natural(name) for name in row])
    names = sorted({key[1] for key in keys if key is not None}, key=natural)
    values = np.full((len(distinct), len(names), *distances.values.shape[1:]), np.nan)
    places = {row: i for i, row in enumerate(distinct)}
    columns = {name: j for j, name in enumerate(names)}
    for key, mean in zip(found, means, strict=True):
        values[places[key[0]], columns[key[1]]] = mean
    return SubjectsByGroup(tuple(row[0] for row in distinct), tuple(names), values)


def _independent(distances: Distances, factor: str) -> list[str]:
    """Return the other factors of the study that neither follow from `factor` nor give it."""
    answer = []
    for other in distances.study.factors:
        pairs = {
            (a, b)
            for a, b in zip(distances.groups(factor), distances.groups(other), strict=True)
            if a is not None and b is not None
        }
        firsts, seconds = {a for a, _ in pairs}, {b for _, b in pairs}
        if other != factor and len(pairs) > max(len(firsts), len(seconds)):
            answer.append(other)
    return answer


def natural(name: str) -> tuple[tuple[int, float, str], ...]:
    """Return a key that sorts numbers in names by their size.

    Examples
    --------
    >>> sorted(["10mm", "9mm", "a"], key=natural)
    ['9mm', '10mm', 'a']
    """
    parts = re.split(r"(\d+(?:\.\d+)?)", name)
    return tuple(
        (0, float(part), "") if number % 2 else (1, 0.0, part)
        for number, part in enumerate(parts)
        if part
    )
