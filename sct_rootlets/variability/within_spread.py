"""How far repeated measurements of the same subjects lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.variability.resampling import Interval, Resampler

__all__ = ["WithinSpread", "within_subjects"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class WithinSpread:
    """The spread within subjects.

    Attributes
    ----------
    n_subjects, n_groups : int
        That count.
    mean, sd : float
        Of all; SD within subjects, pooled.
    rms, average : float or None
        Root mean square and mean over the subjects of their coefficients of variation, percent;
        None where a mean is not positive.
    rms_interval, average_interval : (low, high) or None
    """

    n_subjects: int
    n_groups: int
    mean: float
    sd: float
    rms: float | None = None
    average: float | None = None
    rms_interval: Interval | None = None
    average_interval: Interval | None = None


def within_subjects(
    cells: Floats, subjects: Sequence[str], resampler: Resampler
) -> WithinSpread | None:
    """Return the spread over the columns of `cells` within subjects, None if there is none.

    Parameters
    ----------
    cells : (N, G) array
        What is compared, such as the sessions of one subject with one rater; NaN where lacking.
    subjects : sequence of str
        Of every row. A subject may have several rows, one for each rater; their squares are
        pooled.
    resampler : Resampler

    Notes
    -----
    With SD_r and mean m_r of row r and its degrees of freedom d_r (columns less 1), the
    coefficient of a subject is CoV_i^2 = sum(d_r (100 SD_r / m_r)^2) / sum(d_r) over its rows,
    and the root mean square sqrt(sum(d_i CoV_i^2) / sum(d_i)): Glueer et al. 1995, Osteoporos
    Int 5:262. The mean of the CoV_i is what the published scripts have; of k repeats it is too
    small by the mean of a standard deviation, to 80 % of the truth for two.
    """
    counts = np.isfinite(cells).sum(axis=1)
    several = counts > 1
    cells, counts = cells[several], counts[several]
    names = [name for name, keep in zip(subjects, several, strict=True) if keep]
    if not len(cells):
        return None
    means, sds = np.nanmean(cells, axis=1), np.nanstd(cells, axis=1, ddof=1)
    dof = counts - 1.0
    distinct = list(dict.fromkeys(names))
    found = WithinSpread(
        len(distinct),
        int(np.isfinite(cells).any(axis=0).sum()),
        float(means.mean()),
        float(np.sqrt((dof * sds**2).sum() / dof.sum())),
    )
    if not (means > 0).all():
        return found
    place = np.array([distinct.index(name) for name in names])
    squares = np.bincount(place, dof * (100 * sds / means) ** 2).astype(float)
    dofs = np.bincount(place, dof).astype(float)
    covs = np.sqrt(squares / dofs)
    if len(cells) == 1:
        interval = average_interval = resampler.cov(cells[0][np.isfinite(cells[0])])
    else:
        interval = resampler.ratio(squares, dofs, 0.5)
        average_interval = resampler.ratio(covs, np.ones(len(covs)), 1.0)
    return WithinSpread(
        found.n_subjects,
        found.n_groups,
        found.mean,
        found.sd,
        float(np.sqrt(squares.sum() / dofs.sum())),
        float(covs.mean()),
        interval,
        average_interval,
    )
