"""Whether a network that plans.json names can be one that engines build."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sct_rootlets.model_folder.model_json import is_number, is_whole, shown

__all__ = ["network_problem"]

_NETWORK = re.compile(r"dynamic_network_architectures(\.[a-z_0-9]+)+\.[A-Z]\w*", re.ASCII)
_TORCH = r"torch\.nn\.(modules\.[a-z]+\.)?"

#: The layers that an argument of a network may be: they give as many voxels as they take.
_LAYERS = {
    key: re.compile(f"{_TORCH}({names})", re.ASCII)
    for key, names in {
        "conv_op": "Conv[123]d",
        "norm_op": r"[A-Z]\w*Norm([123]d)?|Identity",
        "dropout_op": r"\w*Dropout([123]d)?|Identity",
        "nonlin": r"(?!GLU$)\w*(LU6?|igmoid|anh|ish|Soft\w*|hrink|Threshold)|Identity",
    }.items()
}
_LAYER = re.compile(f"{_TORCH}[A-Z][A-Za-z0-9]*", re.ASCII)

#: What nnU-Net's plans called a network before they named classes, in 2.5.
_OLD_NETWORKS = ("PlainConvUNet", "ResidualEncoderUNet")
_OLD_COUNTS = (
    "n_conv_per_stage_encoder", "n_conv_per_stage_decoder", "UNet_base_num_features",
    "unet_max_num_features", "conv_kernel_sizes", "num_pool_per_axis",
)  # fmt: skip

#: Stages of a network, of which nnU-Net plans eight at most, and the stride of each.
_MOST_STAGES, _LONGEST_STRIDE = 16, 16

#: Layers of a stage, and channels or anything else that a network counts.
_MOST_LAYERS, _MOST_OF_ALL = 64, 1 << 13


def network_problem(settings: Mapping[str, Any], patch: Sequence[int]) -> str:
    """Say what forbids that engines build and run the network of a configuration, or nothing.

    Parameters
    ----------
    settings : mapping
        The configuration.
    patch : sequence of int
        Voxels that the network sees at a time.
    """
    if "architecture" not in settings:
        old = settings.get("UNet_class_name")
        if old not in _OLD_NETWORKS:
            return f"names no architecture, and the UNet_class_name {shown(old)}"
        counts = {key: settings[key] for key in _OLD_COUNTS if key in settings}
        return _count_problem(counts) or _stride_problem(
            settings.get("pool_op_kernel_sizes"), patch
        )
    whole = settings["architecture"]
    given = whole if isinstance(whole, dict) else {}
    arguments: Any = given.get("arch_kwargs")
    keys: Any = given.get("_kw_requires_import")
    named = isinstance(keys, list) and all(isinstance(key, str) for key in keys)
    if not isinstance(arguments, dict) or not named:
        return "has an architecture that is not as nnU-Net writes it"
    name: Any = given.get("network_class_name")
    if not _is_name(name, _NETWORK):
        return f"asks for {shown(name)}, which is no part of a network"
    for key in keys:
        part = arguments.get(key)
        known = [_LAYERS[key]] if key in _LAYERS else [_LAYER, _NETWORK]
        if part is not None and not any(_is_name(part, form) for form in known):
            return f"asks for {shown(part)} as {shown(key)}, which is no part of a network"
    convolution = str(arguments.get("conv_op"))
    if convolution.endswith("d") and not convolution.endswith(f"Conv{len(patch)}d"):
        return f"has a patch of {len(patch)} axes for a network of {shown(convolution)}"
    if problem := _count_problem(arguments):
        return problem
    return _stride_problem(arguments.get("strides"), patch) if name.endswith("UNet") else ""


def _count_problem(arguments: Mapping[str, Any]) -> str:
    """Say which count is larger than that of any network, before one is built by it."""
    for name, value in arguments.items():
        most = _MOST_LAYERS if name.startswith("n_") else _MOST_OF_ALL
        inside = [value]
        for each in inside:  # which grows meanwhile
            if isinstance(each, (dict, list)):
                inside += each.values() if isinstance(each, dict) else each
            elif type(each) in (int, float) and not is_number(each, -most, most):
                return f"has a network with the {shown(name)} {shown(value)}"
        if len(inside) > _MOST_OF_ALL:
            return f"has a network with the {shown(name)} {shown(value)}"
    return ""


def _is_name(name: Any, form: re.Pattern[str]) -> bool:
    return isinstance(name, str) and form.fullmatch(name) is not None


def _stride_problem(strides: Any, patch: Sequence[int]) -> str:
    """Say why a U-Net cannot halve a patch as its stages do, and join what it skipped after."""
    if not isinstance(strides, list) or not 1 <= len(strides) <= _MOST_STAGES:
        return f"has a network of the strides {shown(strides)}"
    left = list(patch)
    for number, stride in enumerate(strides):
        steps = stride if isinstance(stride, list) else [stride] * len(left)
        if len(steps) != len(left) or not all(is_whole(n, 1, _LONGEST_STRIDE) for n in steps):
            return f"has a network of the stride {shown(stride)}"
        if number == 0 and set(steps) != {1}:
            return f"has a network of the first stride {shown(stride)}, which has to be 1"
        if any(n % step for n, step in zip(left, steps, strict=True)):
            return (
                f"has the patch_size {shown(list(patch))}, which its network of the strides "
                f"{shown(strides)} cannot divide"
            )
        left = [n // step for n, step in zip(left, steps, strict=True)]
    return ""
