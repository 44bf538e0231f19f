"""A bank of geometries on disk: what lies where in many necks, without any contrast.

Geometry is slow to make and signal is fast, so the geometries are made once and every
training patch draws its own contrast, noise and blur from them (:mod:`training.patches`).

Seeds from `FIRST_SEED` on belong to training; everything below is never trained on, and
is what demonstrations, tests and evaluations use.
"""

from __future__ import annotations

import argparse
import logging
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.image import Grid
from sct_rootlets.phantom.compose import compose
from sct_rootlets.phantom.draw import random_anatomy
from sct_rootlets.phantom.tissue import Tissue, cord_coordinates, tissue_at
from training.pam50 import Pam50, Pam50Canal

__all__ = [
    "FIRST_SEED",
    "fine_volume",
    "make_bank",
    "make_volume",
    "volume_path",
    "wide_volume",
]

log = logging.getLogger(__name__)

#: First seed of the anatomies that training may use.
FIRST_SEED = 1_000_000
#: Fine volumes: spacing, height along z, half width across (mm).
FINE_MM, FINE_HEIGHT_MM, FINE_HALF_MM = 0.5, 96.0, 25.0
#: Wide volumes: spacing, and half widths left-right and front-back (mm).
WIDE_MM, WIDE_LR_MM, WIDE_AP_MM = 1.0, 44.0, 72.0


def _grid(low: NDArray[np.float64], high: NDArray[np.float64], spacing: float) -> Grid:
    shape = np.floor((high - low) / spacing).astype(int)
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = low
    return Grid((int(shape[0]), int(shape[1]), int(shape[2])), affine)


def fine_volume(seed: int, template: Pam50 | None) -> NDArray[np.uint8]:
    """Return the neighbourhood of a stretch of cord at 0.5 mm.

    Parameters
    ----------
    seed : int
    template : Pam50, optional
        Half of the volumes take sac and cord from it, and most of those its rootlets too.

    Returns
    -------
    (3, Z, Y, X) uint8 array
        Tissue, share of thread (0-255) and share painted as rootlet (0-255); z from
        inferior to superior, y from posterior to anterior, x from right to left.
    """
    rng = np.random.default_rng([seed, 3])
    anatomy = random_anatomy(seed)
    start = rng.uniform(4, 95)
    at = (anatomy.s_mm >= start) & (anatomy.s_mm <= start + FINE_HEIGHT_MM)
    cord = anatomy.xyz_world[at]
    low, high = cord.min(axis=0), cord.max(axis=0)
    low[:2] -= FINE_HALF_MM - 4
    high[:2] += FINE_HALF_MM - 4
    grid = _grid(low, high, FINE_MM)
    canal = None
    own_rootlets = True
    if template is not None and rng.random() < 0.5:
        canal = Pam50Canal(template, anatomy, rng)
        if rng.random() < 0.7:
            own_rootlets = False
            kept = tuple(f for f in anatomy.filaments if f.level is None)
            anatomy = replace(anatomy, filaments=kept)
    made = compose(anatomy, grid, canal)
    thread, painted = made.thread, made.painted
    if canal is not None and not own_rootlets:
        part = canal.part.reshape(grid.shape)
        # Some components are missing, all are more or less dense.
        density = rng.uniform(0.35, 1.0, 256).astype(np.float32)
        gone = rng.random(256) < 0.12
        density[gone] = 0
        density[0] = 0
        outside = ~np.isin(made.tissue, (Tissue.WHITE, Tissue.GREY))
        seen = (part > 0) & ~gone[part] & (made.tissue == Tissue.CSF)
        painted = seen.astype(np.float32)
        thread = np.maximum(thread, density[part] * outside)
    stack = [made.tissue, np.rint(thread * 255), np.rint(painted * 255)]
    return np.stack([np.asarray(a, dtype=np.uint8).transpose(2, 1, 0) for a in stack])


def wide_volume(seed: int) -> NDArray[np.uint8]:
    """Return a whole neck at 1 mm, for the network that finds the cord.

    Returns
    -------
    (1, Z, Y, X) uint8 array
        Tissue; axes as in :func:`fine_volume`.
    """
    rng = np.random.default_rng([seed, 4])
    anatomy = random_anatomy(seed)
    first, last = rng.uniform(-45, 30), rng.uniform(130, 235)
    at = (anatomy.s_mm >= first) & (anatomy.s_mm <= last)
    cord = anatomy.xyz_world[at]
    centre = cord.mean(axis=0) + rng.normal(0, 6, 3)
    half = np.array([WIDE_LR_MM, WIDE_AP_MM, np.ptp(cord[:, 2]) / 2])
    grid = _grid(centre - half, centre + half, WIDE_MM)
    ijk = np.indices(grid.shape, dtype=np.float32).reshape(3, -1).T
    xyz = ijk + grid.affine[:3, 3].astype(np.float32)
    tissue = tissue_at(anatomy, *cord_coordinates(anatomy, xyz)).reshape(grid.shape)
    return tissue.transpose(2, 1, 0)[None]


def volume_path(folder: Path, kind: str, index: int) -> Path:
    """Return where volume `index` of `kind` ("fine" or "wide") lies."""
    return folder / f"{kind}-{index:05d}.npy"


def make_volume(folder: Path, kind: str, index: int, template: Pam50 | None) -> None:
    """Make and write volume `index` of `kind`, whole or not at all."""
    if kind == "fine":
        volume = fine_volume(FIRST_SEED + index, template)
    else:
        volume = wide_volume(FIRST_SEED + 500_000 + index)
    target = volume_path(folder, kind, index)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(f".{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        np.save(file, volume)
    os.replace(temporary, target)


def make_bank(folder: Path, kind: str, count: int, template: Pam50 | None) -> None:
    """Write `count` volumes of `kind`; those that exist are kept."""
    for index in range(count):
        if not volume_path(folder, kind, index).exists():
            make_volume(folder, kind, index, template)
        if index % 20 == 0:
            log.info("%s volume %d of %d", kind, index + 1, count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", type=Path, required=True, help="folder of the bank")
    parser.add_argument("-fine", type=int, default=0, help="number of fine volumes")
    parser.add_argument("-wide", type=int, default=0, help="number of wide volumes")
    parser.add_argument("-pam50", type=Path, help="folder with PAM50's label maps")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    template = Pam50(args.pam50) if args.pam50 else None
    make_bank(args.o, "fine", args.fine, template)
    make_bank(args.o, "wide", args.wide, template)


if __name__ == "__main__":
    main()
