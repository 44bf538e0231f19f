"""Both methods on many phantoms, perfect and degraded; the results as lines of a file."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.degrade import degrade, dice_by_level, draw_strength
from benchmarks.mask_cache import load_or_make
from benchmarks.phantom_masks import Recipe
from benchmarks.scoring import BorderRecord, Run, measured_runs, published_runs
from sct_rootlets.metrics import dice

__all__ = ["CONDITIONS", "Result", "errors", "measure", "methods", "read", "run", "strata"]

CONDITIONS = ("perfect", "degraded")


@dataclass(frozen=True)
class Result:
    """Everything about one phantom in one condition.

    Attributes
    ----------
    recipe : Recipe
    condition : {"perfect", "degraded"}
    dice : dict of str to float
        Of every level against the perfect mask.
    cord_dice : float
    seconds : float
        That the package's runs took, all definitions together.
    runs : list of Run
    """

    recipe: Recipe
    condition: str
    dice: dict[str, float]
    cord_dice: float
    seconds: float
    runs: list[Run]


def measure(seed: int, conditions: Sequence[str], cache: Path | None = None) -> list[str]:
    """Run every method on one phantom; return one line of JSON a condition."""
    logging.getLogger("sct_rootlets").setLevel(logging.ERROR)  # one warning per stray is a lot
    masks = load_or_make(seed, cache)
    lines = []
    for condition in conditions:
        rootlets, cord = masks.rootlets, masks.cord
        if condition == "degraded":
            rng = np.random.default_rng([seed, 7])
            rootlets, cord = degrade(rootlets, cord, rng, draw_strength(rng))
        begun = time.perf_counter()
        runs = measured_runs(masks, rootlets, cord)
        seconds = time.perf_counter() - begun
        runs += published_runs(masks, rootlets, cord)
        levels = dice_by_level(rootlets, masks.rootlets)
        made = {
            "recipe": vars(masks.recipe),
            "condition": condition,
            "dice": {str(k): round(v, 4) for k, v in levels.items()},
            "cord_dice": round(dice(cord.data, masks.cord.data), 4),
            "seconds": round(seconds, 3),
            "runs": [run.to_json() for run in runs],
        }
        lines.append(json.dumps(made))
    return lines


def run(
    seeds: Sequence[int],
    store: Path,
    conditions: Sequence[str] = CONDITIONS,
    *,
    cache: Path | None = None,
    jobs: int = 1,
    resume: bool = False,
    say: Callable[[str], None] = print,
) -> list[Result]:
    """Measure every phantom and keep each result as one line of the file `store`.

    Parameters
    ----------
    seeds : sequence of int
    store : Path
        Written as results come in, so that `resume` can go on where a run ended.
    conditions : sequence of {"perfect", "degraded"}
    cache : Path, optional
        Folder of rendered masks.
    jobs : int
        Processes.
    resume : bool
        Keep what `store` has already.
    say : callable
        Told of the progress.
    """
    kept = read(store) if resume and store.exists() else []
    done = {(result.recipe.seed, result.condition) for result in kept}
    missing = {seed: [c for c in conditions if (seed, c) not in done] for seed in seeds}
    wanted = {seed: left for seed, left in missing.items() if left}
    store.parent.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    with store.open("a" if resume else "w", encoding="utf-8") as file:
        for n, lines in enumerate(_each(wanted, cache, jobs), start=1):
            file.write("".join(line + "\n" for line in lines))
            file.flush()
            if n % 20 == 0 or n == len(wanted):
                rate = (time.perf_counter() - begun) / n
                say(f"  {n} of {len(wanted)} phantoms, {rate:.1f} s each")
    asked = {(seed, condition) for seed in seeds for condition in conditions}
    return [r for r in read(store) if (r.recipe.seed, r.condition) in asked]


def _each(wanted: dict[int, list[str]], cache: Path | None, jobs: int) -> Iterator[list[str]]:
    folders = [cache] * len(wanted)
    if jobs == 1:
        yield from map(measure, wanted, wanted.values(), folders)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(measure, wanted, wanted.values(), folders, chunksize=2)


def read(store: Path) -> list[Result]:
    """Read the results that :func:`run` kept."""
    results = []
    for line in store.read_text(encoding="utf-8").splitlines():
        raw = json.loads(line)
        raw["recipe"] = Recipe.from_json(raw["recipe"])
        raw["runs"] = [Run.from_json(r) for r in raw["runs"]]
        results.append(Result(**raw))
    return results


def strata(results: Sequence[Result]) -> Iterator[tuple[str, list[Result]]]:
    """Yield the groups that are looked at on their own, by name; no empty ones."""
    whole = [r for r in results if r.recipe.case == "whole"]
    groups = {
        "all": list(results),
        "0.8 mm, whole": [r for r in whole if r.recipe.voxels == "0.8"],
    }
    for voxels in sorted({r.recipe.voxels for r in whole}, key=lambda v: ("x" in v, v)):
        groups.setdefault(f"{voxels} mm, whole", [r for r in whole if r.recipe.voxels == voxels])
    groups["cropped"] = [r for r in results if r.recipe.case == "cropped"]
    groups["levels missing"] = [r for r in results if r.recipe.case == "missing"]
    groups["parts mislabelled"] = [r for r in results if r.recipe.case == "mislabelled"]
    yield from ((name, group) for name, group in groups.items() if group)


def methods(results: Sequence[Result]) -> list[str]:
    """Return the methods that ran, in order."""
    return list(dict.fromkeys(run.method for result in results for run in result.runs))


def runs_of(results: Sequence[Result], method: str, definition: str) -> list[Run]:
    """Return the runs of one method by one definition."""
    return [
        run
        for result in results
        for run in result.runs
        if run.method == method and run.definition == definition
    ]


def has_own_evidence(record: BorderRecord) -> bool:
    """Say whether a record is a border that the rootlets of its own level show."""
    return record.status == "measured" and record.what != "midpoint"


def errors(
    results: Sequence[Result],
    method: str,
    definition: str,
    keep: Callable[[BorderRecord], bool] = has_own_evidence,
) -> NDArray[np.float64]:
    """Return the signed errors (N,) in mm of the records that `keep` says yes to."""
    found: list[Any] = [
        record.error_mm
        for run in runs_of(results, method, definition)
        for record in run.records
        if keep(record)
    ]
    return np.array(found, dtype=float)
