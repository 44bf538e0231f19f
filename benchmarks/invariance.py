"""What must not change the answer: how an image is stored, and how fine its voxels are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.phantom_masks import PROOF, TUNING, Masks, rendered
from benchmarks.report import markdown, spread
from sct_rootlets.image import Grid, LabelImage, load_labels, resample_labels
from sct_rootlets.levels import DEFINITIONS, LevelOptions, derive
from sct_rootlets.levels.table.level_table import LevelTable

__all__ = ["measure_orientations", "measure_resampling", "stored"]

SPACINGS_MM = (0.5, 0.6, 0.8, 1.0, 1.2)
#: Borders of a row that must not depend on the orientation.
COLUMNS = ("rostral_mm", "caudal_mm", "rostral_sd_mm", "caudal_sd_mm")


def stored(image: LabelImage) -> Iterator[LabelImage]:
    """Yield an image in all 48 orientations: axes permuted, then flipped."""
    for axes in permutations(range(3)):
        for flips in product((False, True), repeat=3):
            data = np.transpose(image.data, axes)
            affine = image.grid.affine[:, [*axes, 3]].copy()
            for axis, flip in enumerate(flips):
                if flip:
                    data = np.flip(data, axis)
                    affine[:3, 3] += affine[:3, axis] * (data.shape[axis] - 1)
                    affine[:3, axis] *= -1
            i, j, k = data.shape
            yield LabelImage(np.ascontiguousarray(data), Grid((i, j, k), affine), None, image.path)


def _difference(first: LevelTable, other: LevelTable) -> tuple[float, float]:
    """Return the largest difference of borders along the cord, and of their points, mm."""
    along = across = 0.0
    for row, twin in zip(first.rows, other.rows, strict=True):
        if row.status != twin.status:
            return float("inf"), float("inf")
        for name in COLUMNS:
            a, b = getattr(row, name, None), getattr(twin, name, None)
            if a is not None and b is not None:
                along = max(along, abs(a - b))
        for name in ("rostral_world", "caudal_world"):
            a, b = getattr(row, name), getattr(twin, name)
            if a is not None and b is not None:
                across = max(across, float(np.linalg.norm(np.subtract(a, b))))
    return along, across


def measure_orientations(data: Path, seeds: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the largest movement of a border over the 48 orientations of two images."""
    phantom = rendered((TUNING if seeds == "tuning" else PROOF) + 1, 0.8)
    folder = data / "subject_t2"
    pairs = {
        "a phantom, 0.8 mm, oblique by 8 degrees": (phantom.rootlets, phantom.cord),
        "subject_t2, 1 mm": (
            load_labels(folder / "t2_seg-deepseg_rootlets.nii.gz"),
            load_labels(folder / "t2_seg-manual.nii.gz"),
        ),
    }
    values: dict[str, Any] = {}
    rows = []
    for name, (rootlets, cord) in pairs.items():
        for definition in DEFINITIONS:
            tables = [
                derive(r, c, options=LevelOptions(definition), has_level_identity=True).table
                for r, c in zip(stored(rootlets), stored(cord), strict=True)
            ]
            along, across = np.max([_difference(tables[0], t) for t in tables], axis=0)
            values[f"{name}, {definition}"] = {"along_mm": float(along), "world_mm": float(across)}
            rows.append([name, definition, f"{along:.1e}", f"{across:.1e}"])
            print(f"  {name}, {definition}: {along:.1e} mm", flush=True)
    head = ["image", "definition", "s, mm", "world point, mm"]
    return values, {"orientations": markdown(head, rows)}


def _borders(masks: Masks, rootlets: LabelImage, cord: LabelImage) -> dict[str, dict[str, float]]:
    """Return borders of measured levels on the true centerline, by definition."""
    found: dict[str, dict[str, float]] = {}
    for definition in DEFINITIONS:
        table = derive(
            rootlets, cord, options=LevelOptions(definition), has_level_identity=True
        ).table
        found[definition] = {}
        for row in table.rows:
            if row.status == "measured" and row.rostral_world and row.caudal_world:
                ends = masks.along([row.rostral_world, row.caudal_world])
                for what, s_mm in zip(("rostral", "caudal"), ends, strict=True):
                    if not (what == "rostral" and definition == "caudal" and row.level.value > 2):
                        found[definition][f"{row.level} {what}"] = float(s_mm)
    return found


def measure_resampling(count: int, seeds: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return how far borders move between voxel sizes, against 0.5 mm.

    Once the same anatomy is rendered on every grid; once the masks at 0.5 mm are resampled
    to the others by nearest neighbour.
    """
    first = TUNING if seeds == "tuning" else PROOF
    moved: dict[tuple[str, str, float], list[float]] = {}
    for n in range(count):
        masks = {mm: rendered(first + n, mm) for mm in SPACINGS_MM}
        finest = masks[SPACINGS_MM[0]]
        reference = _borders(finest, finest.rootlets, finest.cord)
        for mm in SPACINGS_MM[1:]:
            here = masks[mm]
            pairs = {
                "rendered": (here.rootlets, here.cord),
                "resampled": (
                    resample_labels(finest.rootlets, here.rootlets.grid),
                    resample_labels(finest.cord, here.cord.grid),
                ),
            }
            for way, pair in pairs.items():
                for definition, found in _borders(finest, *pair).items():
                    known = reference[definition]
                    moved.setdefault((way, definition, mm), []).extend(
                        s_mm - known[name] for name, s_mm in found.items() if name in known
                    )
        print(f"  {n + 1} of {count} anatomies", flush=True)
    rows, values = [], {}
    for way in ("rendered", "resampled"):
        for definition in DEFINITIONS:
            cells = [moved[way, definition, mm] for mm in SPACINGS_MM[1:]]
            rows.append([way, definition, *(spread(cell) for cell in cells)])
            for mm, cell in zip(SPACINGS_MM[1:], cells, strict=True):
                size = np.abs(cell)
                values[f"{way}, {definition}, {mm}"] = {
                    "borders": len(cell),
                    "median_mm": float(np.median(size)),
                    "p95_mm": float(np.quantile(size, 0.95)),
                    "max_mm": float(size.max()),
                }
    head = ["masks", "definition", *(f"{mm} mm" for mm in SPACINGS_MM[1:])]
    return values, {"resampling": markdown(head, rows)}
