"""What this machine can do at best: arithmetic and memory, and what it is.

``python -m benchmarks.machine THREADS`` prints JSON.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any

__all__ = ["describe", "peaks"]

#: Side of the matrices, and bytes of the copy: large against every cache.
SIDE, COPY_BYTES = 4096, 1 << 29
TRIES = 8
#: Flags of x86 and ARM processors on which the speed of a network depends.
FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "asimd", "bf16")
PACKAGES = ("torch", "nnunetv2", "openvino", "numpy")


def _best_s(work: Callable[[], Any], tries: int) -> float:
    """Return the shortest of several times, after one that is not counted."""
    work()
    times = []
    for _ in range(tries):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def peaks(
    threads: int, side: int = SIDE, copy_bytes: int = COPY_BYTES, tries: int = TRIES
) -> dict[str, float]:
    """Measure the best rates of torch on the CPU.

    Parameters
    ----------
    threads : int
    side : int
        Of the square matrices that are multiplied: 2 side^3 operations.
    copy_bytes : int
        Size of the array that is copied; as many are read as written.
    tries : int
        The best of them counts.

    Returns
    -------
    dict
        `fp32_gflop_s`, `bf16_gflop_s`, and `copy_gb_s` of bytes read and written together.
    """
    import torch

    torch.set_num_threads(threads)
    found = {}
    # Without instructions for it bfloat16 takes minutes at the full size, for a rate of 1 GFLOP/s.
    small = side if _computes_bf16(_cpuinfo()) else min(side, 512)
    for name, kind, n in (("fp32", torch.float32, side), ("bf16", torch.bfloat16, small)):
        first, second = (torch.randn(n, n).to(kind) for _ in range(2))
        result = torch.empty(n, n, dtype=kind)

        def multiply(a: Any = first, b: Any = second, out: Any = result) -> None:
            torch.mm(a, b, out=out)

        found[f"{name}_gflop_s"] = 2 * n**3 / _best_s(multiply, tries) / 1e9
    source = torch.ones(copy_bytes // 4)
    target = torch.zeros_like(source)
    found["copy_gb_s"] = 2 * copy_bytes / _best_s(lambda: target.copy_(source), tries) / 1e9
    return found


def describe() -> dict[str, Any]:
    """Return name, cores, instruction flags of the processor, memory and versions."""
    known = _cpuinfo()
    name = known.get("model name", platform.processor() or platform.machine())
    flags = known.get("flags", known.get("Features", ""))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    memory = None
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    return {
        "processor": name,
        "cores": cores,
        "flags": [flag for flag in FLAGS if flag in flags.split()],
        "memory_gb": memory,
        "system": f"{platform.system()} {platform.machine()}",
        "versions": versions,
    }


def _cpuinfo() -> dict[str, str]:
    """Return what the system says of its first core; empty where it says nothing."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            lines = [line.partition(":") for line in file]
    except OSError:
        return {}
    return {key.strip(): value.strip() for key, _, value in reversed(lines)}


def _computes_bf16(cpuinfo: dict[str, str]) -> bool:
    flags = cpuinfo.get("flags", cpuinfo.get("Features", "")).split()
    return not flags or any(flag in flags for flag in ("avx512_bf16", "amx_bf16", "bf16"))


if __name__ == "__main__":
    print(json.dumps({**peaks(int(sys.argv[1])), **describe()}))
