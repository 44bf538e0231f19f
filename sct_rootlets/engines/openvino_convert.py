"""From networks in torch to OpenVINO's form, by OpenVINO's own converter.

For what :mod:`sct_rootlets.engines.openvino_graph` cannot write.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sct_rootlets.engines.openvino_network import (
    import_openvino,
    import_torch_frontend,
    save_network,
)
from sct_rootlets.engines.runtime import quietly
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
        _without_concatenations(model)
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


def _without_concatenations(model: Any) -> None:
    """Replace a convolution of joined channels by the sum of convolutions of its parts.

    A U-Net's decoder joins what comes up with what was skipped. The joined array is the
    largest of all, and copied into being; without it a network of the official kind takes
    0.3 GB and a tenth of the time less. The sum is the same but for its order.
    """
    operations = import_openvino().operations
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
