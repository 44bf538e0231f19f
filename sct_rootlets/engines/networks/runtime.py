"""What every engine needs of torch and nnU-Net: imports, devices, threads, checkpoints."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sct_rootlets.checkpoint import converted_files, import_torch, read_converted, read_pth
from sct_rootlets.errors import MissingDependencyError, ModelError, RootletsError, UsageError

__all__ = [
    "choose_device",
    "has_plain_trainer",
    "from_nnunet",
    "import_nnunet",
    "import_torch",
    "may_have_cuda",
    "quietly",
    "read_checkpoint",
    "usable_threads",
    "using_threads",
]

logger = logging.getLogger(__name__)

#: Trainers that differ from nnUNetTrainer in the length of training only.
_PLAIN_TRAINER = re.compile(r"nnUNetTrainer(_\d+epochs?)?")

#: Where Linux puts what says how many CPUs a container may use, versions 2 and 1.
_CGROUPS = Path("/sys/fs/cgroup")

_REMEDY = 'Install it with: pip install "sct_rootlets[standalone]"'


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Send what nnU-Net prints and warns (about its environment variables, say) to the log."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for line in filter(None, printed.getvalue().splitlines()):
            logger.debug("nnU-Net: %s", line)


@contextlib.contextmanager
def from_nnunet(folder: Path) -> Iterator[None]:
    """Keep nnU-Net quiet, and make a `ModelError` about `folder` of what it raises."""
    try:
        with quietly():
            yield
    except (RootletsError, MemoryError):
        raise
    except Exception as error:  # of the line that met what is wrong
        first, *_ = [*str(error).splitlines(), ""]
        full = "out of memory" in first.lower()
        raise ModelError(
            f"nnU-Net's own code stops at it ({type(error).__name__}: {first:.200})",
            path=folder,
            remedy="Choose -device cpu" if full else "Ask its authors, or choose another model",
        ) from error


def import_nnunet() -> SimpleNamespace:
    """Return what is used of ``nnunetv2`` (upstream, or SCT's fork of the same name).

    Returns
    -------
    SimpleNamespace
        With nnUNetPredictor, PlansManager, nnUNetTrainer, find_class and root (folder of the
        package).
    """
    import_torch()
    try:
        with quietly():
            import nnunetv2
            from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
            from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
            from nnunetv2.utilities.find_class_by_name import recursive_find_python_class
            from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
    except ImportError as error:
        raise MissingDependencyError(
            f"this model needs nnU-Net version 2, which cannot be imported ({error})",
            remedy=_REMEDY,
        ) from error
    return SimpleNamespace(
        root=Path(nnunetv2.__path__[0]),
        nnUNetPredictor=nnUNetPredictor,
        nnUNetTrainer=nnUNetTrainer,
        PlansManager=PlansManager,
        find_class=recursive_find_python_class,
    )


def choose_device(name: str) -> Any:
    """Return the ``torch.device`` of ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises
    ------
    UsageError
        If it is none of these, or this machine has no such device.
    """
    torch = import_torch()
    kind, _, index = name.lower().partition(":")
    if kind == "auto" and not index:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if kind not in ("cpu", "cuda", "mps") or (index and not index.isdigit()):
        raise UsageError(
            f"there is no device {name!r}", remedy="Choose auto, cpu, cuda, cuda:N or mps"
        )
    count = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": 0}[kind]
    if kind == "mps":
        count = int(torch.backends.mps.is_available())
    if int(index or 0) >= count:
        seen = f"PyTorch sees {count}" if count else "PyTorch sees none"
        raise UsageError(
            f"there is no device {name!r} on this machine ({seen} of that kind)",
            remedy="Choose auto or cpu",
        )
    return torch.device(name.lower())


def may_have_cuda() -> bool:
    """Say whether asking torch for CUDA devices can be worth the second that importing it takes.

    On Linux a driver shows as a device file (``/dev/dxg`` under Windows' subsystem).
    """
    if sys.platform == "darwin":
        return False
    if not sys.platform.startswith("linux"):
        return True
    return any(Path("/dev").glob("nvidia*")) or Path("/dev/dxg").exists()


def has_plain_trainer(name: str) -> bool:
    """Say whether a trainer has the network of nnUNetTrainer, by its name."""
    return _PLAIN_TRAINER.fullmatch(name) is not None


def usable_threads() -> int:
    """Return how many cores this process may use.

    The fewest of: the cores it is bound to, the share of them that its container has
    (rounded up), and ``OMP_NUM_THREADS``.
    """
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # only Linux knows affinities
        cores = os.cpu_count() or 1
    share = _container_cores()
    if share is not None:
        cores = min(cores, max(1, int(-(-share // 1))))
    wish = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return min(cores, int(wish)) if wish.isdigit() and int(wish) > 0 else cores


def _container_cores(root: Path = _CGROUPS) -> float | None:
    """Return the cores that a container's quota of processor time amounts to, None without."""

    def words(*parts: str) -> list[str]:
        try:
            return root.joinpath(*parts).read_text(encoding="ascii").split()
        except (OSError, ValueError):
            return []

    numbers = words("cpu.max") or [
        *words("cpu", "cpu.cfs_quota_us"),
        *words("cpu", "cpu.cfs_period_us"),
    ]
    if len(numbers) != 2 or not all(number.isdigit() for number in numbers):
        return None  # "max", or -1: no limit
    quota, period = map(int, numbers)
    return quota / period if quota and period else None


@contextlib.contextmanager
def using_threads(threads: int | None) -> Iterator[None]:
    """Let torch use `threads` threads within the block, and put its setting back after."""
    torch = import_torch()
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, threads if threads is not None else usable_threads()))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read what inference needs of a checkpoint, without running code that it may carry.

    Parameters
    ----------
    path : Path
        Of :func:`sct_rootlets.model_folder.checkpoint_files`. Where the store has put the
        weights as safetensors beside it, those are read, and the file itself is not opened.

    Returns
    -------
    dict
        With network_weights, trainer_name, init_args (with configuration) and
        inference_allowed_mirroring_axes, as nnU-Net names them.

    Raises
    ------
    ModelError
        If it is damaged, holds anything but tensors and numbers, or lacks what nnU-Net
        needs of it.
    """
    weights, facts = converted_files(path)
    if weights.is_file() and facts.is_file():
        return read_converted(weights, facts)
    return read_pth(path)
