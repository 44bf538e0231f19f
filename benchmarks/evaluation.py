"""What `evaluate` and `consensus` say where the errors are known, as the tables of the docs.

``python -m benchmarks.evaluation -data ../shared/data`` prints them as Markdown: errors planted
into a phantom; the bundled model on two real images, with F1 as the published script counts it
beside ours; and raters whose errors are planted, by STAPLE over several regions and by a vote.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.stats import norm

from benchmarks.report import markdown
from sct_rootlets import evaluation, metrics, pipeline
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.consensus import combine
from sct_rootlets.consensus.filters import staple
from sct_rootlets.image import LabelImage, load_labels, save
from sct_rootlets.levels.axial_slices import superior_axis
from sct_rootlets.phantom import Phantom, make_grid, random_anatomy, render

Labels = NDArray[np.int32]

#: Seed of the phantom, and its voxels, mm.
SEED, SPACING_MM = 11, (0.8, 0.8, 1.0)
#: Shares of voxels that each rater misses, and of voxels beside them that he adds.
RATERS = {
    "3 alike": [(0.2, 0.15)] * 3,
    "4 alike": [(0.2, 0.15)] * 4,
    "3, one marks too little": [(0.2, 0.1), (0.2, 0.1), (0.6, 0.02)],
    "4, one careful, three mark too little": [(0.1, 0.05), *[(0.5, 0.05)] * 3],
    "4, one marks too much": [*[(0.2, 0.1)] * 3, (0.05, 0.7)],
}
REAL = {
    "subject_t2": ("t2", "discs", "t2_seg-manual", "t2_seg-deepseg_rootlets"),
    "pam50_small": (
        "PAM50_small_t2",
        "PAM50_small_label_discPosterior",
        "PAM50_small_cord",
        "PAM50_small_rootlets",
    ),
}


def phantom() -> Phantom:
    """Return an oblique phantom of anisotropic voxels around the cervical cord."""
    anatomy = random_anatomy(SEED)
    grid = make_grid(anatomy, SPACING_MM, oblique_deg=8.0, field_of_view_mm=(36.0, 72.0, 176.0))
    return render(anatomy, grid)


def planted(truth: Labels, axis: int) -> dict[str, Labels]:
    """Return predictions with one error each; a shift is caudal, along the axis of the grid."""

    def moved(labels: Labels, voxels: int) -> Labels:
        return np.asarray(np.roll(labels, -voxels, axis=axis))

    c5, c6 = SpinalLevel.C5.value, SpinalLevel.C6.value
    one = np.where(truth == c5, 0, truth)
    part = moved(np.where(truth == c5, c5, 0), 3)
    return {
        "none": truth,
        "all shifted by 1 mm": moved(truth, 1),
        "all shifted by 3 mm": moved(truth, 3),
        "C5 shifted by 3 mm": np.where(part > 0, part, one),
        "C5 and C6 swapped": np.select([truth == c5, truth == c6], [c6, c5], truth),
        "C5 missing": one,
        "each named as the next level": np.where(truth > 0, truth + 1, 0),
        "a voxel thicker": ndimage.grey_dilation(truth, size=(3, 3, 3)),
    }


def planted_tables(folder: Path) -> str:
    """Return what is measured of planted errors: of C5, of all levels, and per image."""
    made = phantom()
    axis, ascends = superior_axis(made.rootlets.grid)
    assert ascends
    save(made.rootlets, folder / "truth.nii.gz")
    save(made.cord, folder / "cord.nii.gz")
    rows = []
    for name, labels in planted(made.rootlets.data, axis).items():
        save(LabelImage(labels, made.rootlets.grid), folder / "planted.nii.gz")
        found = evaluation.evaluate_pair(
            folder / "planted.nii.gz", folder / "truth.nii.gz", cord=folder / "cord.nii.gz"
        )
        c5 = next(row for row in found.agreement if row.level is SpinalLevel.C5)
        assert found.slices is not None
        errors = found.border_errors_mm("midpoint")
        rows.append(
            [
                name,
                *(_two(getattr(c5, figure)) for figure in _FIGURES),
                _two(found.whole.dice),
                f"{found.slices.wrong} of {found.slices.both}",
                _two(float(np.mean(errors)) if len(errors) else float("nan"), "+"),
            ]
        )
    head = ["planted error", *(f"C5 {name}" for name in _FIGURES.values()), "all: Dice"]
    return markdown([*head, "slices wrong", "midpoints, mm"], rows)


_FIGURES = {
    "dice": "Dice",
    "f1_slice": "F1",
    "hd95_mm": "HD95",
    "assd_mm": "ASSD",
    "nsd_1mm": "NSD 1 mm",
    "centre_distance_mm": "centre",
}


def published_f1(predicted: NDArray[np.bool_], reference: NDArray[np.bool_]) -> float:
    """Return F1 as the published script counts it: without the last, most rostral slice.

    Parameters
    ----------
    predicted, reference : (K,) arrays
        Which slices hold the level, from inferior to superior.
    """
    seen = np.flatnonzero(predicted | reference)
    within = slice(int(seen[0]), int(seen[-1]))  # the script's range ends before its last slice
    a, b = predicted[within], reference[within]
    return metrics.SliceCounts(int((a & b).sum()), int((a & ~b).sum()), int((b & ~a).sum())).f1


def real_table(data: Path, name: str, folder: Path) -> str:
    """Return the agreement of the bundled model with a reference, and F1 in both ways."""
    image, discs, cord, reference = (data / name / f"{stem}.nii.gz" for stem in REAL[name])
    predicted = pipeline.segment(image, landmarks=pipeline.Landmarks(discs), cord=cord).rootlets
    path = folder / f"{name}.nii.gz"
    save(predicted, path)
    found = evaluation.evaluate_pair(path, reference, cord=cord)
    truth = load_labels(reference)
    axis, ascends = superior_axis(truth.grid)
    across = tuple(k for k in range(3) if k != axis)
    rows = []
    for row in found.agreement:
        published = "n/a"
        if row.level is not None and row.n_ref and row.n_pred:
            sides = [
                (side.data == row.level.value).any(axis=across)[:: 1 if ascends else -1]
                for side in (predicted, truth)
            ]
            published = _two(published_f1(*sides))
        errors = [
            abs(border.error_mm)
            for border in found.borders
            if border.level is row.level and border.place != "midpoint" and border.counts
        ]
        if row.level is None:
            errors = [abs(error) for error in found.border_errors_mm("rostral", "caudal")]
        known = [error for error in errors if np.isfinite(error)]
        rows.append(
            [
                "all" if row.level is None else str(row.level),
                _two(row.dice),
                _two(row.f1_slice),
                published,
                _two(row.precision),
                _two(row.recall),
                _two(row.hd95_mm),
                _two(row.assd_mm),
                _two(row.nsd_1vox),
                _two(row.nsd_1mm),
                _two(row.centre_distance_mm),
                _two(float(np.mean(known)) if known else float("nan")),
            ]
        )
    return markdown(
        ["level", "Dice", "F1", "F1 as published", "precision", "recall", "HD95, mm", "ASSD, mm",
         "NSD 1 voxel", "NSD 1 mm", "centre, mm", "borders, mm"],
        rows,
    )  # fmt: skip


def rater(truth: Labels, missed: float, added: float, seed: int) -> Labels:
    """Return rootlets with patches of a few voxels missing, and others added beside them."""
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=truth.shape), 1.0)
    field /= field.std()
    beside = ndimage.grey_dilation(truth, footprint=ndimage.generate_binary_structure(3, 1))
    out = np.where(field < norm.ppf(missed), 0, truth)
    new = (truth == 0) & (beside > 0) & (field > norm.ppf(1 - added))
    return np.asarray(np.where(new, beside, out), dtype=np.int32)


def rater_table(seeds: Sequence[int] = range(10, 15)) -> str:
    """Return how good a consensus is against the truth, mean over several draws of raters."""
    truth = np.asarray(phantom().rootlets.data)
    ways: dict[str, Callable[[list[Labels]], Labels]] = {
        "STAPLE, marked voxels only": lambda raters: _staple(raters, 0),
        "STAPLE, and 1 voxel around": lambda raters: combine(raters).labels,
        "STAPLE, whole image": lambda raters: _staple(raters, None),
        "vote": lambda raters: combine(raters, method="vote").labels,
    }
    rows = []
    for name, spec in RATERS.items():
        cells: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        each = []
        for seed in seeds:
            raters = [rater(truth, *one, 100 * seed + k) for k, one in enumerate(spec)]
            each.append([_per_level(side, truth) for side in raters])
            for way, make in ways.items():
                labels = make(raters)
                size = (labels > 0).sum() / (truth > 0).sum()
                cells[way].append((_per_level(labels, truth), float(size)))
        best, worst = np.max(each, axis=1).mean(), np.min(each, axis=1).mean()
        means = [np.mean(values, axis=0) for values in cells.values()]
        rows.append(
            [name, f"{worst:.2f} to {best:.2f}", *(f"{d:.2f} ({100 * s:.0f} %)" for d, s in means)]
        )
    return markdown(["raters", "each of them", *ways], rows)


def _staple(raters: list[Labels], around: int | None) -> Labels:
    """Return STAPLE's consensus with a region of its own: so many voxels around, or all."""
    out = np.zeros_like(raters[0])
    for value in np.unique(raters)[1:]:
        masks = [side == value for side in raters]
        seen = np.any(masks, axis=0)
        if around is None:
            seen = np.ones_like(seen)
        elif around:
            seen = ndimage.binary_dilation(seen, np.ones((3, 3, 3)), iterations=around)
        agreed = np.zeros_like(seen)
        agreed[seen] = staple([mask[seen] for mask in masks]).probability >= 0.5
        out[agreed] = value
    return out


def _per_level(labels: Labels, truth: Labels) -> float:
    values = np.unique(truth)[1:]
    return float(np.mean([metrics.dice(labels == value, truth == value) for value in values]))


def _two(value: float, sign: str = "") -> str:
    return "n/a" if value != value else f"{round(value, 2) + 0.0:{sign}.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-data", type=Path, default=Path("../shared/data"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        print(f"Planted errors\n\n{planted_tables(folder)}\n", flush=True)
        for name in REAL:
            if (arguments.data / name).is_dir():
                print(f"{name}\n\n{real_table(arguments.data, name, folder)}\n", flush=True)
    print(f"Raters\n\n{rater_table()}")


if __name__ == "__main__":
    main()
