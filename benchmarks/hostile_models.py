"""Hostile models, given to ``models install`` and to every engine: what becomes of each.

``python -m benchmarks.hostile_models`` prints a table by kind: how many were refused with a message
of ours, how many were read all the same (what is bad about those is bad for others, or is left
aside), and what must be 0: those whose code ran, that took longer than a minute of processor time
or more than a gigabyte of memory, and that ended in anything but an error of ours. Each is a
process of its own. An install is the real command; loading starts where torch, nnU-Net and
OpenVINO are imported already.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import io
import json
import multiprocessing
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.hostile_folders import Spoil, archives, models

#: Seconds of processor time, and bytes.
CPU_S, MOST_BYTES = 60, 1_000_000_000
#: Seconds after which a process is ended that waits for something.
_WALL_S = 300
#: Address space of an install; torch alone maps some GB without using them.
_SPACE = 8 << 30
ENGINES = ("nnunet", "torch", "openvino")
_FOLDER = "nnUNetTrainer__nnUNetPlans__3d_fullres"
_PRELOADED = (
    "torch", "safetensors.torch", "openvino", "sct_rootlets.cli.main", "sct_rootlets.engines",
    "sct_rootlets.store", "benchmarks.hostile_preloaded",
)  # fmt: skip

context = multiprocessing.get_context("forkserver")


@dataclass
class Found:
    """What became of one model.

    Attributes
    ----------
    outcome : str
        ``refused``, ``read``, ``crash`` or ``hung``.
    said : str
    cpu_s, memory_bytes : float
        Of processor time, and the largest resident memory of a process.
    """

    outcome: str
    said: str = ""
    cpu_s: float = 0.0
    memory_bytes: float = 0.0


def good_model(root: Path) -> Path:
    """Write a small model below `root` and return its folder."""
    process = context.Process(target=_write_good, args=(root,))
    process.start()
    process.join()
    return root / _FOLDER


def _write_good(root: Path) -> None:
    from training.export import build_network, plain_conv_unet_kwargs, write_nnunet_folder

    labels = {"background": 0, **{f"lvl{value}": value for value in range(1, 4)}}
    kwargs = plain_conv_unet_kwargs((2, 2), (1, 2), convolutions=1)
    weights = build_network(kwargs, classes=len(labels)).state_dict()
    write_nnunet_folder(
        root / _FOLDER, "3d_fullres", [1.0] * 3, [16] * 3, kwargs, weights, labels=labels
    )


def installed(archive: Path, work: Path) -> Found:
    """Give an archive to ``models install``, in a process of its own."""
    home = work / "home"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCT_")}
    command = [sys.executable, "-m", "sct_rootlets", "models", "install", str(archive), "-offline"]
    with (work / "said").open("w+b") as said:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**kept, "SCT_ROOTLETS_HOME": str(home), "OMP_NUM_THREADS": "1"},
            preexec_fn=lambda: _limit(_SPACE),
        )
        timer = threading.Timer(_WALL_S, process.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = " ".join(said.read().decode(errors="replace").split())
    shutil.rmtree(home, ignore_errors=True)
    found = _judged(process.returncode, text)
    found.cpu_s, found.memory_bytes = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024.0
    return found


def _judged(status: int, said: str) -> Found:
    """Say what a command's exit status and its words mean."""
    if status < 0:
        return Found("hung", f"{signal.Signals(-status).name} {said}")
    if "Traceback" in said or "unexpected" in said or status not in (0, 1):
        return Found("crash", said)
    return Found("refused" if status else "read", said)


def _limit(space: float) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 5))
    resource.setrlimit(resource.RLIMIT_AS, (int(space), int(space)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def tried(what: str, model: Path, work: Path) -> Found:
    """Do something with a model in a forked process: ``install`` an archive, or load a folder.

    Parameters
    ----------
    what : str
        ``install``, or an engine to load it by.
    model, work : Path
        The model, and a folder for what is written.
    """
    report = work / "report"
    report.unlink(missing_ok=True)
    process = context.Process(target=_try, args=(what, model, work, report))
    process.start()
    process.join(_WALL_S)
    if process.is_alive():
        process.kill()
        process.join()
    if not report.is_file():
        return Found("hung", f"ended by {process.exitcode}", CPU_S)
    return Found(**json.loads(report.read_text()))


def _try(what: str, model: Path, work: Path, report: Path) -> None:
    from sct_rootlets.cli.main import main as command
    from sct_rootlets.engines import load_engine
    from sct_rootlets.errors import RootletsError
    from sct_rootlets.store import locate

    home = work / "home"
    os.environ.update(SCT_ROOTLETS_HOME=str(home), OMP_NUM_THREADS="1")
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _limit(used + MOST_BYTES)
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            if what == "install":
                status = command(["models", "install", str(model), "-offline"])
                found = _judged(status, " ".join(said.getvalue().split()))
            else:
                load_engine(locate(model), "cpu", 1, engine=what)
                found = Found("read")
    except RootletsError as error:
        found = Found("refused", str(error))
    except BaseException as error:  # noqa: BLE001 (whatever it is, it is what is looked for)
        found = Found("crash", f"{type(error).__name__}: {error}"[:300])
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    found.cpu_s = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    found.memory_bytes = max(usage.ru_maxrss for usage in usages) * 1024.0
    shutil.rmtree(home, ignore_errors=True)
    report.write_text(json.dumps(vars(found)))


def packed(folder: Path, archive: Path) -> Path | None:
    """Zip a model folder, links as links; None where it has what no zip can hold."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder.parent).as_posix()
            if path.is_symlink():
                info = zipfile.ZipInfo(name)
                info.external_attr = 0o120777 << 16
                made.writestr(info, os.readlink(path))
            elif stat.S_ISFIFO(path.lstat().st_mode):
                return None
            elif path.is_file():
                made.write(path, name)
    return archive


def spoilt(good: Path, spoil: Spoil, work: Path) -> Path:
    """Return a copy of a good model folder of which one thing is bad."""
    folder = work / "spoilt" / _FOLDER
    shutil.rmtree(folder.parent, ignore_errors=True)
    shutil.copytree(good, folder)
    spoil(folder, str(work / "ran"))
    return folder


def trials(work: Path, wanted: Callable[[str, str], bool]) -> Iterator[tuple[str, str, str, Found]]:
    """Yield the kind and name of each model, what was tried, and what became of it."""
    good = good_model(work / "good")
    marker = work / "ran"

    def judged(found: Found) -> Found:
        if marker.exists():
            shutil.rmtree(marker)
            return Found("code ran", found.said, found.cpu_s, found.memory_bytes)
        if found.memory_bytes > MOST_BYTES:
            return Found("too large", found.said, found.cpu_s, found.memory_bytes)
        return found

    for kind, name, spoil in (("a good model", "", lambda *_: None), *models()):
        if not wanted(kind, name):
            continue
        folder = spoilt(good, spoil, work)
        archive = packed(folder, work / "model.zip")
        if archive is not None:
            yield kind, name, "install", judged(installed(archive, work))
        for engine in ENGINES:
            yield kind, name, engine, judged(tried(engine, folder, work))
    for name, data in archives(good):
        if wanted("archive", name):
            (work / "model.zip").write_bytes(data)
            yield "archive", name, "install", judged(installed(work / "model.zip", work))


def main() -> None:
    """Print the table, and before it what was not refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-only", default="", help="those whose kind or name has this in it")
    parser.add_argument("-v", action="store_true", help="say also what was refused, and why")
    arguments = parser.parse_args()
    context.set_forkserver_preload(list(_PRELOADED))
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    names: dict[str, set[str]] = collections.defaultdict(set)
    most: dict[str, list[float]] = collections.defaultdict(lambda: [0.0, 0.0])
    with tempfile.TemporaryDirectory() as folder:
        for kind, name, what, found in trials(
            Path(folder), lambda *words: any(arguments.only in word for word in words)
        ):
            names[kind].add(name)
            counts[kind][found.outcome] += 1
            most[kind] = [max(*both) for both in zip(
                most[kind], (found.cpu_s, found.memory_bytes), strict=True
            )]  # fmt: skip
            if arguments.v or found.outcome != "refused":
                figures = f"{found.cpu_s:.1f} s, {found.memory_bytes / 1e6:.0f} MB"
                print(f"{kind}, {name}, {what}: {found.outcome} ({figures}) {found.said[:300]}")
    outcomes = ("refused", "read", "code ran", "hung", "too large", "crash")
    print("| kind | models |", " | ".join(outcomes), "| most s | most MB |")
    print("|", " | ".join(["---"] * (len(outcomes) + 4)), "|")
    for kind, found in counts.items():
        row: list[Any] = [kind, len(names[kind]), *(found[outcome] for outcome in outcomes)]
        figures = f"{most[kind][0]:.1f} | {most[kind][1] / 1e6:.0f} |"
        print("|", " | ".join(map(str, row)), "|", figures)


if __name__ == "__main__":
    main()
