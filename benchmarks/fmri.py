"""Levels in EPI space against the truth: fractions, lost levels, slices.

    python -m benchmarks.fmri [-seeds 3] [-first 100]

Prints a table for docs/fmri.md. "Nearest" takes the label at the middle of each voxel through
the same transforms, as resampling with nearest neighbours does.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.fmri_phantoms import (
    EPI_SPACINGS_MM,
    POINTS_PER_MM,
    Shares,
    distort,
    epi_grid,
    field_grid,
    levels_image,
    levels_table,
    true_shares,
    write_itk_field,
)
from benchmarks.report import markdown
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.fmri import map_levels
from sct_rootlets.fmri.transforms import Chain, read_chain
from sct_rootlets.image import Grid, Image, LabelImage
from sct_rootlets.phantom import random_anatomy, true_levels

__all__ = ["CASES", "Score", "measure", "nearest"]

#: Obliquity in degrees, and whether the EPI is distorted.
CASES = {"straight": (0.0, False), "oblique": (15.0, False), "distorted": (15.0, True)}
#: A slice lies wholly in one level where so much of its cord does.
WHOLLY = 0.999


@dataclass(frozen=True)
class Score:
    """How well one method did on one phantom.

    Attributes
    ----------
    error : float
        Mean absolute error of the shares: all levels, all voxels of which half or more is cord
        with a level.
    error_concerned : float
        The same for those voxels and levels only where the true or the found share is not 0,
        on the surface of the cord too.
    lost, levels : int
        Levels of more than half a slice without a voxel of their own; levels of more than half
        a slice.
    right, wholly : int
        Slices that lie wholly in one level and are labelled so by most of their voxels.
    right_any, slices : int
        The same for all slices of which at least half has levels: the level that has most.
    """

    error: float
    error_concerned: float
    lost: int
    levels: int
    right: int
    wholly: int
    right_any: int
    slices: int

    def __add__(self, other: Score) -> Score:
        counts = ("lost", "levels", "right", "wholly", "right_any", "slices")
        summed = {name: getattr(self, name) + getattr(other, name) for name in counts}
        errors = (self.error + other.error, self.error_concerned + other.error_concerned)
        return Score(*errors, **summed)


def measure(
    seed: int,
    spacing: str,
    case: str,
    folder: Path,
    slices: slice = slice(None),
    points_per_mm: tuple[float, float] = POINTS_PER_MM,
) -> dict[str, Score]:
    """Map the levels of one phantom to some slices; return the scores of every method."""
    anatomy = random_anatomy(seed)
    truth = true_levels(anatomy)
    oblique_deg, distorted = CASES[case]
    grid = _only(epi_grid(anatomy, EPI_SPACINGS_MM[spacing], oblique_deg), slices)
    levels = levels_image(anatomy, truth)
    chain = Chain()
    if distorted:
        fine = field_grid(anatomy, oblique_deg)
        chain = read_chain([write_itk_field(folder / "warp.nii.gz", fine, distort)])
    true = true_shares(anatomy, truth, grid, distort if distorted else None, points_per_mm)
    epi = Image(np.broadcast_to(np.uint8(0), grid.shape), grid, None, "phantom EPI")
    values = [row.level for row in truth.rows]
    scores = {}
    for method, table in (("with the table", levels_table(truth)), ("labels only", None)):
        mapped = map_levels(levels, epi, transforms=chain, table=table)
        found = np.zeros_like(true.share)
        for n, level in enumerate(values):
            if level in mapped.fractions.levels:
                found[..., n] = mapped.fractions.of(level)
        scores[method] = _score(true, found, mapped.labels.data, values)
    near = nearest(levels, grid, chain)
    one_hot = np.stack([near == level.value for level in values], axis=-1).astype(float)
    scores["nearest"] = _score(true, one_hot, near, values)
    return scores


def _only(grid: Grid, slices: slice) -> Grid:
    """Return some neighbouring slices of a grid."""
    first, last, _ = slices.indices(grid.shape[2])
    affine = grid.affine.copy()
    affine[:3, 3] = grid.world_from_ijk((0, 0, first))
    return Grid((*grid.shape[:2], last - first), affine)


def nearest(levels: LabelImage, grid: Grid, chain: Chain) -> NDArray[np.int32]:
    """Return the label at the middle of every voxel, as nearest neighbours resample."""
    ijk = np.indices(grid.shape).reshape(3, -1).T
    source = levels.grid.ijk_from_world(chain.source_from_destination(grid.world_from_ijk(ijk)))
    at = np.rint(np.nan_to_num(source, nan=-1)).astype(int)
    inside = np.all((at >= 0) & (at < levels.grid.shape), axis=1)
    values = np.zeros(len(ijk), dtype=np.int32)
    values[inside] = np.asarray(levels.data)[tuple(at[inside].T)]
    return values.reshape(grid.shape)


def _score(
    true: Shares,
    found: NDArray[np.float64],
    labels: NDArray[np.int32],
    levels: list[SpinalLevel],
) -> Score:
    values = np.array([level.value for level in levels])
    size = np.abs(true.share - found)
    cord = true.share.sum(axis=-1) >= 0.5
    concerned = (true.share > 0) | (found > 0)
    votes = np.stack([(labels == value).sum(axis=(0, 1)) for value in values], axis=1)
    chosen = np.where(votes.any(axis=1), votes.argmax(axis=1), -1)
    wholly = true.by_slice.max(axis=1) >= WHOLLY
    covered = true.by_slice.sum(axis=1) >= 0.5
    right = chosen == true.by_slice.argmax(axis=1)
    large = true.by_slice.sum(axis=0) > 0.5
    return Score(
        float(size[cord].mean()),
        float(size[concerned].mean()),
        int((large & ~votes.any(axis=0)).sum()),
        int(large.sum()),
        int((right & wholly).sum()),
        int(wholly.sum()),
        int((right & covered).sum()),
        int(covered.sum()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-seeds", type=int, default=3)
    parser.add_argument("-first", type=int, default=100)
    arguments = parser.parse_args()
    head = [
        "slices",
        "EPI",
        "method",
        "error",
        "where not 0",
        "levels lost",
        "slices in one level",
        "all slices",
    ]
    rows = []
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for spacing in EPI_SPACINGS_MM:
            for case in CASES:
                seeds = range(arguments.first, arguments.first + arguments.seeds)
                scores = [measure(seed, spacing, case, Path(folder)) for seed in seeds]
                for method in scores[0]:
                    total = sum((s[method] for s in scores[1:]), scores[0][method])
                    rows.append(
                        [
                            spacing,
                            case,
                            method,
                            f"{total.error / len(scores):.4f}",
                            f"{total.error_concerned / len(scores):.4f}",
                            f"{total.lost} of {total.levels}",
                            f"{total.right} of {total.wholly}",
                            f"{total.right_any} of {total.slices}",
                        ]
                    )
    print(markdown(head, rows))
    print(f"{arguments.seeds} phantoms, {time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
