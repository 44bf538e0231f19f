"""A plain U-Net in OpenVINO's form, written from its weights without torch.

Layer by layer the same as what OpenVINO converts of the network in torch, to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.engines.networks.openvino_network import import_openvino, save_network
from sct_rootlets.engines.networks.skip_connections import split_skip_connections
from sct_rootlets.engines.networks.unet import Block, PlainUNet

__all__ = ["write_plain_unet"]


def write_plain_unet(
    unet: PlainUNet, weights: Mapping[str, NDArray[Any]], patch: Sequence[int], xml: Path
) -> None:
    """Write a network as :func:`sct_rootlets.engines.networks.openvino_convert.convert` does.

    Parameters
    ----------
    unet : PlainUNet
    weights : mapping of str to array
        Of :meth:`PlainUNet.weights_of`.
    patch : sequence of int
        That the network fits.
    xml : Path
    """
    openvino = import_openvino()
    graph = _Graph(openvino.operations, unet, weights)
    given = openvino.operations.parameter([1, 1, *patch], np.float32, name="x")
    model = openvino.Model([graph.scores(given)], [given], "plain U-Net")
    split_skip_connections(model)
    save_network(model, xml)


class _Graph:
    """Nodes of OpenVINO's for the parts of a network."""

    def __init__(
        self, operations: Any, unet: PlainUNet, weights: Mapping[str, NDArray[Any]]
    ) -> None:
        self._make = operations
        self._unet = unet
        self._weights = weights
        self._axes = len(unet.strides[0])

    def scores(self, value: Any) -> Any:
        """Return the class scores of a patch."""
        unet, skipped = self._unet, []
        for stage in range(len(unet.features)):
            for block in unet.encoder(stage):
                value = self._block(block, value)
            skipped.append(value)
        skipped.pop()
        for step in range(len(unet.back)):
            value = self._make.concat([self._up(step, value), skipped.pop()], 1)
            for block in unet.decoder(step):
                value = self._block(block, value)
        last = f"decoder.seg_layers.{len(unet.back) - 1}"
        kernel = self._constant(f"{last}.weight")
        return self._biased(self._convolved(value, kernel, (1,) * self._axes), last)

    def _up(self, step: int, value: Any) -> Any:
        name, stride = f"decoder.transpconvs.{step}", list(self._unet.strides[-1 - step])
        still = [0] * self._axes
        value = self._make.convolution_backprop_data(
            value,
            self._constant(f"{name}.weight"),
            stride,
            pads_begin=still,
            pads_end=still,
            dilations=[1] * self._axes,
            output_padding=still,
            name=name,
        )
        return self._biased(value, name) if self._unet.has_bias else value

    def _block(self, block: Block, value: Any) -> Any:
        kernel = self._constant(f"{block.name}.conv.weight")
        value = self._convolved(value, kernel, block.stride)
        if self._unet.has_bias:
            value = self._biased(value, f"{block.name}.conv")
        if self._unet.has_norm:
            value = self._normalised(value, f"{block.name}.norm")
        return self._make.prelu(value, self._number(np.float32(self._unet.slope)))

    def _convolved(self, value: Any, kernel: Any, stride: Sequence[int]) -> Any:
        padding = [(n - 1) // 2 for n in list(kernel.shape)[2:]]
        once = [1] * self._axes
        name = kernel.get_friendly_name().replace(".weight", "")
        return self._make.convolution(
            value, kernel, list(stride), padding, padding, once, "explicit", name
        )

    def _normalised(self, value: Any, name: str) -> Any:
        """Return a value with mean 0 and variance 1 in each channel, and the norm's weights."""
        axes = self._make.constant(np.arange(2, 2 + self._axes, dtype=np.int32))
        eps = float(np.float32(self._unet.eps))
        value = self._make.mvn(value, axes, True, eps, "inside_sqrt")
        if not self._unet.is_affine:
            return value
        value = self._make.multiply(value, self._constant(f"{name}.weight", a_channel=True))
        return self._make.add(value, self._constant(f"{name}.bias", a_channel=True))

    def _biased(self, value: Any, name: str) -> Any:
        return self._make.add(value, self._constant(f"{name}.bias", a_channel=True))

    def _constant(self, name: str, *, a_channel: bool = False) -> Any:
        """Return a weight, shaped for one number a channel where it is that."""
        array = self._weights[name]
        return self._number(array.reshape(1, -1, *[1] * self._axes) if a_channel else array, name)

    def _number(self, array: Any, name: str | None = None) -> Any:
        single = np.ascontiguousarray(array, dtype=np.float32)
        return self._make.constant(single.reshape(np.shape(array)), name=name)
