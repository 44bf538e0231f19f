"""What is known of a plain U-Net by its plans, and what is not taken for one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sct_rootlets.engines.networks.architecture import build_network
from sct_rootlets.engines.networks.unet import PlainUNet, old_architecture, plain_unet
from sct_rootlets.model_folder import read_model_folder
from sct_rootlets.store import locate
from tests.engines.networks.test_openvino_graph import (
    kwargs_of,
    without_architecture,
    write,
)

CLASS = "dynamic_network_architectures.architectures.unet.PlainConvUNet"
IMPORTED = ["conv_op", "norm_op", "dropout_op", "nonlin"]


def test_old_plans_are_read_as_by_nnunet(tmp_path):
    handler = pytest.importorskip("nnunetv2.utilities.plans_handling.plans_handler")
    folder = write(tmp_path, features_per_stage=[6, 12, 20])
    stated = kwargs_of(features_per_stage=[6, 12, 20])
    without_architecture(folder)
    plan = json.loads((folder / "plans.json").read_text())["configurations"]["3d_fullres"]
    found = old_architecture(plan)
    with pytest.warns(UserWarning, match="old nnU-Net plans"):
        expected = handler.ConfigurationManager(plan).configuration["architecture"]
    assert found == expected
    assert found["arch_kwargs"] == {**stated, "conv_op": "torch.nn.modules.conv.Conv3d"}


def architecture(**changes: Any) -> dict[str, Any]:
    return {
        "network_class_name": CLASS,
        "arch_kwargs": kwargs_of(**changes),
        "_kw_requires_import": IMPORTED,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"dropout_op": "torch.nn.Dropout3d", "dropout_op_kwargs": {"p": 0.1}},
        {"norm_op": "torch.nn.BatchNorm3d"},
        {"norm_op": "torch.nn.InstanceNorm2d"},
        {"norm_op_kwargs": {"eps": 1e-5, "affine": True, "track_running_stats": True}},
        {"nonlin": "torch.nn.ReLU"},
        {"nonlin": None},
        {"nonlin_first": True},
        {"pool": "max"},
        {"conv_op": "torch.nn.Conv1d"},
        {"kernel_sizes": [[2, 3, 3]] * 3},
        {"strides": [[1, 1, 1]] * 2},
        {"features_per_stage": [6, 10]},
        {"n_conv_per_stage": [2, 0, 2]},
        {"n_stages": None},
        {"n_stages": "3"},
        {"norm_op_kwargs": {"eps": 10**400, "affine": True}},
    ],
    ids=str,
)
def test_what_is_not_quite_a_plain_u_net_is_none(changes):
    assert PlainUNet.of(architecture(), 4) is not None
    assert PlainUNet.of(architecture(**changes), 4) is None


def test_neither_is_another_class():
    other = {**architecture(), "network_class_name": CLASS.replace("PlainConv", "ResidualEncoder")}
    assert PlainUNet.of(other, 4) is None
    assert PlainUNet.of({}, 4) is None
    assert PlainUNet.of({**architecture(), "_kw_requires_import": ["nonlin"]}, 4) is None


@pytest.mark.parametrize(("stages", "known"), [(64, True), (65, False), (10**12, False)])
def test_stages_are_bounded(stages, known):
    alike = ("features_per_stage", "kernel_sizes", "strides", "n_conv_per_stage")
    scalars = dict.fromkeys((*alike, "n_conv_per_stage_decoder"), 3)
    assert (PlainUNet.of(architecture(n_stages=stages, **scalars), 4) is not None) is known


@pytest.mark.parametrize(("stages", "known"), [(64, True), (65, False)])
def test_stages_of_old_plans_are_bounded(stages, known):
    plan = {
        "UNet_class_name": "PlainConvUNet", "UNet_base_num_features": 2,
        "unet_max_num_features": 4, "n_conv_per_stage_encoder": [2] * stages,
        "n_conv_per_stage_decoder": [2] * stages, "conv_kernel_sizes": [], "patch_size": [8] * 3,
        "pool_op_kernel_sizes": [],
    }  # fmt: skip
    assert (old_architecture(plan) is not None) is known


def test_layers_are_not_listed_where_there_are_fewer_weights(monkeypatch):
    unet = PlainUNet.of(architecture(n_conv_per_stage=[2, 2, 10**12]), 4)
    assert unet is not None
    monkeypatch.setattr(PlainUNet, "_shapes", None)
    assert unet.weights_of({"a": 1, "b": 2}) is None


@pytest.mark.parametrize(
    ("patch", "fits"),
    [((16, 24, 20), True), ((16, 24, 18), False), ((4, 4, 4), False), ((16, 24), False)],
)
def test_a_patch_must_be_halved_as_often_as_the_network_does(patch, fits):
    unet = PlainUNet.of(architecture(), 4)
    assert unet is not None
    assert unet.fits(patch) is fits


@pytest.mark.parametrize("harm", ["missing", "more", "another shape", "two values for a layer"])
def test_other_weights_than_the_networks_are_left_to_torch_to_refuse(harm):
    unet = PlainUNet.of(architecture(), 4)
    assert unet is not None
    network = build_network(architecture(), 4, Path("model"))
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    assert unet.weights_of(state) is not None
    name = "encoder.stages.1.0.convs.0.all_modules.0.weight"
    if harm == "missing":
        state = {key: value for key, value in state.items() if "stages.1.0.convs.0.norm" not in key}
        state = {key: v for key, v in state.items() if "1.0.convs.0.all_modules.1" not in key}
    elif harm == "more":
        state["encoder.stages.3.0.convs.0.conv.weight"] = state[name]
    elif harm == "another shape":
        state[name] = state[name][..., :1]
    else:
        state[name] = state[name] + 1
    assert unet.weights_of(state) is None


def test_the_plans_of_the_bundled_model_are_plain():
    folder = locate("bundled").folder
    unet = plain_unet(read_model_folder(folder).plan("3d_fullres"))
    assert unet is not None
    assert unet.classes == 4
