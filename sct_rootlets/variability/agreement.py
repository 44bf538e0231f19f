"""Agreement of paired sessions or raters: intraclass correlation and limits of agreement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from sct_rootlets.tables import column
from sct_rootlets.variability.distances import MEASURES, Distances
from sct_rootlets.variability.groups import SubjectsByGroup, grid_of

__all__ = [
    "AgreementRow",
    "Icc",
    "IccRow",
    "LimitsOfAgreement",
    "icc_agreement",
    "icc_rows",
    "limits_of_agreement",
    "pair_rows",
    "pairs_of",
]

Floats = NDArray[np.float64]

#: Most groups of which every pair is compared; of more, each with the first.
MOST_FOR_ALL_PAIRS = 6
_Z = float(stats.norm.ppf(0.975))


@dataclass(frozen=True)
class Icc:
    """An intraclass correlation for absolute agreement of single measurements.

    Attributes
    ----------
    value : float
    low, high : float or None
        Confidence interval; None where it is not defined.
    sem : float
        Standard error of measurement: SD of single measurements of one subject.
    """

    value: float
    low: float | None
    high: float | None
    sem: float


@dataclass(frozen=True)
class LimitsOfAgreement:
    """Bias and 95 % limits of agreement of paired measurements.

    Attributes
    ----------
    n : int
    bias, bias_low, bias_high : float
        Mean difference, and its confidence interval.
    sd : float
        Of the differences.
    lower, lower_low, lower_high, upper, upper_low, upper_high : float
        Limits, each with its confidence interval.
    """

    n: int
    bias: float
    bias_low: float
    bias_high: float
    sd: float
    lower: float
    lower_low: float
    lower_high: float
    upper: float
    upper_low: float
    upper_high: float


@dataclass(frozen=True)
class IccRow:
    """The intraclass correlation of one measure of one level over the groups of a factor."""

    factor: str = column("Factor whose groups are compared")
    level: str = column("Spinal level")
    measure: str = column("What is measured")
    n_subjects: int = column("Subjects that are in all groups")
    n_groups: int = column("Groups")
    icc: float | None = column(
        "Intraclass correlation ICC(2,1): absolute agreement, two-way random, single measurement"
    )
    icc_low: float | None = column("Lower end of its confidence interval")
    icc_high: float | None = column("Upper end of its confidence interval")
    sem_mm: float | None = column(
        "Standard error of measurement: standard deviation of single measurements of one subject",
        "mm",
    )


@dataclass(frozen=True)
class AgreementRow:
    """Bland-Altman figures of one measure of one level in two groups of a factor."""

    factor: str = column("Factor whose groups are compared")
    first: str = column("First group")
    second: str = column("Second group")
    level: str = column(
        "Spinal level; 'all' for the differences of all levels together, which are not "
        "independent, so that they have no intervals"
    )
    measure: str = column("What is measured")
    n_subjects: int = column("Subjects that are in both groups")
    bias_mm: float | None = column("Mean difference, second less first", "mm")
    bias_low: float | None = column("Lower end of its confidence interval", "mm")
    bias_high: float | None = column("Upper end of its confidence interval", "mm")
    sd_mm: float | None = column("Standard deviation of the differences", "mm")
    lower_mm: float | None = column("Lower 95 % limit of agreement: bias_mm - 1.96 sd_mm", "mm")
    lower_low: float | None = column("Lower end of the confidence interval of lower_mm", "mm")
    lower_high: float | None = column("Upper end of the confidence interval of lower_mm", "mm")
    upper_mm: float | None = column("Upper 95 % limit of agreement: bias_mm + 1.96 sd_mm", "mm")
    upper_low: float | None = column("Lower end of the confidence interval of upper_mm", "mm")
    upper_high: float | None = column("Upper end of the confidence interval of upper_mm", "mm")


def icc_agreement(table: ArrayLike, confidence: float = 0.95) -> Icc | None:
    """Return ICC(2,1): absolute agreement, two-way random effects, single measurement.

    Parameters
    ----------
    table : (n, k) array
        Subjects by sessions or raters, complete.
    confidence : float

    Returns
    -------
    Icc or None
        None for fewer than two subjects or columns, or where all values are the same.

    Notes
    -----
    With the mean squares of subjects MSR, columns MSC and rest MSE, ICC(2,1) is
    (MSR - MSE) / (MSR + (k - 1) MSE + k (MSC - MSE) / n): Shrout and Fleiss 1979, Psychol Bull
    86:420; ICC(A,1) of McGraw and Wong 1996, Psychol Methods 1:30, whose interval (table 7) it
    has. It may be negative. SEM^2 = MSE + max(0, MSC - MSE) / n, columns and rest together.
    """
    x = np.asarray(table, dtype=float)
    n, k = x.shape
    if n < 2 or k < 2:
        return None
    grand = x.mean()
    of_rows, of_columns = x.mean(axis=1), x.mean(axis=0)
    rest = x - of_rows[:, None] - of_columns + grand
    msr = k * ((of_rows - grand) ** 2).sum() / (n - 1)
    msc = n * ((of_columns - grand) ** 2).sum() / (k - 1)
    mse = (rest**2).sum() / ((n - 1) * (k - 1))
    total = msr + (k - 1) * mse + k * (msc - mse) / n
    if not total > 1e-12 * max(grand**2, 1.0):
        return None
    value = float((msr - mse) / total)
    sem = float(np.sqrt(mse + max(0.0, msc - mse) / n))
    tail = (1 - confidence) / 2
    if mse + msc <= 1e-12 * msr:  # perfect agreement has no width
        return Icc(value, value, value, sem)
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    spread = (a * msc) ** 2 / (k - 1) + (b * mse) ** 2 / ((n - 1) * (k - 1))
    if not spread > 0:
        return Icc(value, None, None, sem)
    dof = (a * msc + b * mse) ** 2 / spread
    f_low, f_high = stats.f.isf(tail, n - 1, dof), stats.f.isf(tail, dof, n - 1)
    both = k * msc + (k * n - k - n) * mse
    low = n * (msr - f_low * mse) / (f_low * both + n * msr)
    high = n * (f_high * msr - mse) / (both + n * f_high * msr)
    return Icc(value, float(low), float(high), sem)


def limits_of_agreement(
    first: ArrayLike, second: ArrayLike, confidence: float = 0.95
) -> LimitsOfAgreement | None:
    """Return bias and 95 % limits of agreement of second less first.

    Parameters
    ----------
    first, second : (n,) array
        Measurements of the same subjects.
    confidence : float

    Returns
    -------
    LimitsOfAgreement or None
        None for fewer than two.

    Notes
    -----
    Bias d and limits d -+ 1.96 s: Bland and Altman 1986, Lancet 327:307; 1999, Stat Methods Med
    Res 8:135. The intervals of the limits are the exact ones for normal differences, from the
    noncentral t distribution: Carkeet 2015, Optom Vis Sci 92:e71. (Those of 1999, with the
    standard error s sqrt(3 / n), are too short for few subjects.)
    """
    differences = np.asarray(second, dtype=float) - np.asarray(first, dtype=float)
    n = len(differences)
    if n < 2:
        return None
    bias, sd = float(differences.mean()), float(differences.std(ddof=1))
    tail = (1 - confidence) / 2
    half = float(stats.t.isf(tail, n - 1)) * sd / np.sqrt(n)
    # The distance of a limit from the bias, in units of s, lies between these two.
    near, far = (
        float(stats.nct.ppf(p, n - 1, _Z * np.sqrt(n))) / np.sqrt(n) for p in (tail, 1 - tail)
    )
    return LimitsOfAgreement(
        n,
        bias,
        bias - half,
        bias + half,
        sd,
        bias - _Z * sd,
        bias - far * sd,
        bias - near * sd,
        bias + _Z * sd,
        bias + near * sd,
        bias + far * sd,
    )


def icc_rows(distances: Distances, confidence: float) -> Iterator[IccRow]:
    """Yield the intraclass correlations of every factor that varies within subjects."""
    for factor in distances.study.factors:
        grid = grid_of(distances, factor)
        if not grid.is_crossed:
            continue
        for m, measure in enumerate(MEASURES):
            for k, level in enumerate(distances.levels):
                cells = grid.cells(k, m)
                cells = cells[:, np.isfinite(cells).any(axis=0)]
                cells = cells[np.isfinite(cells).all(axis=1)]
                found = icc_agreement(cells, confidence) if len(cells) else None
                if found is not None:
                    n, k_groups = cells.shape
                    numbers = (found.value, found.low, found.high, found.sem)
                    yield IccRow(factor, str(level), measure, n, k_groups, *numbers)


def pairs_of(grid: SubjectsByGroup) -> list[tuple[int, int]]:
    """Return which groups are compared: all pairs of few groups, each with the first of many."""
    n = len(grid.groups)
    if n <= MOST_FOR_ALL_PAIRS:
        return list(combinations(range(n), 2))
    return [(0, k) for k in range(1, n)]


def pair_rows(distances: Distances, confidence: float) -> Iterator[AgreementRow]:
    """Yield bias and limits of agreement of pairs of groups of every factor within subjects."""
    for factor in distances.study.factors:
        grid = grid_of(distances, factor)
        if not grid.is_crossed:
            continue
        for a, b in pairs_of(grid):
            names = (factor, grid.groups[a], grid.groups[b])
            for m, measure in enumerate(MEASURES):
                together: list[Floats] = []
                subjects: set[int] = set()
                for k, level in enumerate(distances.levels):
                    pair = grid.cells(k, m)[:, [a, b]]
                    both = np.isfinite(pair).all(axis=1)
                    found = limits_of_agreement(pair[both, 0], pair[both, 1], confidence)
                    if found is None:
                        continue
                    together.append(pair[both, 1] - pair[both, 0])
                    subjects |= set(np.flatnonzero(both).tolist())
                    yield AgreementRow(*names, str(level), measure, *astuple(found))
                if len(together) > 1:
                    yield _all_levels((*names, "all", measure), len(subjects), together)


def _all_levels(
    names: tuple[str, str, str, str, str], n_subjects: int, differences: list[Floats]
) -> AgreementRow:
    together = np.concatenate(differences)
    bias, sd = float(together.mean()), float(together.std(ddof=1))
    lower, upper = bias - _Z * sd, bias + _Z * sd
    return AgreementRow(
        *names, n_subjects, bias, None, None, sd, lower, None, None, upper, None, None
    )
