"""How much arithmetic one tile of a model is, and how many bytes it cannot but move."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["Tile", "count", "floor_s", "of_model", "whole_tiles"]


@dataclass(frozen=True)
class Tile:
    """What one pass of a network over one patch takes.

    Attributes
    ----------
    flop : int
        Floating-point operations of the convolutions and transposed convolutions, a multiply
        and an add counted as two. Norms and activations, some thousandths of it, are left out.
    elements : int
        Elements that the convolutions read and write: input, weights and output of each one
        once, as if norms and activations cost no pass over memory of their own.
    parameters : int
    """

    flop: int
    elements: int
    parameters: int


def count(network: torch.nn.Module, patch: Sequence[int], channels: int = 1) -> Tile:
    """Count the work of `network` on one patch of `channels` channels.

    The network is run on torch's meta device, where tensors have shapes and no values: it
    is moved there, and is of no use afterwards.
    """
    import torch

    flop = elements = 0

    def add(module: Any, inputs: Any, output: Any) -> None:
        nonlocal flop, elements
        given = inputs[0]
        window = math.prod(module.kernel_size)
        if module.transposed:  # every input voxel is spread over one window
            products = given.numel() * module.out_channels // module.groups * window
        else:
            products = output.numel() * module.in_channels // module.groups * window
        flop += 2 * products
        elements += given.numel() + output.numel() + module.weight.numel()

    convolutions = torch.nn.modules.conv._ConvNd
    parameters = sum(each.numel() for each in network.parameters())
    network = network.to("meta").eval()
    hooks = [
        module.register_forward_hook(add)
        for module in network.modules()
        if isinstance(module, convolutions)
    ]
    with torch.no_grad():
        network(torch.empty((1, channels, *patch), device="meta"))
    for hook in hooks:
        hook.remove()
    return Tile(flop, elements, parameters)


def of_model(plans: dict[str, Any], classes: int, configuration: str = "3d_fullres") -> Tile:
    """Count the work of one tile of a model from its plans.json."""
    from training.export import build_network

    chosen = plans["configurations"][configuration]
    network = build_network(chosen["architecture"]["arch_kwargs"], classes)
    return count(network, chosen["patch_size"])


def whole_tiles(
    shape_zyx: Sequence[int],
    spacing_zyx: Sequence[float],
    network_spacing_zyx: Sequence[float],
    patch_zyx: Sequence[int],
) -> int:
    """Return how many half-overlapping tiles nnU-Net lays over a whole image.

    Nothing of the image is taken to be cropped away, and the axes not to be transposed.
    """
    tiles = 1
    for n, mm, network_mm, patch in zip(
        shape_zyx, spacing_zyx, network_spacing_zyx, patch_zyx, strict=True
    ):
        voxels = max(round(n * mm / network_mm), patch)
        tiles *= math.ceil((voxels - patch) / (patch * 0.5)) + 1
    return tiles


def floor_s(tile: Tile, tiles: int, peak_gflop_s: float, copy_gb_s: float, size: int) -> float:
    """Return the seconds below which `tiles` tiles cannot be done on a machine.

    Parameters
    ----------
    tile : Tile
    tiles : int
    peak_gflop_s : float
        Measured rate of a large matrix product.
    copy_gb_s : float
        Measured rate of a copy, bytes read and bytes written together.
    size : int
        Bytes an element.
    """
    return tiles * max(tile.flop / peak_gflop_s, tile.elements * size / copy_gb_s) / 1e9
