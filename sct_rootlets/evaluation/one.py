"""Everything that is measured of one prediction."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sct_rootlets import metrics
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.evaluation.compare_levels import (
    BorderRow,
    Levels,
    compare_levels,
    derived_levels,
    read_levels,
)
from sct_rootlets.evaluation.pairs import Pair, read_pair
from sct_rootlets.levels.axial_slices import superior_axis

__all__ = ["CALIBRATION_MARGIN_MM", "PairResult", "evaluate_pair"]

PathLike = str | os.PathLike[str]

#: Probabilities count within a box around all rootlets of either side, so much wider, mm.
CALIBRATION_MARGIN_MM = 5.0


@dataclass(frozen=True, eq=False)
class PairResult:
    """What was measured of one prediction.

    Attributes
    ----------
    name : str
    predicted, reference : str
        Files.
    agreement : tuple of LevelAgreement
        Levels that either side has, rostral to caudal, and then all together.
    values : tuple of int
        Levels of the rows and columns 1, 2, ... of `confusion`; empty without levels.
    confusion : (N + 1, N + 1) array
        Voxels of a reference level (down) by predicted level (across); 0 is background.
    slices : SliceLabels or None
        None without levels.
    level_accuracy : float
        As of :func:`sct_rootlets.metrics.level_accuracy`; NaN without levels.
    borders : tuple of BorderRow
        Empty where there was nothing to derive them from.
    calibration : Calibration or None
        Of a prediction that is probabilistic.
    remarks : tuple of str
        What had to be done to the inputs.
    level_warnings : tuple of str
        What the derivation of the levels warned of.
    """

    name: str
    predicted: str
    reference: str
    agreement: tuple[metrics.LevelAgreement, ...]
    values: tuple[int, ...]
    confusion: NDArray[np.int64]
    slices: metrics.SliceLabels | None
    level_accuracy: float
    borders: tuple[BorderRow, ...]
    calibration: metrics.Calibration | None
    remarks: tuple[str, ...]
    level_warnings: tuple[str, ...] = ()

    @property
    def whole(self) -> metrics.LevelAgreement:
        """The row of all levels together."""
        return self.agreement[-1]

    def border_errors_mm(self, *places: str) -> NDArray[np.float64]:
        """Return the signed errors, mm, of the borders that the reference measured.

        A border that two neighbouring levels share counts once.

        Parameters
        ----------
        *places : str
            ``"rostral"``, ``"caudal"``, ``"midpoint"``.
        """
        errors = {
            (round(row.found_mm, 6), round(row.truth_mm, 6)): row.error_mm
            for row in self.borders
            if row.place in places and row.counts and np.isfinite(row.error_mm)
        }
        return np.array(list(errors.values()), dtype=float)


def evaluate_pair(
    predicted: PathLike,
    reference: PathLike,
    *,
    name: str = "",
    cord: PathLike | None = None,
    tables: tuple[PathLike, PathLike] | None = None,
    definition: str = "caudal",
    only: Collection[SpinalLevel] | None = None,
) -> PairResult:
    """Measure a prediction against its reference.

    Parameters
    ----------
    predicted, reference : path-like
        Rootlets with the value of their spinal level, on one grid in any orientation; or
        probabilities, which are cut at 0.5.
    name : str
        What it is called in tables.
    cord : path-like, optional
        Cord mask with the voxels of the reference: gives errors of borders.
    tables : (predicted, reference) tables of levels, optional
        In place of levels derived from the rootlets.
    definition : str
        What a level is, where levels are derived.
    only : collection of SpinalLevel, optional
        Levels to compare; all others are taken for background on both sides.

    Raises
    ------
    InputError, UsageError
        If a file cannot be used.
    """
    pair = read_pair(predicted, reference, only)
    found, wanted = pair.predicted.data, pair.reference.data
    values: tuple[int, ...] = ()
    confusion = np.zeros((1, 1), dtype=np.int64)
    slices, accuracy = None, float("nan")
    if pair.has_levels:
        values = tuple(sorted({*pair.predicted.labels, *pair.reference.labels}))
        confusion = metrics.level_confusion(found, wanted, values)
        slices = metrics.slice_labels(found, wanted, superior_axis(pair.grid)[0])
        accuracy = metrics.level_accuracy(found, wanted)
    levels = _levels(pair, cord, tables, definition)
    remarks = pair.remarks
    if tables is not None and levels is not None:
        remarks += levels.lacking
    if cord is not None and levels is None:
        remarks += ("no borders: they need rootlets that name their level on both sides",)
    return PairResult(
        name=name or os.fspath(predicted),
        predicted=os.fspath(predicted),
        reference=os.fspath(reference),
        agreement=metrics.compare(found, wanted, pair.grid, by_level=pair.has_levels),
        values=values,
        confusion=confusion,
        slices=slices,
        level_accuracy=accuracy,
        borders=() if levels is None else compare_levels(levels),
        calibration=_calibration(pair),
        remarks=remarks,
        level_warnings=() if levels is None else levels.warnings,
    )


def _levels(
    pair: Pair,
    cord: PathLike | None,
    tables: tuple[PathLike, PathLike] | None,
    definition: str,
) -> Levels | None:
    """Return the levels of both sides, where there is something to have them from."""
    if tables is not None:
        return read_levels(*tables, cord)
    if cord is None or not pair.has_levels or not pair.reference.labels:
        return None
    return derived_levels(pair.predicted, pair.reference, cord, definition)


def _calibration(pair: Pair) -> metrics.Calibration | None:
    if pair.probability is None:
        return None
    wanted = pair.reference.data != 0
    box = _wide_box(wanted | (pair.predicted.data != 0), pair)
    return metrics.calibration(pair.probability[box], wanted[box])


def _wide_box(mask: NDArray[np.bool_], pair: Pair) -> tuple[slice, ...]:
    """Return the box of a mask, wider by the margin; the whole image where it is empty."""
    ijk = np.argwhere(mask)
    if not len(ijk):
        return (slice(None),) * 3
    margin = np.ceil(CALIBRATION_MARGIN_MM / pair.grid.spacing_mm).astype(int)
    low = np.maximum(ijk.min(axis=0) - margin, 0)
    high = ijk.max(axis=0) + margin + 1
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
