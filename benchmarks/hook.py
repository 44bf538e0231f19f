"""What the hook costs commands of SCT that have nothing to do with it.

``python -m benchmarks.hook`` starts each command many times in two scratch environments, one
with the hook and one without, in turn; the second column of ratios, of the environment without
it to a twin, is what the machine does by itself. With an SCT on the PATH, or named by SCT_DIR,
its commands are started too; nothing is written into it.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import markdown
from benchmarks.scratch_environment import ScratchEnvironment, make_environment
from sct_rootlets.sct.enabling import HOOK_FILE, hook_line
from sct_rootlets.sct.installation import SctInstallation, find_sct

REPOSITORY = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-runs", type=int, default=30)
    args = parser.parse_args()
    sct = find_sct()
    print("No SCT was found." if sct is None else f"SCT {sct.version}")
    commands = [["-c", "pass"]]
    if sct is not None:
        scripts = sct.folder / "spinalcordtoolbox" / "scripts"
        commands += [[str(scripts / "sct_maths.py"), "-h"]]
        commands += [[str(scripts / "sct_deepseg.py"), "rootlets", "-h"]]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        without, twin, hooked = (_environment(Path(folder) / name, sct) for name in "abc")
        (hooked.purelib / HOOK_FILE).write_text(hook_line(), encoding="utf-8")
        for words in commands:
            name = " ".join(Path(word).stem if word.endswith(".py") else word for word in words)
            rows += _rows(name, words, [without, twin, hooked], args.runs)
        print(markdown(["command", "time", "without", "with", "ratio", "ratio of twins"], rows))
        print(_imports(hooked))


def _environment(folder: Path, sct: SctInstallation | None) -> ScratchEnvironment:
    packages = [REPOSITORY, Path(sysconfig.get_path("purelib"))]
    return make_environment(folder, packages, of=None if sct is None else sct.python)


def _rows(
    name: str, words: Sequence[str], environments: Sequence[ScratchEnvironment], runs: int
) -> list[list[str]]:
    walls: list[list[float]] = [[] for _ in environments]
    cpus: list[list[float]] = [[] for _ in environments]
    for run in range(runs + 1):
        for number, environment in enumerate(environments):
            wall, cpu = _start([environment.python, *words])
            if run:  # the first one fills caches
                walls[number].append(wall)
                cpus[number].append(cpu)
    rows = []
    for label, times in (("wall", walls), ("processor", cpus)):
        a, twin, hooked = (statistics.median(each) for each in times)
        row = [name, label, f"{1e3 * a:.1f} ms", f"{1e3 * hooked:.1f} ms"]
        rows.append([*row, f"{hooked / a:.3f}", f"{twin / a:.3f}"])
    return rows


def _start(command: Sequence[str | Path]) -> tuple[float, float]:
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        command, env=variables, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def _imports(environment: ScratchEnvironment) -> str:
    done = subprocess.run(
        [environment.python, "-X", "importtime", "-c", "pass"],
        capture_output=True,
        text=True,
        check=True,
    )
    ours = [line for line in done.stderr.splitlines() if "sct_rootlets" in line]
    return "Imported at the start (us by itself, us with what it imports, name):\n" + "\n".join(
        ours
    )


if __name__ == "__main__":
    main()
