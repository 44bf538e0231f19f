"""Subjects by groups: what of each subject is known in each group of a factor."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.variability.distances import Distances, cell_means

__all__ = ["Grid", "grid_of", "natural"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Grid:
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


def grid_of(distances: Distances, factor: str) -> Grid:
    """Return what is measured by subject and group of `factor`; images without one left out."""
    groups = distances.groups(factor)
    keys = [
        None if group is None else (scan.subject, group)
        for scan, group in zip(distances.study.scans, groups, strict=True)
    ]
    found, means = cell_means(distances.values, keys)
    subjects = sorted({scan.subject for scan in distances.study.scans}, key=natural)
    names = sorted({group for group in groups if group is not None}, key=natural)
    values = np.full((len(subjects), len(names), *distances.values.shape[1:]), np.nan)
    rows = {subject: i for i, subject in enumerate(subjects)}
    columns = {name: j for j, name in enumerate(names)}
    for key, mean in zip(found, means, strict=True):
        assert isinstance(key, tuple)
        values[rows[key[0]], columns[key[1]]] = mean
    return Grid(tuple(subjects), tuple(names), values)


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
