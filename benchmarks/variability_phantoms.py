"""Tables of levels of phantoms: of many anatomies, and of a few that are scanned again and again.

``python -m benchmarks.variability_phantoms -o FOLDER [-n 500]`` writes the tables of ``-n``
subjects with two sessions each, and participants.tsv, for everything that reads tables. No image
is rendered for these: an anatomy is drawn, and its table is the truth, read with an error.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.deform import resized
from sct_rootlets.inputs import Landmarks
from sct_rootlets.levels import LevelOptions
from sct_rootlets.levels.spine.column import VertebralColumn
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable
from sct_rootlets.levels.table.text import to_json, to_tsv
from sct_rootlets.phantom import Anatomy, make_grid, random_anatomy, render_labels, true_levels
from sct_rootlets.pipeline import levels

__all__ = ["READING_SD_MM", "Rescan", "rescanned", "true_table", "write_population"]

#: Error of each border of a table, mm: about what the package's own borders have on phantoms.
READING_SD_MM = 0.4
#: First seed of the anatomies; below those the bundled model was trained on.
FIRST_SEED = 70_000
#: Along which a rescan varies.
SPACINGS_MM = ((0.8, 0.8, 0.8), (0.6, 0.6, 0.6), (1.0, 1.0, 1.0), (0.7, 0.7, 1.4), (1.2, 0.8, 0.8))
ORIENTATIONS = ("RPI", "AIL", "PSR", "LPI", "LAS")
SITES, VENDORS = 10, ("GE", "Philips", "Siemens")


@dataclass(frozen=True)
class Rescan:
    """One scan of a subject.

    Attributes
    ----------
    subject, session : int
    scale : float
        By which the anatomy was stretched: what is planted.
    found, truth : LevelTable
        Derived of masks on this scan's grid, and what a perfect reader finds.
    """

    subject: int
    session: int
    scale: float
    found: LevelTable
    truth: LevelTable


def true_table(
    anatomy: Anatomy,
    definition: str = "extent",
    errors_mm: Sequence[tuple[float, float]] | None = None,
    fname: str | None = None,
) -> LevelTable:
    """Return the table of an anatomy, from the PMJ, with the discs of the anatomy.

    Parameters
    ----------
    anatomy : Anatomy
    definition : {"extent", "caudal"}
    errors_mm : sequence of (rostral, caudal), optional
        What is added to the borders of each level, C2 to T1.
    fname : str, optional
        File name of the rootlets, for the table.
    """
    column = VertebralColumn({k: s for k, s in anatomy.discs_mm.items() if 2 <= k <= 10})
    rows = []
    truth = true_levels(anatomy).rows
    for row, (a, b) in zip(truth, errors_mm or [(0.0, 0.0)] * len(truth), strict=True):
        rostral = getattr(row, f"{definition}_rostral_mm") + a
        caudal = getattr(row, f"{definition}_caudal_mm") + b
        ends = (float(rostral), float(caudal))
        world = anatomy.world_from_suv(np.array([(s, 0.0, 0.0) for s in (*ends, sum(ends) / 2)]))
        r, c, m = (tuple(float(v) for v in point) for point in world)
        relation = column.relation(ends[0], sum(ends) / 2, ends[1])
        sd = READING_SD_MM
        rows.append(
            LevelRow(row.level, "measured", *ends, r, c, rostral_sd_mm=sd, caudal_sd_mm=sd,
                     midpoint_world=m, vertebral=relation)
        )  # fmt: skip
    return LevelTable(
        tuple(rows),
        definition,
        1.5,
        origin="pontomedullary junction",
        pmj_mm=0.0,
        c3_c7_height_mm=column.c3_c7_height_mm,
        fname=fname,
    )


def write_population(folder: Path, n: int, first_seed: int = FIRST_SEED) -> list[Path]:
    """Write the tables of `n` subjects with two sessions each, and participants.tsv."""
    tables = []
    lines = ["participant_id\tsite\tmanufacturer"]
    for k in range(n):
        anatomy = random_anatomy(first_seed + k)
        rng = np.random.default_rng([first_seed + k, 11])
        site = int(rng.integers(SITES))
        lines.append(f"sub-{k + 1:04d}\tsite{site + 1:02d}\t{VENDORS[site % len(VENDORS)]}")
        for session in (1, 2):
            errors = rng.normal(0, READING_SD_MM, (8, 2))
            stem = f"sub-{k + 1:04d}_ses-{session}"
            table = true_table(
                anatomy,
                errors_mm=[(float(a), float(b)) for a, b in errors],
                fname=f"{stem}_T2w_label-rootlets_dseg.nii.gz",
            )
            path = folder / f"sub-{k + 1:04d}" / f"ses-{session}" / f"{stem}_T2w_spinal_levels.tsv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(to_tsv(table), encoding="utf-8")
            content = {"Description": "Truth of a phantom, read with an error", **to_json(table)}
            path.with_suffix(".json").write_text(json.dumps(content, indent=1), encoding="utf-8")
            tables.append(path)
    (folder / "participants.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tables


def rescanned(
    n_subjects: int, n_sessions: int, cov_sessions: float, definition: str = "extent"
) -> Iterator[Rescan]:
    """Yield scans of the same anatomies: each stretched anew, and on another grid.

    The masks are rendered on a grid of the session's voxels, orientation and angle, and the
    levels derived from them as by ``sct_rootlets levels``. No network takes part. Stretches have
    exactly the standard deviation `cov_sessions` percent (n - 1) within each subject.
    """
    logging.getLogger("sct_rootlets").setLevel(logging.ERROR)
    for i in range(n_subjects):
        rng = np.random.default_rng([FIRST_SEED, i])
        anatomy = random_anatomy(FIRST_SEED + i)
        drawn = rng.normal(size=n_sessions)
        scales = 1 + cov_sessions / 100 * (drawn - drawn.mean()) / drawn.std(ddof=1)
        for k, scale in enumerate(scales.tolist()):
            stretched = resized(anatomy, scale)
            grid = make_grid(
                stretched,
                SPACINGS_MM[(i + k) % len(SPACINGS_MM)],
                orientation_sct=ORIENTATIONS[(2 * i + k) % len(ORIENTATIONS)],
                oblique_deg=float(rng.uniform(-20, 20)),
            )
            masks = render_labels(stretched, grid)
            found = levels(
                masks.rootlets,
                masks.cord,
                landmarks=Landmarks(masks.discs, pmj=masks.pmj),
                options=LevelOptions(definition),
            )
            truth = true_table(stretched, definition)
            yield Rescan(i + 1, k + 1, scale, found.derived.table, truth)


def main() -> None:
    """Write tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", type=Path, required=True)
    parser.add_argument("-n", type=int, default=500)
    args = parser.parse_args()
    print(f"{len(write_population(args.o, args.n))} tables in {args.o}")


if __name__ == "__main__":
    main()
