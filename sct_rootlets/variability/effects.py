"""Does a factor matter? A test for every level, with its effect size, corrected over levels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sct_rootlets.tables import column
from sct_rootlets.variability.distances import MEASURES, Distances
from sct_rootlets.variability.groups import grid_of

__all__ = ["TESTS", "EffectRow", "effect_rows", "holm"]

Floats = NDArray[np.float64]

TESTS = {
    "kruskal": "Kruskal-Wallis: subjects of different groups; by ranks",
    "anova": "One-way analysis of variance: subjects of different groups; normal, equal spread",
    "wilcoxon": "Wilcoxon signed rank: the same subjects in two groups; by ranks",
    "paired_t": "Paired t: the same subjects in two groups; normal differences",
    "friedman": "Friedman: the same subjects in three groups or more; by ranks",
}
EFFECTS = {
    "epsilon2": "H / (n - 1): 0 none, 1 all",
    "eta2": "Sum of squares between groups over all: 0 none, 1 all",
    "rank_biserial": "Rank sum of positive less negative differences over all, second less first: "
    "-1 to 1",
    "cohen_dz": "Mean difference over the standard deviation of the differences, second less first",
    "kendall_w": "Chi square / (n (groups - 1)): 0 none, 1 all subjects alike",
}


@dataclass(frozen=True)
class EffectRow:
    """One test of one measure of one level."""

    factor: str = column("Factor that is tested")
    level: str = column("Spinal level")
    measure: str = column("What is measured")
    test: str = column("Test of: the groups do not differ in this measure", values=TESTS)
    n_subjects: int = column("Subjects that count")
    n_groups: int = column("Groups that count")
    statistic: float | None = column("H, F, W, t or chi square of the test")
    p: float | None = column("p value, two-sided")
    p_holm: float | None = column(
        "p value corrected by Holm over the levels, for one factor, measure and test"
    )
    effect: str = column("What effect_size is", values=EFFECTS)
    effect_size: float | None = column("Effect size")


def effect_rows(distances: Distances) -> list[EffectRow]:
    """Return the tests of every factor, measure and level.

    Notes
    -----
    Where subjects are in several groups, those in all of them are compared with themselves;
    else subjects, by the mean over their images, are compared between groups of two or more.
    Epsilon squared: Tomczak and Tomczak 2014, Trends Sport Sci 1:19. Rank biserial correlation:
    Kerby 2014, Compr Psychol 3:1. Holm 1979, Scand J Stat 6:65.
    """
    rows: list[EffectRow] = []
    for factor in distances.study.factors:
        grid = grid_of(distances, factor)
        for m, measure in enumerate(MEASURES):
            found: dict[str, list[EffectRow]] = {}
            for k, level in enumerate(distances.levels):
                names = (factor, str(level), measure)
                cells = grid.cells(k, m)
                tests = _same(names, cells) if grid.is_crossed else _different(names, cells)
                for row in tests:
                    found.setdefault(row.test, []).append(row)
            for tests_of in found.values():
                corrected = holm([row.p for row in tests_of])
                rows += [replace(r, p_holm=p) for r, p in zip(tests_of, corrected, strict=True)]
    return rows


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p values corrected by Holm; None stays None and does not count.

    Examples
    --------
    >>> holm([0.01, 0.04, None, 0.03])
    [0.03, 0.06, None, 0.06]
    """
    known = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    answer: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, i) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * p))
        answer[i] = highest
    return answer


def _different(names: tuple[str, str, str], cells: Floats) -> Iterator[EffectRow]:
    """Yield the tests of groups of different subjects, of cells (N, G)."""
    groups = [values[np.isfinite(values)] for values in cells.T]
    groups = [values for values in groups if len(values) > 1]
    if len(groups) < 2:
        return
    together = np.concatenate(groups)
    n, mean = len(together), together.mean()
    if not np.ptp(together) > 0:
        return
    counts = (n, len(groups))
    ranked = stats.kruskal(*groups)
    h = float(ranked.statistic)
    yield EffectRow(
        *names, "kruskal", *counts, h, float(ranked.pvalue), None, "epsilon2", h / (n - 1)
    )
    between = sum(len(v) * (v.mean() - mean) ** 2 for v in groups)
    within = sum(((v - v.mean()) ** 2).sum() for v in groups)
    if within > 0:
        tested = stats.f_oneway(*groups)
        eta2 = float(between / (between + within))
        f, p = float(tested.statistic), float(tested.pvalue)
        yield EffectRow(*names, "anova", *counts, f, p, None, "eta2", eta2)


def _same(names: tuple[str, str, str], cells: Floats) -> Iterator[EffectRow]:
    """Yield the tests of groups of the same subjects, of cells (N, G)."""
    cells = cells[:, np.isfinite(cells).any(axis=0)]
    cells = cells[np.isfinite(cells).all(axis=1)]
    n, n_groups = cells.shape
    if n < 3 or n_groups < 2 or not np.ptp(cells, axis=1).any():
        return
    if n_groups > 2:
        chi2 = stats.friedmanchisquare(*cells.T)
        value = float(chi2.statistic)
        effect = value / (n * (n_groups - 1))
        p = float(chi2.pvalue)
        yield EffectRow(*names, "friedman", n, n_groups, value, p, None, "kendall_w", effect)
        return
    differences = cells[:, 1] - cells[:, 0]
    moved = differences[differences != 0]
    ranks = stats.rankdata(np.abs(moved))
    biserial = float((ranks * np.sign(moved)).sum() / ranks.sum())
    signed = stats.wilcoxon(differences)
    value, p = float(signed.statistic), float(signed.pvalue)
    yield EffectRow(*names, "wilcoxon", n, 2, value, p, None, "rank_biserial", biserial)
    sd = float(differences.std(ddof=1))
    if sd > 0:
        paired = stats.ttest_rel(cells[:, 1], cells[:, 0])
        value, p = float(paired.statistic), float(paired.pvalue)
        dz = float(differences.mean()) / sd
        yield EffectRow(*names, "paired_t", n, 2, value, p, None, "cohen_dz", dz)
