"""How good the spinal levels are: every table and figure of ``docs/validation.md``.

``python -m benchmarks.levels [-n 1000] [-data FOLDER] [-o FOLDER] [-only PART ...]``

Each part puts its figures into ``results.json`` and its tables, as markdown, into the folder
`-o`; parts measured before stay there. ``-docs`` then puts all tables and figures of that
folder into ``docs/validation.md`` and ``docs/images``.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import (
    analytic,
    figures,
    invariance,
    phantom_tables,
    phantoms,
    population,
    report,
    subject,
    template,
    timing,
)
from benchmarks.phantom_masks import PROOF, TUNING

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT, IMAGES = ROOT / "docs" / "validation.md", ROOT / "docs" / "images"
#: Anatomies that are rendered at five voxel sizes.
RESAMPLED = 20

#: What a part returns: plain values for results.json, and tables by name.
Measured = tuple[dict[str, Any], dict[str, str]]


def measure_phantoms(args: argparse.Namespace, condition: str) -> Measured:
    """Both methods on phantoms in one condition."""
    first = TUNING if args.seeds == "tuning" else PROOF
    results = phantoms.run(
        [first + n for n in range(args.n)],
        _store(args, condition),
        (condition,),
        cache=args.cache,
        jobs=args.jobs,
        resume=args.resume,
    )
    return phantom_tables.summary(results, condition)


def _store(args: argparse.Namespace, condition: str) -> Path:
    folder: Path = args.o
    return folder / f"phantoms-{args.seeds}-{condition}.jsonl"


PARTS: dict[str, Callable[[argparse.Namespace], Measured]] = {
    "phantoms": lambda args: measure_phantoms(args, "perfect"),
    "degraded": lambda args: measure_phantoms(args, "degraded"),
    "centerline": lambda args: analytic.measure(),
    "orientations": lambda args: invariance.measure_orientations(args.data, args.seeds),
    "resampling": lambda args: invariance.measure_resampling(min(args.n, RESAMPLED), args.seeds),
    "pam50": lambda args: template.measure(args.data),
    "subject": lambda args: subject.measure(args.data),
    "population": lambda args: population.measure(args.data),
    "time": lambda args: timing.measure(),
}


def draw(args: argparse.Namespace) -> None:
    """Draw the figures from the results on phantoms that are there."""
    stores = {c: _store(args, c) for c in phantoms.CONDITIONS}
    results = {c: phantoms.read(path) if path.exists() else [] for c, path in stores.items()}
    figures.draw_errors(results, args.o / "validation-errors.svg")
    figures.draw_coverage(results, args.o / "validation-coverage.svg")
    figures.draw_masks(args.o / "validation-masks.png")


def write_document(folder: Path) -> None:
    """Put the tables and figures of `folder` into the documentation."""
    tables = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(report.filled(text, tables), encoding="utf-8")
    for path in [*folder.glob("validation-*.svg"), *folder.glob("validation-*.png")]:
        shutil.copyfile(path, IMAGES / path.name)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.levels", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("-n", type=int, default=1000, help="number of phantoms (1000)")
    parser.add_argument("-data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("-o", type=Path, default=Path("levels_benchmark"))
    parser.add_argument("-only", nargs="*", choices=PARTS, default=list(PARTS), metavar="PART",
                        help=f"parts to measure: {', '.join(PARTS)}")  # fmt: skip
    parser.add_argument("-seeds", choices=("proof", "tuning"), default="proof")
    parser.add_argument("-cache", type=Path, help="folder that keeps rendered masks")
    parser.add_argument("-jobs", type=int, default=1, help="processes for the phantoms (1)")
    parser.add_argument("-resume", action="store_true", help="keep phantoms measured before")
    parser.add_argument("-docs", action="store_true", help="write docs/validation.md")
    args = parser.parse_args()
    logging.getLogger("sct_rootlets").setLevel(logging.ERROR)  # one warning per stray is a lot
    args.o.mkdir(parents=True, exist_ok=True)
    store = args.o / "results.json"
    results = json.loads(store.read_text(encoding="utf-8")) if store.exists() else {}
    for name in args.only:
        begun = time.perf_counter()
        print(f"{name} ...", flush=True)
        values, tables = PARTS[name](args)
        results[name] = values
        store.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        for title, text in tables.items():
            (args.o / f"{title}.md").write_text(text, encoding="utf-8")
            print(f"\n{title}\n\n{text}", flush=True)
        print(f"{name}: {time.perf_counter() - begun:.0f} s\n", flush=True)
    draw(args)
    if args.docs:
        write_document(args.o)


if __name__ == "__main__":
    main()
