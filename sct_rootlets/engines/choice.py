"""Which engine a model gets: what fits the model, the device and what is installed.

Networks are imported when one is loaded: a wrong input is named before that.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sct_rootlets.engines.engine import Engine
from sct_rootlets.errors import ModelError, UsageError
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.model_folder import UnsupportedPlan

if TYPE_CHECKING:
    from sct_rootlets.engines.networks.backends import Backend

__all__ = ["ENGINES", "load_engine"]

logger = logging.getLogger(__name__)

#: Engines by name.
ENGINES = ("auto", "nnunet", "openvino", "torch")


def load_engine(
    model: InstalledModel,
    device: str = "auto",
    threads: int | None = None,
    *,
    engine: str = "auto",
    fast: bool = False,
    mirror: bool = False,
    cache: Path | None = None,
    shared: Sequence[Path] = (),
    finder: InstalledModel | None = None,
) -> Engine:
    """Load `model` into an engine.

    Parameters
    ----------
    model : InstalledModel
        From :func:`sct_rootlets.store.locate`.
    device : str
        ``"auto"`` (the first CUDA device, else the CPU), ``"cpu"``, ``"cuda"``,
        ``"cuda:N"`` or ``"mps"``.
    threads : int, optional
        Threads on the CPU; by default the cores this process may use, or
        ``OMP_NUM_THREADS`` where that is less.
    engine : str
        ``"nnunet"`` is nnU-Net's own predictor, the reference. ``"openvino"`` (on the CPU)
        and ``"torch"`` (anywhere) are our own sliding window, in full precision on a CPU.
        ``"auto"`` takes OpenVINO on a CPU where it is installed, at reduced precision once
        that was shown to change nothing (see :mod:`sct_rootlets.engines.reduced_precision`), else
        torch; and nnU-Net's predictor for a model that only that one can run.
    fast : bool
        Take reduced precision where the hardware gains from it, and tiles on the cord
        instead of nnU-Net's grid, untried.
    mirror : bool
        Average over mirrored views of the image (test-time augmentation).
    cache : Path, optional
        Folder for converted networks and what their trials gave. Without it networks are
        converted anew, and nothing is tried.
    shared : sequence of Path
        Further folders of converted networks, searched first and only read.
    finder : InstalledModel, optional
        A compact model that finds the cord where no mask is given, so that what lies far
        from it is not predicted.

    Raises
    ------
    MissingDependencyError
        If what the engine needs is not installed.
    ModelError
        If the model cannot be loaded.
    UsageError
        If there is no such device or engine, or they do not go together.
    """
    if engine not in ENGINES:
        raise UsageError(
            f"there is no engine {engine!r}", remedy=f"Choose one of {', '.join(ENGINES)}"
        )
    if engine == "nnunet":
        return _nnunet(model, device, threads, fast=fast, mirror=mirror)
    computed_by = _Computing(device, threads, engine, cache, shared)
    if model.is_compact:
        from sct_rootlets.engines.compact import CompactEngine

        backend = computed_by.backend(computed_by.reduced if fast else None)
        return CompactEngine(model, backend, mirror=mirror)
    try:
        return _sliding(model, computed_by, fast=fast, mirror=mirror, finder=finder)
    except UnsupportedPlan as reason:
        if engine != "auto":
            raise ModelError(
                f"our own sliding window cannot run it: {reason}",
                path=model.folder,
                remedy="Choose -engine nnunet, nnU-Net's own predictor",
            ) from reason
        logger.info("%s runs in nnU-Net's own predictor: %s", model.reference, reason)
        return _nnunet(model, device, threads, fast=False, mirror=mirror)


class _Computing:
    """What computes networks under the options given, at full or reduced precision."""

    def __init__(
        self,
        device: str,
        threads: int | None,
        engine: str,
        cache: Path | None,
        shared: Sequence[Path],
    ) -> None:
        from sct_rootlets.engines.networks.openvino_network import has_openvino, import_openvino

        self._device, self._threads, self.cache, self._shared = device, threads, cache, shared
        self.is_free = engine == "auto"
        on_cpu = device == "cpu" or (device == "auto" and not _has_cuda())
        if engine == "openvino" and device not in ("auto", "cpu"):
            raise UsageError(
                f"OpenVINO runs on the CPU here, not on {device}",
                remedy="Leave out -device, or choose -engine torch",
            )
        if engine == "openvino":
            import_openvino()  # says how to install it
        self.is_openvino = engine == "openvino" or (engine == "auto" and on_cpu and has_openvino())

    @property
    def reduced(self) -> str | None:
        """The precision below float32 that pays on this CPU, under OpenVINO."""
        from sct_rootlets.engines.networks.openvino_network import reduced_precision

        return reduced_precision() if self.is_openvino else None

    def backend(self, precision: str | None = None) -> Backend:
        """Return what computes the networks; torch knows one precision."""
        from sct_rootlets.engines.networks.backends import OpenVINOBackend, TorchBackend
        from sct_rootlets.engines.networks.openvino_network import FULL_PRECISION
        from sct_rootlets.engines.networks.runtime import choose_device

        if not self.is_openvino:
            return TorchBackend(choose_device(self._device), self._threads)
        precision = precision or FULL_PRECISION
        return OpenVINOBackend(self.cache, precision, self._threads, self._shared)


def _sliding(
    model: InstalledModel,
    computed_by: _Computing,
    *,
    fast: bool,
    mirror: bool,
    finder: InstalledModel | None,
) -> Engine:
    from sct_rootlets.engines.cord_finder import CordFinder
    from sct_rootlets.engines.networks.openvino_network import MIXED_PRECISION, import_openvino
    from sct_rootlets.engines.reduced_precision import Candidate, TrialEngine, cpu_name
    from sct_rootlets.engines.sliding import SlidingEngine

    cord = None if finder is None else CordFinder.of(finder, computed_by.backend())

    def load(precision: str | None) -> SlidingEngine:
        backend = computed_by.backend(precision)
        return SlidingEngine(model, backend, fast=fast, mirror=mirror, finder=cord)

    reduced = computed_by.reduced
    # By name an engine gives the same answer whatever agreed before.
    if fast or not computed_by.is_free or reduced is None or computed_by.cache is None:
        return load(reduced if fast else None)
    cache = computed_by.cache
    circumstances = f"{cpu_name()} {import_openvino().version} {mirror}".encode()
    suffix = hashlib.sha256(circumstances).hexdigest()[:12]

    def candidate(precision: str, what: str) -> Candidate:
        record = cache / f"{model.sha256[:32]}-{precision}-{suffix}.json"
        return Candidate(lambda: load(precision), record, what)

    return TrialEngine(
        lambda: load(None),
        [
            candidate(reduced, f"{reduced} arithmetic"),
            candidate(MIXED_PRECISION, f"{reduced} arithmetic behind the first stage"),
        ],
        None if cord is None else cord.mask,
    )


def _nnunet(
    model: InstalledModel, device: str, threads: int | None, *, fast: bool, mirror: bool
) -> Engine:
    if model.is_compact:
        raise UsageError(
            f"the model {model.name} consists of two networks, which nnU-Net's predictor does "
            "not run",
            remedy="Leave out -engine, or choose openvino or torch",
        )
    if fast:
        raise UsageError(
            "-fast does not go with -engine nnunet, which is the reference",
            remedy="Leave out one of the two",
        )
    from sct_rootlets.engines.nnunet import NnUNetEngine

    return NnUNetEngine(model, device, threads, mirror=mirror)


def _has_cuda() -> bool:
    from sct_rootlets.engines.networks.runtime import import_torch, may_have_cuda

    return may_have_cuda() and bool(import_torch().cuda.is_available())
