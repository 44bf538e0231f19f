"""From networks in torch to OpenVINO's form, by OpenVINO's own converter.

For what :mod:`sct_rootlets.engines.networks.openvino_graph` cannot write.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sct_rootlets.engines.networks.openvino_network import import_torch_frontend, save_network
from sct_rootlets.engines.networks.runtime import quietly
from sct_rootlets.engines.networks.skip_connections import split_skip_connections
from sct_rootlets.errors import ModelError

__all__ = ["convert"]


def convert(module: Any, patch: Sequence[int], xml: Path) -> None:
    """Write a torch module in OpenVINO's form, in float32, as `xml` and a .bin beside it.

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

    openvino = import_torch_frontend()
    example = torch.zeros((1, 1, *patch))
    try:
        with quietly(), torch.inference_mode():
            decoder = openvino.Decoder(module.eval(), example_input=_small(example, module))
            frontend = openvino.FrontEndManager().load_by_framework("pytorch")
            model = frontend.convert(frontend.load(decoder))
        model.reshape([1, 1, *patch])
        split_skip_connections(model)
        save_network(model, xml)
    except Exception as error:
        raise ModelError(
            f"OpenVINO cannot express its network ({str(error).splitlines()[0]:.200})",
            path=xml,
            remedy="Choose -engine torch or -engine nnunet",
        ) from error


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
