"""Start one command and measure it: a script that stays small, run as a process of its own.

``PYTHON -I -S watch.py REPORT COMMAND ...`` writes wall seconds, CPU seconds and peak memory
of the command and all its descendants to the file REPORT.

A process that is started keeps the memory its parent had in its own peak (``ru_maxrss``
survives ``execve``). That parent is this script, of some 10 MB, and not a benchmark with
images and torch in it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

#: Seconds between two looks at the process tree.
EVERY_S = 0.1
#: Environment variable that tells the command when it was started, as time.time().
BEGUN = "SCT_ROOTLETS_BENCHMARK_BEGUN"


def resident_of_tree(root: int) -> tuple[int, int]:
    """Return bytes resident in `root` and all its descendants, and the number of them.

    Pages that several of them share are counted in each. Linux only; elsewhere (0, 0).
    """
    parents: dict[int, int] = {}
    pages: dict[int, int] = {}
    try:
        numbers = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return 0, 0
    for pid in numbers:
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                # The name, in brackets, may hold anything; state and parent follow it.
                fields = file.read().rpartition(b")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        parents[pid], pages[pid] = int(fields[1]), int(fields[21])
    tree, found = {root}, True
    while found:
        more = {pid for pid, parent in parents.items() if parent in tree} - tree
        tree |= more
        found = bool(more)
    inside = [pages[pid] for pid in tree if pid in pages]
    return sum(inside) * os.sysconf("SC_PAGE_SIZE"), len(inside)


def watch(command: list[str]) -> dict[str, float]:
    """Run `command` to its end and return what it took."""
    largest = [0, 0]
    over = threading.Event()

    def look(pid: int) -> None:
        while not over.wait(EVERY_S):
            resident, processes = resident_of_tree(pid)
            largest[0] = max(largest[0], resident)
            largest[1] = max(largest[1], processes)

    environment = {**os.environ, BEGUN: repr(time.time())}
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=environment)
    looking = threading.Thread(target=look, args=(process.pid,), daemon=True)
    looking.start()
    _, code, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    over.set()
    looking.join()
    process.returncode = os.waitstatus_to_exitcode(code)
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "code": process.returncode,
        "wall_s": wall,
        # Of the command and of every descendant that was waited for.
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "largest_process_gb": usage.ru_maxrss * unit / 1e9,
        "tree_gb": largest[0] / 1e9,
        "processes": largest[1],
    }


def main(report: str, command: list[str]) -> int:
    measured = watch(command)
    with open(report, "w", encoding="utf-8") as file:
        json.dump(measured, file)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
