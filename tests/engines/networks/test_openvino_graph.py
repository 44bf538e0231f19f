"""Plain U-Nets written for OpenVINO without torch, against what torch builds of the same plans."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sct_rootlets.engines.networks import network_cache
from sct_rootlets.engines.networks.openvino_network import OpenVINONetwork
from sct_rootlets.model_folder import read_model_folder
from sct_rootlets.store import locate
from tests.engines.conftest import edited, write_random

pytest.importorskip("openvino")
torch = pytest.importorskip("torch")
pytest.importorskip("dynamic_network_architectures")

from training.export import plain_conv_unet_kwargs  # noqa: E402


def kwargs_of(**changes: Any) -> dict[str, Any]:
    return {**plain_conv_unet_kwargs((6, 10, 12), (1, 2, 2)), **changes}


#: Every freedom that plans have and a plain U-Net keeps.
VARIANTS: dict[str, dict[str, Any]] = {
    "usual": {},
    "thick slices, stages of different length": {
        "kernel_sizes": [[1, 3, 3], [1, 3, 3], [3, 3, 3]],
        "strides": [[1, 1, 1], [1, 2, 2], [2, 2, 1]],
        "n_conv_per_stage": [1, 3, 2],
        "n_conv_per_stage_decoder": [3, 1],
    },
    "one number for all, no bias": {
        "kernel_sizes": 3,
        "strides": [1, 2, 2],
        "n_conv_per_stage": 2,
        "n_conv_per_stage_decoder": 1,
        "conv_bias": False,
    },
    "no norm, another slope": {
        "norm_op": None,
        "norm_op_kwargs": None,
        "nonlin_kwargs": {"negative_slope": 0.2},
    },
    "wide kernels, norm without weights": {
        "kernel_sizes": [[5, 5, 5], [3, 5, 1], [3, 3, 3]],
        "norm_op_kwargs": {"eps": 1e-3},
    },
    "two dimensions": {
        "patch": (24, 16),
        "conv_op": "torch.nn.Conv2d",
        "norm_op": "torch.nn.InstanceNorm2d",
        "kernel_sizes": [[3, 3]] * 3,
        "strides": [[1, 1], [2, 2], [2, 2]],
    },
    "folds of their own weights": {"seeds": (1, 2)},
}


def write(folder: Path, patch=(8, 12, 8), seeds=(7,), **changes: Any) -> Path:
    return write_random(folder, patch, kwargs_of(**changes), seeds=seeds, spread=True)


def written(folder: Path, tmp_path: Path):
    target = tmp_path / "written"
    target.mkdir()
    return network_cache._written(folder, target), target


def scores(xml: Path, tile: np.ndarray) -> np.ndarray:
    return OpenVINONetwork(xml, "f32", 1).scores(tile[None])[0].copy()


def assert_as_converted(folder: Path, tmp_path: Path) -> None:
    facts, here = written(folder, tmp_path)
    assert facts is not None
    there = tmp_path / "converted"
    there.mkdir()
    assert network_cache._make(folder, there) == facts
    assert {path.name for path in here.iterdir()} == {path.name for path in there.iterdir()}
    patch = read_model_folder(folder).plan(facts.configuration).patch
    tile = np.random.default_rng(5).normal(size=patch).astype(np.float32)
    for fold in facts.folds:
        found, expected = (scores(place / f"{fold}.xml", tile) for place in (here, there))
        assert expected.std() > 0
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", VARIANTS)
def test_scores_are_those_of_the_converted_network_to_the_bit(tmp_path, name):
    assert_as_converted(write(tmp_path, **VARIANTS[name]), tmp_path)


def test_the_bundled_networks(tmp_path):
    assert_as_converted(locate("bundled").folder, tmp_path)


def without_architecture(folder: Path) -> None:
    with edited(folder / "plans.json") as plans:
        del plans["configurations"]["3d_fullres"]["architecture"]


def test_plans_before_2_5_describe_the_same_network(tmp_path):
    pytest.importorskip("nnunetv2")
    folder = write(tmp_path, features_per_stage=[6, 12, 20])  # doubled up to a maximum
    without_architecture(folder)
    assert "UNet_class_name" in (folder / "plans.json").read_text()
    assert_as_converted(folder, tmp_path)


@pytest.mark.parametrize("harm", ["trainer", "bfloat16", "checkpoint"])
def test_what_is_unusual_is_left_to_torch(tmp_path, harm):
    folder = write(tmp_path)
    path = folder / "fold_all" / "checkpoint_final.pth"
    checkpoint = torch.load(path, weights_only=False)
    if harm == "trainer":
        checkpoint["trainer_name"] = "nnUNetTrainerOther"
    elif harm == "bfloat16":
        weights = checkpoint["network_weights"]
        checkpoint["network_weights"] = {name: w.bfloat16() for name, w in weights.items()}
    elif harm == "checkpoint":
        checkpoint["network_weights"] = 3
    torch.save(checkpoint, path)
    facts, target = written(folder, tmp_path)
    assert facts is None
    assert not (target / "facts.json").exists()
