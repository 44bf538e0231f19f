"""Whether the levels are numbered right: rootlets against vertebrae under population data.

Measured ends of entry zones are compared with where the vertebrae place the ends of every
level (:class:`~sct_rootlets.levels.population.prior.Prior`). All ends of a person lie off
together, so that six of them are far from six independent opinions: the joint normal
distribution with its covariance decides, in which lengths and gaps speak as well as the mean
position.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError
from sct_rootlets.image import LabelImage
from sct_rootlets.levels.population.prior import Evidence, Prior
from sct_rootlets.levels.population.reference_data import PAM50_DISCS_MM
from sct_rootlets.levels.population.template import DISC_SD_MM
from sct_rootlets.levels.spine.column import VertebralColumn

__all__ = ["SHIFTS", "Identity", "check_identity", "predict_ends", "renumber_labels"]

log = logging.getLogger(__name__)

#: Shifts of the level names that are compared.
SHIFTS = (-2, -1, 0, 1, 2)
#: A given numbering with less than this probability is warned of. Shifts are compared as if
#: all were equally likely beforehand, but most numberings are right: if one in twenty is
#: wrong, a numbering with the probability 0.1 here is wrong with 11 %.
UNLIKELY = 0.1
#: Fewer than this share of people lie as far off under the best shift: no shift fits.
NO_FIT = 1e-4
#: Margin of every end on its own, mm, added to its standard deviation here. The lengths of
#: PAM50's entry zones and of the 14 subjects' differ by 1.1 mm (root mean square, at one scale),
#: and an end that was read wrong must not decide alone. On 200 phantoms with one level 8 mm
#: off, the right numbering of C4-C6 against C2/C3-C7/T1 was the likeliest in 89 % with the
#: margin and in 69 % without; on clean ones in 97.5 and 95.5 %.
MARGIN_MM = 1.5
#: Step by which a disc is moved to see which ends follow it, mm.
STEP_MM = 0.5
_WORDS = {1: "one", 2: "two"}


@dataclass(frozen=True, eq=False)
class Identity:
    """How well every shift of the level names fits the vertebrae.

    Shift k says that what is called C5 is C(5 + k).

    Attributes
    ----------
    log_likelihood : dict of int to float
        Natural logarithm of the density of the measured ends, by shift; minus infinity
        where a level would lie past C1 or S5.
    probability : dict of int to float
        Of each shift among them, all equally likely beforehand.
    best : int
        The most probable shift; 0 where several are.
    fit : float
        Share of people whose ends would lie as far from what the vertebrae say, or farther,
        if the best shift were right.
    warnings : tuple of str
    """

    log_likelihood: Mapping[int, float]
    probability: Mapping[int, float]
    best: int
    fit: float
    warnings: tuple[str, ...] = ()

    @property
    def is_likely(self) -> bool:
        """Whether the numbering as given has a probability of 0.1 or more."""
        return self.probability[0] >= UNLIKELY

    def report(self) -> dict[str, Any]:
        """Return the check as plain values for a JSON file."""
        return {
            "best_shift": self.best,
            "probability": {_signed(k): round(p, 4) for k, p in self.probability.items()},
            "log_likelihood": {
                _signed(k): round(v, 2) if np.isfinite(v) else None
                for k, v in self.log_likelihood.items()
            },
            "fit": float(f"{self.fit:.2g}"),
            "shift": "k: what is called C5 is C(5 + k)",
            "warnings": list(self.warnings),
        }


def predict_ends(column: VertebralColumn) -> Prior:
    """Return where the vertebrae alone place the ends of the entry zones.

    Parameters
    ----------
    column : VertebralColumn
        With a disc from C1/C2 to T5/T6.

    Returns
    -------
    Prior
        :meth:`Prior.from_discs`. What a disc is less certain than a disc label (body
        centres, discs beyond the cord mask) is added to the covariance of the ends that
        follow it.

    Raises
    ------
    UsageError
        If the column has no disc from C1/C2 to T5/T6.
    """
    discs = column.disc_s_mm
    prior = Prior.from_discs(discs)
    covariance = prior.covariance_mm2.copy()
    for label, sd in column.disc_sd_mm.items():
        extra = sd**2 - DISC_SD_MM**2
        if extra > 1e-9 and label in PAM50_DISCS_MM:
            moved = Prior.from_discs({**discs, label: discs[label] + STEP_MM})
            follow = (moved.mean_mm - prior.mean_mm) / STEP_MM
            covariance += extra * np.outer(follow, follow)
    return Prior(prior.mean_mm, covariance)


def check_identity(evidence: Evidence, column: VertebralColumn) -> Identity:
    """Compare the numbering of levels with the vertebrae.

    Parameters
    ----------
    evidence : mapping of (SpinalLevel, End) to (float, float)
        Measured ends of entry zones under the names they were given, mm along the centerline,
        with their standard deviations, mm. No ends that the field of view cuts.
    column : VertebralColumn

    Returns
    -------
    Identity
        Its warnings say whether the numbering as given is unlikely.

    Raises
    ------
    UsageError
        If the column has no disc from C1/C2 to T5/T6.
    """
    prior = predict_ends(column)
    evidence = {n: (mm, float(np.hypot(sd, MARGIN_MM))) for n, (mm, sd) in evidence.items()}
    log_likelihood = {shift: _log_likelihood(prior, evidence, shift) for shift in SHIFTS}
    values = np.array(list(log_likelihood.values()))
    if not np.isfinite(values).any():
        raise InputError("has levels that no shift keeps between C1 and S5")
    share = np.exp(values - values.max())
    share /= share.sum()
    probability = {shift: float(p) for shift, p in zip(SHIFTS, share, strict=True)}
    best = max(SHIFTS, key=lambda shift: (probability[shift], -abs(shift)))
    fit = _fit(prior, evidence, best)
    warnings = []
    if probability[0] < UNLIKELY:
        warnings.append(_unlikely(evidence, probability, best))
    if fit < NO_FIT:
        warnings.append(
            "rootlets and vertebrae do not fit under any numbering within two levels: fewer than "
            "one person in 10,000 differs that much from the population. Check the rootlets, the "
            "vertebrae, and that both belong to one image"
        )
    return Identity(log_likelihood, probability, best, fit, tuple(warnings))


def renumber_labels(rootlets: LabelImage, shift: int) -> LabelImage:
    """Return rootlets whose levels are `shift` further caudal; 0 stays 0.

    Parameters
    ----------
    rootlets : LabelImage
        Values of spinal levels (C1-C8 = 1-8, T1 = 9, ... S5 = 30).
    shift : int
        As in `Identity`; a positive shift makes C5 to C6.

    Returns
    -------
    LabelImage
        Levels past C1 or S5 become 0; how many voxels did is logged as a warning.

    Raises
    ------
    InputError
        If a value is no spinal level.
    """
    data = rootlets.data
    renamed = data.copy()
    for value in rootlets.labels:
        try:
            level = SpinalLevel(value)
        except ValueError:
            raise InputError(
                f"has the value {value}, which is no spinal level",
                path=rootlets.path,
                remedy="Spinal levels are C1-C8 = 1-8, T1 = 9, ... S5 = 30",
            ) from None
        after = level.shifted(shift)
        here = data == value
        renamed[here] = 0 if after is None else after.value
        if after is None:
            log.warning(
                "%d voxels of %s would lie past the %s level and were left out",
                int(here.sum()),
                level,
                "first" if shift < 0 else "last",
            )
    return LabelImage(renamed, rootlets.grid, rootlets.header, rootlets.path)


def _shifted(evidence: Evidence, shift: int) -> Evidence | None:
    """Return the evidence under other names; None if one of them does not exist."""
    renamed = {}
    for (level, end), value in evidence.items():
        after = level.shifted(shift)
        if after is None:
            return None
        renamed[after, end] = value
    return renamed


def _log_likelihood(prior: Prior, evidence: Evidence, shift: int) -> float:
    if not evidence:
        return 0.0
    renamed = _shifted(evidence, shift)
    return float("-inf") if renamed is None else prior.log_likelihood(renamed)


def _fit(prior: Prior, evidence: Evidence, shift: int) -> float:
    """Return the probability of ends as far from the mean, or farther (chi-squared)."""
    renamed = _shifted(evidence, shift)
    if not renamed:
        return 1.0
    at_mean = {node: (prior.mean(node), sd) for node, (_, sd) in renamed.items()}
    # Twice what is lost against the top of the density is the squared Mahalanobis distance.
    lost = prior.log_likelihood(at_mean) - prior.log_likelihood(renamed)
    return float(scipy.special.chdtrc(len(renamed), 2 * lost))


def _unlikely(evidence: Evidence, probability: Mapping[int, float], best: int) -> str:
    levels = sorted({level for level, _ in evidence})
    example = levels[len(levels) // 2]
    direction = "more caudal" if best > 0 else "more rostral"
    given, shifted = _chance(probability[0]), _chance(probability[best])
    return (
        f"the numbering of the levels does not fit the vertebrae (probability {given}): with every "
        f"name {_WORDS[abs(best)]} {direction}, {example} as {example.shifted(best)}, it fits best "
        f"({shifted}). Either the rootlets or the vertebrae may be numbered wrong: check both"
    )


def _chance(probability: float) -> str:
    if probability < 0.001:
        return "below 0.001"
    return "above 0.999" if probability > 0.999 else f"{probability:.3f}"


def _signed(shift: int) -> str:
    return f"{shift:+d}" if shift else "0"
