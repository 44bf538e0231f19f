"""Predictions with errors that are known, of a synthetic neck on an anisotropic oblique grid."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sct_rootlets import evaluation
from sct_rootlets.image import Grid, Image, LabelImage, save
from sct_rootlets.metrics import LevelAgreement
from tests.levels.bent_cord import rotation, turned
from tests.synthetic import make_neck

#: Voxel size, mm; along the cord it is 1.5.
SPACING = (0.8, 0.9, 1.5)


@dataclass(frozen=True)
class Planted:
    """The files of one reference and of predictions with one error each, in `folder`."""

    folder: Path
    grid: Grid
    labels: NDArray[np.int32]
    cord: NDArray[np.int32]

    def write(self, name: str, data: NDArray[np.generic], grid: Grid | None = None) -> Path:
        """Write labels, or probabilities, under a name."""
        path = self.folder / f"{name}.nii.gz"
        kind = Image if data.dtype.kind == "f" else LabelImage
        save(kind(data, self.grid if grid is None else grid), path)
        return path


def plant(folder: Path) -> Planted:
    """Write reference, cord and predictions: same, shifted, swapped, missing, moved and more."""
    neck = make_neck()
    affine = np.eye(4)
    affine[:3, :3] = rotation(0, 12) @ rotation(1, 5) @ np.diag(SPACING)
    affine[:3, 3] = (-12.0, 30.5, -71.0)
    labels, cord = neck.rootlets.data, neck.cord.data
    planted = Planted(folder, Grid(labels.shape, affine), labels, cord)
    swapped = np.select([labels == 4, labels == 5, labels > 0], [5, 4, labels], 0)
    moved = np.where(labels == 5, 0, labels)
    moved[np.roll(labels == 5, -2, axis=2)] = 5
    for name, data in {
        "truth": labels,
        "cord": cord,
        "same": labels,
        "shifted": np.roll(labels, -2, axis=2),  # 3 mm caudal
        "swapped": swapped,
        "missing": np.where(labels == 5, 0, labels),
        "moved": moved,  # C5 alone, 3 mm caudal
        "nameless": (labels > 0).astype(np.int32),
        "nothing": np.zeros_like(labels),
    }.items():
        planted.write(name, np.asarray(data, dtype=np.int32))
    rng = np.random.default_rng(0)
    soft = np.clip(0.85 * (labels > 0) + 0.1 * rng.random(labels.shape), 0, 1)
    planted.write("soft", soft.astype(np.float32))
    other = turned(LabelImage(labels, planted.grid), (2, 0, 1), (True, False, True))
    planted.write("turned", other.data, other.grid)
    planted.write("cropped", labels[:, :, 5:])
    return planted


def measure(planted: Planted, *names: str, cord: bool = False) -> evaluation.Evaluation:
    """Evaluate predictions of these names, with or without borders."""
    folder = planted.folder
    return evaluation.evaluate(
        [folder / f"{name}.nii.gz" for name in names],
        [folder / "truth.nii.gz"] * len(names),
        cords=[folder / "cord.nii.gz"] * len(names) if cord else None,
    )


def rows_of(result: evaluation.PairResult) -> dict[str, LevelAgreement]:
    """Return the agreement by level."""
    return {str(row.level or "all"): row for row in result.agreement}


def cells(path: Path) -> list[dict[str, str]]:
    """Return the rows of a TSV."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))
