"""The methods that are measured against each other: ours, nnU-Net's, its fork's, SCT's.

Each is a command that takes an image and writes a label image, and is run in fresh processes.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = [
    "MIXED",
    "Job",
    "Method",
    "Peers",
    "install_in_sct",
    "measured",
    "methods",
    "variant_name",
    "variants",
]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
#: Our engines, and those with a mode that is opt-in because its answer may differ.
ENGINES, WITH_FAST = ("nnunet", "torch", "openvino"), ("torch", "openvino")
#: How mixed precision is called.
MIXED = "openvino-mixed"
#: The stage under which an engine reports its tiles.
TILES = "segmenting the rootlets"


@dataclass(frozen=True)
class Job:
    """One image to be segmented by one model.

    Attributes
    ----------
    model : Path
        Folder that holds one nnU-Net model folder.
    image, cord : Path
    output : Path
        NIfTI to be written.
    threads : int
    """

    model: Path
    image: Path
    cord: Path
    output: Path
    threads: int

    @property
    def network(self) -> Path:
        """The nnU-Net folder itself."""
        (found,) = self.model.glob("nnUNetTrainer*")
        return found


@dataclass(frozen=True)
class Method:
    """One way to segment an image.

    Attributes
    ----------
    name : str
        Short, for keys and options.
    title : str
        For tables.
    command : callable
        From a job to the command line.
    engine : str or None
        Of ours; None for a peer.
    fast, confined : bool
        Whether a less exact mode is asked for; whether the cord mask is given, so that only
        tiles at the cord need be computed.
    precision : str
        That of :func:`benchmarks.engine_run.main`, where no option asks for it.
    """

    name: str
    title: str
    command: Callable[[Job], list[str]]
    engine: str | None = None
    fast: bool = False
    confined: bool = False
    precision: str = ""


@dataclass(frozen=True)
class Peers:
    """What of the peers is at hand.

    Attributes
    ----------
    fork : str or None
        Python of an environment with SCT's fork of nnU-Net.
    sct : str or None
        The command ``sct_deepseg``.
    """

    fork: str | None = None
    sct: str | None = None


def _predictor(python: str, job: Job) -> list[str]:
    script = str(HERE / "nnunet_predictor.py")
    paths = [str(job.network), str(job.image), str(job.output)]
    return [python, "-I", script, *paths, str(job.threads)]


def _sct(command: str, job: Job) -> list[str]:
    return [command, "rootlets", "-i", str(job.image), "-o", str(job.output)]


def _ours(engine: str, fast: bool, confined: bool, job: Job) -> list[str]:
    command = [sys.executable, "-m", "sct_rootlets", "segment", "-i", str(job.image)]
    command += ["-o", str(job.output), "-model", str(job.network), "-device", "cpu"]
    command += ["-engine", engine, "-threads", str(job.threads)]
    command += ["-fast"] if fast else []
    return command + (["-s", str(job.cord)] if confined else [])


def variants() -> Iterator[tuple[str, bool, bool]]:
    """Yield engine, fast and confined of every way in which our engines can be asked."""
    for confined in (False, True):
        for engine in ENGINES:
            for fast in (False, True) if engine in WITH_FAST else (False,):
                if not (confined and engine == "nnunet"):  # it predicts the whole image always
                    yield engine, fast, confined


def variant_name(engine: str, fast: bool, confined: bool) -> str:
    """Return the name of such a way, as in ``"openvino-fast-cord"``."""
    return "-".join([engine, *["fast"] * fast, *["cord"] * confined])


def _mixed(job: Job) -> list[str]:
    command = [sys.executable, "-m", "benchmarks.mixed_precision", "segment", "-device", "cpu"]
    command += ["-i", str(job.image), "-o", str(job.output), "-model", str(job.network)]
    return [*command, "-threads", str(job.threads)]


def methods(peers: Peers, *, mixed: bool = True) -> list[Method]:
    """Return all methods that can be tried here, SCT first; mixed precision only if `mixed`."""
    found = []
    if peers.sct:
        found.append(Method("sct", "`sct_deepseg rootlets`", functools.partial(_sct, peers.sct)))
    if peers.fork:
        call = functools.partial(_predictor, peers.fork)
        found.append(Method("fork", "nnU-Net's predictor, SCT's fork", call))
    call = functools.partial(_predictor, sys.executable)
    found.append(Method("upstream", "nnU-Net's predictor, upstream", call))
    for engine, fast, confined in variants():
        name = variant_name(engine, fast, confined)
        title = f"`segment -engine {engine}{' -fast' * fast}{' -s CORD' * confined}`"
        own = functools.partial(_ours, engine, fast, confined)
        found.append(Method(name, title, own, engine, fast, confined))
        if mixed and name == "openvino":
            title = "`segment -engine openvino`, mixed precision"
            found.append(Method(MIXED, title, _mixed, engine, precision="mixed"))
    return found


def measured(
    command: Sequence[str], threads: int, log: Path, more: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run a command in a fresh process and return what it took.

    Parameters
    ----------
    command : sequence of str
    threads : int
        Put into the variables by which OpenMP, OpenBLAS and MKL are told so.
    log : Path
        File for what it prints.
    more : mapping, optional
        Further environment variables.

    Returns
    -------
    dict
        `wall_s`; `cpu_s`, user and system of the whole process tree; `peak_gb`, the most
        memory resident in the tree at one of ten looks a second, or in one of its processes
        as the kernel kept it, whichever is more; `load_before`, the machine's load average;
        `said`, the last line of JSON it printed, if any; or `failed`, why it did not end well.
    """
    limits = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {**os.environ, **{name: str(threads) for name in limits}, **(more or {})}
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, log.open("w", encoding="utf-8") as said:
        report = Path(folder) / "report.json"
        watched = [sys.executable, "-I", "-S", str(HERE / "watch.py"), str(report), *command]
        subprocess.run(watched, stdout=said, stderr=subprocess.STDOUT, env=environment, check=False)
        text = report.read_text(encoding="utf-8") if report.exists() else "{}"
    took: dict[str, Any] = json.loads(text)
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    if not took or took["code"]:
        last = lines[-1][-300:] if lines else ""
        return {"failed": f"exit code {took.get('code')}: {last}", "load_before": load}
    took["peak_gb"] = max(took["tree_gb"], took["largest_process_gb"])
    took["load_before"] = load
    for line in reversed(lines):
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict):
                took["said"] = found
                break
    return took


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def install_in_sct(command: str, model: Path, log: Path) -> None:
    """Install the model in folder `model` as the rootlets model of an SCT.

    Through SCT's own ``-install -custom-url``, from a zip on a server on this machine's
    loopback. It replaces the rootlets model that SCT has.

    Raises
    ------
    RuntimeError
        If SCT could not install it.
    """
    with tempfile.TemporaryDirectory() as folder:
        shutil.make_archive(str(Path(folder) / "model"), "zip", model)
        handler = functools.partial(_Quiet, directory=folder)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            address = f"http://127.0.0.1:{server.server_address[1]}/model.zip"
            asked = [command, "rootlets", "-install", "-custom-url", address]
            done = subprocess.run(asked, capture_output=True, text=True, check=False)
        finally:
            server.shutdown()
            server.server_close()
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        raise RuntimeError(f"SCT did not install the model; see {log}")
