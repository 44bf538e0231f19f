"""Derived levels against the truth of a phantom: errors of borders, and what went wrong.

All errors are along the true centerline, in mm and caudal-positive: the borders' points in the
world are projected on it, so that neither the origin nor the course of the derived centerline
enters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.phantom_masks import Masks
from benchmarks.published import published_levels, slice_faces
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.image import LabelImage
from sct_rootlets.levels import DEFINITIONS, LevelOptions, derive
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable

__all__ = ["BorderRecord", "Run", "measured_runs", "published_runs", "true_borders"]

Ends = tuple[float, float]

#: Levels beyond the seen ones are asked for as well. Not beyond T1: where a phantom has its T2
#: is no measurement.
LAST = SpinalLevel.T1
#: Levels with fewer voxels than this in a mask need not be found in it.
FEWEST_VOXELS = 10


@dataclass(frozen=True)
class BorderRecord:
    """One border, or midpoint, of one level.

    Attributes
    ----------
    level : str
    what : str
        ``"rostral"``, ``"caudal"`` or ``"midpoint"``. A border that two levels share is
        the caudal one of the upper, once.
    status : str
        As the table has it; ``"estimated"`` for a border of a measured level that was not
        seen itself.
    error_mm : float
        Signed, caudal-positive.
    sd_mm : float or None
        The uncertainty that the table states.
    """

    level: str
    what: str
    status: str
    error_mm: float
    sd_mm: float | None = None


@dataclass(frozen=True)
class Run:
    """One method on the masks of one phantom.

    Attributes
    ----------
    method, definition : str
    records : list of BorderRecord
    expected : int
        Levels with voxels in the mask.
    lost : list of str
        Those of them that got no borders of their own (status measured).
    overlaps, swaps, misnamed : int
        Pairs of levels that overlap; pairs out of order; measured levels whose middle lies
        nearer to the true middle of another level.
    cut : int
        Measured borders not judged, because the true one lies outside the view.
    crash : str
        Message of the error that ended it, empty if none did.
    """

    method: str
    definition: str
    records: list[BorderRecord] = field(default_factory=list)
    expected: int = 0
    lost: list[str] = field(default_factory=list)
    overlaps: int = 0
    swaps: int = 0
    misnamed: int = 0
    cut: int = 0
    crash: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Run:
        """Read what :meth:`to_json` returned."""
        records = [BorderRecord(**record) for record in raw["records"]]
        return cls(**{**raw, "records": records})


def true_borders(
    extents_mm: Mapping[SpinalLevel, Ends], definition: str
) -> dict[SpinalLevel, Ends]:
    """Return the true borders of every level by a definition, NaN where not known.

    The formulas of `sct_rootlets.levels.definitions` on the true ends of the entry zones.
    C1 shows no rootlets in the masks, so that C2 begins at the rostral end of its own. What
    depends on C1 or T2 is not known.
    """
    answer = {}
    for level, (rostral, caudal) in extents_mm.items():
        above, below = level.shifted(-1), level.shifted(1)
        end_above = extents_mm[above][1] if above and above in extents_mm else float("nan")
        start_below = extents_mm[below][0] if below and below in extents_mm else float("nan")
        if definition == "caudal" and level > SpinalLevel.C2:
            rostral = end_above
        if definition == "midgap":
            rostral = rostral if above is None else (end_above + rostral) / 2
            caudal = (caudal + start_below) / 2
        answer[level] = (rostral, caudal)
    return answer


def _expected(rootlets: LabelImage) -> list[SpinalLevel]:
    counts = np.bincount(np.asarray(rootlets.data).ravel(), minlength=31)
    return [level for level in SpinalLevel if counts[level.value] >= FEWEST_VOXELS]


def measured_runs(
    masks: Masks, rootlets: LabelImage, cord: LabelImage, definitions: list[str] | None = None
) -> list[Run]:
    """Run the package's method on masks (perfect or degraded), once a definition."""
    runs = []
    curve = None
    for definition in DEFINITIONS if definitions is None else definitions:
        try:
            found = derive(
                rootlets,
                cord,
                options=LevelOptions(definition, extend=LAST),
                has_level_identity=True,
                centerline=curve,
            )
        except Exception as error:  # noqa: BLE001  a crash is a result here
            runs.append(Run("sct_rootlets", definition, crash=f"{type(error).__name__}: {error}"))
            continue
        curve = found.centerline
        runs.append(_score(masks, found.table, definition, _expected(rootlets)))
    return runs


def _score(masks: Masks, table: LevelTable, definition: str, expected: list[SpinalLevel]) -> Run:
    truth = true_borders(masks.extents_mm, definition)
    known = [row for row in table.rows if row.rostral_world and row.caudal_world]
    points = np.array([(row.rostral_world, row.caudal_world) for row in known]).reshape(-1, 3)
    ends = masks.along(points).reshape(-1, 2)
    own = {row.level: (float(a), float(b)) for row, (a, b) in zip(known, ends, strict=True)}
    records, cut = [], 0
    for row in known:
        if row.level not in truth:
            continue
        target = list(truth[row.level])
        status = [_status(row, what) for what in ("rostral", "caudal")]
        above = own.get(row.level.shifted(-1) or row.level)
        shared = above is not None and abs(above[1] - own[row.level][0]) < 1e-6
        judged = [
            bool(np.isfinite(mm)) and (said != "measured" or masks.in_view(mm))
            for mm, said in zip(target, status, strict=True)
        ]
        cut += (not judged[0] and not shared) + (not judged[1])
        for n, what in enumerate(("rostral", "caudal")):
            if judged[n] and not (n == 0 and shared):
                sd = getattr(row, f"{what}_sd_mm", None)
                error = own[row.level][n] - target[n]
                records.append(BorderRecord(str(row.level), what, status[n], error, sd))
        if all(judged):
            sd = getattr(row, "midpoint_sd_mm", None)
            error = sum(own[row.level]) / 2 - sum(target) / 2
            said = "estimated" if "estimated" in status else row.status
            records.append(BorderRecord(str(row.level), "midpoint", said, error, sd))
    measured = {row.level: own[row.level] for row in known if row.status == "measured"}
    return Run(
        "sct_rootlets",
        definition,
        records,
        len(expected),
        [str(level) for level in expected if level not in measured],
        *_disorder({row.level: (row.rostral_mm, row.caudal_mm) for row in known}),
        _misnamed(measured, truth),
        cut,
    )


def _status(row: LevelRow, what: str) -> str:
    """Return how a border of a row is known, in the words of :class:`BorderRecord`."""
    return "estimated" if f"{what}_estimated" in row.flags else row.status


def published_runs(
    masks: Masks, rootlets: LabelImage, cord: LabelImage, dilations: tuple[int, ...] = (1, 2, 3)
) -> list[Run]:
    """Run the published voxel rule on masks.

    Its levels are extents. Under ``"caudal"`` its caudal ends are judged, which are caudal
    borders; it says nothing of rostral ones.
    """
    runs = []
    expected = _expected(rootlets)
    for voxels in dilations:
        slices = published_levels(rootlets, cord, voxels)
        faces = slice_faces(rootlets.grid, slices, masks.axis_s_mm, masks.axis_world)
        lost = [str(level) for level in expected if level not in slices]
        disorder = _disorder(faces)
        for definition in ("caudal", "extent"):
            records, cut = [], 0
            for level, own in faces.items():
                for n, what in enumerate(("rostral", "caudal")):
                    if level not in masks.extents_mm or (what, definition) == ("rostral", "caudal"):
                        continue
                    target = masks.extents_mm[level][n]
                    if masks.in_view(target):
                        error = own[n] - target
                        records.append(BorderRecord(str(level), what, "measured", error))
                    else:
                        cut += 1
            name = f"published, {voxels} voxel{'s' if voxels > 1 else ''}"
            misnamed = _misnamed(faces, masks.extents_mm)
            runs.append(
                Run(name, definition, records, len(expected), lost, *disorder, misnamed, cut)
            )
    return runs


def _disorder(ends: Mapping[SpinalLevel, tuple[Any, Any]]) -> tuple[int, int]:
    """Count pairs of following levels that overlap, and pairs in the wrong order."""
    overlaps = swaps = 0
    for above, below in pairwise(sorted(ends)):
        overlaps += ends[below][0] < ends[above][1] - 1e-6
        swaps += sum(ends[below]) <= sum(ends[above])
    return overlaps, swaps


def _misnamed(own: Mapping[SpinalLevel, Ends], truth: Mapping[SpinalLevel, Ends]) -> int:
    middles = {level: sum(ends) / 2 for level, ends in truth.items() if np.isfinite(sum(ends))}
    count = 0
    for level, ends in own.items():
        nearest = min(middles, key=lambda other: abs(middles[other] - sum(ends) / 2))
        count += nearest is not level and level in middles
    return count
