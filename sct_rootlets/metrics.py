"""Agreement of rootlets and of level borders with a reference.

Pure arithmetic on arrays and tables, with the formula of each figure in its docstring and
a documented value where one side, or both, is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline

__all__ = [
    "BorderError",
    "BorderErrors",
    "border_errors",
    "dice",
    "dice_at_tolerance",
    "level_accuracy",
    "truth_on",
]

_NEIGHBOURS_26 = np.ones((3, 3, 3), dtype=bool)


def dice(first: NDArray[Any], second: NDArray[Any]) -> float:
    r"""Return the Dice coefficient of two masks on one grid.

    .. math:: D = \frac{2\,|A \cap B|}{|A| + |B|}

    (Dice 1945, Ecology 26:297-302).

    Parameters
    ----------
    first, second : (I, J, K) array
        Masks A and B; every value but 0 belongs to the mask.

    Returns
    -------
    float
        In [0, 1]. 0 where one mask is empty, NaN where both are: there is nothing to
        agree on.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    a, b = _masks(first, second)
    total = int(a.sum()) + int(b.sum())
    return 2.0 * int((a & b).sum()) / total if total else float("nan")


def dice_at_tolerance(first: NDArray[Any], second: NDArray[Any], voxels: int = 1) -> float:
    r"""Return the share of voxels of both masks that lie within a tolerance of the other.

    .. math::
        D_v = \frac{|A \cap (B \oplus v)| + |B \cap (A \oplus v)|}{|A| + |B|}

    where :math:`X \oplus v` are all voxels whose chessboard distance to X (steps among the
    26 neighbours) is at most `voxels`. It is the Dice coefficient for ``voxels = 0`` and,
    for surfaces, the surface Dice of Nikolov et al. 2021 (J Med Internet Res 23:e26151).
    Rootlets are one or two voxels thick, which makes the strict coefficient fall by half
    for a shift of one voxel; this one does not.

    Parameters
    ----------
    first, second : (I, J, K) array
        Masks A and B; every value but 0 belongs to the mask.
    voxels : int
        Tolerance in voxels, 0 or more.

    Returns
    -------
    float
        In [0, 1]. 0 where one mask is empty, NaN where both are.

    Raises
    ------
    ValueError
        If the shapes differ or `voxels` is negative.
    """
    if voxels < 0:
        raise ValueError(f"a tolerance of {voxels} voxels is negative")
    a, b = _masks(first, second)
    total = int(a.sum()) + int(b.sum())
    if not total:
        return float("nan")
    matched = int((a & _dilated(b, voxels)).sum()) + int((b & _dilated(a, voxels)).sum())
    return matched / total


def level_accuracy(predicted: NDArray[Any], reference: NDArray[Any], voxels: int = 1) -> float:
    """Return the share of found reference rootlet voxels that carry the right level.

    A reference voxel counts as found when a predicted voxel lies within a chessboard
    distance of `voxels`. It takes the value of the nearest predicted voxel (Euclidean
    distance in voxels; itself if predicted), and agrees when this is its own value.
    Voxels that were not found do not count: how many are found is what
    :func:`dice_at_tolerance` says.

    Parameters
    ----------
    predicted, reference : (I, J, K) integer array
        Spinal level values, 0 for background.
    voxels : int
        Tolerance in voxels, 0 or more.

    Returns
    -------
    float
        In [0, 1]; NaN where no reference voxel was found, as for an empty side.

    Raises
    ------
    ValueError
        If the shapes differ or `voxels` is negative.
    """
    if voxels < 0:
        raise ValueError(f"a tolerance of {voxels} voxels is negative")
    there, wanted = _masks(predicted, reference)
    found = wanted & _dilated(there, voxels)
    if not found.any():
        return float("nan")
    nearest = ndimage.distance_transform_edt(~there, return_distances=False, return_indices=True)
    values = np.asarray(predicted)[tuple(nearest[:, found])]
    return float((values == np.asarray(reference)[found]).mean())


class _Row(Protocol):
    @property
    def level(self) -> Any: ...

    @property
    def rostral_mm(self) -> float | None: ...

    @property
    def caudal_mm(self) -> float | None: ...


class _Table(Protocol):
    @property
    def rows(self) -> Iterable[_Row]: ...


@dataclass(frozen=True)
class BorderError:
    """One border of one level, in mm along the cord, caudal-positive.

    Attributes
    ----------
    level : SpinalLevel
    border : str
        ``"rostral"`` or ``"caudal"``.
    found_mm, truth_mm : float
        NaN where it is not known.
    """

    level: SpinalLevel
    border: str
    found_mm: float
    truth_mm: float

    @property
    def signed_mm(self) -> float:
        """Found minus truth: positive where the border was found too far caudal."""
        return self.found_mm - self.truth_mm


@dataclass(frozen=True)
class BorderErrors:
    """Errors of all borders of a table.

    A border that two neighbouring levels share (always so in the ``caudal`` definition)
    is in `rows` under both, and enters the summaries once. Borders unknown on one side
    enter none of them; `missing` counts those the truth has and the table has not.
    """

    rows: tuple[BorderError, ...]

    @property
    def signed_mm(self) -> NDArray[np.float64]:
        """Signed errors of the distinct borders known on both sides, (N,) in mm."""
        distinct: dict[tuple[float, float], float] = {}
        for row in self.rows:
            if np.isfinite(row.signed_mm):
                key = (round(row.found_mm, 6), round(row.truth_mm, 6))
                distinct.setdefault(key, row.signed_mm)
        return np.array(list(distinct.values()), dtype=float)

    @property
    def absolute_mm(self) -> NDArray[np.float64]:
        """Absolute errors of the same borders, (N,) in mm."""
        return np.abs(self.signed_mm)

    @property
    def median_mm(self) -> float:
        """Median absolute error in mm, NaN where no border is known on both sides."""
        return float(np.median(self.absolute_mm)) if self.absolute_mm.size else float("nan")

    @property
    def mean_mm(self) -> float:
        """Mean absolute error in mm, NaN where no border is known on both sides."""
        return float(self.absolute_mm.mean()) if self.absolute_mm.size else float("nan")

    @property
    def max_mm(self) -> float:
        """Largest absolute error in mm, NaN where no border is known on both sides."""
        return float(self.absolute_mm.max()) if self.absolute_mm.size else float("nan")

    @property
    def bias_mm(self) -> float:
        """Mean signed error in mm, NaN where no border is known on both sides."""
        return float(self.signed_mm.mean()) if self.signed_mm.size else float("nan")

    @property
    def missing(self) -> int:
        """How many borders the truth knows and the table does not."""
        return sum(np.isfinite(r.truth_mm) and not np.isfinite(r.found_mm) for r in self.rows)

    def of(self, level: SpinalLevel) -> dict[str, BorderError]:
        """Return the errors of one level by border; empty where the truth lacks it."""
        return {row.border: row for row in self.rows if row.level is level}


def border_errors(
    table: _Table, truth: _Table | Mapping[SpinalLevel, tuple[float, float]]
) -> BorderErrors:
    """Compare the borders of a table of levels with the truth, level by level.

    Parameters
    ----------
    table : LevelTable
        Levels derived.
    truth : LevelTable or mapping of SpinalLevel to (rostral_mm, caudal_mm)
        Levels to compare with, in the frame of `table`: the same origin and centerline.
        Borders given as world points are projected on the centerline of the table first.

    Returns
    -------
    BorderErrors
        Two rows for each level of the truth, ordered from rostral to caudal.
    """
    wanted = dict(truth) if isinstance(truth, Mapping) else _borders(truth)
    found = _borders(table)
    rows = []
    for level in sorted(wanted):
        for index, border in enumerate(("rostral", "caudal")):
            at = found.get(level, (None, None))[index]
            rows.append(BorderError(level, border, _number(at), _number(wanted[level][index])))
    return BorderErrors(tuple(rows))


def truth_on(
    centerline: Centerline,
    borders_world: Mapping[SpinalLevel, tuple[ArrayLike, ArrayLike]],
) -> dict[SpinalLevel, tuple[float, float]]:
    """Return true borders, given as world points, in mm along another centerline.

    The truth lies on its own centerline, whose 0 is elsewhere and whose length differs a
    little; a border is a plane across the cord, so its point is projected.

    Parameters
    ----------
    centerline : Centerline
        The one the table to be compared was derived on.
    borders_world : mapping of SpinalLevel to two (3,) arrays
        Rostral and caudal border in world mm (RAS+); NaN where not known.
    """
    truth = {}
    for level, points in borders_world.items():
        s_mm = [float("nan")] * 2
        for index, xyz in enumerate(np.asarray(points, dtype=float).reshape(2, 3)):
            if np.isfinite(xyz).all():
                s_mm[index] = float(centerline.project(xyz[None]).s_mm[0])
        truth[level] = (s_mm[0], s_mm[1])
    return truth


def _borders(table: _Table) -> dict[SpinalLevel, tuple[float, float]]:
    return {row.level: (_number(row.rostral_mm), _number(row.caudal_mm)) for row in table.rows}


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _masks(
    first: NDArray[Any], second: NDArray[Any]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    a, b = np.asarray(first) != 0, np.asarray(second) != 0
    if a.shape != b.shape:
        raise ValueError(f"masks of different shapes, {a.shape} and {b.shape}")
    return a, b


def _dilated(mask: NDArray[np.bool_], voxels: int) -> NDArray[np.bool_]:
    if voxels == 0:
        return mask
    return ndimage.binary_dilation(mask, _NEIGHBOURS_26, iterations=voxels)
