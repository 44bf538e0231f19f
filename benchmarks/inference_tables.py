"""The tables of :mod:`benchmarks.inference`, from the results that are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.agreement import Agreement
from benchmarks.engine_run import CORD, CSF
from benchmarks.kept import Kept
from benchmarks.operations import Tile, floor_s
from benchmarks.peers import TILES
from benchmarks.report import markdown

__all__ = ["DICE_BOUND", "MAKERS", "NEAR_BOUND", "first_tile", "tables"]

#: What a way to predict must reach on trained weights to be called exact.
NEAR_BOUND, DICE_BOUND = 0.999, 0.995
#: Rows to which the times of the others are set: SCT's command, and nnU-Net's predictor.
SCT, NNUNET = "sct", "upstream"
#: Bytes an element of the two floors.
BYTES = {"fp32": 4, "bf16": 2}
_NOT_TURNS = ("first", "agreement")

Records = Mapping[str, dict[str, Any]]


def tables(kept: Kept) -> dict[str, str]:
    """Return every table that can be made of `kept`, by name."""
    made = {name: make(kept) for name, make in MAKERS.items()}
    return {name: text for name, text in made.items() if text is not None}


def _by_method(records: Records) -> dict[str, list[dict[str, Any]]]:
    """Return the records of the turns of each method, failed ones too."""
    found: dict[str, list[dict[str, Any]]] = {}
    for key, record in records.items():
        name, _, which = key.rpartition("/")
        if which not in _NOT_TURNS:
            found.setdefault(name, []).append(record)
    return found


def _well(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [record for record in records if "failed" not in record]


def _median(records: Sequence[dict[str, Any]], what: str) -> float | None:
    values = [record[what] for record in _well(records)]
    return median(values) if values else None


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _ratio(of: float | None, to: float | None) -> str:
    return "-" if of is None or to is None else f"{of / to:.1f}"


def timed_table(records: Records) -> str | None:
    """Return medians over the turns; the ratios say how many times as fast a method is."""
    rows = []
    turns = _by_method(records)
    walls = {name: _median(each, "wall_s") for name, each in turns.items()}
    for name, each in turns.items():
        if walls[name] is None:
            rows.append([each[0]["title"], "failed", *["-"] * 6])
            continue
        wall = walls[name]
        peak = max(record["peak_gb"] for record in _well(each))
        first = records.get(f"{name}/first", {}).get("wall_s")
        rows.append(
            [
                each[0]["title"],
                _seconds(wall),
                _spread([record["wall_s"] for record in _well(each)]),
                _seconds(first),
                _seconds(_median(each, "cpu_s")),
                f"{peak:.2f}",
                _ratio(walls.get(SCT), wall),
                _ratio(walls.get(NNUNET), wall),
            ]
        )
    head = ["method", "wall, s", "least to most, s", "first use, s", "CPU, s", "peak, GB"]
    head += ["times sct_deepseg", "times nnU-Net"]
    return markdown(head, rows) if rows else None


def _spread(values: Sequence[float]) -> str:
    return f"{_seconds(min(values))} to {_seconds(max(values))}" if len(values) > 1 else "-"


def memory_table(records: Records) -> str | None:
    """Return peak memory, wall and CPU seconds of the large image."""
    rows = []
    for name, each in _by_method(records).items():
        title = each[0]["title"]
        if not _well(each):
            rows.append([title, "failed", "-", "-", "-"])
            continue
        first = records.get(f"{name}/first", {}).get("peak_gb")
        rows.append(
            [
                title,
                f"{max(record['peak_gb'] for record in _well(each)):.2f}",
                "-" if first is None else f"{first:.2f}",
                _seconds(_median(each, "wall_s")),
                _seconds(_median(each, "cpu_s")),
            ]
        )
    head = ["method", "peak, GB", "peak at first use, GB", "wall, s", "CPU, s"]
    return markdown(head, rows) if rows else None


def first_tile(record: Mapping[str, Any]) -> tuple[float | None, float | None, int | None]:
    """Return when an engine began its first tile and had it, and the number of its tiles.

    Seconds since its process was started; None for what it did not report.
    """
    begun = done = total = None
    for stage, n, of, at in record.get("said", {}).get("progress", []):
        if stage != TILES:
            continue
        total = of
        if n == 0 and begun is None:
            begun = at
        if n >= 1 and done is None:
            done = at
    return begun, done, total


def start_table(records: Records) -> str | None:
    """Return the seconds from the start of a process to the first tile of each engine."""
    rows = []
    for name, each in _by_method(records).items():
        title = each[0]["title"]
        if not _well(each):
            rows.append([title, *["failed"] * 4])
            continue
        first = first_tile(records.get(f"{name}/first", {}))
        later = [first_tile(record) for record in _well(each)]
        cells = []
        for which in (0, 1):
            known = [at for at in (tile[which] for tile in later) if at is not None]
            cells += [_seconds(first[which]), _seconds(median(known) if known else None)]
        rows.append([title, *cells])
    head = ["engine", "first tile begins, first use, s", "later, s"]
    head += ["first tile done, first use, s", "later, s"]
    return markdown(head, rows) if rows else None


def agreement_table(records: Records) -> str | None:
    """Return the worst agreement of each way to predict, over all images of a model."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for record in records.values():
        if record["method"] != "nnunet":
            groups.setdefault((record["model"], record["method"]), []).append(record)
    rows = []
    for (model, method), each in groups.items():
        compared = [record for record in each if "whole" in record]
        if not compared:
            rows.append([model, method, "failed", *["-"] * 4])
            continue
        lowest = min(
            ((d, value, record) for record in compared for value, d in record["dice"].items()),
            key=lambda found: found[0],
            default=None,
        )
        nears = [record["near"] for record in compared if record["near"] is not None]
        keeps = bool(nears) and min(nears) >= NEAR_BOUND
        keeps = keeps and lowest is not None and lowest[0] >= DICE_BOUND
        keeps = keeps and len(compared) == len(each)
        rows.append(
            [
                model,
                method,
                str(len(compared)),
                f"{min(nears):.5f}" if nears else "-",
                f"{min(record['whole'] for record in compared):.5f}",
                "-" if lowest is None else _dice_cell(*lowest),
                "yes" if keeps else "no",
            ]
        )
    head = ["model", "engine", "images", "equal within 10 mm of the cord", "equal in the image"]
    head += ["lowest Dice", "within the bound"]
    return markdown(head, rows) if rows else None


def _dice_cell(dice: float, value: str, record: Mapping[str, Any]) -> str:
    own = {CORD: "cord", CSF: "CSF"}.get(int(value), f"value {value}")
    voxels = record["voxels"].get(value, 0)
    return f"{dice:.4f} ({own}, {voxels} voxels, {record['image']})"


def random_table(records: Records) -> str | None:
    """Return the agreement of the timed commands, which on random weights is a worst case."""
    rows = []
    for key, record in records.items():
        if not key.endswith("/agreement"):
            continue
        plain = {int(value): d for value, d in record["dice"].items()}
        found = Agreement(record["near"], record["whole"], plain, {})
        lowest = "-" if found.lowest is None else f"{found.lowest[0]:.4f}"
        at_cord = "-" if found.near is None else f"{found.near:.5f}"
        rows.append([record["title"], at_cord, f"{found.whole:.5f}", lowest])
    head = ["method", "equal within 10 mm of the cord", "equal in the image", "lowest Dice"]
    return markdown(head, rows) if rows else None


def _rates(kept: Kept) -> dict[str, Any] | None:
    said: dict[str, Any] | None = (kept.get("machine", "peaks") or {}).get("said")
    return said


def machine_table(kept: Kept) -> str | None:
    """Return what the machine is and what it does at best."""
    said = _rates(kept)
    if said is None:
        return None
    threads = (kept.get("setup", "options") or {}).get("threads")
    versions = ", ".join(f"{name} {version}" for name, version in said["versions"].items())
    rows = [
        ["processor", f"{said['processor']}, {said['cores']} cores, {', '.join(said['flags'])}"],
        ["memory", "-" if said["memory_gb"] is None else f"{said['memory_gb']:.0f} GB"],
        ["system", f"{said['system']}; {versions}"],
        ["threads used", str(threads)],
        ["matrix product, fp32", f"{said['fp32_gflop_s']:.0f} GFLOP/s"],
        ["matrix product, bf16", f"{said['bf16_gflop_s']:.0f} GFLOP/s"],
        ["copy, bytes read and written", f"{said['copy_gb_s']:.1f} GB/s"],
    ]
    work = kept.get("machine", "work")
    if work:
        patch = "x".join(str(n) for n in work["patch_zyx"])
        rows += [
            ["the model", f"{work['parameters'] / 1e6:.1f} M parameters, patch {patch}"],
            [
                "one tile",
                f"{work['flop'] / 1e9:.0f} GFLOP, {work['elements'] / 1e6:.0f} M elements",
            ],
        ]
    return markdown(["what", "measured or counted"], rows)


def floor_table(kept: Kept) -> str | None:
    """Return for each timed method what its tiles cannot take less than, and what they took."""
    said, work = _rates(kept), kept.get("machine", "work")
    if said is None or work is None:
        return None
    tile = Tile(work["flop"], work["elements"], work["parameters"])
    starts = kept.part("start")
    rows = []
    for name, each in _by_method(kept.part("speed")).items():
        wall = _median(each, "wall_s")
        if wall is None:
            continue
        reported = [first_tile(r)[2] for key, r in starts.items() if key.startswith(f"{name}/")]
        known = [n for n in reported if n]
        if name.endswith("-cord") and not known:
            continue  # how many tiles it left out is not known
        tiles = known[0] if known else work["tiles"]
        floors = {
            kind: floor_s(tile, tiles, said[f"{kind}_gflop_s"], said["copy_gb_s"], size)
            for kind, size in BYTES.items()
        }
        rate = tile.flop * tiles / wall / 1e9
        rows.append(
            [
                each[0]["title"],
                str(tiles),
                f"{tile.flop * tiles / 1e12:.2f}",
                *(_seconds(floors[kind]) for kind in BYTES),
                _seconds(wall),
                f"{rate:.0f}",
                f"{100 * rate / said['fp32_gflop_s']:.0f} %",
                f"{100 * rate / said['bf16_gflop_s']:.0f} %",
            ]
        )
    head = ["method", "tiles", "TFLOP", "floor fp32, s", "floor bf16, s", "wall, s", "GFLOP/s"]
    head += ["of the fp32 peak", "of the bf16 peak"]
    return markdown(head, rows) if rows else None


#: How each table is made.
MAKERS: dict[str, Callable[[Kept], str | None]] = {
    "machine": machine_table,
    "speed": lambda kept: timed_table(kept.part("speed")),
    "memory": lambda kept: memory_table(kept.part("memory")),
    "start": lambda kept: start_table(kept.part("start")),
    "agreement": lambda kept: agreement_table(kept.part("agreement")),
    "agreement-random": lambda kept: random_table(kept.part("speed")),
    "floor": floor_table,
}
