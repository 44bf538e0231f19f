"""Phantoms in EPI space: grids, a known distortion, and the true share of every level.

The truth is looked up in the anatomy itself at points much finer than the voxels, through the
distortion as a formula. Nothing of the package's mapping takes part in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable
from sct_rootlets.phantom import Anatomy, Truth, make_grid
from sct_rootlets.phantom.tissue import Tissue, canal_at, cord_coordinates

__all__ = [
    "EPI_SPACINGS_MM",
    "POINTS_PER_MM",
    "Distortion",
    "Shares",
    "distort",
    "epi_grid",
    "field_grid",
    "levels_image",
    "levels_table",
    "true_labels_at",
    "true_shares",
    "write_itk_field",
]

Floats = NDArray[np.float64]
Distortion = Callable[[Floats], Floats]

#: The two EPI grids of the field: thick slices, and very thick ones with a gap counted in.
EPI_SPACINGS_MM = {"5 mm": (0.96, 0.96, 5.0), "16.8 mm": (0.96, 0.96, 16.8)}
#: Points per mm across and along the slices at which the truth is looked up.
POINTS_PER_MM = (6.0, 5.0)


@dataclass(frozen=True, eq=False)
class Shares:
    """True shares.

    Attributes
    ----------
    share : (I, J, K, L) array
    by_slice : (K, L) array
        Mean over the thickness of the slice of each level's share of the area of the whole
        cord, labelled or not.
    """

    share: Floats
    by_slice: Floats


def epi_grid(anatomy: Anatomy, spacing_mm: tuple[float, float, float], oblique_deg: float) -> Grid:
    """Return an EPI grid over the levels C2 to T1, whose axis k is along the body."""
    return make_grid(
        anatomy, spacing_mm, oblique_deg=oblique_deg, field_of_view_mm=(44.0, 60.0, 185.0)
    )


def field_grid(anatomy: Anatomy, oblique_deg: float) -> Grid:
    """Return a grid around that of the EPI, fine enough for the distortion."""
    size = (60.0, 76.0, 210.0)
    return make_grid(anatomy, (2.0,) * 3, oblique_deg=oblique_deg, field_of_view_mm=size)


def levels_image(anatomy: Anatomy, truth: Truth, spacing_mm: float = 0.8) -> LabelImage:
    """Return what lies at the middle of every voxel of an anatomical image: a level, or 0."""
    grid = make_grid(anatomy, (spacing_mm,) * 3, field_of_view_mm=(36.0, 76.0, 190.0))
    xyz = grid.world_from_ijk(np.indices(grid.shape).reshape(3, -1).T)
    data, _ = true_labels_at(anatomy, truth, xyz)
    return LabelImage(data.astype(np.int32).reshape(grid.shape), grid, None, "phantom levels")


def levels_table(truth: Truth, sd_mm: float | None = None) -> LevelTable:
    """Return the true levels as a table."""
    rows = [
        LevelRow(
            row.level,
            "measured",
            row.caudal_rostral_mm,
            row.caudal_caudal_mm,
            row.xyz_world["caudal_rostral"],
            row.xyz_world["caudal_caudal"],
            rostral_sd_mm=sd_mm,
            caudal_sd_mm=sd_mm,
        )
        for row in truth.rows
    ]
    return LevelTable(tuple(rows), "caudal", None)


def distort(xyz_world: Floats) -> Floats:
    """Map points of a distorted EPI to the anatomy: up to 3 mm in phase, 2 mm along the body."""
    x, y, z = np.asarray(xyz_world, dtype=float).T
    dx = 0.8 * np.sin(2 * np.pi * z / 90)
    dy = 3.0 * np.sin(2 * np.pi * z / 70 + 0.5) * np.cos(x / 60)
    dz = 2.0 * np.sin(2 * np.pi * z / 110 + y / 80)
    return np.stack([x + dx, y + dy, z + dz], axis=1)


def write_itk_field(path: Path, grid: Grid, distortion: Distortion) -> Path:
    """Write a distortion as ITK does: vectors in its own frame, LPS, in five dimensions."""
    xyz = grid.world_from_ijk(np.indices(grid.shape).reshape(3, -1).T)
    moved = (distortion(xyz) - xyz) * (-1, -1, 1)
    nifti = nib.Nifti1Image(moved.reshape(*grid.shape, 1, 3).astype(np.float32), grid.affine)
    nifti.header.set_intent("vector")
    nifti.set_qform(grid.affine, 1)
    nifti.set_sform(grid.affine, 1)
    nib.save(nifti, path)
    return path


def true_labels_at(anatomy: Anatomy, truth: Truth, xyz_world: Floats) -> tuple[Floats, Floats]:
    """Return the level at points (N, 3) of the anatomy, 0 outside, and whether it is cord."""
    s, u, v = cord_coordinates(anatomy, xyz_world.astype(np.float32))
    cord = np.isin(canal_at(anatomy, s, u, v), (Tissue.WHITE, Tissue.GREY))
    return np.where(cord, _level_at(s, truth), 0), cord


def true_shares(
    anatomy: Anatomy,
    truth: Truth,
    grid: Grid,
    distortion: Distortion | None,
    points_per_mm: tuple[float, float] = POINTS_PER_MM,
) -> Shares:
    """Return the true share of each level in every voxel of a grid whose axis k is along."""
    values = [row.level.value for row in truth.rows]
    across, along = points_per_mm
    counts = np.ceil(grid.spacing_mm * (across, across, along)).astype(int)
    offsets = (np.indices(tuple(counts)).reshape(3, -1).T + 0.5) / counts - 0.5
    layer = np.indices(tuple(counts))[2].ravel()
    share = np.zeros((*grid.shape, len(values)))
    by_slice = np.zeros((grid.shape[2], len(values)))

    def source(ijk: Floats) -> Floats:
        xyz = grid.world_from_ijk(ijk.reshape(-1, 3))
        return xyz if distortion is None else distortion(xyz)

    for k in range(grid.shape[2]):
        ijk = np.argwhere(np.ones((*grid.shape[:2], 1), dtype=bool))
        ijk[:, 2] = k
        layers = np.linspace(-0.5, 0.5, max(int(grid.spacing_mm[2]), 2))
        rough = ijk[:, None] + np.stack([0 * layers, 0 * layers, layers], axis=1)
        _, u, v = cord_coordinates(anatomy, source(rough).astype(np.float32))
        ijk = ijk[(np.hypot(u, v) < 10).reshape(len(ijk), -1).any(axis=1)]
        levels = np.zeros((counts[2], len(values)))
        cords = np.zeros(counts[2])
        for part in np.array_split(ijk, max(1, len(ijk) * len(offsets) // 400_000)):
            label, cord = true_labels_at(anatomy, truth, source(part[:, None] + offsets))
            for n, value in enumerate(values):
                hit = (label == value).reshape(len(part), -1)
                share[(*part.T, n)] = hit.mean(axis=1)
                levels[:, n] += np.bincount(layer, hit.sum(axis=0), counts[2])
            cords += np.bincount(layer, cord.reshape(len(part), -1).sum(axis=0), counts[2])
        by_slice[k] = (levels / np.maximum(cords, 1)[:, None]).mean(axis=0)
    return Shares(share, by_slice)


def _level_at(s_mm: NDArray[np.float32], truth: Truth) -> NDArray[np.int32]:
    label = np.zeros(len(s_mm), dtype=np.int32)
    for row in truth.rows:
        inside = (s_mm >= row.caudal_rostral_mm) & (s_mm < row.caudal_caudal_mm)
        label[inside] = row.level.value
    return label
