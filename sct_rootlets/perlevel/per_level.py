"""Cord area and the means of maps per spinal level: reading, measuring, writing."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union

import numpy as np

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.files.guards import require_free
from sct_rootlets.files.json_files import object_if_readable
from sct_rootlets.files.outputs import OutputSet, append_lines
from sct_rootlets.files.sidecar import hashes, sidecar, split_nifti, to_json
from sct_rootlets.image import LabelImage, load_cord_share, load_labels, load_map, load_share
from sct_rootlets.levels.axial_slices import axial_positions, slices_within
from sct_rootlets.levels.table.reading import read_levels_table
from sct_rootlets.perlevel.level_borders import LevelBorders, borders_of_labels, borders_of_table
from sct_rootlets.perlevel.measures import METHODS, measure_levels, region_volume
from sct_rootlets.perlevel.measures_table import MeasureTable
from sct_rootlets.perlevel.sections import INTERPOLATIONS, RASTER_MM, SHAPES, cut_sections
from sct_rootlets.tables import describe

__all__ = ["PerLevelResult", "measure", "perlevel_target"]

logger = logging.getLogger(__name__)

PathLike = Union[str, "os.PathLike[str]"]

#: By what the sidecar of a table of measures is known.
_KIND = "Measures per spinal level"
_DELIMITERS = {".tsv": "\t", ".csv": ","}
#: A map that is known in a smaller part of a level is warned of.
_KNOWN = 0.95


@dataclass(frozen=True)
class PerLevelResult:
    """Measures per level, and what their file needs besides.

    Attributes
    ----------
    table : MeasureTable
    parameters : dict
        What was asked for.
    sources : tuple of str
        Input files.
    warnings : tuple of str
    """

    table: MeasureTable
    parameters: dict[str, Any] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def write(self, target: PathLike, *, append: bool = False) -> dict[str, Path]:
        """Write the table and, beside it, what its columns mean.

        Parameters
        ----------
        target : path-like
            ``.tsv``, as BIDS has tables, or ``.csv``, as SCT has them.
        append : bool
            Add the rows to a table that is there, if it has the same columns and parameters.
            Several processes may do so at once. The sidecar then names no sources.

        Returns
        -------
        dict of str to Path
            ``table`` and ``json``.

        Raises
        ------
        UsageError
            If the name ends in something else, the file or its sidecar is not of this kind, or
            there is another table to append to.
        """
        path = Path(target)
        delimiter = _DELIMITERS.get(path.suffix.lower())
        if delimiter is None:
            raise UsageError("does not end in .tsv or .csv", path=path)
        files = {"table": path, "json": path.with_suffix(".json")}
        require_free(files, self.sources)
        text = self.table.to_text(delimiter)
        header, body = text[: text.index("\n") + 1], text[text.index("\n") + 1 :]
        self._require_own(files, header, append=append)
        content = self._sidecar(path.parent, append=append)
        if append:
            append_lines(path, header, body)
            if not files["json"].exists():
                with OutputSet() as outputs:
                    outputs.write(files["json"], to_json(content))
            return files
        with OutputSet() as outputs:
            outputs.write(path, text)
            outputs.write(files["json"], to_json(content))
        return files

    def _require_own(self, files: dict[str, Path], header: str, *, append: bool) -> None:
        """Raise if what is there is of another kind, or no table to append to."""
        known: dict[str, Any] = {}
        if files["json"].exists():
            known = object_if_readable(files["json"])
            if known.get("Kind") != _KIND:
                raise UsageError(
                    "is not of a table of measures, and would be replaced",
                    path=files["json"],
                    remedy="Choose another name with -o",
                )
        if not files["table"].exists():
            return
        with open(files["table"], encoding="utf-8", errors="replace") as stream:
            first = stream.readline()
        if append and first != header:
            raise UsageError(
                "has other columns than what is to be appended",
                path=files["table"],
                remedy="Give the same maps under the same names, or choose another -o",
            )
        if not first.startswith(header[: header.index("status")]):
            raise UsageError(
                "is not a table of measures per spinal level, and would be replaced",
                path=files["table"],
                remedy="Choose another name with -o",
            )
        before = known.get("GeneratedBy", [{}])[0].get("Parameters")
        if append and before is not None and before != self.parameters:
            raise UsageError(
                f"was made with other parameters ({before}, and now {self.parameters})",
                path=files["table"],
                remedy="Use the same for the whole table, or choose another -o",
            )

    def _sidecar(self, folder: Path, *, append: bool) -> dict[str, Any]:
        """Return the sidecar; a table that grows has rows of inputs that it cannot name."""
        sources = () if append else self.sources
        extra: dict[str, Any] = {"Kind": _KIND, "Columns": describe(self.table.columns)}
        if not append:
            extra |= {"SourceSHA256": hashes(sources, folder), "warnings": list(self.warnings)}
        content = sidecar(
            beside=folder,
            sources=sources,
            description="Area of the spinal cord and means of maps per spinal level, on planes "
            "perpendicular to its centerline.",
            parameters=self.parameters,
            extra=extra,
        )
        del content["SpatialReference"]
        return content


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
        Table (``.tsv``) or label image of spinal levels, in the same world.
    maps : sequence of path-like
        3D images of any quantity, on any grids of the same world.
    region : path-like, optional
        Mask or share of a region, within which maps are averaged.
    only : collection of SpinalLevel, optional
        Levels to measure; by default all.
    method, erode_mm
        As :func:`sct_rootlets.perlevel.measures.region_volume` takes them.
    interpolation : str
        As :func:`sct_rootlets.perlevel.sections.sample_map` takes it.

    Raises
    ------
    InputError
        If an input cannot be used, or two of them have nothing in common.
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
    mask = LabelImage((share.data >= 0.5).astype(np.int32), share.grid, share.header, share.path)
    centerline = Centerline.fit(mask)
    found, warnings = _chosen(_borders(levels, mask, centerline), only, levels)
    images = {name: load_map(path, "map") for name, path in zip(names, maps, strict=True)}
    within = None if region is None else load_share(region, "region")
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
    for name, image in images.items():
        if not any(row.maps[name].volume_mm3 for row in rows):
            raise InputError(
                f"has no finite value within {share.path} at these levels",
                path=image.path,
                remedy="Both have to be in the same world (scanner coordinates)",
            )
        short = [
            str(row.level)
            for row in rows
            if (row.maps[name].volume_mm3 or 0.0) < _KNOWN * row.region_mm3
        ]
        if short:
            warnings.append(
                f"{Path(image.path).name} is known in less than {100 * _KNOWN:.0f} % of the "
                f"volume of {', '.join(short)}"
            )
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
) -> tuple[LevelBorders, ...]:
    """Read the borders of levels, from a table or an image."""
    if not os.fspath(levels).lower().endswith((".tsv", ".csv")):
        return borders_of_labels(load_labels(levels, "spinal levels"), mask, centerline)
    return borders_of_table(read_levels_table(levels), centerline, os.fspath(levels))


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


def _slices(at: Any, borders: LevelBorders) -> tuple[int, int] | None:
    if borders.rostral_mm is None or borders.caudal_mm is None:
        return None
    return slices_within(at, borders.rostral_mm, borders.caudal_mm)
