"""A straight cord with a BOLD of known signals in it, mixed by shares that are told by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from sct_rootlets.fmri import MappedLevels, map_levels
from sct_rootlets.image import Grid, save
from sct_rootlets.levels.table.text import to_tsv
from tests.fmri.straight import RADIUS_MM, TOP_MM, levels_on, slices, table_of

Floats = NDArray[np.float64]

#: Borders of C3 to C6, mm below the top: levels of 10 to 15 mm.
BORDERS = (20.0, 35.0, 45.0, 58.0, 70.0)


@dataclass(frozen=True, eq=False)
class Planted:
    """Files and truth.

    Attributes
    ----------
    folder : Path
        With levels.nii.gz, levels.tsv and bold.nii.gz.
    grid : Grid
    share : (I, J, K, L) array
        True share of every voxel in each level.
    signals : (T, L) array
        What every level does.
    noise : float
        Standard deviation of the noise of each voxel.
    """

    folder: Path
    grid: Grid
    share: Floats
    signals: Floats
    noise: float

    def mapped(self, name: str = "bold.nii.gz") -> MappedLevels:
        """Bring the levels to a run of this name."""
        return map_levels(self.folder / "levels.nii.gz", self.folder / name)


def true_shares(grid: Grid, borders: Sequence[float]) -> Floats:
    """Return the share of each voxel in each level of the straight cord, without sampling in z."""
    fine = (np.arange(20) + 0.5) / 20 - 0.5
    i, j, k = (np.arange(n) for n in grid.shape)
    step = np.diag(grid.affine)[:3]
    x = grid.affine[0, 3] + step[0] * (i[:, None] + fine)
    y = grid.affine[1, 3] + step[1] * (j[:, None] + fine)
    inside = np.hypot(x[:, None, :, None], y[None, :, None, :]) < RADIUS_MM
    across = inside.mean(axis=(2, 3))
    depth = TOP_MM - (grid.affine[2, 3] + step[2] * k)
    along = np.stack(
        [
            np.clip(
                np.minimum(depth + step[2] / 2, b) - np.maximum(depth - step[2] / 2, a), 0, None
            )
            / step[2]
            for a, b in pairwise(borders)
        ],
        axis=-1,
    )
    return np.asarray(across[:, :, None, None] * along)


def plant(
    folder: Path,
    *,
    thickness_mm: float = 5.0,
    count: int = 12,
    volumes: int = 60,
    noise: float = 8.0,
    name: str = "bold.nii.gz",
) -> Planted:
    """Write levels and a BOLD of which every level has a signal of its own."""
    rng = np.random.default_rng(7)
    save(levels_on(BORDERS), folder / "levels.nii.gz")
    (folder / "levels.tsv").write_text(to_tsv(table_of(BORDERS)))
    grid = slices(thickness_mm, count, 16.0).grid
    share = true_shares(grid, BORDERS)
    time = np.arange(volumes)
    amplitudes = 20.0 * np.stack([np.sin(2 * np.pi * time / p) for p in (11, 7, 17, 23)], axis=1)
    signals = np.array([900, 1000, 1100, 1200]) + amplitudes
    data = np.empty((*grid.shape, volumes), dtype=np.float32)
    for t in range(volumes):
        data[..., t] = share @ signals[t] + rng.normal(0, noise, grid.shape)
    nifti = nib.Nifti1Image(data, grid.affine)
    nifti.header.set_zooms((*grid.spacing_mm, 2.5))
    nifti.header.set_xyzt_units("mm", "sec")
    nib.save(nifti, folder / name)
    return Planted(folder, grid, share, signals, noise)


def write_map(planted: Planted, data: np.ndarray, name: str = "z.nii.gz") -> Path:
    """Write a statistic map on the grid of the EPI."""
    path = planted.folder / name
    nib.save(nib.Nifti1Image(data.astype(np.float32), planted.grid.affine), path)
    return path
