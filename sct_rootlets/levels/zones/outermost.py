"""The outermost of several ends, each known with an error.

A level's entry zone ends where the last of its four cells ends: left and right, dorsal and
ventral. The outermost of four *measured* ends lies too far out, because errors that point
outwards win; and a cell that was missed, or in which something else was taken for a
rootlet, would decide. So the true ends are treated as what they are, unknown:

    t_i = m + u_i,     u_i ~ N(0, CELL_SD_MM)                          true end of cell i
    y_i = t_i + v_i,   v_i ~ (1 - p) N(0, k sd_i) + p N(0, WRONG_SD_MM)   what is measured

with m the level's own, p the share of cells that are wrong, and k the noise of the image,
which is found where all its cells agree as well as they do (:func:`noise_of`). Given m
the cells are independent, so that the distribution of max t_i given all y_i is one integral
over m. Its mean and standard deviation are the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import scipy
from numpy.typing import NDArray

__all__ = ["CELL_SD_MM", "Cell", "noise_of", "outermost"]

Floats = NDArray[np.float64]

#: Spread of the ends of the four cells of one level, mm: rostral ends lie together, where the
#: filaments enter; caudal ones part, as ventral filaments descend more steeply than dorsal.
CELL_SD_MM = MappingProxyType({"rostral": 0.6, "caudal": 0.85})
#: Share of measured ends that have little to do with the cell's, and how far off they are, mm.
WRONG_SHARE, WRONG_SD_MM = 0.07, 4.0
#: Steps of the sums over m and over the maximum, mm.
STEP_MM = 0.1
#: Factors of the noise that are tried, and the spread (natural logarithm) expected of them.
NOISES = np.geomspace(0.6, 5.0, 12)
NOISE_SPREAD = 0.5


@dataclass(frozen=True)
class Cell:
    """One side and sector of a level at one end, positions growing outwards.

    Attributes
    ----------
    name : str
        Such as ``"LD"``.
    spread_mm : float
        Spread of the true ends of the four cells, of `CELL_SD_MM`.
    end_mm, sd_mm : float or None
        Measured end and its standard deviation; None where the cell was not seen.
    """

    name: str
    spread_mm: float
    end_mm: float | None = None
    sd_mm: float | None = None


def noise_of(ends: Iterable[Sequence[Cell]]) -> float:
    """Return by how much the cells' errors exceed their `sd_mm`, from how they agree.

    Parameters
    ----------
    ends : iterable of sequences of Cell
        All ends of one image, the cells of one end together.

    Returns
    -------
    float
        The most probable factor of `NOISES`, given a log-normal spread about 1.
    """
    ends = list(ends)
    score = [
        sum(_given_m(cells, noise)[2] for cells in ends) - 0.5 * (np.log(noise) / NOISE_SPREAD) ** 2
        for noise in NOISES
    ]
    return float(NOISES[int(np.argmax(score))])


def outermost(cells: Sequence[Cell], noise: float = 1.0) -> tuple[float, float]:
    """Return mean and standard deviation, mm, of the outermost true end of `cells`.

    Parameters
    ----------
    cells : sequence of Cell
        All of them, seen or not; at least one seen.
    noise : float
        Factor of every cell's `sd_mm`.

    Raises
    ------
    ValueError
        If none was seen.
    """
    m, density, _ = _given_m(cells, noise)
    seen = [cell.end_mm for cell in cells if cell.end_mm is not None]
    x = np.arange(min(seen) - 3.0, m[-1] + 3.0, STEP_MM)
    inside = np.ones((len(m), len(x)))
    for cell in cells:
        expected = m[:, None]
        if cell.end_mm is None:
            inside *= scipy.special.ndtr((x - expected) / cell.spread_mm)
            continue
        below, total = np.zeros_like(inside), np.zeros((len(m), 1))
        for part, sd in _kinds(cell, noise):
            variance = cell.spread_mm**2 + sd**2
            away = cell.end_mm - expected
            weight = part * np.exp(-0.5 * away**2 / variance) / np.sqrt(variance)
            centre = expected + away * cell.spread_mm**2 / variance
            below += weight * scipy.special.ndtr(
                (x - centre) * np.sqrt(variance) / (cell.spread_mm * sd)
            )
            total += weight
        inside *= below / total
    share = np.diff(density @ inside, prepend=0.0)
    share /= share.sum()
    middle = x - STEP_MM / 2  # of the step in which the distribution rises
    mean = float(share @ middle)
    return mean, float(np.sqrt(share @ (middle - mean) ** 2))


def _kinds(cell: Cell, noise: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return share and standard deviation of errors of a right and of a wrong cell."""
    sd = noise * (cell.sd_mm or 0.0)
    return (1 - WRONG_SHARE, sd), (WRONG_SHARE, float(np.hypot(sd, WRONG_SD_MM)))


def _given_m(cells: Sequence[Cell], noise: float) -> tuple[Floats, Floats, float]:
    """Return positions m (M,), their probabilities (M,), and the log of the evidence."""
    seen = [(cell, cell.end_mm) for cell in cells if cell.end_mm is not None]
    if not seen:
        raise ValueError("no end was measured")
    ends = [end for _, end in seen]
    m = np.arange(min(ends) - 3.0, max(ends) + 3.0, STEP_MM)
    log = np.zeros(len(m))
    for cell, end in seen:
        density = np.zeros(len(m))
        for part, sd in _kinds(cell, noise):
            variance = cell.spread_mm**2 + sd**2
            density += part * np.exp(-0.5 * (end - m) ** 2 / variance) / np.sqrt(variance)
        log += np.log(density + 1e-300)
    chance = np.exp(log - log.max())
    evidence = float(log.max() + np.log(chance.sum() * STEP_MM))
    return m, chance / chance.sum(), evidence
