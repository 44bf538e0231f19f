"""How well vertebrae predict and check spinal levels: ``python benchmarks/vertebrae.py``.

Prints, on 200 phantoms (anatomies only, nothing is rendered) and on the real data beside the
repository where it is there: how often the ends of the entry zones lie within the stated
spread of where the vertebrae alone predict them, and how often a right and a wrong numbering
are told apart.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.image import load_labels
from sct_rootlets.levels import VertebralColumn, check_identity, measure, predict_ends
from sct_rootlets.levels.population.prior import End, Node
from sct_rootlets.phantom import random_anatomy, true_levels

READING_SD_MM = 0.7
FAR_OFF_MM = 8.0
DISCS = {
    "C1/C2-T1/T2": range(2, 10),
    "C2/C3-C7/T1": range(3, 9),
    "C2/C3-C4/C5": range(3, 6),
    "C4/C5-C6/C7": range(5, 8),
    "C2/C3": (3,),
}
LEVELS = {
    "C3-C8": range(3, 9),
    "C4-C6": range(4, 7),
    "C5": (5,),
    "C7-T1": range(7, 10),
}
Person = tuple[dict[int, float], dict[Node, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-count", type=int, default=200)
    parser.add_argument("-first", type=int, default=1000, help="first seed")
    args = parser.parse_args()
    people = [_person(seed) for seed in range(args.first, args.first + args.count)]
    print("| discs | within 68 % | within 95 % | rms error, mm | rms stated sd, mm |")
    print("| --- | --- | --- | --- | --- |")
    for name, labels in DISCS.items():
        off, sd = _prediction(people, labels)
        print(
            f"| {name} | {100 * (np.abs(off / sd) < 1).mean():.0f} "
            f"| {100 * (np.abs(off / sd) < 1.96).mean():.0f} "
            f"| {np.sqrt((off**2).mean()):.1f} | {np.sqrt((sd**2).mean()):.1f} |"
        )
    print("\n| discs | levels | likeliest is right | right, warned of | raised, warned of and "
          "restored | right, one level off, likeliest |")  # fmt: skip
    print("| --- | --- | --- | --- | --- | --- |")
    for discs in ("C2/C3-C7/T1", "C2/C3-C4/C5", "C2/C3"):
        for levels in LEVELS:
            print(f"| {discs} | {levels} | {_numbering(people, DISCS[discs], LEVELS[levels])} |")
    folder = Path(__file__).parents[2] / "shared" / "data"
    if folder.is_dir():
        _real(folder)


def _person(seed: int) -> Person:
    """Return the discs and the true ends of the entry zones of one phantom."""
    anatomy = random_anatomy(seed)
    ends: dict[Node, float] = {}
    for row in true_levels(anatomy).rows:
        ends[row.level, End.ROSTRAL] = row.extent_rostral_mm
        ends[row.level, End.CAUDAL] = row.extent_caudal_mm
    return anatomy.discs_mm, ends


def _prediction(people, labels):
    off, sd = [], []
    for discs, ends in people:
        prior = predict_ends(VertebralColumn({k: discs[k] for k in labels}))
        off.append([s - prior.mean(node) for node, s in ends.items()])
        sd.append([prior.sd(node) for node in ends])
    return np.array(off), np.array(sd)


def _numbering(people, discs, levels) -> str:
    rng = np.random.default_rng(0)
    right, warned, restored, contaminated = [], [], [], []
    for all_discs, ends in people:
        column = VertebralColumn({k: all_discs[k] for k in discs})
        bad, far = rng.choice(list(levels)), rng.choice([-FAR_OFF_MM, FAR_OFF_MM])
        given = {
            node: (s + rng.normal(0, READING_SD_MM), READING_SD_MM)
            for node, s in ends.items()
            if node[0].value in levels
        }
        check = check_identity(given, column)
        right.append(check.best == 0)
        warned.append(not check.is_likely)
        raised = {(SpinalLevel(lv.value + 1), end): v for (lv, end), v in given.items()}
        check = check_identity(raised, column)
        restored.append(not check.is_likely and check.best == -1)
        moved = {node: (s + far * (node[0].value == bad), sd) for node, (s, sd) in given.items()}
        contaminated.append(check_identity(moved, column).best == 0)
    columns = [f"{100 * np.mean(c):.1f}" for c in (right, warned, restored)]
    last = f"{100 * np.mean(contaminated):.1f}" if len(list(levels)) > 1 else "-"
    return " | ".join([*columns, last])


def _real(folder: Path) -> None:
    """Print the probability of every shift on real data, as given and raised by one."""
    cases = {
        "subject_t2": ("t2_seg-deepseg_rootlets", "t2_seg-manual", (4, 5, 6),
                       ("discs", "labels", "t2_seg-manual_labeled")),
        "pam50_small": ("PAM50_small_rootlets", "PAM50_small_cord", range(3, 9),
                        ("PAM50_small_label_disc", "PAM50_small_levels")),
        "pam50": ("PAM50_rootlets", "PAM50_cord", range(3, 10),
                  ("PAM50_label_discPosterior", "PAM50_levels")),
    }  # fmt: skip
    print("\n| rootlets | vertebrae | raised by | -2 | -1 | 0 | +1 | +2 | fit |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for case, (rootlets, mask, levels, sources) in cases.items():
        cord = load_labels(folder / case / f"{mask}.nii.gz")
        curve = Centerline.fit(cord)
        zones = measure(load_labels(folder / case / f"{rootlets}.nii.gz"), cord, curve)
        ends = {}
        for value in levels:
            here = (zones.value == value) & (zones.depth_mm <= 1.5)
            for end, share in ((End.ROSTRAL, 0.04), (End.CAUDAL, 0.96)):
                ends[value, end] = float(np.quantile(zones.s_mm[here], share))
        for source in sources:
            image = load_labels(folder / case / f"{source}.nii.gz")
            make = VertebralColumn.from_discs if "disc" in source else VertebralColumn.from_labels
            for raised in (0, 1):
                named = {(SpinalLevel(v + raised), e): (s, 1.0) for (v, e), s in ends.items()}
                check = check_identity(named, make(image, curve))
                shares = " | ".join(f"{p:.4f}" for p in check.probability.values())
                print(f"| {case} | {source} | {raised} | {shares} | {check.fit:.2f} |")


if __name__ == "__main__":
    main()
