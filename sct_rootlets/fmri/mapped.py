"""Levels in the space of an EPI, and how they are written: images, tables, sidecars."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.colours import look_up
from sct_rootlets.files.guards import require_no_input
from sct_rootlets.files.results import ResultSet
from sct_rootlets.files.sidecar import hashes, relative, sidecar, sidecar_path
from sct_rootlets.fmri.files import planned_files
from sct_rootlets.fmri.fractions import Fractions
from sct_rootlets.fmri.slices import COLUMNS, Coverage, SliceRow
from sct_rootlets.fmri.transforms import Chain
from sct_rootlets.image import Image, LabelImage, save
from sct_rootlets.levels import LevelTable
from sct_rootlets.tables import aligned, describe, to_text

__all__ = ["MappedLevels", "Word", "stage", "stage_json", "without_series"]

Word = str | os.PathLike[str]


@dataclass(frozen=True, eq=False)
class MappedLevels:
    """Levels in the space of an EPI.

    Attributes
    ----------
    fractions : Fractions
        Share of every voxel in each level.
    labels : LabelImage
        The level with the largest share, on the grid and with the header of the EPI.
    rows : tuple of SliceRow
        Which slice holds which level, and how much of it.
    coverage : tuple of Coverage
        How much of each level the slices hold.
    chain : Chain
        From the EPI to the image of the levels.
    destination : Image
        Grid, header and path of the EPI; no voxels.
    cord : LabelImage or None
        Its cord mask.
    table : LevelTable or None
        The table of the levels, if there is one.
    crowded : tuple of SpinalLevel
        Levels whose labels stand in voxels that hold more of another level; see
        :func:`sct_rootlets.fmri.slices.label_voxels`.
    warnings : tuple of str
    sources : tuple of str
        Input files.
    parameters : dict
        What was asked for, for the sidecars.
    """

    fractions: Fractions
    labels: LabelImage
    rows: tuple[SliceRow, ...]
    coverage: tuple[Coverage, ...]
    chain: Chain
    destination: Image
    cord: LabelImage | None = None
    table: LevelTable | None = None
    crowded: tuple[SpinalLevel, ...] = ()
    warnings: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)

    def write(
        self, target: Word, *, probseg: str | None = None, overwrite: bool = False
    ) -> dict[str, Path]:
        """Write label image, tables, sidecars and fractions, whole or not at all.

        Parameters
        ----------
        target : path-like
            Label image to write; the others are named after it by
            :func:`sct_rootlets.fmri.files.mapped_files`.
        probseg : {"4d", "files"}, optional
            Also write the fractions: as one 4D image, or as one image a level.
        overwrite : bool
            Replace also files that are not as an earlier run wrote them.

        Returns
        -------
        dict of str to Path
            Files by what they are.

        Raises
        ------
        UsageError
            If a file would replace an input, or one that is not as an earlier run wrote it.
        """
        with ResultSet(overwrite=overwrite) as outputs:
            return stage(outputs, self, Path(target), probseg=probseg)

    def format_coverage(self) -> str:
        """Return the coverage of the levels as plain text for the terminal."""
        lines = [["level", "slices", "covered", "along mm", "volume mm3", "voxels"]]
        for row in self.coverage:
            numbers = f"{row.slices:.2f}", f"{row.along_mm:.1f}", f"{row.volume_mm3:.0f}"
            lines.append([str(row.level), str(row.n_slices), *numbers, str(row.n_voxels)])
        return "\n".join(aligned(lines))


def stage(
    outputs: ResultSet, mapped: MappedLevels, target: Path, *, probseg: str | None = None
) -> dict[str, Path]:
    """Stage what :meth:`MappedLevels.write` writes; parameters and errors as there."""
    fractions = mapped.fractions
    files = planned_files(target, fractions.levels, probseg)
    require_no_input(files.values(), mapped.sources)
    names = {str(level.value): level.name for level in fractions.levels}
    save(without_series(mapped.labels), outputs.stage(files["levels"]))
    stage_json(
        outputs,
        files["json"],
        [files["levels"], files["lookup"]],
        mapped,
        "Spinal levels in the space of the image that SpatialReference names: every voxel of the "
        "cord has the value of the level with the largest share of it.",
        Labels=names,
        Coverage={
            str(row.level): {
                key: round(value, 4)
                for key, value in asdict(row).items()
                if isinstance(value, int | float)
            }
            for row in mapped.coverage
        },
        LabelsKeptWithoutLargestShare=[str(level) for level in mapped.crowded],
        Borders=_borders(mapped),
        Warnings=list(mapped.warnings),
    )
    outputs.write(files["lookup"], look_up(fractions.levels))
    outputs.write(files["slices"], to_text(COLUMNS, map(vars, mapped.rows)))
    axis = "ijk"[fractions.axis] + (
        "" if fractions.grid.orientation_nib[fractions.axis] == "S" else "-"
    )
    about = {"SliceAxis": axis, **describe(COLUMNS)}
    outputs.record(files["slices_json"], about, [files["slices"]])
    what = "Share, 0 to 1, of the volume of every voxel that lies in "
    if "probseg" in files:
        _stage_volumes(outputs, files["probseg"], mapped, fractions.share)
        stage_json(
            outputs,
            sidecar_path(files["probseg"]),
            [files["probseg"]],
            mapped,
            f"{what}each spinal level; one volume a level, in the order of LabelMap.",
            LabelMap=[str(level) for level in fractions.levels],
            Labels=names,
        )
    for level in fractions.levels:
        path = files.get(f"probseg_{level}")
        if path is not None:
            _stage_volumes(outputs, path, mapped, fractions.of(level))
            stage_json(
                outputs,
                sidecar_path(path),
                [path],
                mapped,
                f"{what}the spinal level {level}.",
                Labels={str(level.value): level.name},
            )
    return files


def stage_json(
    outputs: ResultSet,
    path: Path,
    files: Iterable[Path],
    mapped: MappedLevels,
    description: str,
    *,
    more_sources: Iterable[str] = (),
    more_parameters: Mapping[str, Any] | None = None,
    **extra: Any,
) -> None:
    """Stage the sidecar `path` of `files`, with the keys of `extra` at its top level.

    `more_sources` and `more_parameters` come beside those of `mapped`.
    """
    folder = path.parent
    sources = [*mapped.sources, *more_sources]
    extra = {
        "SourceSHA256": hashes(sources, folder),
        **extra,
    }
    content = sidecar(
        beside=folder,
        sources=list(dict.fromkeys(sources)),
        description=description,
        parameters={**mapped.parameters, **(more_parameters or {})},
        extra=extra,
        # The grid is that of the EPI, not of the source image.
        spatial_reference=relative(mapped.destination.path, folder),
    )
    outputs.record(path, content, files)


def _borders(mapped: MappedLevels) -> dict[str, dict[str, Any]]:
    """Return the standard deviations and flags of the borders, as the table of levels has them."""
    if mapped.table is None:
        return {}
    return {
        str(row.level): {
            "status": row.status,
            "rostral_sd_mm": row.rostral_sd_mm,
            "caudal_sd_mm": row.caudal_sd_mm,
            "flags": list(row.flags),
        }
        for row in mapped.table.rows
        if row.level in mapped.fractions.levels
    }


def _stage_volumes(
    outputs: ResultSet, target: Path, mapped: MappedLevels, share: np.ndarray[Any, Any]
) -> None:
    image = Image(share, mapped.fractions.grid, mapped.destination.header)
    save(without_series(image), outputs.stage(target))


def without_series(image: Image) -> Image:
    """Return `image` with a header that says nothing of the time series it comes from."""
    if image.header is None:
        return image
    header = image.header.copy()
    header["pixdim"][4:] = 1
    for name in ("toffset", "slice_start", "slice_end", "slice_code", "slice_duration"):
        header[name] = 0
    header.set_intent("none")
    return type(image)(image.data, image.grid, header, image.path)
