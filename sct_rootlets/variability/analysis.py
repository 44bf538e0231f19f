"""The whole analysis of a study: spread, agreement, effects, vertebrae."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from sct_rootlets.errors import UsageError
from sct_rootlets.variability.agreement import AgreementRow, IccRow, icc_rows, pair_rows
from sct_rootlets.variability.distances import ORIGINS, Distances, measure
from sct_rootlets.variability.effects import EffectRow, effect_rows
from sct_rootlets.variability.resampling import Resampler
from sct_rootlets.variability.spread import SpreadRow, spread
from sct_rootlets.variability.study import Study
from sct_rootlets.variability.vertebral_position import (
    PositionRow,
    ShareRow,
    position_rows,
    share_rows,
)

__all__ = ["Variability", "analyse"]


@dataclass(frozen=True, eq=False)
class Variability:
    """What was found in a study.

    Attributes
    ----------
    distances : Distances
        What it is computed from.
    spread : tuple of SpreadRow
    icc : tuple of IccRow
    pairs : tuple of AgreementRow
    effects : tuple of EffectRow
    vertebra_shares : tuple of ShareRow
    vertebra_positions : tuple of PositionRow
    warnings : tuple of str
    seed, n_resamples : int
    confidence : float
        Of every interval.
    """

    distances: Distances
    spread: tuple[SpreadRow, ...]
    icc: tuple[IccRow, ...]
    pairs: tuple[AgreementRow, ...]
    effects: tuple[EffectRow, ...]
    vertebra_shares: tuple[ShareRow, ...]
    vertebra_positions: tuple[PositionRow, ...]
    warnings: tuple[str, ...]
    seed: int
    n_resamples: int
    confidence: float

    def find(self, **wanted: str) -> list[SpreadRow]:
        """Return the rows of the spread whose columns have the values asked for."""
        return [
            row
            for row in self.spread
            if all(getattr(row, name) == value for name, value in wanted.items())
        ]


def analyse(
    study: Study,
    *,
    origin: str = "pmj",
    statuses: Collection[str] = ("measured",),
    seed: int = 0,
    n_resamples: int = 2000,
    confidence: float = 0.95,
    progress: Callable[[str, int, int], None] | None = None,
) -> Variability:
    """Return how the levels of a study vary, and how repeated measurements agree.

    Parameters
    ----------
    study : Study
        As of :func:`sct_rootlets.variability.study.read_study`.
    origin, statuses
        As :func:`sct_rootlets.variability.distances.measure` has them.
    seed, n_resamples : int
        Of the bootstrap.
    confidence : float
        Of every interval, 0 to 1.
    progress : callable, optional
        Called with (stage, done, total).

    Raises
    ------
    UsageError
        If there is nothing to compare: one image, or one subject and no factor that varies.
    InputError
        As :func:`sct_rootlets.variability.distances.measure`.
    """
    if len(study.scans) < 2:
        raise UsageError(
            "one table has no variability",
            remedy="Give the tables of several subjects or sessions",
        )
    subjects = {scan.subject for scan in study.scans}
    if len(subjects) == 1 and not study.factors:
        raise UsageError(
            f"the {len(study.scans)} tables are all of sub-{subjects.pop()}, and no factor tells "
            "them apart",
            remedy="Say what varies, such as -by session",
        )
    distances = measure(study, origin=origin, statuses=statuses)
    resampler = Resampler(seed, n_resamples, confidence)
    report = progress or (lambda stage, done, total: None)
    parts = 4
    of_spread = tuple(spread(distances, resampler))
    report("analysis", 1, parts)
    pairs = tuple(pair_rows(distances, confidence))
    report("analysis", 2, parts)
    effects = tuple(effect_rows(distances))
    report("analysis", 3, parts)
    found = Variability(
        distances,
        of_spread,
        tuple(icc_rows(distances, confidence)),
        pairs,
        effects,
        tuple(share_rows(distances, confidence)),
        tuple(position_rows(distances)),
        (*study.warnings, *distances.warnings, *_remarks(distances)),
        seed,
        n_resamples,
        confidence,
    )
    report("analysis", parts, parts)
    return found


def _remarks(distances: Distances) -> list[str]:
    """Return what a reader of the figures has to know."""
    n_out = int(distances.is_left_out.any(axis=2).sum())
    remarks = []
    if n_out:
        n_all = int((distances.is_left_out | np.isfinite(distances.values)).any(axis=2).sum())
        remarks.append(
            f"{n_out} of {n_all} levels in the tables were not measured, in whole or at one "
            "border, and do not count there (-status lets them in)"
        )
    if distances.origin != "pmj":
        remarks.append(
            f"coefficients of variation of distances from {ORIGINS[distances.origin]} grow without "
            "bound towards it, where the mean is near 0: compare standard deviations"
        )
    if distances.study.definition == "unknown":
        remarks.append("the tables do not say by which definition their levels are")
    return remarks
