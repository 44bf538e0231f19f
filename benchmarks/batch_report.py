"""The report of a batch of phantoms with planted failures: is each of them seen, and what it costs.

``python -m benchmarks.batch_report make FOLDER [--subjects 500] [--jobs 2]`` writes results as
``sct_rootlets run`` lays them out, without a network: the masks are the phantoms' own.
``python -m benchmarks.batch_report measure FOLDER [--jobs 2]`` runs ``sct_rootlets report`` on
them and prints wall time, peak memory and the size of the page as JSON.
``python -m benchmarks.batch_report check FOLDER`` compares the page with what was planted.

A phantom takes seconds to render, so that `BASES` are rendered, on grids of several spacings,
orientations and obliquities. `DISTINCT` subjects are made of them, each in another pose and size,
with other noise, another gain, and a tenth of its rootlet voxels lost, with levels derived anew.
Further subjects are these once more under other names, which the report cannot know: it reads and
draws every one. The subjects are therefore less different from each other than people are.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import watch
from sct_rootlets.image import Grid, Image, LabelImage, save
from sct_rootlets.inputs import Landmarks
from sct_rootlets.phantom import Phantom, make_grid, random_anatomy, render
from sct_rootlets.pipeline import levels

__all__ = ["BASES", "PLANTED", "Plan", "check", "make", "plans"]


@dataclass(frozen=True)
class Base:
    """One phantom that is rendered: its seed and its grid."""

    seed: int
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    orientation_sct: str = "RPI"
    oblique_deg: float = 0.0

    @property
    def kind(self) -> str:
        """``oblique``, ``anisotropic`` or ``plain``."""
        if self.oblique_deg:
            return "oblique"
        return "plain" if len(set(self.spacing_mm)) == 1 else "anisotropic"


FIELD_OF_VIEW_MM = (36.0, 72.0, 176.0)
#: Sixteen plain grids, four anisotropic and four oblique ones.
BASES = (
    *(Base(500 + seed) for seed in range(16)),
    Base(516, (2.0, 0.8, 0.8), "AIL"),
    Base(517, (0.8, 0.8, 3.0)),
    Base(518, (0.7, 0.7, 2.0), "LPI"),
    Base(519, (2.0, 1.0, 1.0), "ASR"),
    Base(520, oblique_deg=25.0),
    Base(521, oblique_deg=-20.0, orientation_sct="AIL"),
    Base(522, (2.0, 1.0, 1.0), "AIL", 15.0),
    Base(523, (0.9, 0.9, 1.5), "RPI", 20.0),
)

#: Subjects that differ.
DISTINCT = 125
#: What is planted, in how many of the distinct subjects, and what the row has to say of it.
PLANTED: Mapping[str, tuple[int, str, str]] = {
    "missing level": (2, "flagged", r"not seen between others: C6"),
    "shifted numbering": (2, "flagged", r"numbering of the levels does not fit"),
    "very long level": (2, "flagged", r"C5 too long"),
    "changed cord mask": (1, "flagged", r"changed since .* cord mask"),
    "absent image": (2, "failed", r"image .* is missing"),
    "absent table": (1, "failed", r"table .* is missing"),
    "damaged table": (1, "failed", r"table of levels"),
    "damaged cord mask": (1, "failed", r"_seg\.nii\.gz: "),
}


@dataclass(frozen=True)
class Plan:
    """One subject: of which base, and what is planted in it."""

    number: int
    base: Base
    planted: str

    @property
    def stem(self) -> str:
        """Name of its image."""
        return f"sub-{self.number:03d}_T2w"


def plans(subjects: int) -> list[Plan]:
    """Return the subjects: failures are planted in the first of the distinct ones."""
    order = [name for name, (count, _, _) in PLANTED.items() for _ in range(count)]
    made = []
    for number in range(subjects):
        place = number % DISTINCT
        planted = order[place] if place < len(order) else ""
        # 7 and 24 have no common divisor: neighbours are of different bases.
        made.append(Plan(number, BASES[place * 7 % len(BASES)], planted))
    return made


@lru_cache(maxsize=1)
def _rendered(base: Base, cache: Path) -> Phantom:
    """Return a phantom, rendered once and kept in a file."""
    import pickle

    path = cache / f"{base.seed}.pickle"
    if path.exists():
        with open(path, "rb") as file:
            made: Phantom = pickle.load(file)
            return made
    anatomy = random_anatomy(base.seed)
    grid = make_grid(
        anatomy,
        base.spacing_mm,
        orientation_sct=base.orientation_sct,
        oblique_deg=base.oblique_deg,
        field_of_view_mm=FIELD_OF_VIEW_MM,
    )
    made = render(anatomy, grid)
    with open(path, "wb") as file:
        pickle.dump(made, file)
    return made


def _moved(grid: Grid, rng: np.random.Generator) -> Grid:
    """Return a grid in another pose and size: up to 6 degrees and 30 mm, and 4 % (SD)."""
    angles = np.deg2rad(rng.uniform(-6, 6, 3))
    turn = np.eye(3)
    for axis, angle in enumerate(angles):
        a, b = [k for k in range(3) if k != axis]
        one = np.eye(3)
        one[[a, b], [a, b]] = np.cos(angle)
        one[a, b], one[b, a] = -np.sin(angle), np.sin(angle)
        turn = one @ turn
    affine = np.eye(4)
    affine[:3, :3] = turn * np.clip(rng.normal(1, 0.04), 0.9, 1.1)
    affine[:3, 3] = rng.uniform(-30, 30, 3)
    return Grid(grid.shape, affine @ grid.affine)


def _subject(plan: Plan, folder: Path, cache: Path) -> None:
    """Write the results of one subject, and plant what is planned."""
    logging.getLogger("sct_rootlets").setLevel(logging.ERROR)
    phantom = _rendered(plan.base, cache)
    rng = np.random.default_rng([7, plan.number])
    grid = _moved(phantom.image.grid, rng)

    def labels(source: LabelImage, data: Any = None) -> LabelImage:
        return LabelImage(np.asarray(source.data if data is None else data), grid)

    grey = np.asarray(phantom.image.data, dtype=np.float32)
    grey = grey * rng.uniform(0.6, 1.5) + rng.normal(0, 0.015 * grey.max(), grey.shape)
    found = np.array(phantom.rootlets.data)
    found[rng.random(found.shape) < 0.1] = 0
    if plan.planted == "missing level":
        found[found == 6] = 0
    elif plan.planted == "very long level":
        found[found == 6] = 5
    elif plan.planted == "shifted numbering":
        found = np.where(found > 0, np.minimum(found + 1, 10), 0)
    paths = {
        "image": folder / "anat" / f"{plan.stem}.nii.gz",
        "discs": folder / "anat" / f"{plan.stem}_discs.nii.gz",
        "pmj": folder / "anat" / f"{plan.stem}_pmj.nii.gz",
        "cord": folder / "out" / f"{plan.stem}_seg.nii.gz",
        "rootlets": folder / "out" / f"{plan.stem}_rootlets.nii.gz",
        "levels": folder / "out" / f"{plan.stem}_spinal_levels.nii.gz",
    }
    for path in paths.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    save(Image(grey.clip(0).astype(np.int16), grid), paths["image"])
    if not np.any(phantom.pmj.data):  # outside the field of view
        del paths["pmj"]
    for name in ("discs", "pmj", "cord"):
        if name in paths:
            save(labels(getattr(phantom, name)), paths[name])
    save(labels(phantom.rootlets, found), paths["rootlets"])
    landmarks = Landmarks(paths["discs"], pmj=paths.get("pmj"))
    made = levels(paths["rootlets"], paths["cord"], landmarks=landmarks)
    sources = [str(paths[what]) for what in ("image", "cord", "discs", "pmj") if what in paths]
    replace(made, sources=tuple(sources)).write(paths["levels"])
    table = paths["levels"].with_name(f"{plan.stem}_spinal_levels.tsv")
    if plan.planted == "absent image":
        paths["image"].unlink()
    elif plan.planted == "absent table":
        table.unlink()
    elif plan.planted == "damaged table":
        table.write_bytes(table.read_bytes()[:700])
    elif plan.planted == "damaged cord mask":
        paths["cord"].write_bytes(paths["cord"].read_bytes()[:900])
    elif plan.planted == "changed cord mask":
        cord = np.array(phantom.cord.data)
        cord[tuple(np.argwhere(cord > 0)[::50].T)] = 0
        save(labels(phantom.cord, cord), paths["cord"])


def make(folder: Path, subjects: int, jobs: int) -> None:
    """Write a batch."""
    cache = folder / "rendered"
    cache.mkdir(parents=True, exist_ok=True)
    everyone = plans(min(subjects, DISTINCT))
    with ProcessPoolExecutor(jobs) as pool:
        # All subjects of a base after each other: it is rendered, and read, once.
        groups = [[plan for plan in everyone if plan.base is base] for base in BASES]
        done = 0
        for count in pool.map(_group, [(group, folder, cache) for group in groups]):
            done += count
            print(f"{done} of {len(everyone)}", file=sys.stderr, flush=True)
    for plan in plans(subjects)[DISTINCT:]:
        _again(everyone[plan.number % DISTINCT], plan, folder)


def _again(one: Plan, other: Plan, folder: Path) -> None:
    """Write a subject once more under another name; images are linked, not copied."""
    top = folder / f"sub-{one.number:03d}"
    for path in sorted(top.rglob("*.*")):
        renamed = path.relative_to(top).as_posix().replace(one.stem, other.stem)
        target = folder / f"sub-{other.number:03d}" / renamed
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        if path.suffix in (".json", ".tsv"):
            target.write_bytes(path.read_bytes().replace(one.stem.encode(), other.stem.encode()))
        else:
            target.hardlink_to(path)


def _group(work: tuple[list[Plan], Path, Path]) -> int:
    group, folder, cache = work
    for plan in group:
        place = folder / f"sub-{plan.number:03d}"
        # What an earlier call made is kept; where something was planted, it is made again.
        if plan.planted or not (place / "out" / f"{plan.stem}_spinal_levels.tsv").exists():
            _subject(plan, place, cache)
    return len(group)


def measure(folder: Path, jobs: int) -> dict[str, Any]:
    """Run the command on a batch; return what it took."""
    page = folder / "report.html"
    words = [sys.executable, "-m", "sct_rootlets", "report", "-i", str(folder), "-o", str(page)]
    with tempfile.TemporaryDirectory() as place:
        seen = Path(place) / "seen.json"
        command = [sys.executable, "-I", "-S", str(Path(watch.__file__)), str(seen), *words]
        done = subprocess.run([*command, "-jobs", str(jobs)], capture_output=True, text=True)
        made: dict[str, Any] = json.loads(seen.read_text())
    print(done.stdout, done.stderr, file=sys.stderr)
    made |= {"jobs": jobs, "page_bytes": page.stat().st_size}
    return made


def check(folder: Path) -> dict[str, Any]:
    """Compare the page of a batch with what was planted in it.

    Returns
    -------
    dict
        Of everything planted, how many rows say so; what is said of rows without any failure;
        bytes a subject.
    """
    text = (folder / "report.html").read_text(encoding="utf-8")
    content = re.search(r'<script type="application/json" id="data">(.*?)</script>', text)
    assert content is not None
    rows = {row["key"].rsplit("/", 1)[-1]: row for row in json.loads(content[1])["subjects"]}
    everyone = plans(len(rows))
    answer: dict[str, Any] = {"subjects": len(rows), "bytes_a_subject": len(text) // len(rows)}
    missed: dict[str, list[Any]] = {}
    seen: Counter[str] = Counter()
    total: Counter[str] = Counter()
    others: Counter[str] = Counter()
    said: Counter[str] = Counter()
    for plan in everyone:
        row = rows[f"{plan.stem}_spinal_levels"]
        if not plan.planted:
            others[f"{plan.base.kind}, {row['status']}"] += 1
            said.update(re.sub(r"[CT]\d|[-+]\d.*", "", reason) for reason in row["reasons"])
            continue
        _, status, words = PLANTED[plan.planted]
        total[plan.planted] += 1
        if row["status"] == status and any(re.search(words, text) for text in row["reasons"]):
            seen[plan.planted] += 1
        else:
            missed.setdefault(plan.planted, []).append([plan.stem, row["status"], row["reasons"]])
    answer["planted"] = {name: f"{seen[name]} of {total[name]}" for name in total}
    answer["missed"] = missed
    answer["without a planted failure"] = dict(sorted(others.items()))
    answer["said of these"] = dict(said)
    return answer


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("step", choices=("make", "measure", "check"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--subjects", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.step == "make":
        make(arguments.folder, arguments.subjects, arguments.jobs)
        return
    made = (
        measure(arguments.folder, arguments.jobs)
        if arguments.step == "measure"
        else check(arguments.folder)
    )
    print(json.dumps(made, indent=2))


if __name__ == "__main__":
    main()
