"""Long runs: memory and time of sct_rootlets map -func, and whether planted signals come back.

    python -m benchmarks.fmri_series [-volumes 50 500] [-seed 100] [-o FOLDER]

Prints two tables for docs/fmri.md. A phantom's levels, in an EPI of 0.96 x 0.96 x 5 mm that is
oblique and distorted by a known field, each have a signal of their own, mixed by the true shares
with the tissue around the cord, and noise. Every run is a command in a process of its own.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import os
import sys
import tempfile
import time
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from benchmarks.fmri_phantoms import (
    EPI_SPACINGS_MM,
    distort,
    epi_grid,
    field_grid,
    levels_image,
    levels_table,
    true_shares,
    write_itk_field,
)
from benchmarks.report import markdown
from sct_rootlets.image import Grid, save
from sct_rootlets.levels.table.text import to_tsv
from sct_rootlets.phantom import random_anatomy, true_levels

Floats = NDArray[np.float64]

#: Values of the tissue around the cord and of the cord, size of the signals and of the noise in
#: each voxel: a tSNR of 15 and changes of 2 %, as in the cord at 3 T.
TISSUE, CORD, SIGNAL, NOISE = 600.0, 800.0, 16.0, 53.0
TR_S = 2.0


def signals(volumes: int, levels: int) -> Floats:
    """Return one signal a level, (T, L): whole numbers of cycles, so that none is like another."""
    cycles = 3 + 2 * np.arange(levels)
    return SIGNAL * np.sin(2 * np.pi * cycles * np.arange(volumes)[:, None] / volumes)


def write_series(path: Path, grid: Grid, share: Floats, planted: Floats, seed: int) -> None:
    """Write the run volume by volume, as int16."""
    rng = np.random.default_rng(seed)
    header = nib.Nifti1Header()
    header.set_data_shape((*grid.shape, len(planted)))
    header.set_data_dtype(np.int16)
    header.set_zooms((*grid.spacing_mm, TR_S))
    header.set_xyzt_units("mm", "sec")
    header.set_sform(grid.affine, 1)
    header.set_qform(grid.affine, 1)
    header["vox_offset"] = 352
    cord = share.sum(axis=-1)
    still = TISSUE + (CORD - TISSUE) * cord
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header.binaryblock + b"\0" * 4)
        for row in planted:
            volume = still + share @ row + rng.normal(0, NOISE, grid.shape)
            file.write(np.rint(volume).astype("<i2").tobytes(order="F"))


def run(words: list[str]) -> tuple[float, float]:
    """Run a command of sct_rootlets; return its seconds and its peak memory, MB."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "sct_rootlets", *words, "-v", "0"]
    child = os.posix_spawn(sys.executable, command, os.environ)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"failed: {' '.join(words)}")
    return time.perf_counter() - begun, usage.ru_maxrss / 1024


def read_series(path: Path) -> tuple[list[str], Floats]:
    """Return names and columns of a table of time series."""
    with path.open(newline="") as file:
        names, *rows = list(csv.reader(file, delimiter="\t"))
    return names, np.array(rows, dtype=float)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-volumes", type=int, nargs="+", default=[50, 500])
    parser.add_argument("-seed", type=int, default=100)
    parser.add_argument("-o", type=Path, help="folder to keep what is made")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.o or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        anatomy = random_anatomy(arguments.seed)
        truth = true_levels(anatomy)
        grid = epi_grid(anatomy, EPI_SPACINGS_MM["5 mm"], 15.0)
        save(levels_image(anatomy, truth), folder / "levels.nii.gz")
        (folder / "levels.tsv").write_text(to_tsv(levels_table(truth)))
        warp = write_itk_field(folder / "warp.nii.gz", field_grid(anatomy, 15.0), distort)
        shares = true_shares(anatomy, truth, grid, distort)
        names = [str(row.level) for row in truth.rows]
        costs, recovered = [], []
        for volumes in arguments.volumes:
            planted = signals(volumes, len(names))
            bold = folder / f"bold{volumes}.nii.gz"
            write_series(bold, grid, shares.share, planted, arguments.seed)
            words = ["map", "-i", str(folder / "levels.nii.gz"), "-d", str(bold), "-w", str(warp)]
            for average in ("weighted", "fit"):
                target = folder / f"{average}{volumes}.nii.gz"
                options = ["-o", str(target), "-func", str(bold), "-average", average]
                seconds, peak = run([*words, *options, *(["-regions"] * (average == "weighted"))])
                if average == "weighted":
                    size = 2 * volumes * int(np.prod(grid.shape)) / 1e6
                    costs.append([str(volumes), f"{size:.0f}", f"{seconds:.1f}", f"{peak:.0f}"])
                recovered += compare(folder, target, names, shares.share, planted, average)
        base = run([*words, "-o", str(folder / "none.nii.gz")])
        costs.insert(0, ["without -func", "-", f"{base[0]:.1f}", f"{base[1]:.0f}"])
        print(markdown(["volumes", "voxels in the file, MB", "s", "peak memory, MB"], costs))
        head = ["volumes", "average", "level", "r", "amplitude", "noise / expected"]
        print(markdown(head, recovered))


def compare(
    folder: Path, target: Path, names: list[str], share: Floats, planted: Floats, average: str
) -> list[list[str]]:
    """Return a row for every level: how the series found compares with what was planted."""
    found_names, series = read_series(folder / target.name.replace(".nii.gz", "_timeseries.tsv"))
    weight = share.reshape(-1, share.shape[-1])
    if average == "fit":
        expected = NOISE * np.sqrt(np.diag(np.linalg.inv(weight.T @ weight)))
    else:
        expected = NOISE * np.sqrt((weight**2).sum(axis=0)) / weight.sum(axis=0)
    rows = []
    for n, name in enumerate(names):
        if name not in found_names:
            continue
        column = series[:, found_names.index(name)]
        # The planted signals of all levels explain a column but for the noise.
        design = np.column_stack([planted, np.ones(len(planted))])
        factors, *_ = np.linalg.lstsq(design, column, rcond=None)
        freedom = len(column) - design.shape[1]
        noise = np.sqrt(((column - design @ factors) ** 2).sum() / freedom)
        r = np.corrcoef(column, planted[:, n])[0, 1]
        rows.append(
            [str(len(planted)), average, name, f"{r:.3f}", f"{factors[n]:.2f}",
             f"{noise / expected[n]:.2f}"]
        )  # fmt: skip
    return rows


if __name__ == "__main__":
    main()
