"""How far the levels of a table lie from those of the population: lengths and positions.

The population is :class:`~sct_rootlets.levels.population.prior.Prior`, the same that places what
was not seen. By the definition of the table, the length of a level and its midpoint are weighted
sums of ends of entry zones, w, so that with the prior's mean m and covariance S

    z = (value - w m) / sqrt(w S w + sd^2),

sd being the standard deviation of the measurement. Lengths need no landmark; midpoints are
compared with where the discs put them, or without discs the pontomedullary junction.

Only what was measured is judged: what was interpolated comes from the population itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.levels import valosek2024
from sct_rootlets.levels.definitions import DEFINITIONS, weighted_sum
from sct_rootlets.levels.population.prior import Prior
from sct_rootlets.levels.population.reference_data import PAM50_DISCS_MM
from sct_rootlets.levels.positions import Weights
from sct_rootlets.levels.table.level_table import LevelTable

__all__ = ["OUTLIER_SD", "Comparison", "Plausibility", "compare"]

#: Farther from the mean of the population than this, in standard deviations, is an outlier:
#: one in 370 values of a normal distribution.
OUTLIER_SD = 3.0
#: Flags of a row whose border is not where the level ends.
_UNFINISHED = {"cut_rostral", "cut_caudal", "rostral_estimated", "caudal_estimated"}


@dataclass(frozen=True)
class Comparison:
    """One value against the population.

    Attributes
    ----------
    value_mm, mean_mm : float
        Measured, and the population's mean.
    sd_mm : float
        Of the population and the measurement together.
    """

    value_mm: float
    mean_mm: float
    sd_mm: float

    @property
    def z(self) -> float:
        """How many standard deviations the value lies above the mean."""
        return (self.value_mm - self.mean_mm) / self.sd_mm

    @property
    def is_outlier(self) -> bool:
        """Whether it lies more than `OUTLIER_SD` standard deviations off."""
        return abs(self.z) > OUTLIER_SD


@dataclass(frozen=True)
class Plausibility:
    """What the population says about one table.

    Attributes
    ----------
    lengths, midpoints : dict of SpinalLevel to Comparison
        Of the levels that can be compared.
    landmark : str or None
        What the midpoints are compared by, ``"discs"`` or ``"PMJ"``.
    """

    lengths: dict[SpinalLevel, Comparison]
    midpoints: dict[SpinalLevel, Comparison]
    landmark: str | None

    @property
    def worst(self) -> float:
        """Largest distance from the population, in standard deviations; 0 without any."""
        compared = (*self.lengths.values(), *self.midpoints.values())
        return max((abs(one.z) for one in compared), default=0.0)


def compare(table: LevelTable) -> Plausibility:
    """Compare a table with the population.

    Parameters
    ----------
    table : LevelTable

    Returns
    -------
    Plausibility
        Empty for a table of an unknown definition. A level that the image or a missing
        neighbour cuts is not compared.

    Notes
    -----
    The published voxel method measures the entry zones, up to a slice at either end, and is
    compared with these.
    """
    name = "extent" if table.definition == valosek2024.DEFINITION else table.definition
    if name not in DEFINITIONS:
        return Plausibility({}, {}, None)
    seen = {row.level for row in table.rows if row.status == "measured"}
    spacing, (placed, landmark) = Prior.floating(), _placed(table)
    lengths, midpoints = {}, {}
    for row in table.rows:
        length, midpoint = row.length_mm, row.midpoint_mm
        if row.level not in seen or length is None or midpoint is None:
            continue
        if _UNFINISHED & set(row.flags):
            continue
        rostral, caudal = DEFINITIONS[name](row.level, seen)
        weights = weighted_sum(caudal, rostral, 1.0, -1.0)
        lengths[row.level] = _compared(spacing, weights, length, row.length_sd_mm)
        if placed is not None:
            weights = weighted_sum(caudal, rostral, 0.5, 0.5)
            midpoints[row.level] = _compared(placed, weights, midpoint, row.midpoint_sd_mm)
    return Plausibility(lengths, midpoints, landmark)


def _placed(table: LevelTable) -> tuple[Prior | None, str | None]:
    """Return where the landmarks put the levels, on the axis of the table."""
    discs = {
        label: row.midpoint_mm - away
        for row in table.rows
        if row.vertebral is not None and row.midpoint_mm is not None
        for label, away in row.vertebral.from_disc_mm.items()
    }
    if any(label in PAM50_DISCS_MM for label in discs):
        return Prior.from_discs(discs), "discs"
    if table.pmj_mm is not None:
        return Prior.from_pmj(table.pmj_mm), "PMJ"
    return None, None


def _compared(prior: Prior, weights: Weights, value: float, sd: float | None) -> Comparison:
    nodes = list(weights)
    w = np.array([weights[node] for node in nodes])
    mean = float(w @ [prior.mean(node) for node in nodes])
    spread = np.array([[prior.covariance(a, b) for b in nodes] for a in nodes])
    variance = max(float(w @ spread @ w), 0.0) + (sd or 0.0) ** 2
    return Comparison(value, mean, float(np.sqrt(variance)))
