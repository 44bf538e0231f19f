"""How fast the engines are, and how alike: the tables of ``docs/benchmarks.md``.

``python -m benchmarks.inference [-only PART ...] [-o FOLDER] [-fork PYTHON] [-sct COMMAND]``

Every measurement is a fresh process, the methods take turns, and each result is in
``results.json`` of the folder `-o` as soon as it is there; ``-resume`` goes on where a run
ended. A full run takes hours; ``-quick`` shows in minutes that everything works. ``-docs``
puts the tables of `-o` into ``docs/benchmarks.md``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import inference_tables, mixed_precision, report
from benchmarks.inference_parts import (
    DATA,
    Bench,
    measure_agreement,
    measure_machine,
    measure_memory,
    measure_speed,
    measure_start,
)
from benchmarks.kept import Kept
from benchmarks.peers import MIXED, Peers, install_in_sct, methods

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "benchmarks.md"

PARTS: dict[str, Callable[[Bench], None]] = {
    "machine": measure_machine,
    "start": measure_start,
    "speed": measure_speed,
    "memory": measure_memory,
    "agreement": measure_agreement,
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.inference", description=__doc__)
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.add_argument("-o", type=Path, default=Path("inference_benchmark"),
                      help="folder for results, models, images, outputs and logs")  # fmt: skip
    made.add_argument("-only", nargs="*", choices=PARTS, default=list(PARTS), metavar="PART",
                      help=f"parts to measure: {', '.join(PARTS)}; none: tables only")  # fmt: skip
    made.add_argument("-methods", nargs="+", metavar="NAME",
                      help="methods to measure, of those that -list names (all)")  # fmt: skip
    made.add_argument("-list", action="store_true", help="name the methods and stop")
    made.add_argument("-n", type=int, default=3, help="turns in which each method runs (3)")
    made.add_argument("-threads", type=int, default=_cores(), help="for each method (all cores)")
    made.add_argument("-quick", action="store_true",
                      help="tiny model and images, one turn: whether it runs")  # fmt: skip
    made.add_argument("-resume", action="store_true", help="keep what was measured before")
    made.add_argument("-fork", metavar="PYTHON",
                      help="Python of an environment with nnunetv2-neuropoly")  # fmt: skip
    made.add_argument("-sct", metavar="COMMAND", help="the command sct_deepseg")
    made.add_argument("-sct-install", action="store_true",
                      help="install the timed model in that SCT; replaces its rootlets model. "
                           "Without this, SCT must have that model already")  # fmt: skip
    made.add_argument("-speed-model", type=Path, metavar="FOLDER",
                      help="time this model, a folder that holds nnUNetTrainer*, and not a "
                           "random one of the official kind")  # fmt: skip
    made.add_argument("-model", type=Path, nargs="*", default=[], metavar="FOLDER",
                      help="trained models for the agreement, besides the bundled one")  # fmt: skip
    made.add_argument("-phantoms", type=int, default=3, help="phantoms for the agreement (3)")
    made.add_argument("-data", type=Path, default=ROOT.parent / "shared" / "data",
                      help=f"folder with {', '.join(name for name, *_ in DATA)}")  # fmt: skip
    made.add_argument("-docs", action="store_true", help="write docs/benchmarks.md")
    return made


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _absolute(command: str | None) -> str | None:
    """Return a command by its path; links stay, because a venv is known by them."""
    if command is None:
        return None
    found = shutil.which(command)
    if found is None:
        sys.exit(f"there is no command {command}")
    return os.path.abspath(found)


def _bench(args: argparse.Namespace) -> Bench:
    folder = args.o.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    peers = Peers(_absolute(args.fork), _absolute(args.sct))
    reason = mixed_precision.why_not()
    if reason and (not args.methods or MIXED in args.methods):
        print(f"{MIXED} is not measured: {reason}", flush=True)
    chosen = methods(peers, mixed=reason is None)
    known = [method.name for method in chosen]
    unknown = set(args.methods or ()) - {*known, MIXED}
    if unknown:
        sys.exit(f"no method {', '.join(sorted(unknown))} here, only {', '.join(known)}")
    if args.methods:
        chosen = [method for method in chosen if method.name in args.methods]
    return Bench(
        folder=folder,
        kept=Kept(folder / "results.json"),
        methods=chosen,
        threads=args.threads,
        turns=1 if args.quick else args.n,
        quick=args.quick,
        phantoms=1 if args.quick else args.phantoms,
        data=args.data.resolve(),
        models=[path.resolve() for path in args.model],
        speed_model=args.speed_model.resolve() if args.speed_model else None,
    )


def _require_one_setup(bench: Bench) -> None:
    """Stop where results of another set-up are in the folder: they must not be mixed."""
    model = str(bench.speed_model) if bench.speed_model else None
    setup = {"quick": bench.quick, "threads": bench.threads, "speed_model": model}
    before = bench.kept.get("setup", "options")
    if before is None:
        bench.kept.put("setup", "options", setup)
    elif before != setup:
        sys.exit(f"{bench.folder} has results of {before}, not {setup}: take another folder -o")


def main() -> None:
    args = parser().parse_args()
    bench = _bench(args)
    if args.list:
        for method in bench.methods:
            print(f"{method.name:22}{method.title}")
        return
    _require_one_setup(bench)
    if args.sct and args.sct_install and {"speed", "memory"} & set(args.only):
        print("installing the model in SCT ...", flush=True)
        command = _absolute(args.sct) or args.sct
        install_in_sct(command, bench.timed_model(), bench.folder / "logs" / "sct-install.txt")
    for name in args.only:
        begun = time.perf_counter()
        print(f"{name} ...", flush=True)
        if not args.resume:
            bench.kept.forget(name)
        PARTS[name](bench)
        print(f"{name}: {time.perf_counter() - begun:.0f} s\n", flush=True)
    tables = inference_tables.tables(bench.kept)
    for title, text in tables.items():
        (bench.folder / f"{title}.md").write_text(text, encoding="utf-8")
        print(f"{title}\n\n{text}", flush=True)
    if args.docs:
        if bench.quick:
            sys.exit("figures of -quick are none: docs/benchmarks.md is as it was")
        text = DOCUMENT.read_text(encoding="utf-8")
        DOCUMENT.write_text(report.filled(text, tables), encoding="utf-8")


if __name__ == "__main__":
    main()
