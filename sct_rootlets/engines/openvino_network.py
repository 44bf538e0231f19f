"""Networks in OpenVINO: converted once, kept on disk, loaded without torch.

OpenVINO's own form of a network (an .xml and a .bin) is kept, not what it compiles for one
CPU: compiling takes a third of a second for the largest rootlets model, no more than reading
a compiled network does, and what is kept serves every CPU and precision.

Nothing here touches the network: OpenVINO's habit to report its use is kept from it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.engines.precise import mark_first_stage
from sct_rootlets.engines.runtime import quietly, usable_threads
from sct_rootlets.errors import MissingDependencyError, ModelError

__all__ = [
    "FULL_PRECISION",
    "MIXED_PRECISION",
    "OpenVINONetwork",
    "convert",
    "has_openvino",
    "import_openvino",
    "reduced_precision",
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
        Core=openvino.Core, save_model=openvino.save_model, version=openvino.get_version()
    )


def reduced_precision() -> str | None:
    """Return the precision below float32 that this CPU computes faster, None where none."""
    chosen = import_openvino().Core().get_property("CPU", "INFERENCE_PRECISION_HINT")
    name = chosen.get_type_name() if hasattr(chosen, "get_type_name") else str(chosen)
    return _REDUCED.get(name)


def convert(module: Any, patch: Sequence[int], xml: Path) -> None:
    """Write a torch module in OpenVINO's form, in float32, as `xml` and a .bin beside it.

    A second .xml for the same .bin has the marks that mixed precision needs.

    Parameters
    ----------
    module : torch.nn.Module
        From patches (1, 1, *patch) to scores.
    patch : sequence of int
    xml : Path

    Raises
    ------
    ModelError
        If OpenVINO cannot express the network.
    """
    import torch

    openvino = import_openvino()
    with _unreported():
        from openvino.frontend import FrontEndManager
        from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    example = torch.zeros((1, 1, *patch))
    try:
        with quietly(), torch.inference_mode():
            decoder = TorchScriptPythonDecoder(module.eval(), example_input=_small(example, module))
            frontend = FrontEndManager().load_by_framework("pytorch")
            model = frontend.convert(frontend.load(decoder))
        model.reshape([1, 1, *patch])
        _without_concatenations(model)
        openvino.save_model(model, str(xml), compress_to_fp16=False)
        mark_first_stage(xml, _marked(xml))
    except Exception as error:
        raise ModelError(
            f"OpenVINO cannot express its network ({str(error).splitlines()[0]:.200})",
            path=xml,
            remedy="Choose -engine torch or -engine nnunet",
        ) from error


def _marked(xml: Path) -> Path:
    return xml.with_suffix(".mixed.xml")


def _small(example: Any, module: Any) -> Any:
    """Return the smallest example that passes the network, which tracing does not depend on.

    The largest product of strides is 32 in nearly all of nnU-Net's networks, and tracing a
    whole patch would take a second and gigabytes.
    """
    sizes = [min(n, 64) for n in example.shape[2:]]
    small = example[tuple(slice(None) for _ in (0, 1)) + tuple(slice(0, n) for n in sizes)]
    try:
        module(small)
    except (RuntimeError, ValueError):
        return example
    return small


def _without_concatenations(model: Any) -> None:
    """Replace a convolution of joined channels by the sum of convolutions of its parts.

    A U-Net's decoder joins what comes up with what was skipped. The joined array is the
    largest of all, and copied into being; without it a network of the official kind takes
    0.3 GB and a tenth of the time less. The sum is the same but for its order.
    """
    from openvino import opset13 as operations

    for node in model.get_ordered_ops():
        if node.get_type_name() != "Concat" or node.get_attributes()["axis"] != 1:
            continue
        readers = list(node.output(0).get_target_inputs())
        convolution = readers[0].get_node()
        if len(readers) != 1 or convolution.get_type_name() != "Convolution":
            continue
        weights = convolution.input_value(1).get_node()
        if weights.get_type_name() != "Constant":
            continue
        given = convolution.get_attributes()
        parts, at = [], 0
        for number in range(node.get_input_size()):
            value = node.input_value(number)
            channels = value.get_partial_shape()[1].get_length()
            share = np.ascontiguousarray(weights.data[:, at : at + channels])
            at += channels
            parts.append(
                operations.convolution(
                    value,
                    operations.constant(share),
                    given["strides"],
                    given["pads_begin"],
                    given["pads_end"],
                    given["dilations"],
                    given["auto_pad"],
                )
            )
        total = parts[0]
        for part in parts[1:]:
            total = operations.add(total, part)
        for reader in list(convolution.output(0).get_target_inputs()):
            reader.replace_source_output(total.output(0))
    model.validate_nodes_and_infer_types()


class OpenVINONetwork:
    """A network compiled for this CPU.

    Parameters
    ----------
    xml : Path
        Of :func:`convert`.
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
        core = import_openvino().Core()
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
        """Score tiles; see :class:`sct_rootlets.engines.networks.Network`."""
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
    for line in mapped:
        span, access, *_ = line.split(maxsplit=2)
        # Pages that could have been written to would lose what was written.
        if line.endswith(f" {file.resolve()}") and "w" not in access:
            start, end = (int(address, 16) for address in span.split("-"))
            advise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), advice_not_needed)
