"""What has to be said of a time series or a map: what was left out, and what entered unasked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.errors import InputError
from sct_rootlets.fmri.parcels import Parcels
from sct_rootlets.fmri.series import VoxelStatistics
from sct_rootlets.fmri.series_tables import Row, map_coverage
from sct_rootlets.image import Image
from sct_rootlets.levels.map_coverage import coverage_remarks, extreme_remarks

__all__ = ["remarks_of_map", "remarks_of_rows", "remarks_of_voxels"]


def remarks_of_voxels(voxels: VoxelStatistics, inside: NDArray[np.bool_]) -> list[str]:
    """Return which volumes of a series hold nothing, and how many voxels were left out.

    Parameters
    ----------
    voxels : VoxelStatistics
    inside : (N,) array
        Voxels within the mask.
    """
    remarks = voxels.volumes.remarks()
    largest = np.maximum(np.abs(voxels.mean), voxels.sd)[inside & voxels.counts]
    remarks += extreme_remarks("the time series", largest)
    bad = int((inside & voxels.is_bad).sum())
    if bad:
        remarks.append(f"{bad} voxels of the levels are NaN or infinite in a volume: left out")
    constant = int((inside & voxels.is_constant).sum())
    if constant:
        remarks.append(f"{constant} voxels of the levels are the same in all volumes: left out")
    return remarks


def remarks_of_rows(rows: Sequence[Row]) -> list[str]:
    """Return which levels and regions of a series have no voxel, and which levels have one only."""
    remarks = []
    empty = [row["name"] for row in rows if row["n_voxels"] == 0]
    if empty:
        remarks.append(f"no voxel of these entered, and they have no column: {', '.join(empty)}")
    single = [row["name"] for row in rows if row["n_voxels"] == 1 and row["side"] is None]
    if single:
        remarks.append(f"one voxel only entered for {', '.join(single)}: that is no mean")
    return remarks


def remarks_of_map(
    image: Image, name: str, levels: Parcels, inside: NDArray[np.bool_], average: str
) -> list[str]:
    """Return where a statistic map of this `name` has no values, zeros, or extreme values.

    Raises
    ------
    InputError
        If it has no value in any level.
    """
    found = map_coverage(levels, image, inside, average)
    if not any(one.n_voxels for one in found.values()):
        raise InputError("has no finite value within the levels (statistic map)", path=image.path)
    remedy = "give the mask of the statistics with -mask"
    values = np.asarray(image.data)[tuple(levels.ijk[inside].T)]
    return [
        *image.remarks,
        *coverage_remarks(name, found, remedy),
        *extreme_remarks(name, values),
    ]
