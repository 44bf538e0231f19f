"""Borders of levels along a cord: from a table of levels, or from an image of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import LabelImage
from sct_rootlets.levels.table.level_table import LevelTable

__all__ = ["LevelBorders", "borders_of_labels", "borders_of_table"]

Floats = NDArray[np.float64]

#: Farther from the cord than this, mm, a border belongs to another cord or another world.
_FARTHEST_MM = 10.0
#: Part of the cord's radius within which voxels say where a painted level begins and ends.
_CORE = 0.5


@dataclass(frozen=True)
class LevelBorders:
    """Where a level lies along a given centerline.

    Attributes
    ----------
    level : SpinalLevel
    rostral_mm, caudal_mm : float or None
        Along the centerline, growing caudally; None where not known.
    rostral_sd_mm, caudal_sd_mm, length_sd_mm : float or None
        Standard deviations; None where not known.
    status : str or None
        How the borders are known, as the table of levels has it; None for an image.
    flags : tuple of str
    """

    level: SpinalLevel
    rostral_mm: float | None
    caudal_mm: float | None
    rostral_sd_mm: float | None = None
    caudal_sd_mm: float | None = None
    length_sd_mm: float | None = None
    status: str | None = None
    flags: tuple[str, ...] = ()

    @property
    def length_mm(self) -> float | None:
        """Distance between the borders, mm."""
        if self.rostral_mm is None or self.caudal_mm is None:
            return None
        return self.caudal_mm - self.rostral_mm


def borders_of_table(
    table: LevelTable, centerline: Centerline, path: str = "table of levels"
) -> tuple[LevelBorders, ...]:
    """Return the borders that a table has, along another centerline of the same cord.

    The points of the borders in the world are projected onto the centerline, so that the table
    may have been made with another mask of the cord, in another image of the same world.

    Parameters
    ----------
    table : LevelTable
    centerline : Centerline
    path : str
        Of the table, for messages.

    Raises
    ------
    InputError
        If no level has borders, or they do not lie at this cord.
    """
    found = []
    for row in table.rows:
        if row.rostral_world is None or row.caudal_world is None:
            found.append(LevelBorders(row.level, None, None, status=row.status, flags=row.flags))
            continue
        at = centerline.project(np.array([row.rostral_world, row.caudal_world]))
        # Beyond the mask the curve goes straight on, and the cord may not.
        beyond = np.maximum(centerline.start_mm - at.s_mm, at.s_mm - centerline.end_mm)
        if np.any(at.radius_mm > _FARTHEST_MM + np.maximum(beyond, 0)):
            away = float(at.radius_mm.max())
            raise InputError(
                f"has a border of {row.level} that is {away:.0f} mm away from the cord",
                path=path,
                remedy="The table and the cord mask have to be of the same subject, in the same "
                "world (scanner coordinates)",
            )
        found.append(
            LevelBorders(
                row.level,
                float(at.s_mm[0]),
                float(at.s_mm[1]),
                row.rostral_sd_mm,
                row.caudal_sd_mm,
                row.length_sd_mm,
                row.status,
                row.flags,
            )
        )
    if all(borders.length_mm is None for borders in found):
        raise InputError("has no level with borders", path=path)
    return tuple(found)


def borders_of_labels(
    labels: LabelImage, cord: LabelImage, centerline: Centerline
) -> tuple[LevelBorders, ...]:
    """Return the borders of levels that are painted on a cord, perpendicular to it or in slices.

    Every voxel in the core of the cord takes the nearest label. The rostral border of a level
    then lies where as many voxels of the core lie rostral of it as there are, rostral of the
    middle of the level, voxels of no or of another level: that is exact for borders
    perpendicular to the cord, and the middle of those that are oblique to it.

    Parameters
    ----------
    labels : LabelImage
        Spinal levels C1 = 1 to S5 = 30, on any grid of the same world.
    cord : LabelImage
    centerline : Centerline
        Of that cord.

    Raises
    ------
    InputError
        If there are other values, none lies on the cord, or levels are single voxels.
    """
    known = {level.value for level in SpinalLevel}
    unknown = [value for value in labels.labels if value not in known]
    if unknown:
        raise InputError(
            f"holds values that are no spinal level: {', '.join(map(str, unknown[:8]))}",
            path=labels.path,
            remedy="Give spinal levels, C1 = 1 to C8 = 8, T1 = 9 to S5 = 30",
        )
    s, value = _core(labels, cord, centerline)
    found = []
    for number in np.unique(value[value > 0]):
        own = value == number
        middle = float(np.median(s[own]))
        rostral = s[s < middle], value[s < middle]
        caudal = -s[s >= middle], value[s >= middle]
        low = _split(*rostral, int(number), centerline.start_mm)
        high = -_split(*caudal, int(number), -centerline.end_mm)
        if high > low:
            found.append(LevelBorders(SpinalLevel(int(number)), low, high))
    if not found:
        raise InputError(
            f"has no level on the cord of {cord.path}",
            path=labels.path,
            remedy="Give levels painted on the cord, in the same world (scanner coordinates); "
            "single voxels say nothing about borders",
        )
    return tuple(found)


def _core(
    labels: LabelImage, cord: LabelImage, centerline: Centerline
) -> tuple[Floats, NDArray[np.int64]]:
    """Return position and label of every voxel in the core of the cord, (N,) each.

    The edge of the cord is left out: there a mask and levels painted on another mask differ.
    """
    xyz = cord.points_world()
    at = centerline.project(xyz)
    area = len(xyz) * cord.grid.voxel_volume_mm3 / max(centerline.length_mm, 1e-6)
    across = float(np.sort(cord.grid.spacing_mm)[:2].max())
    core = at.radius_mm <= max(_CORE * float(np.sqrt(area / np.pi)), across)
    ijk = np.rint(labels.grid.ijk_from_world(xyz[core])).astype(int)
    inside = np.all((ijk >= 0) & (ijk < labels.grid.shape), axis=1)
    value = np.zeros(len(ijk), dtype=np.int64)
    value[inside] = labels.data[tuple(ijk[inside].T)]
    # Fewer voxels than one a slice are points, as midpoints are, and no painted level.
    for number in np.unique(value[value > 0]):
        if (value == number).sum() < 4:
            value[value == number] = 0
    return at.s_mm[core], value


def _split(s: Floats, value: NDArray[np.int64], number: int, end_mm: float) -> float:
    """Return where voxels of `number`, the last along `s`, begin; `end_mm` if all are of it."""
    count = int((value != number).sum())
    if count == 0:
        return end_mm
    ordered = np.sort(s)
    if count == len(ordered):
        return float(ordered[-1])
    return float(ordered[count - 1 : count + 1].mean())
