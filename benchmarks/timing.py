"""Time and memory of one large image, each run in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.phantom_masks import PROOF
from benchmarks.report import markdown
from sct_rootlets.image import save
from sct_rootlets.phantom import make_grid, random_anatomy, render_labels

__all__ = ["measure"]

SHAPE, SPACING_MM = (64, 320, 320), 0.8
RUNS = 5
_DERIVE = """
import json, sys, time
begun = time.perf_counter()
from sct_rootlets.image import load_labels
from sct_rootlets.levels import derive
imported = time.perf_counter()
rootlets, cord = (load_labels(path) for path in sys.argv[1:3])
loaded = time.perf_counter()
derive(rootlets, cord)
ended = time.perf_counter()
print(json.dumps([imported - begun, loaded - imported, ended - loaded]))
"""


def measure(threads: int = 2) -> tuple[dict[str, Any], dict[str, str]]:
    """Return seconds and peak memory of :func:`derive` and of the command line."""
    with tempfile.TemporaryDirectory() as folder:
        rootlets, cord = _files(Path(folder))
        derive = [sys.executable, "-c", _DERIVE, rootlets, cord]
        output = str(Path(folder) / "levels.nii.gz")
        command = [sys.executable, "-m", "sct_rootlets", "levels", "-i", rootlets, "-s", cord]
        within, wholes, peaks, command_walls, command_peaks = [], [], [], [], []
        for _ in range(RUNS):
            wall, peak, said = _run(derive, threads)
            within.append(json.loads(said.splitlines()[-1]))
            wholes.append(wall)
            peaks.append(peak)
            for old in Path(folder).glob("levels*"):
                old.unlink()
            wall, peak, _ = _run([*command, "-o", output], threads)
            command_walls.append(wall)
            command_peaks.append(peak)
    steps = np.median(np.array(within), axis=0)
    rows = [
        ["imports", f"{steps[0]:.2f}", "-"],
        ["loading both masks", f"{steps[1]:.2f}", "-"],
        ["`derive`", f"{steps[2]:.2f}", "-"],
        ["the whole process", f"{np.median(wholes):.2f}", f"{max(peaks):.2f}"],
        [
            "`sct_rootlets levels`, files written",
            f"{np.median(command_walls):.2f}",
            f"{max(command_peaks):.2f}",
        ],
    ]
    values = {
        "shape": SHAPE,
        "spacing_mm": SPACING_MM,
        "threads": threads,
        "runs": RUNS,
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "steps_s": steps.tolist(),
        "process_s": wholes,
        "process_peak_gb": peaks,
        "command_s": command_walls,
        "command_peak_gb": command_peaks,
    }
    return values, {"time": markdown(["step", "seconds", "peak memory, GB"], rows)}


def _files(folder: Path) -> tuple[str, str]:
    """Write the masks of a phantom on the large grid."""
    anatomy = random_anatomy(PROOF + 2)
    size = [n * SPACING_MM for n in SHAPE]
    labels = render_labels(anatomy, make_grid(anatomy, (SPACING_MM,) * 3, field_of_view_mm=size))
    if labels.cord.grid.shape != SHAPE:
        raise ValueError(f"the grid is {labels.cord.grid.shape}, not {SHAPE}")
    paths = folder / "rootlets.nii.gz", folder / "cord.nii.gz"
    save(labels.rootlets, paths[0])
    save(labels.cord, paths[1])
    return str(paths[0]), str(paths[1])


def _run(command: list[str], threads: int) -> tuple[float, float, str]:
    """Run a command on `threads` threads: wall seconds, peak memory (GB) and what it printed."""
    limits = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {**os.environ, **{name: str(threads) for name in limits}}
    begun = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(command, stdout=said, stderr=complaints, env=environment)
        _, code, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(code)
        wall = time.perf_counter() - begun
        said.seek(0)
        complaints.seek(0)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command[:4])} failed: {complaints.read()}")
        scale = 1 if sys.platform == "darwin" else 1024
        return wall, usage.ru_maxrss * scale / 1e9, said.read()
