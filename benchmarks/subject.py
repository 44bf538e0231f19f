"""One real subject with the output of the official model: statuses and numbering."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import markdown
from sct_rootlets.image import LabelImage, load_labels
from sct_rootlets.inputs import LandmarkImages
from sct_rootlets.levels import LevelOptions, derive

__all__ = ["measure"]


def measure(data: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the levels of the subject, and what is said of right and wrong numbering."""
    folder = data / "subject_t2"
    rootlets, cord, discs = (
        load_labels(folder / f"{name}.nii.gz")
        for name in ("t2_seg-deepseg_rootlets", "t2_seg-manual", "discs")
    )
    found = derive(rootlets, cord, LandmarkImages(discs), has_level_identity=True)
    rows = [
        [
            str(row.level),
            row.status,
            *("n/a" if mm is None else f"{mm:.1f}" for mm in (row.rostral_mm, row.caudal_mm)),
            *("n/a" if sd is None else f"{sd:.1f}" for sd in _sd(row)),
            ", ".join(getattr(row, "flags", ())) or "-",
        ]
        for row in found.table.rows
        if row.level.value <= 9
    ]
    head = ["level", "status", "rostral, mm", "caudal, mm", "sd", "sd", "flags"]
    values: dict[str, Any] = {str(row[0]): row[1:] for row in rows}
    tables = {"subject": markdown(head, rows)}
    values["numbering"], tables["subject-numbering"] = _numbering(rootlets, cord, discs)
    return values, tables


def _sd(row: Any) -> tuple[float | None, float | None]:
    return getattr(row, "rostral_sd_mm", None), getattr(row, "caudal_sd_mm", None)


def _numbering(
    rootlets: LabelImage, cord: LabelImage, discs: LabelImage
) -> tuple[dict[str, Any], str]:
    """Compare the check of the numbering on the values as they are, and off by one."""
    rows, values = [], {}
    for shift in (0, 1, -1):
        data = np.where(rootlets.data > 0, rootlets.data + shift, 0)
        moved = LabelImage(data, rootlets.grid, rootlets.header, rootlets.path)
        vertebrae = LandmarkImages(discs)
        identity: Any = derive(moved, cord, vertebrae, has_level_identity=True).identity
        renumber = LevelOptions(renumber=True)
        again = derive(moved, cord, vertebrae, renumber, has_level_identity=True)
        right = rootlets.data > 0
        restored = bool((again.rootlets.data[right] == rootlets.data[right]).all())
        chances = {k: round(float(p), 4) for k, p in identity.probability.items()}
        rows.append(
            [
                f"{shift:+d}" if shift else "as they are",
                f"{identity.best:+d}" if identity.best else "0",
                ", ".join(f"{k:+d}: {p:.3f}" for k, p in chances.items()),
                "no" if identity.is_likely else "yes",
                "yes" if restored else "no",
            ]
        )
        values[str(shift)] = {
            "best": identity.best,
            "probability": {str(k): p for k, p in chances.items()},
            "warned": not identity.is_likely,
            "right_after_renumber": restored,
        }
    head = ["values", "likeliest shift", "probability of each shift", "warned of"]
    return values, markdown([*head, "right after `-renumber`"], rows)
