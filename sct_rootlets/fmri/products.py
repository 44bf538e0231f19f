"""Regions, tables and figures of mapped levels as files: names, sidecars, look-up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sct_rootlets.colours import LEVEL_COLOURS
from sct_rootlets.files.guards import require_no_input
from sct_rootlets.files.results import ResultSet
from sct_rootlets.files.sidecar import sidecar_path, split_nifti
from sct_rootlets.fmri.analysis import Analysis
from sct_rootlets.fmri.files import planned_files
from sct_rootlets.fmri.mapped import stage, stage_json, without_series
from sct_rootlets.fmri.parcels import COLUMNS as NAMES
from sct_rootlets.fmri.profiles import profile_of
from sct_rootlets.fmri.regions import colour_of_parcel
from sct_rootlets.fmri.series_tables import LEVEL_COLUMNS, MAP_COLUMNS, series_to_tsv
from sct_rootlets.image import save
from sct_rootlets.qc import figure as figures
from sct_rootlets.qc import profile
from sct_rootlets.qc.lookups import Entry, fsleyes
from sct_rootlets.tables import Column, describe, to_text

__all__ = ["planned_products", "product_files", "write"]


def product_files(target: Path) -> dict[str, Path]:
    """Return what an analysis may write for the label image `target`, by what it is.

    Examples
    --------
    >>> {what: path.name for what, path in product_files(Path("X.nii.gz")).items()}
    ... # doctest: +NORMALIZE_WHITESPACE
    {'regions': 'X_regions.nii.gz', 'regions_json': 'X_regions.json',
     'regions_lookup': 'X_regions_dseg.tsv', 'regions_lut': 'X_regions.lut',
     'by_level': 'X_levels.tsv', 'by_level_json': 'X_levels.json',
     'series': 'X_timeseries.tsv', 'series_json': 'X_timeseries.json',
     'maps': 'X_stats.tsv', 'maps_json': 'X_stats.json', 'profile': 'X_profile.png'}
    >>> product_files(Path("sub-1_space-bold_label-spinallevels_dseg.nii.gz"))["regions"].name
    'sub-1_space-bold_label-spinalregions_dseg.nii.gz'
    """
    folder, whole, extension = split_nifti(target)
    stem = whole.removesuffix("_dseg")
    regions = f"{stem}_regions"
    if whole.endswith("_dseg"):
        renamed = stem.replace("_label-spinallevels", "_label-spinalregions")
        regions = f"{renamed}_dseg" if renamed != stem else f"{stem}_desc-regions_dseg"
    image = folder / f"{regions}{extension}"
    return {
        "regions": image,
        "regions_json": sidecar_path(image),
        "regions_lookup": folder / f"{regions.removesuffix('_dseg')}_dseg.tsv",
        "regions_lut": folder / f"{regions.removesuffix('_dseg')}.lut",
        "by_level": folder / f"{stem}_levels.tsv",
        "by_level_json": folder / f"{stem}_levels.json",
        "series": folder / f"{stem}_timeseries.tsv",
        "series_json": folder / f"{stem}_timeseries.json",
        "maps": folder / f"{stem}_stats.tsv",
        "maps_json": folder / f"{stem}_stats.json",
        "profile": folder / f"{stem}_profile.png",
    }


def planned_products(
    target: Path, *, regions: bool, series: bool, maps: bool, figure: bool
) -> dict[str, Path]:
    """Return those of :func:`product_files` that are written."""
    wanted = {
        "regions": regions,
        "by_level": series,
        "series": series,
        "maps": maps,
        "profile": figure,
    }
    kinds = tuple(kind for kind, is_wanted in wanted.items() if is_wanted)
    files = product_files(target).items()
    return {what: path for what, path in files if what.startswith(kinds)}


def write(
    analysis: Analysis, target: Path, *, probseg: str | None = None, overwrite: bool = False
) -> dict[str, Path]:
    """Write mapped levels and all that an analysis made of them, whole or not at all.

    Parameters
    ----------
    analysis : Analysis
    target : Path
        Label image of levels to write; the others are named after it.
    probseg : {"4d", "files"}, optional
        As of :meth:`sct_rootlets.fmri.MappedLevels.write`.
    overwrite : bool
        Replace also files that are not as an earlier run wrote them.

    Returns
    -------
    dict of str to Path
        Files by what they are. The figure of a series or of maps is among them where matplotlib
        is installed.
    """
    mapped = analysis.mapped
    has_values = analysis.series is not None or bool(analysis.maps)
    files = planned_products(
        target,
        regions=analysis.with_regions,
        series=analysis.series is not None,
        maps=bool(analysis.maps),
        figure=has_values and figures.has_matplotlib(),
    )
    others = planned_files(target, mapped.fractions.levels, probseg)
    require_no_input([*others.values(), *files.values()], (*mapped.sources, *analysis.sources))
    with ResultSet(overwrite=overwrite) as outputs:
        stage(outputs, mapped, target, probseg=probseg)
        if analysis.with_regions:
            _stage_regions(outputs, analysis, files)
        if analysis.series is not None:
            _stage_series(outputs, analysis, files)
        if analysis.maps:
            outputs.write(files["maps"], to_text(MAP_COLUMNS, analysis.map_rows))
            _describe(
                outputs,
                analysis,
                files["maps_json"],
                [files["maps"]],
                "Statistic maps by spinal level.",
                describe(MAP_COLUMNS),
            )
        if "profile" in files:
            outputs.write(files["profile"], figures.png(profile.draw(profile_of(analysis))))
            outputs.list_in(others["json"], [files["profile"]])
    return {**others, **files}


def _stage_regions(outputs: ResultSet, analysis: Analysis, files: dict[str, Path]) -> None:
    regions = analysis.regions
    image = regions.label_image(analysis.mapped.labels)
    save(without_series(image), outputs.stage(files["regions"]))
    _describe(
        outputs,
        analysis,
        files["regions_json"],
        [files["regions"], files["regions_lookup"], files["regions_lut"]],
        "Regions of spinal levels: side and dorsal or ventral half, with the grey matter also "
        "horns and white matter. Every voxel of a level has the value of the region with the "
        "largest share of it.",
        {"Labels": {str(parcel.index): parcel.name for parcel in regions.parcels}},
    )
    coloured = [(one, colour_of_parcel(one, LEVEL_COLOURS[one.level])) for one in regions.parcels]
    rows = [{"index": one.index, **one.cells, "color": colour} for one, colour in coloured]
    text = to_text([Column("index"), *NAMES, Column("color")], rows)
    outputs.write(files["regions_lookup"], text)
    entries = [Entry(one.index, one.name, colour) for one, colour in coloured]
    outputs.write(files["regions_lut"], fsleyes(entries))


def _stage_series(outputs: ResultSet, analysis: Analysis, files: dict[str, Path]) -> None:
    series = analysis.series
    assert series is not None
    outputs.write(files["by_level"], to_text(LEVEL_COLUMNS, series.rows))
    _describe(
        outputs,
        analysis,
        files["by_level_json"],
        [files["by_level"]],
        "A time series by spinal level, as it is in its file.",
        describe(LEVEL_COLUMNS),
    )
    outputs.write(files["series"], series_to_tsv(series.names, series.series))
    timing: dict[str, Any] = {}
    if series.tr_s is not None:
        timing = {
            "RepetitionTime": series.tr_s,
            "SamplingFrequency": round(1 / series.tr_s, 9),
            "StartTime": 0,
        }
    about = {"none": "as it is", "zscore": "in standard deviations", "psc": "in percent"}
    _describe(
        outputs,
        analysis,
        files["series_json"],
        [files["series"]],
        "Time series of spinal levels and their regions, "
        f"{about[analysis.parameters['Standardize']]}: a row a volume, a column a level.",
        timing,
    )


def _describe(
    outputs: ResultSet,
    analysis: Analysis,
    path: Path,
    files: list[Path],
    description: str,
    extra: dict[str, Any],
) -> None:
    """Stage the sidecar of a product."""
    stage_json(
        outputs,
        path,
        files,
        analysis.mapped,
        description,
        more_sources=analysis.sources,
        more_parameters={k: v for k, v in analysis.parameters.items() if v is not None},
        Warnings=list(analysis.warnings),
        **extra,
    )
