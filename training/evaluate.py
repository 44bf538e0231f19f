"""Measure a compact model: on real images where they are given, and on unseen phantoms.

``python -m training.evaluate -model FOLDER -data ../shared/data -phantoms 100 -o OUT.json``
writes every figure that the model card shows. Phantoms have seeds from `FIRST_PHANTOM` on,
none of which training uses.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from sct_rootlets import metrics
from sct_rootlets.engines import load_engine
from sct_rootlets.engines.engine import Engine, Segmentation
from sct_rootlets.image import Image, LabelImage, load_image, load_labels
from sct_rootlets.inputs import LandmarkImages
from sct_rootlets.levels import Derived, LevelOptions, derive
from sct_rootlets.phantom import Acquisition, make_grid, random_anatomy, render, true_levels
from sct_rootlets.store import locate

__all__ = ["evaluate_pam50", "evaluate_phantoms", "evaluate_real", "evaluate_subject"]

log = logging.getLogger(__name__)

#: First seed of the phantoms that models are measured on.
FIRST_PHANTOM = 1000
#: What the study of the compact network reached on the same real images, for comparison.
STUDY = {
    "subject_t2": {"dice": 0.49, "dice_1vox": 0.78, "cord_dice": 0.95, "level_accuracy": 0.86},
    "pam50_small": {"dice": 0.46, "dice_1vox": 0.92, "border_mean_mm": 1.0},
    "phantoms": {"dice": 0.61, "dice_1vox": 0.88, "level_accuracy": 0.98},
}


def _agreement(predicted: LabelImage, reference: LabelImage) -> dict[str, float]:
    """Compare the levels that the reference has; others were not annotated in it."""
    known = np.isin(predicted.data, reference.labels)
    predicted = LabelImage(np.where(known, predicted.data, 0), predicted.grid)
    return {
        "dice": metrics.dice(predicted.data, reference.data),
        "dice_1vox": metrics.dice_at_tolerance(predicted.data, reference.data),
        "level_accuracy": metrics.level_accuracy(predicted.data, reference.data, voxels=0),
        "level_accuracy_1vox": metrics.level_accuracy(predicted.data, reference.data),
        "voxels": int((predicted.data > 0).sum()),
        "voxels_reference": int((reference.data > 0).sum()),
    }


def _borders(found: Derived, truth: Derived) -> dict[str, Any]:
    """Compare the borders that two segmentations of one image give."""
    wanted = {
        row.level: (row.rostral_world, row.caudal_world)
        for row in truth.table.rows
        if row.rostral_world is not None and row.caudal_world is not None
    }
    compared = metrics.border_errors(
        found.table,
        metrics.truth_on(found.centerline, wanted),  # type: ignore[arg-type]
    )
    each = np.array([row.signed_mm for row in compared.rows])
    return {
        "border_median_mm": compared.median_mm,
        "border_mean_mm": compared.mean_mm,
        # A border between two levels counts twice here, as an end of either.
        "level_end_mean_mm": float(np.nanmean(np.abs(each))),
        "border_max_mm": compared.max_mm,
        "border_bias_mm": compared.bias_mm,
        "borders_missing": compared.missing,
        "borders_mm": {
            f"{row.level} {row.border}": round(row.signed_mm, 2)
            for row in compared.rows
            if np.isfinite(row.signed_mm)
        },
    }


def _dorsal(derived: Derived) -> LabelImage:
    """Return the dorsal rootlets only, as some references have no others."""
    zones = derived.entry_zones
    data = np.array(derived.rootlets.data)
    data[tuple(zones.ijk[zones.sector == "V"].T)] = 0
    return LabelImage(data, derived.rootlets.grid)


def _pooled(labels: LabelImage, onto: LabelImage) -> LabelImage:
    """Bring PAM50's labels at 0.5 mm to the grid of PAM50_small: blocks of 2x2x4 voxels.

    The two files' worlds differ by a shift, so that indices are compared, not positions. A
    voxel takes the label that fills most of its block, from a quarter of it on.
    """
    blocks = np.array(onto.grid.shape)[:, None] * [2, 2, 4]
    wide = np.zeros(tuple(np.diag(blocks)), dtype=labels.data.dtype)
    part = tuple(slice(0, min(a, b)) for a, b in zip(wide.shape, labels.data.shape, strict=True))
    wide[part] = labels.data[part]
    x, y, z = onto.grid.shape
    share = np.zeros(onto.grid.shape)
    out = np.zeros(onto.grid.shape, dtype=np.int32)
    for label in labels.labels:
        here = (wide == label).reshape(x, 2, y, 2, z, 4).mean(axis=(1, 3, 5))
        out[(here >= 0.25) & (here > share)] = label
        share = np.maximum(share, here)
    return LabelImage(out, onto.grid)


def _dice_between(found: LabelImage, cord: LabelImage, rootlets: LabelImage) -> float:
    """Return the Dice of the cord where it has rootlets, along the S-I axis of the world."""
    z = rootlets.points_world()[:, 2]
    ijk = np.indices(cord.grid.shape).reshape(3, -1).T
    height = cord.grid.world_from_ijk(ijk)[:, 2].reshape(cord.grid.shape)
    there = (height >= z.min()) & (height <= z.max())
    return metrics.dice(found.data * there, cord.data * there)


def _degraded(image: Image, rng: np.random.Generator) -> dict[str, Image]:
    """Return the same image worse: noisy, thickly sliced, inverted."""
    top = float(np.percentile(image.data, 99.5))
    noisy = np.hypot(
        image.data + rng.normal(0, 0.1 * top, image.data.shape),
        rng.normal(0, 0.1 * top, image.data.shape),
    )
    # Slices across the left-right axis become 2 mm thick.
    axis = int(np.argmax(np.abs(image.grid.affine[0, :3])))
    thick = ndimage.uniform_filter1d(
        image.data, max(2, round(2 / image.grid.spacing_mm[axis])), axis=axis
    )
    negative = image.data.max() - image.data
    dark_air = np.where(image.data > 0.02 * top, top - image.data, 0)
    return {
        "noise 10 %": image.with_data(noisy.astype(np.float32)),
        "2 mm sagittal slices": image.with_data(thick.astype(np.float32)),
        "inverted contrast": image.with_data(negative.astype(np.float32)),
        "inverted contrast, air still dark": image.with_data(dark_air.astype(np.float32)),
    }


def _compare(
    found: Segmentation, rootlets: LabelImage, cord: LabelImage, discs: LabelImage
) -> tuple[Derived, dict[str, Any]]:
    """Return the levels found with the discs given, and the figures against a reference."""
    assert found.cord is not None
    derived = derive(found.rootlets, found.cord, LandmarkImages(discs), has_level_identity=False)
    truth = derive(rootlets, cord, has_level_identity=True)
    given = derive(found.rootlets, cord, LandmarkImages(discs), has_level_identity=False)
    return derived, {
        **_agreement(derived.rootlets, rootlets),
        "dice_unnumbered": metrics.dice(found.rootlets.data, rootlets.data),
        "cord_dice": metrics.dice(found.cord.data, cord.data),
        "cord_dice_at_rootlets": _dice_between(found.cord, cord, rootlets),
        **_borders(derived, truth),
        "with_the_reference_cord": _borders(given, truth),
    }


def evaluate_subject(engine: Engine, folder: Path) -> dict[str, Any]:
    """Return the figures on the real subject, against the official model's rootlets."""
    image = load_image(folder / "t2.nii.gz")
    rootlets = load_labels(folder / "t2_seg-deepseg_rootlets.nii.gz")
    cord = load_labels(folder / "t2_seg-manual.nii.gz")
    discs = load_labels(folder / "discs.nii.gz")
    found = engine.predict(image)
    assert found.cord is not None
    _, out = _compare(found, rootlets, cord, discs)
    only = LabelImage(np.where(discs.data == 3, 3, 0), discs.grid, None, discs.path)
    one = derive(found.rootlets, found.cord, LandmarkImages(only), has_level_identity=False)
    out["level_accuracy_c2c3_only"] = metrics.level_accuracy(one.rootlets.data, rootlets.data)
    for change, worse in _degraded(image, np.random.default_rng(0)).items():
        again = engine.predict(worse, cord=cord)
        out[f"dice, {change}"] = metrics.dice(again.rootlets.data, rootlets.data)
    return out


def evaluate_pam50(engine: Engine, data: Path) -> dict[str, Any]:
    """Return the figures on PAM50's average T2w image, against two references.

    The rootlets that lie beside the image are dorsal ones only (none of their voxels lies
    more than 110 degrees from dorsal about the cord), so that dorsal ones are compared with
    them. The template's own labels, where ``pam50/`` is given, have ventral ones too.
    """
    folder = data / "pam50_small"
    image = load_image(folder / "PAM50_small_t2.nii.gz")
    rootlets = load_labels(folder / "PAM50_small_rootlets.nii.gz")
    cord = load_labels(folder / "PAM50_small_cord.nii.gz")
    discs = load_labels(folder / "PAM50_small_label_disc.nii.gz")
    found = engine.predict(image)
    derived, out = _compare(found, rootlets, cord, discs)
    out["dorsal_only"] = _agreement(_dorsal(derived), rootlets)
    template = data / "pam50" / "PAM50_rootlets.nii.gz"
    if template.exists():
        full = _pooled(load_labels(template), rootlets)
        full_cord = _pooled(load_labels(template.with_name("PAM50_cord.nii.gz")), rootlets)
        out["template_labels"] = _compare(found, full, full_cord, discs)[1]
    return out


def evaluate_real(engine: Engine, data: Path) -> dict[str, Any]:
    """Return the figures on the real images in `data`, by image."""
    out = {
        "subject_t2": evaluate_subject(engine, data / "subject_t2"),
        "pam50_small": evaluate_pam50(engine, data),
    }
    log.info("%s", json.dumps(out, indent=1))
    return out


def _view(seed: int) -> tuple[Acquisition, tuple[float, ...], float]:
    """Draw how phantom `seed` is scanned: contrast, noise, voxel size and obliquity."""
    rng = np.random.default_rng([seed, 9])
    acquisition = Acquisition(
        "T2w", noise=float(rng.uniform(0.01, 0.05)), bias=float(rng.uniform(0, 0.4)), seed=seed
    )
    if rng.random() < 0.6:
        spacing = (float(rng.uniform(0.7, 1.0)),) * 3
    else:
        spacing = (float(rng.uniform(0.9, 1.6)), *(float(rng.uniform(0.7, 1.0)),) * 2)
    return acquisition, spacing, float(rng.uniform(-15, 15))


def evaluate_phantoms(
    engine: Engine,
    count: int,
    told: Callable[[dict[str, Any]], None] | None = None,
    first: int = FIRST_PHANTOM,
) -> dict[str, Any]:
    """Return the mean figures, and every phantom's, on `count` phantoms from seed `first`."""
    rows: list[dict[str, Any]] = []
    for seed in range(first, first + count):
        acquisition, spacing, oblique = _view(seed)
        anatomy = random_anatomy(seed)
        grid = make_grid(
            anatomy, spacing, oblique_deg=oblique, field_of_view_mm=(56.0, 90.0, 190.0)
        )
        phantom = render(anatomy, grid, acquisition)
        row: dict[str, Any] = {"seed": seed, "spacing_mm": [round(mm, 2) for mm in spacing]}
        try:
            found = engine.predict(phantom.image)
            assert found.cord is not None
            derived = {
                definition: derive(
                    found.rootlets, found.cord, LandmarkImages(phantom.discs),
                    LevelOptions(definition), has_level_identity=False,
                )
                for definition in ("caudal", "extent")
            }  # fmt: skip
        except Exception as error:  # noqa: BLE001  a failure is a result of the measurement
            rows.append({**row, "failed": str(error)})
            log.warning("%s", rows[-1])
            continue
        row |= _agreement(derived["caudal"].rootlets, phantom.rootlets)
        row["cord_dice"] = metrics.dice(found.cord.data, phantom.cord.data)
        truth = true_levels(anatomy)
        for definition, result in derived.items():
            errors = metrics.border_errors(
                result.table,
                metrics.truth_on(result.centerline, truth.borders_world(definition)),
            )
            row[f"{definition}_median_mm"] = errors.median_mm
            row[f"{definition}_mean_mm"] = errors.mean_mm
            row[f"{definition}_max_mm"] = errors.max_mm
            row[f"{definition}_bias_mm"] = errors.bias_mm
            row[f"{definition}_missing"] = errors.missing
        rows.append(row)
        if told:
            told(row)
    done = [row for row in rows if "failed" not in row]
    numbers = [key for key, value in done[0].items() if isinstance(value, int | float)]
    mean = {key: float(np.nanmean([row[key] for row in done])) for key in numbers if key != "seed"}
    worst: dict[str, float] = {
        "caudal_median_mm": float(np.nanmax([row["caudal_median_mm"] for row in done])),
        "dice_1vox": float(np.nanmin([row["dice_1vox"] for row in done])),
        "level_accuracy": float(np.nanmin([row["level_accuracy"] for row in done])),
    }
    return {
        "count": count,
        "failed": len(rows) - len(done),
        "mean": mean,
        "worst": worst,
        "phantoms": rows,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-model", default="bundled", help="as in sct_rootlets")
    parser.add_argument("-data", type=Path, help="folder with subject_t2/ and pam50_small/")
    parser.add_argument("-phantoms", type=int, default=0)
    parser.add_argument("-first", type=int, default=FIRST_PHANTOM, help="first phantom's seed")
    parser.add_argument("-threads", type=int)
    parser.add_argument("-test-time-aug", action="store_true", help="mean over mirrored views")
    parser.add_argument("-o", type=Path, required=True, help="JSON file to write")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    model = locate(args.model)
    engine = load_engine(model, threads=args.threads, mirror=args.test_time_aug)
    out: dict[str, Any] = {
        "model": model.name,
        "version": model.version,
        "sha256": model.sha256,
        "test_time_aug": args.test_time_aug,
        "study": STUDY,
    }
    if args.data:
        out["real"] = evaluate_real(engine, args.data)
    if args.phantoms:
        out["phantoms"] = evaluate_phantoms(
            engine, args.phantoms, lambda row: log.info("%s", row), args.first
        )
        log.info("%s", json.dumps({k: v for k, v in out["phantoms"].items() if k != "phantoms"}))
    args.o.parent.mkdir(parents=True, exist_ok=True)
    args.o.write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
