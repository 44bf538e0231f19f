"""Networks in OpenVINO: written once, kept on disk, loaded without torch.

OpenVINO's own form of a network (an .xml and a .bin) is kept, not what it compiles for one
CPU: compiling takes a third of a second for the largest rootlets model, no more than reading
a compiled network does, and what is kept serves every CPU and precision.

Nothing here touches the network: OpenVINO's habit to report its use is kept from it.
"""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.engines.networks.precision_marks import mark_first_stage
from sct_rootlets.engines.networks.runtime import usable_threads
from sct_rootlets.errors import MissingDependencyError, ModelError

__all__ = [
    "FULL_PRECISION",
    "MIXED_PRECISION",
    "OpenVINONetwork",
    "has_openvino",
    "import_openvino",
    "import_torch_frontend",
    "reduced_precision",
    "save_network",
]

logger = logging.getLogger(__name__)

_Array = NDArray[np.float32]

#: OpenVINO's name of float32.
FULL_PRECISION = "f32"

#: What :func:`reduced_precision` names, but for the first stage, which is in float32.
MIXED_PRECISION = "mixed"

#: OpenVINO's names of the types that it chooses by itself on hardware that gains from them.
_REDUCED = {"bfloat16": "bf16", "float16": "f16", "bf16": "bf16", "f16": "f16"}


def has_openvino() -> bool:
    """Say whether OpenVINO is installed and can be loaded."""
    try:
        import_openvino()
    except MissingDependencyError as error:
        logger.info("%s", error)
        return False
    return True


@contextmanager
def _unreported() -> Iterator[None]:
    """Keep ``import openvino`` from reporting itself to its makers over the network.

    It does so through a package of its own, in another process, on every import, and goes
    without where that package is missing, which is what it is made to see.
    """
    name = "openvino_telemetry"
    before = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before


def import_openvino() -> SimpleNamespace:
    """Return what is used of OpenVINO.

    Raises
    ------
    MissingDependencyError
        If it is not installed or cannot be loaded.
    """
    try:
        with _unreported():
            import openvino
    except (ImportError, OSError) as error:
        raise MissingDependencyError(
            f"OpenVINO cannot be imported ({error})",
            remedy='Install it with: pip install "sct_rootlets[standalone]", or choose another '
            "-engine",
        ) from error
    return SimpleNamespace(
        Core=openvino.Core,
        Model=openvino.Model,
        operations=openvino.opset13,
        save_model=openvino.save_model,
        version=openvino.get_version(),
    )


def import_torch_frontend() -> SimpleNamespace:
    """Return what OpenVINO converts networks in torch with."""
    import_openvino()
    with _unreported():
        from openvino.frontend import FrontEndManager
        from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
    return SimpleNamespace(FrontEndManager=FrontEndManager, Decoder=TorchScriptPythonDecoder)


@functools.cache
def _core() -> Any:
    """Return the one core of this process, which lasts as long.

    A core sets a stack for handlers of signals as it comes, and puts back the one before as it
    goes. Of two that go in the order in which they came, the second puts back the stack that the
    first has freed, and the next signal to be handled, such as Ctrl-C, is a segmentation fault.
    """
    return import_openvino().Core()


def reduced_precision() -> str | None:
    """Return the precision below float32 that this CPU computes faster, None where none."""
    chosen = _core().get_property("CPU", "INFERENCE_PRECISION_HINT")
    name = chosen.get_type_name() if hasattr(chosen, "get_type_name") else str(chosen)
    return _REDUCED.get(name)


def save_network(model: Any, xml: Path) -> None:
    """Write a network in OpenVINO's form, in float32, as `xml` and a .bin beside it.

    A second .xml for the same .bin has the marks that mixed precision needs.
    """
    import_openvino().save_model(model, str(xml), compress_to_fp16=False)
    mark_first_stage(xml, _marked(xml))


def _marked(xml: Path) -> Path:
    return xml.with_suffix(".mixed.xml")


class OpenVINONetwork:
    """A network compiled for this CPU.

    Parameters
    ----------
    xml : Path
        Of :func:`save_network`.
    precision : str
        ``"f32"``, ``"mixed"``, or what :func:`reduced_precision` names.
    threads : int, optional
        As in :func:`sct_rootlets.engines.load_engine`.
    """

    def __init__(
        self, xml: Path, precision: str = FULL_PRECISION, threads: int | None = None
    ) -> None:
        is_mixed = precision == MIXED_PRECISION
        weights = xml.with_suffix(".bin")
        core = _core()
        settings = {
            "INFERENCE_PRECISION_HINT": (
                reduced_precision() or FULL_PRECISION if is_mixed else precision
            ),
            "INFERENCE_NUM_THREADS": max(1, threads or usable_threads()),
            "NUM_STREAMS": 1,
            # Processes side by side would all be pinned to the same cores.
            "ENABLE_CPU_PINNING": False,
        }
        try:
            model = core.read_model(str(_marked(xml) if is_mixed else xml), str(weights))
            compiled = core.compile_model(model, "CPU", settings)
            del model
        except RuntimeError as error:
            raise ModelError(
                f"OpenVINO cannot load it ({str(error).splitlines()[0]:.200})",
                path=xml,
                remedy="Remove the file, and it is made again",
            ) from error
        self._request = compiled.create_infer_request()
        _let_go_of(weights)

    def scores(self, tiles: _Array) -> _Array:
        """Score tiles; see :class:`sct_rootlets.engines.networks.torch_network.Network`."""
        answers = []
        for tile in tiles:
            given = np.ascontiguousarray(tile[None, None])
            (answer,) = self._request.infer(
                [given], share_inputs=True, share_outputs=len(tiles) == 1
            ).values()
            answers.append(answer[0])
        return answers[0][None] if len(answers) == 1 else np.stack(answers)


def _let_go_of(file: Path) -> None:
    """Give back the memory of a mapped file's pages, until somebody reads them again.

    OpenVINO keeps the file of weights mapped beside the form into which it has brought them
    for this CPU, and does not read it again: 0.12 GB of the largest rootlets model. Only
    Linux tells what is mapped where; elsewhere this does nothing.
    """
    import ctypes

    advice_not_needed = 4
    try:
        mapped = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
        advise = ctypes.CDLL(None).madvise
    except (OSError, AttributeError, TypeError):
        return
    ending = f" {file.resolve()}"
    for line in mapped:
        if not line.endswith(ending):
            continue
        span, access, *_ = line.split(maxsplit=2)
        # Pages that could have been written to would lose what was written.
        if "w" not in access:
            start, end = (int(address, 16) for address in span.split("-"))
            advise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), advice_not_needed)
