"""Plans and data sets that ask for more than there is, or name what could run code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["DATASETS", "NETWORKS", "PLANS", "TEXTS", "Edit"]

_MB = 1 << 20

#: Changes the content of a JSON file.
Edit = Callable[[dict[str, Any]], None]


def _stages(count: int, features: int) -> dict[str, Any]:
    return {
        "n_stages": count,
        "features_per_stage": [features] * count,
        "kernel_sizes": [[3, 3, 3]] * count,
        "strides": [[1, 1, 1]] * count,
        "n_conv_per_stage": [2] * count,
        "n_conv_per_stage_decoder": [2] * (count - 1),
    }


_SCALARS = dict.fromkeys(("features_per_stage", "kernel_sizes", "strides"), 3)

NETWORKS: dict[str, dict[str, Any]] = {
    "60 stages": _stages(60, 320),
    "16 stages": _stages(16, 2048),
    "10^5 stages": _stages(100_000, 4),
    "3 million stages in one number": {
        "n_stages": 3_000_000, **_SCALARS, "n_conv_per_stage": 1, "n_conv_per_stage_decoder": 1,
    },
    "10^12 stages in one number": {
        "n_stages": 10**12, **_SCALARS, "n_conv_per_stage": 1, "n_conv_per_stage_decoder": 1,
    },
    "10^6 features": {"features_per_stage": [10**6] * 2},
    "8000 features": {"features_per_stage": [8000] * 2},
    "10^4 convolutions": {"n_conv_per_stage": [10**4] * 2},
    "60 convolutions": {"n_conv_per_stage": [60, 60], "n_conv_per_stage_decoder": [60]},
    "10^9 convolutions": {"n_conv_per_stage": 10**9, "n_conv_per_stage_decoder": 10**9},
    "kernels of 999": {"kernel_sizes": [[999] * 3] * 2},
    "even kernels": {"kernel_sizes": [[2, 2, 2]] * 2},
    "strides of 0": {"strides": [[0, 0, 0]] * 2},
    "strides of 10^9": {"strides": [[1, 1, 1], [10**9] * 3]},
    "negative features": {"features_per_stage": [-2, -2]},
    "features of digits": {"features_per_stage": ["9" * 5000] * 2},
    "Upsample as the activation": {
        "nonlin": "torch.nn.Upsample", "nonlin_kwargs": {"scale_factor": 100},
    },
    "padding as the activation": {
        "nonlin": "torch.nn.ReplicationPad3d", "nonlin_kwargs": {"padding": 1000},
    },
    "a convolution as the norm": {
        "norm_op": "torch.nn.Conv3d",
        "norm_op_kwargs": {"out_channels": 2, "kernel_size": 1, "padding": 1000},
    },
    "transposed convolutions": {"conv_op": "torch.nn.ConvTranspose3d"},
    "os.system as the activation": {"nonlin": "os.system", "nonlin_kwargs": {}},
    "torch.hub.load as the activation": {"nonlin": "torch.nn.modules.module.torch.hub.load"},
    "an activation that is a list": {"nonlin": ["torch.nn.LeakyReLU"]},
    "arguments of arguments": {"nonlin_kwargs": {"inplace": {"inplace": [[[]]]}}},
    "an unknown argument": {"state_dict": "/etc/passwd"},
}  # fmt: skip


def _set(plans: dict[str, Any], *keys: str, value: Any) -> None:
    for key in keys[:-1]:
        plans = plans[key]
    plans[keys[-1]] = value


def _of_configuration(key: str, value: Any) -> Edit:
    return lambda plans: _set(plans, "configurations", "3d_fullres", key, value=value)


def _chain(count: int, *, is_circle: bool) -> Edit:
    def edit(plans: dict[str, Any]) -> None:
        known = plans["configurations"]
        known["last"] = {"inherits_from": "3d_fullres"} if is_circle else known["3d_fullres"]
        for number in range(count):
            known[f"c{number}"] = {"inherits_from": f"c{number + 1}"}
        known[f"c{count}"] = {"inherits_from": "last"}
        known["3d_fullres"] = {"inherits_from": "c0"}

    return edit


def _old(**changes: Any) -> Edit:
    """Let plans be as nnU-Net before 2.5 wrote them, which says a network in other words."""

    def edit(plans: dict[str, Any]) -> None:
        plan = plans["configurations"]["3d_fullres"]
        del plan["architecture"]
        plan.update(
            {
                "UNet_class_name": "PlainConvUNet", "UNet_base_num_features": 2,
                "unet_max_num_features": 2, "n_conv_per_stage_encoder": [1, 1],
                "n_conv_per_stage_decoder": [1], "conv_kernel_sizes": [[3] * 3] * 2,
                "pool_op_kernel_sizes": [[1] * 3, [2] * 3], **changes,
            }
        )  # fmt: skip

    return edit


def _class(name: Any) -> Edit:
    keys = ("configurations", "3d_fullres", "architecture", "network_class_name")
    return lambda plans: _set(plans, *keys, value=name)


PLANS: dict[str, Edit] = {
    "a circle of 10^4 configurations": _chain(10_000, is_circle=True),
    "a chain of 10^4 configurations": _chain(10_000, is_circle=False),
    "old plans of 10^5 stages": _old(n_conv_per_stage_encoder=[1] * 100_000),
    "old plans of 10^9 features": _old(UNet_base_num_features=10**9, unet_max_num_features=10**9),
    "old plans of another class": _old(UNet_class_name="os.system"),
    "a patch of 10^9": _of_configuration("patch_size", [10**9] * 3),
    "a patch of 4096": _of_configuration("patch_size", [4096] * 3),
    "a patch of 10^5 axes": _of_configuration("patch_size", [16] * 100_000),
    "a spacing of 1e-300": _of_configuration("spacing", [1e-300] * 3),
    "a spacing of lists": _of_configuration("spacing", [[], [], []]),
    "os.system as the class": _class("os.system"),
    "torch.hub.load as the class": _class("torch.hub.load"),
    "torch.load as the class": _class("torch.nn.modules.module.torch.load"),
    "a class of 10^6 dots": _class("torch.nn" + ".a" * 1_000_000),
    "a class that is no network": _class("torch.nn.LazyLinear"),
    "eval as the preprocessor": _of_configuration("preprocessor_name", "eval"),
    "os.system as the normalisation": _of_configuration("normalization_schemes", ["os.system"]),
    "os.system as the resampling": _of_configuration("resampling_fn_data", "os.system"),
    "another label manager": lambda plans: _set(plans, "label_manager", value="os.system"),
    "a strange transposition": lambda plans: _set(plans, "transpose_forward", value=[0] * 10**5),
}
DATASETS: dict[str, Edit] = {
    "a label of 10^18": lambda dataset: dataset["labels"].update(lvl2=10**18),
    "a negative label": lambda dataset: dataset["labels"].update(lvl2=-3),
    "a level of 5000 digits": lambda dataset: dataset["labels"].update({"lvl" + "9" * 5000: 4}),
    "10^5 labels": lambda dataset: dataset["labels"].update(
        {f"lvl{number}": number for number in range(100_000)}
    ),
    "labels of regions of regions": lambda dataset: dataset["labels"].update(lvl2=[[[1]]]),
    "10^5 channels": lambda dataset: dataset.update(
        channel_names={str(number): "MRI" for number in range(100_000)}
    ),
    "an orientation of 10 MB": lambda dataset: dataset.update(image_orientation="L" * 10 * _MB),
}


TEXTS: dict[str, Callable[[], str]] = {
    "17 MB": lambda: '{"labels": "' + "x" * (17 * _MB) + '"}',
    "16 MB of brackets": lambda: '{"labels": [' + "[]," * (5 * _MB) + "0]}",
    "16 MB of nested brackets": lambda: (
        '{"labels": [' + ("[" * 40 + "]" * 40 + ",") * 200_000 + "0]}"
    ),
    "a million open brackets": lambda: "[" * 1_000_000,
    "a number of 10^6 digits": lambda: '{"labels": {"lvl1": ' + "9" * 1_000_000 + "}}",
    "a label of 5000 digits": lambda: '{"labels": {"background": 0, "lvl1": ' + "9" * 5000 + "}}",
    "1e999": lambda: '{"labels": {"lvl1": 1e999}}',
    "no object": lambda: "[1]",
}
