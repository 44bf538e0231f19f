"""Tables by level and region: of a time series, and of statistic maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.fmri.parcels import COLUMNS as NAMES
from sct_rootlets.fmri.parcels import Parcels
from sct_rootlets.fmri.series import VoxelStatistics, projectors
from sct_rootlets.fmri.slices import Coverage
from sct_rootlets.image import Image
from sct_rootlets.levels.map_coverage import MapCoverage
from sct_rootlets.tables import Column, columns, to_text

__all__ = [
    "LEVEL_COLUMNS",
    "MAP_COLUMNS",
    "Row",
    "level_rows",
    "map_coverage",
    "map_rows",
    "series_to_tsv",
]

Floats = NDArray[np.float64]
Row = dict[str, Any]

_HELD = {
    "n_voxels": "Voxels that entered: those that hold a part of it, or with -average label those "
    "that have its label",
    "n_labelled": "Those that have its label in the label image",
    "weight": "Sum of their weights, in voxels",
    "entered": "That sum over the one of all voxels, before the mask and what was left out",
}
LEVEL_COLUMNS = NAMES + columns(
    {
        "slices": "Slices that hold the level, as the sum of its fractions; n/a for a region",
        "along_mm": "The same times the distance between slices, mm; n/a for a region",
        "volume_mm3": "Volume on this grid: sum of the shares of voxels times their volume",
        **_HELD,
        "n_nan": "Voxels left out since they are NaN or infinite in a volume",
        "n_constant": "Voxels left out since they are the same in all volumes",
        "mean": "Mean over time of the time series of the level",
        "sd": "Its standard deviation over time",
        "tsnr": "Temporal signal-to-noise ratio of its voxels: weighted mean over them of each "
        "one's mean over time divided by its standard deviation over time",
        "tsnr_series": "Temporal signal-to-noise ratio of its time series: mean over sd",
    }
)
#: Of the largest value of a map, and of its active voxels.
_OF_PEAK = (
    Column("max", "Largest value of the map among them"),
    Column("max_x", "Where it is: middle of the voxel in world RAS+ mm of the map", "mm"),
    Column("max_y", "As max_x", "mm"),
    Column("max_z", "As max_x", "mm"),
    Column(
        "max_anat_x",
        "That point in the image of the levels, through the transforms, world RAS+ mm",
        "mm",
    ),
    Column("max_anat_y", "As max_anat_x", "mm"),
    Column("max_anat_z", "As max_anat_x", "mm"),
    Column("n_active", "Voxels among them above the threshold (-thr); n/a without one"),
    Column(
        "active_mm3",
        "Volume of the level above the threshold: sum over all of its voxels that are of share "
        "times volume; n/a without one",
        "mm^3",
    ),
)
MAP_COLUMNS = (
    Column("map", "File of the statistic map, with its folders where several have the same name"),
    *NAMES,
    *columns(
        {
            **_HELD,
            "n_labelled": _HELD["n_labelled"] + ": those of max and n_active",
            "n_nan": "Voxels left out since they are NaN or infinite",
            "mean": "Mean of the map, voxels weighted as for a time series",
        }
    ),
    *_OF_PEAK,
)


@dataclass(frozen=True, eq=False)
class _Held:
    """What enters for each parcel of one kind."""

    parcels: Parcels
    counts: NDArray[np.bool_]
    average: str

    @property
    def weight(self) -> Floats:
        return self.parcels.indicator if self.average == "label" else self.parcels.weight

    def cells(self, p: int) -> Row:
        """Return the cells of voxels and weights of parcel `p`."""
        mine = self.weight[:, p]
        total, entered = mine.sum(), mine[self.counts].sum()
        return {
            **self.parcels.parcels[p].cells,
            "n_voxels": int(np.count_nonzero(mine[self.counts])),
            "n_labelled": int((self.counts & (self.parcels.label == p)).sum()),
            "weight": float(entered),
            "entered": entered / total if total else None,
        }

    def left_out(self, p: int, which: NDArray[np.bool_]) -> int:
        """Return how many voxels of parcel `p` are among `which` (N,)."""
        return int(np.count_nonzero(self.weight[which, p]))


def level_rows(
    groups: Sequence[Parcels],
    coverage: Sequence[Coverage],
    voxels: VoxelStatistics,
    inside: NDArray[np.bool_],
    series: Floats,
    average: str,
) -> list[Row]:
    """Return a row for every level and every region.

    Parameters
    ----------
    groups : sequence of Parcels
        Levels, and regions if there are any; of the same voxels (N).
    coverage : sequence of Coverage
        Of the levels.
    voxels : VoxelStatistics
    inside : (N,) array
        Voxels within the mask.
    series : (T, P) array
        Time series of all parcels, in the order of the groups, in the volumes that hold anything.
    average : str
        As of :func:`sct_rootlets.fmri.series.projectors`.
    """
    slices = {str(row.level): row for row in coverage}
    counts = inside & voxels.counts
    rows = []
    column = 0
    for parcels in groups:
        held = _Held(parcels, counts, average)
        volume = parcels.weight.sum(axis=0) * parcels.grid.voxel_volume_mm3
        for p, parcel in enumerate(parcels.parcels):
            found = series[:, column]
            column += 1
            mean, sd = float(found.mean()), float(found.std(ddof=1))
            mine = np.where(counts, held.weight[:, p], 0.0)
            total = mine.sum()
            cover = slices.get(parcel.name)
            rows.append(
                {
                    **held.cells(p),
                    "slices": None if cover is None else cover.slices,
                    "along_mm": None if cover is None else cover.along_mm,
                    "volume_mm3": volume[p],
                    "n_nan": held.left_out(p, inside & voxels.is_bad),
                    "n_constant": held.left_out(p, inside & voxels.is_constant),
                    "mean": mean,
                    "sd": sd,
                    "tsnr": mine[counts] @ voxels.tsnr[counts] / total if total else None,
                    "tsnr_series": mean / sd if sd > 0 else None,
                }
            )
    return rows


def map_rows(
    groups: Sequence[Parcels],
    image: Image,
    inside: NDArray[np.bool_],
    anatomical: Callable[[Floats], Floats],
    *,
    name: str,
    average: str,
    threshold: float | None,
) -> list[Row]:
    """Return a row for every level and every region of one statistic map.

    Parameters
    ----------
    groups : sequence of Parcels
    image : Image
        The map, on the grid of the parcels; NaN where it has no value.
    inside : (N,) array
        Voxels within the mask.
    anatomical : callable
        From world mm (N, 3) of the map to those of the image of the levels.
    name : str
        Of the map.
    average : str
    threshold : float or None
        Values above it are active.
    """
    rows = []
    for parcels in groups:
        values = np.asarray(image.data)[tuple(parcels.ijk.T)].astype(np.float64)
        bad = ~np.isfinite(values)
        counts = inside & ~bad
        held = _Held(parcels, counts, average)
        means = projectors(parcels, counts, average)[:, counts] @ values[counts]
        means[(held.weight[counts].sum(axis=0)) == 0] = np.nan
        for p in range(len(parcels.parcels)):
            labelled = counts & (parcels.label == p)
            row = {
                "map": name,
                **held.cells(p),
                "n_nan": held.left_out(p, inside & bad),
                "mean": means[p],
                **dict.fromkeys(column.name for column in _OF_PEAK),
            }
            if labelled.any():
                best = int(np.where(labelled, values, -np.inf).argmax())
                where = parcels.grid.world_from_ijk(parcels.ijk[best][None])
                row["max"] = values[best]
                row |= _point("max", where[0])
                row |= _point("max_anat", anatomical(where)[0])
            if threshold is not None:
                active = counts & (np.where(bad, -np.inf, values) > threshold)
                row["n_active"] = int((labelled & active).sum())
                volume = parcels.weight[active, p].sum() * parcels.grid.voxel_volume_mm3
                row["active_mm3"] = volume
            rows.append(row)
    return rows


def map_coverage(
    levels: Parcels, image: Image, inside: NDArray[np.bool_], average: str
) -> dict[SpinalLevel, MapCoverage]:
    """Return what a map has of every level that has voxels; parameters as of :func:`map_rows`."""
    values = np.asarray(image.data)[tuple(levels.ijk.T)]
    known = inside & np.isfinite(values)
    weights = _Held(levels, known, average).weight
    found = {}
    for parcel, weight in zip(levels.parcels, weights.T, strict=True):
        whole, here = weight[inside].sum(), weight[known].sum()
        if whole > 0:
            zero = weight[known & (values == 0)].sum()
            found[parcel.level] = MapCoverage(
                float(here / whole),
                float(zero / here) if here > 0 else 0.0,
                int(np.count_nonzero(weight[known])),
            )
    return found


def _point(stem: str, xyz_world: Floats) -> Row:
    """Return the cells of a point (3,)."""
    return {f"{stem}_{axis}": float(mm) for axis, mm in zip("xyz", xyz_world, strict=True)}


def _known_throughout(series: Floats) -> NDArray[np.bool_]:
    """Say which of the time series (T, P) are numbers in all volumes that hold anything, (P,)."""
    known = np.isfinite(series)
    return np.asarray(known[known.any(axis=1)].all(axis=0))


def series_to_tsv(names: Sequence[str], series: Floats) -> str:
    """Return time series (T, P) as tab-separated text: volumes down, levels and regions across.

    Columns that are not numbers throughout are left out, so that every program reads the others
    as numbers. A volume that holds nothing is ``n/a`` in all of them, so that rows stay volumes.
    """
    kept = [int(p) for p in np.flatnonzero(_known_throughout(series))]
    columns = [Column(names[p], number="{:.9g}".format) for p in kept]
    return to_text(columns, ({names[p]: float(volume[p]) for p in kept} for volume in series))
