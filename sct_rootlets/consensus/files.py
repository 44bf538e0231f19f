"""The consensus of files, and its files."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.consensus.filters import require_simpleitk
from sct_rootlets.consensus.raters import METHODS, REGION_VOXELS, Consensus, PairRow, combine
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.files.guards import require_no_input
from sct_rootlets.files.identity import require_each_once
from sct_rootlets.files.results import ResultSet
from sct_rootlets.files.sidecar import (
    distinct_names,
    hashes,
    sidecar,
    sidecar_path,
    split_nifti,
)
from sct_rootlets.image import LabelImage, load_labels, on_grid_of, save
from sct_rootlets.inputs import remarks_of
from sct_rootlets.tables import aligned, columns, describe, to_text

__all__ = ["PAIR_COLUMNS", "RATER_COLUMNS", "ConsensusResult", "consensus", "consensus_files"]

logger = logging.getLogger(__name__)

PathLike = str | os.PathLike[str]
Row = dict[str, Any]

_LEVEL = "Spinal level; all: every level together, as one structure"
RATER_COLUMNS = columns(
    {
        "rater": "Rater: file name, with as much of its path as tells it apart",
        "level": _LEVEL,
        "sensitivity": "Sensitivity as STAPLE estimates it: probability to mark a voxel of the "
        "true level; n/a by a vote",
        "specificity": "Specificity as STAPLE estimates it: probability not to mark another voxel, "
        f"among those within {REGION_VOXELS} voxel of any rater's mark; n/a by a vote",
        "dice": "Dice coefficient with the consensus; n/a where neither has the level",
        "n_voxels": "Voxels of the rater",
        "n_consensus": "Voxels of the consensus",
    }
)
PAIR_COLUMNS = columns(
    {
        "level": _LEVEL,
        "rater_1": "A rater; all: over all pairs of raters",
        "rater_2": "Another one",
        "dice": "Dice coefficient of the two; of all, its mean over the pairs that have one",
        "conformity": "Generalised conformity index: voxels shared over voxels of either, summed "
        "over the pairs; of two raters, the Jaccard index",
    }
)


@dataclass(frozen=True, eq=False)
class ConsensusResult:
    """The consensus of several files.

    Attributes
    ----------
    image : LabelImage
        On the grid of the first rater.
    combined : Consensus
    names : tuple of str
        Of the raters.
    sources : tuple of str
        Files that were read.
    parameters : mapping
    remarks : tuple of str
        What had to be done to the files to read them; it was logged as warnings.
    """

    image: LabelImage
    combined: Consensus
    names: tuple[str, ...]
    sources: tuple[str, ...]
    parameters: Mapping[str, Any]
    remarks: tuple[str, ...] = ()

    @property
    def rater_rows(self) -> list[Row]:
        """The table of raters: a row a level and rater, and one for all levels."""
        return [
            {**vars(row), "rater": self.names[row.rater], "level": _name(row.level)}
            for row in self.combined.raters
        ]

    @property
    def pair_rows(self) -> list[Row]:
        """The table of pairs of raters, level by level, and of all raters."""
        return [
            {
                **vars(row),
                "level": _name(row.level),
                "rater_1": "all" if row.first is None else self.names[row.first],
                "rater_2": "all" if row.second is None else self.names[row.second],
            }
            for row in self.combined.pairs
        ]

    def format_table(self) -> str:
        """Return agreement and consensus by level, as aligned plain text."""
        overall = [row for row in self.combined.pairs if row.first is None]
        head = ["level", "voxels", "mean pairwise Dice", "conformity", *self.names]
        lines = [head, *(self._line(row) for row in overall)]
        return "\n".join(aligned(lines))

    def _line(self, overall: PairRow) -> list[str]:
        mine = [row for row in self.combined.raters if row.level is overall.level]
        return [
            _name(overall.level),
            str(mine[0].n_consensus),
            _short(overall.dice),
            _short(overall.conformity),
            *(_short(row.dice) for row in mine),
        ]

    def write(self, target: Path, *, overwrite: bool = False) -> dict[str, Path]:
        """Write image, tables and sidecar, whole or not at all; return their paths.

        `overwrite` also replaces files that are not as an earlier run wrote them.

        Raises
        ------
        UsageError
            If an input, or without `overwrite` such a file, would be replaced.
        """
        files = consensus_files(target)
        require_no_input(files.values(), self.sources)
        folder = files["raters"].parent
        content = sidecar(
            beside=folder,
            sources=self.sources,
            description="Consensus of several raters: rootlets by the value of their spinal level.",
            parameters=self.parameters,
            extra={
                "SourceSHA256": hashes(self.sources, folder),
                "UndecidedVoxels": self.combined.undecided,
                **({"Notes": list(self.remarks)} if self.remarks else {}),
                "Tables": {
                    files["raters"].name: describe(RATER_COLUMNS),
                    files["pairs"].name: describe(PAIR_COLUMNS),
                },
            },
        )
        tables = {
            "raters": (self.rater_rows, RATER_COLUMNS),
            "pairs": (self.pair_rows, PAIR_COLUMNS),
        }
        with ResultSet(overwrite=overwrite) as outputs:
            save(self.image, outputs.stage(files["levels"]))
            for what, (rows, columns_of_it) in tables.items():
                text = to_text(columns_of_it, rows)
                outputs.write(files[what], text)
            outputs.record(files["json"], content, files.values())
        return files


def consensus(
    raters: Sequence[PathLike], *, method: str = "staple", threshold: float = 0.5
) -> ConsensusResult:
    """Make the consensus of several raters' rootlets.

    Parameters
    ----------
    raters : sequence of path-like
        Two or more label images on one grid, in any orientation. A rater may have marked
        nothing.
    method : str
        ``"staple"`` or ``"vote"``.
    threshold : float
        Probability from which on STAPLE's consensus has a voxel.

    Raises
    ------
    MissingDependencyError
        If SimpleITK is not installed.
    UsageError
        If there are fewer than two raters, or one of them twice.
    InputError
        If a file cannot be used, is on another grid, or nobody marked anything.
    """
    if len(raters) < 2:
        raise UsageError(
            "a consensus needs two raters or more, and -i has one file",
            remedy="Give the segmentations of all raters with -i",
        )
    require_each_once(raters)
    if method not in METHODS:
        raise UsageError(f"there is no method {method!r}", remedy=f"Choose {' or '.join(METHODS)}")
    require_simpleitk()
    first = load_labels(raters[0], "rater", allow_empty=True)
    images = [first]
    for path in raters[1:]:
        images.append(on_grid_of(load_labels(path, "rater", allow_empty=True), first))
    values = sorted({value for image in images for value in image.labels})
    if not values:
        raise InputError("is empty, and so are those of all other raters", path=first.path)
    for image in images:
        if max(image.labels, default=0) > SpinalLevel.S5.value:
            raise InputError(
                f"holds the value {max(image.labels)}, and spinal levels end at S5 = "
                f"{SpinalLevel.S5.value} (rater)",
                path=image.path,
                remedy="Give a segmentation of rootlets",
            )
    nameless = [image for image in images if image.labels == [1]]
    named = [image for image in images if image.labels not in ([], [1])]
    if nameless and named:
        raise InputError(
            f"has no level identity (value 1 throughout), and {named[0].path} has",
            path=nameless[0].path,
            remedy="Give raters who all name the levels, or none of whom does",
        )
    remarks = remarks_of(*images)
    for remark in remarks:
        logger.warning(remark)
    combined = combine(
        [image.data for image in images],
        method=method,
        threshold=threshold,
        by_level=not nameless,
    )
    staple = method == "staple"
    return ConsensusResult(
        LabelImage(combined.labels, first.grid, first.header),
        combined,
        tuple(distinct_names(raters)),
        tuple(os.fspath(path) for path in raters),
        {
            "method": method,
            "threshold": threshold if staple else None,
            "region_voxels": REGION_VOXELS if staple else None,
        },
        remarks,
    )


def consensus_files(target: Path) -> dict[str, Path]:
    """Return the files of a consensus, by what they are.

    Examples
    --------
    >>> [path.name for path in consensus_files(Path("a/consensus.nii.gz")).values()]
    ['consensus.nii.gz', 'consensus_raters.tsv', 'consensus_pairs.tsv', 'consensus.json']
    """
    folder, stem, _ = split_nifti(target)
    stem = stem.removesuffix("_dseg")
    return {
        "levels": target,
        "raters": folder / f"{stem}_raters.tsv",
        "pairs": folder / f"{stem}_pairs.tsv",
        "json": sidecar_path(target),
    }


def _name(level: SpinalLevel | None) -> str:
    return "all" if level is None else str(level)


def _short(value: float) -> str:
    return "n/a" if value != value else f"{value:.2f}"
