"""Cord area and the means of maps per spinal level: reading and measuring."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Union

import numpy as np

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.files.sidecar import split_nifti
from sct_rootlets.image import (
    Image,
    LabelImage,
    load_cord_share,
    load_labels,
    load_map,
    load_share,
    require_one_world,
)
from sct_rootlets.inputs import remarks_of
from sct_rootlets.levels.axial_slices import axial_positions, slices_within
from sct_rootlets.levels.edited import table_of_image, table_with_image
from sct_rootlets.levels.map_coverage import MapCoverage, coverage_remarks, extreme_remarks
from sct_rootlets.perlevel.level_borders import LevelBorders, borders_of_labels, borders_of_table
from sct_rootlets.perlevel.measures import (
    METHODS,
    LevelMeasures,
    measure_levels,
    region_volume,
)
from sct_rootlets.perlevel.measures_table import MeasureTable
from sct_rootlets.perlevel.result import PerLevelResult
from sct_rootlets.perlevel.sampling import INTERPOLATIONS, sample_map
from sct_rootlets.perlevel.sections import RASTER_MM, SHAPES, cut_sections

__all__ = ["measure", "perlevel_target"]

logger = logging.getLogger(__name__)

PathLike = Union[str, "os.PathLike[str]"]


def perlevel_target(cord: PathLike) -> Path:
    """Return the default name of the table of a cord mask.

    Examples
    --------
    >>> perlevel_target("a/t2_seg.nii.gz").as_posix()
    'a/t2_seg_perlevel.tsv'
    """
    folder, stem, _ = split_nifti(cord)
    return folder / f"{stem}_perlevel.tsv"


def measure(
    cord: PathLike,
    levels: PathLike,
    *,
    maps: Sequence[PathLike] = (),
    region: PathLike | None = None,
    only: Collection[SpinalLevel] | None = None,
    method: str = "wa",
    erode_mm: float = 0.0,
    interpolation: str = "nn",
) -> PerLevelResult:
    """Measure the cord, and maps within it, level by level.

    Parameters
    ----------
    cord : path-like
        Mask of the cord, or the share of every voxel that it fills.
    levels : path-like
        Table (``.tsv``) or label image of spinal levels, in the same world. Where one lies
        beside the other both are read, and an image that was edited overrules the table.
    maps : sequence of path-like
        3D images of any quantity, on any grids of the same world.
    region : path-like, optional
        Mask or share of a region, within which maps are averaged.
    only : collection of SpinalLevel, optional
        Levels to measure; by default all.
    method, erode_mm
        As :func:`sct_rootlets.perlevel.measures.region_volume` takes them.
    interpolation : str
        As :func:`sct_rootlets.perlevel.sampling.sample_map` takes it.

    Raises
    ------
    InputError
        If an input cannot be used, two of them have nothing in common, or it is not certain where
        they lie beside each other.
    UsageError
        If two maps have the same name, or options contradict each other.
    """
    if method not in METHODS:
        raise UsageError(f"there is no method '{method}'", remedy=f"Choose {' or '.join(METHODS)}")
    if interpolation not in INTERPOLATIONS:
        raise UsageError(
            f"there is no interpolation '{interpolation}'",
            remedy=f"Choose {' or '.join(INTERPOLATIONS)}",
        )
    names = [split_nifti(path)[1] for path in maps]
    twice = next((name for name in names if [*names, *SHAPES].count(name) > 1), None)
    if twice is not None:
        what = "a map and a measure of the cord" if twice in SHAPES else "two maps"
        raise UsageError(
            f"{what} are named {twice}", remedy="Their columns would be the same: rename one"
        )
    if not maps and (region is not None or erode_mm > 0):
        raise UsageError(
            "a region and an erosion are for maps, and none is given", remedy="Give maps with -m"
        )
    share = load_cord_share(cord)
    mask = LabelImage(
        (share.data >= 0.5).astype(np.int32),
        share.grid,
        share.header,
        share.path,
        itk_grid=share.itk_grid,
    )
    centerline = Centerline.fit(mask)
    borders, remarks = _borders(levels, mask, centerline)
    found, warnings = _chosen(borders, only, levels)
    warnings += _without_borders(found, levels)
    images = {name: load_map(path, "map") for name, path in zip(names, maps, strict=True)}
    within = None if region is None else load_share(region, "region")
    for image in (within, *images.values()):
        require_one_world(share, image)
    sections = cut_sections(share, centerline)
    volume = region_volume(sections, within, method=method, erode_mm=erode_mm)
    if within is not None and volume.sum() <= 0:
        raise InputError(
            f"has no voxel within {share.path}, the cord mask",
            path=within.path,
            remedy="Both have to be in the same world (scanner coordinates)",
        )
    if volume.sum() <= 0:
        raise UsageError(
            f"nothing is left of the cord after an erosion of {erode_mm:g} mm",
            remedy="Give a smaller -erode",
        )
    rows = measure_levels(sections, found, images, volume_mm3=volume, interpolation=interpolation)
    if not any(row.n_planes for row in rows):
        raise InputError(
            "has no whole section within any of the levels",
            path=share.path,
            remedy="The mask and the levels have to be of the same part of the same cord",
        )
    warnings += [*remarks, *remarks_of(share, within, *images.values())]
    for name, image in images.items():
        if not any(row.maps[name].volume_mm3 for row in rows):
            raise InputError(
                f"has no finite value within {share.path} at these levels",
                path=image.path,
                remedy="Both have to be in the same world (scanner coordinates)",
            )
        warnings += _remarks_on_map(image, name, rows)
        values = sample_map(image, sections.xyz_world[volume > 0], interpolation)
        warnings += extreme_remarks(Path(image.path).name, values)
    for warning in warnings:
        logger.warning(warning)
    at = axial_positions(share.grid, centerline)
    at = np.where((at >= centerline.start_mm) & (at < centerline.end_mm), at, np.nan)
    given = (cord, levels, *maps, *(() if region is None else (region,)))
    return PerLevelResult(
        MeasureTable(
            rows,
            tuple(_slices(at, row.borders) for row in rows),
            tuple(names),
            Path(os.fspath(cord)).as_posix(),
        ),
        {
            "method": method,
            "erode_mm": erode_mm,
            "region": None if region is None else split_nifti(region)[1],
            "interpolation": interpolation,
            "raster_mm": RASTER_MM,
        },
        tuple(os.fspath(path) for path in given),
        tuple(warnings),
    )


def _borders(
    levels: PathLike, mask: LabelImage, centerline: Centerline
) -> tuple[tuple[LevelBorders, ...], tuple[str, ...]]:
    """Return the borders of levels, from a table or an image, and remarks about it."""
    if os.fspath(levels).lower().endswith((".tsv", ".csv")):
        table, remarks = table_with_image(levels)
        return borders_of_table(table, centerline, os.fspath(levels)), remarks
    labels = load_labels(levels, "spinal levels")
    require_one_world(mask, labels)
    beside, remarks = table_of_image(labels)
    if beside is not None and any(row.rostral_world and row.caudal_world for row in beside.rows):
        return borders_of_table(beside, centerline, labels.path), (*labels.remarks, *remarks)
    return borders_of_labels(labels, mask, centerline), (*labels.remarks, *remarks)


def _remarks_on_map(image: Image, name: str, rows: Sequence[LevelMeasures]) -> list[str]:
    """Return where a map has no values, or zeros."""
    found = {}
    for row in rows:
        spread, known = row.maps[name], row.maps[name].volume_mm3 or 0.0
        if row.region_mm3 > 0:
            zero = (spread.zero_mm3 or 0.0) / known if known > 0 else 0.0
            found[row.level] = MapCoverage(known / row.region_mm3, zero, spread.n_voxels or 0)
    remedy = "give a mask of what was measured with -mask, or make them NaN"
    return coverage_remarks(Path(image.path).name, found, remedy)


def _chosen(
    borders: Sequence[LevelBorders], only: Collection[SpinalLevel] | None, path: PathLike
) -> tuple[tuple[LevelBorders, ...], list[str]]:
    """Return the levels asked for, and a warning about those that are not there."""
    if only is None:
        return tuple(borders), []
    chosen = tuple(one for one in borders if one.level in only)
    if not chosen:
        raise InputError(
            f"has none of the levels asked for, only "
            f"{', '.join(str(one.level) for one in borders)}",
            path=path,
        )
    missing = sorted(set(only) - {one.level for one in chosen})
    names = ", ".join(map(str, missing))
    return chosen, [f"{Path(path).name} has no {names}"] if missing else []


def _without_borders(borders: Sequence[LevelBorders], path: PathLike) -> list[str]:
    """Say which levels a table knows by their status, and not by the places of their borders."""
    names = [
        str(one.level)
        for one in borders
        if one.status not in (None, "unseen") and one.length_mm is None
    ]
    if not names:
        return []
    return [
        f"{Path(path).name} has no place of a border (rostral_x to caudal_z n/a or empty) of "
        f"{', '.join(names)}: nothing is measured there"
    ]


def _slices(at: Any, borders: LevelBorders) -> tuple[int, int] | None:
    if borders.rostral_mm is None or borders.caudal_mm is None:
        return None
    return slices_within(at, borders.rostral_mm, borders.caudal_mm)
