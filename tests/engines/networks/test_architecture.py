from __future__ import annotations

import pytest

from sct_rootlets.engines.networks.architecture import (
    build_network,
    check_architecture,
    network_part,
)
from sct_rootlets.errors import MissingDependencyError, ModelError

torch = pytest.importorskip("torch")

UNET = "dynamic_network_architectures.architectures.unet.PlainConvUNet"


def test_layers_and_networks_are_found(tmp_path):
    assert network_part("torch.nn.LeakyReLU", tmp_path) is torch.nn.LeakyReLU
    assert network_part("torch.nn.modules.conv.Conv3d", tmp_path) is torch.nn.Conv3d
    unet = pytest.importorskip("dynamic_network_architectures.architectures.unet")
    assert network_part(UNET, tmp_path) is unet.PlainConvUNet


def architecture(keys, arguments):
    """Return a network whose arguments named by `keys` have to be imported."""
    return {
        "network_class_name": "torch.nn.Conv3d",
        "arch_kwargs": arguments,
        "_kw_requires_import": keys,
    }


@pytest.mark.parametrize(
    "name",
    [
        "torch.hub.load",
        "torch.nn.modules.module.torch.hub.load",
        "torch.nn.functional.conv3d",
        "torch.nn.functional",
        "torch.nn.Parameter",
        "torch.nnothing.Conv3d",
        "dynamic_network_architectures.architectures.unet.Union",
        "os.system",
        "torch.nn.LeakyReLU\x1b[2J",
        "torch.nn." + "x" * 300,
        "",
        None,
        3,
        ["torch.nn.LeakyReLU"],
    ],
)
def test_what_is_no_part_of_a_network_is_refused(tmp_path, name):
    with pytest.raises(ModelError, match="no part of a network"):
        network_part(name, tmp_path)
    if name is not None:  # a layer that a network does without
        with pytest.raises(ModelError, match="no part of a network"):
            check_architecture(architecture(["nonlin"], {"nonlin": name}), tmp_path)


def test_what_this_installation_lacks_is_said_so(tmp_path):
    with pytest.raises(MissingDependencyError, match="installed torch does not have"):
        network_part("torch.nn.ReLU99", tmp_path)
    with pytest.raises(MissingDependencyError, match=r"dynamic_network_architectures\.none\.UNet"):
        network_part("dynamic_network_architectures.none.UNet", tmp_path)


def test_arguments_to_import_are_checked_too(tmp_path):
    arguments = {"nonlin": "os.system", "dropout_op": None, "stages": "os.system"}
    check_architecture(architecture(["dropout_op"], arguments), tmp_path)
    with pytest.raises(ModelError, match=r"'os\.system'"):
        check_architecture(architecture(["dropout_op", "nonlin"], arguments), tmp_path)
    check_architecture(None, tmp_path)


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("conv_op", "Conv2d", "ConvTranspose2d"),
        ("conv_op", "modules.conv.Conv3d", "LazyConv3d"),
        ("conv_op", "Conv1d", "Unfold"),
        ("norm_op", "InstanceNorm3d", "Conv3d"),
        ("norm_op", "GroupNorm", "Linear"),
        ("norm_op", "BatchNorm3d", "LeakyReLU"),
        ("dropout_op", "Dropout3d", "ReplicationPad3d"),
        ("nonlin", "LeakyReLU", "Upsample"),
        ("nonlin", "Identity", "modules.padding.ConstantPad3d"),
        ("another", "GELU", "PixelShuffle"),
    ],
)
def test_a_layer_has_to_be_of_the_kind_it_stands_for(tmp_path, key, good, bad):
    """Others give more voxels than they take: any memory is full of them after some layers."""
    check_architecture(architecture([key], {key: f"torch.nn.{good}"}), tmp_path)
    with pytest.raises(ModelError, match=f"as the {key} of its network, which is none"):
        check_architecture(architecture([key], {key: f"torch.nn.{bad}"}), tmp_path)


def test_a_part_of_nnunets_networks_may_be_another_argument(tmp_path):
    pytest.importorskip("dynamic_network_architectures")
    block = "dynamic_network_architectures.building_blocks.residual.BasicBlockD"
    check_architecture(architecture(["block"], {"block": block}), tmp_path)
    with pytest.raises(ModelError, match="BasicBlockD as the nonlin"):
        check_architecture(architecture(["nonlin"], {"nonlin": block}), tmp_path)


def test_what_fails_as_it_is_imported_is_said(tmp_path, monkeypatch):
    def fails(name):
        raise RuntimeError("no operator")

    monkeypatch.setattr("importlib.import_module", fails)
    with pytest.raises(MissingDependencyError, match="which cannot be imported"):
        network_part(UNET, tmp_path)


@pytest.mark.parametrize("keys", [{"nonlin": 1}, "nonlin", [["nonlin"]], 3])
@pytest.mark.parametrize("arguments", [{"nonlin": "os.system"}, None])
def test_a_list_that_is_none_hides_nothing(tmp_path, keys, arguments):
    hiding = architecture(keys, arguments)
    for each in (hiding, [hiding]):
        with pytest.raises(ModelError, match="an architecture"):
            check_architecture(each, tmp_path)


@pytest.mark.parametrize("keys", [["nonlin"], ["none"]])
def test_a_network_that_cannot_be_built_is_said(tmp_path, keys):
    with pytest.raises(ModelError, match="cannot be built"):
        build_network(architecture(keys, {"nonlin": None}), 4, tmp_path)
