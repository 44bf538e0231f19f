"""What lies behind ``sct_rootlets map`` once the levels are mapped: regions, series, maps."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.errors import InputError
from sct_rootlets.files.identity import require_each_once
from sct_rootlets.fmri.identity import names_of_maps
from sct_rootlets.fmri.left_out import remarks_of_map, remarks_of_rows, remarks_of_voxels
from sct_rootlets.fmri.mapped import MappedLevels, Word
from sct_rootlets.fmri.parcels import Parcels, level_parcels
from sct_rootlets.fmri.regions import load_grey_matter, region_parcels
from sct_rootlets.fmri.repetition import Timing
from sct_rootlets.fmri.series import (
    SeriesFile,
    VoxelStatistics,
    extract,
    projectors,
    standardized,
    voxel_statistics,
)
from sct_rootlets.fmri.series_tables import LEVEL_COLUMNS, MAP_COLUMNS, Row, level_rows, map_rows
from sct_rootlets.image import Image, load_mask, on_grid_of, open_nifti, voxels_of
from sct_rootlets.tables import Column, aligned, cells

__all__ = ["Analysis", "SeriesResult", "analyse"]

Floats = NDArray[np.float64]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class SeriesResult:
    """What levels and regions have of a time series.

    Attributes
    ----------
    path : str
    timing : Timing
        Time between volumes.
    names : tuple of str
        Of the columns of `series`: levels, then regions if they were asked for.
    series : (T, P) array
        Time series, standardized if that was asked for; NaN where no voxel entered, and in volumes
        that hold nothing.
    rows : tuple of Row
        The table by level and region, of the series as it is in the file.
    voxels : VoxelStatistics
        Of the voxels of the parcels.
    """

    path: str
    timing: Timing
    names: tuple[str, ...]
    series: Floats
    rows: tuple[Row, ...]
    voxels: VoxelStatistics

    @property
    def tr_s(self) -> float | None:
        """Time between volumes, s; None where it is not known."""
        return self.timing.tr_s


@dataclass(frozen=True, eq=False)
class Analysis:
    """Regions of mapped levels, and what levels and regions have of series and maps.

    Attributes
    ----------
    mapped : MappedLevels
    levels, regions : Parcels
        Of the same voxels.
    with_regions : bool
        Whether the tables have rows of regions.
    inside : (N,) array
        Voxels within the mask.
    series : SeriesResult or None
    maps : tuple of Image
        Statistic maps.
    map_rows : tuple of Row
    parameters : dict
        What was asked for, for the sidecars.
    sources : tuple of str
        Input files, beside those of `mapped`.
    warnings : tuple of str
    """

    mapped: MappedLevels
    levels: Parcels
    regions: Parcels
    with_regions: bool
    inside: NDArray[np.bool_]
    series: SeriesResult | None
    maps: tuple[Image, ...]
    map_rows: tuple[Row, ...]
    parameters: dict[str, Any]
    sources: tuple[str, ...]
    warnings: tuple[str, ...]

    def format_tables(self) -> list[str]:
        """Return the tables of whole levels as plain text for the terminal."""
        tables = []
        if self.series is not None:
            shown = ["name", "n_voxels", "n_nan", "n_constant", "mean", "tsnr", "tsnr_series"]
            rows = [row for row in self.series.rows if row["side"] is None]
            text = _plain(LEVEL_COLUMNS, shown, rows)
            tables.append(f"{Path(self.series.path).name}:\n{text}")
        for name in names_of_maps([image.path for image in self.maps]):
            shown = ["name", "n_voxels", "mean", "max", "n_active", "active_mm3"]
            rows = [row for row in self.map_rows if row["map"] == name and row["side"] is None]
            tables.append(f"{name}:\n{_plain(MAP_COLUMNS, shown, rows)}")
        return tables


def analyse(
    mapped: MappedLevels,
    *,
    regions: bool = False,
    grey_matter: Word | None = None,
    func: Word | None = None,
    average: str = "weighted",
    standardize: str = "none",
    mask: Word | None = None,
    maps: Sequence[Word] = (),
    threshold: float | None = None,
    progress: Progress | None = None,
) -> Analysis:
    """Divide mapped levels into regions, and summarise a time series and statistic maps by them.

    Parameters
    ----------
    mapped : MappedLevels
    regions : bool
        Whether the tables have regions too.
    grey_matter : path-like, optional
        Mask or probability of the grey matter on the grid of the EPI: regions are horns and
        white matter then.
    func : path-like, optional
        4D image on the grid of the EPI. It is read volume by volume, twice.
    average : {"weighted", "label", "fit"}
        As of :func:`sct_rootlets.fmri.series.projectors`.
    standardize : {"none", "zscore", "psc"}
        As of :func:`sct_rootlets.fmri.series.standardized`; the table by level stays as it is.
    mask : path-like, optional
        Only voxels within it enter.
    maps : sequence of path-like
        Statistic maps on the grid of the EPI.
    threshold : float, optional
        Voxels of the maps above it are active.
    progress : callable, optional
        Called with (stage, done, total).

    Raises
    ------
    InputError
        If a file cannot be used, or is on another grid.
    UsageError
        If a map is given twice.
    """
    destination = mapped.destination
    grey = None if grey_matter is None else load_grey_matter(grey_matter, destination)
    warnings = [] if grey is None else list(grey.remarks)
    levels = level_parcels(mapped.fractions, mapped.labels)
    divided = region_parcels(
        mapped.fractions,
        mapped.labels,
        cord=None if mapped.cord is None else (np.asarray(mapped.cord.data) > 0).astype(float),
        grey_matter=None if grey is None else np.asarray(grey.data),
    )
    inside = np.ones(len(levels.ijk), dtype=bool)
    if mask is not None:
        read = on_grid_of(load_mask(mask, "mask of the voxels to take"), destination)
        warnings += read.remarks
        inside = np.asarray(read.data)[tuple(levels.ijk.T)] > 0
        if not inside.any():
            raise InputError("holds no voxel of a level (mask of the voxels to take)", path=mask)
    with_regions = regions or grey is not None
    groups = [levels, divided] if with_regions else [levels]
    require_each_once(maps)
    # Every header is looked at before the first voxel is read.
    file = None if func is None else SeriesFile(func, destination)
    images = tuple(_load_map(path, destination) for path in maps)
    names = names_of_maps(maps)
    for name, image in zip(names, images, strict=True):
        warnings += remarks_of_map(image, name, levels, inside, average)
    series = None
    if file is not None:
        series = _series(mapped, file, groups, inside, average, standardize, progress)
        warnings += [*file.remarks, *file.timing.remarks]
        warnings += remarks_of_voxels(series.voxels, inside)
        warnings += remarks_of_rows(series.rows)
    rows = [
        row
        for name, image in zip(names, images, strict=True)
        for row in map_rows(
            groups,
            image,
            inside,
            mapped.chain.source_from_destination,
            name=name,
            average=average,
            threshold=threshold,
        )
    ]
    parameters = {
        "Average": average,
        "Standardize": standardize,
        "Threshold": threshold,
        "Mask": None if mask is None else os.path.basename(os.fspath(mask)),
        "GreyMatter": None if grey is None else os.path.basename(grey.path),
    }
    sidecar = None if file is None else file.timing.sidecar
    given = (grey_matter, func, sidecar, mask, *maps)
    return Analysis(
        mapped,
        levels,
        divided,
        with_regions,
        inside,
        series,
        images,
        tuple(rows),
        parameters,
        tuple(os.fspath(path) for path in given if path is not None),
        tuple(warnings),
    )


def _series(
    mapped: MappedLevels,
    file: SeriesFile,
    groups: list[Parcels],
    inside: NDArray[np.bool_],
    average: str,
    standardize: str,
    progress: Progress | None,
) -> SeriesResult:
    """Go through the series twice."""
    ijk = groups[0].ijk
    voxels = voxel_statistics(file, ijk, inside, progress)
    counts = inside & voxels.counts
    if not counts.any():
        why = "".join(f"; {remark}" for remark in voxels.volumes.remarks())
        raise InputError(
            "has no voxel within the levels that is a number throughout and changes (time series)"
            + why,
            path=file.path,
            remedy="Look at it beside the mapped levels",
        )
    # Each kind for itself: levels and regions hold the same voxels, and a fit of both at once
    # would have no single answer.
    projector = np.concatenate([projectors(parcels, counts, average) for parcels in groups])
    found = extract(file, ijk, projector, counts, progress)
    holds = voxels.volumes.holds
    answer = np.full_like(found, np.nan)
    answer[holds] = standardized(found[holds], standardize)
    return SeriesResult(
        file.path,
        file.timing,
        tuple(name for parcels in groups for name in parcels.names),
        answer,
        tuple(level_rows(groups, mapped.coverage, voxels, inside, found[holds], average)),
        voxels,
    )


def _plain(columns: Sequence[Column], shown: Sequence[str], rows: Sequence[Row]) -> str:
    """Return some columns of rows, aligned."""
    chosen = [column for column in columns if column.name in shown]
    return "\n".join(aligned(cells(chosen, rows)))


def _load_map(path: Word, destination: Image) -> Image:
    """Return a statistic map as it is, NaN and all, in the orientation of the levels."""
    opened = open_nifti(path, "statistic map")
    count = int(np.prod(opened.shape[3:]))
    if count != 1:
        raise InputError(
            f"has {count} volumes, and a statistic map is one (statistic map)",
            path=path,
            remedy="Split it, for example with sct_image -split t, or give a series with -func",
        )
    index = (0,) * (len(opened.shape) - 3)
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and left out
        data = np.asarray(voxels_of(opened, index), dtype=np.float32)
    return on_grid_of(opened.image(data), destination)
