from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("dynamic_network_architectures")

from training.export import (
    build_network,
    folder_name,
    plain_conv_unet_kwargs,
    read_state_dict,
    write_nnunet_folder,
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    torch.manual_seed(0)
    kwargs = plain_conv_unet_kwargs()
    network = build_network(kwargs)
    folder = tmp_path_factory.mktemp("export") / folder_name("3d_fullres")
    extra = {"sct_rootlets": {"rootlet_threshold": 0.6}}
    weights = network.state_dict()
    write_nnunet_folder(folder, "3d_fullres", (1, 1, 1), (64, 32, 32), kwargs, weights, extra)
    return network, folder


def test_a_checkpoint_holds_each_weight_once_in_half_precision(exported):
    network, folder = exported
    parameters = sum(parameter.numel() for parameter in network.parameters())
    assert 1.1e6 < parameters < 1.4e6
    size = (folder / "fold_all" / "checkpoint_final.pth").stat().st_size
    assert size < 2 * parameters + 60_000
    assert [path.name for path in (folder / "fold_all").iterdir()] == ["checkpoint_final.pth"]


def test_weights_come_back_under_every_name(exported):
    network, folder = exported
    read = read_state_dict(folder)
    assert set(read) == set(network.state_dict())
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(read[name], tensor, rtol=1e-3, atol=1e-4)
    network.load_state_dict(read)


def test_plans_state_the_network_in_full(exported):
    _, folder = exported
    plans = json.loads((folder / "plans.json").read_text())
    plan = plans["configurations"]["3d_fullres"]
    assert plan["architecture"]["arch_kwargs"]["n_conv_per_stage"] == [2, 2, 2, 2]
    assert plan["architecture"]["arch_kwargs"]["features_per_stage"] == [16, 32, 64, 96]
    assert json.loads((folder / "dataset.json").read_text())["sct_rootlets"] == {
        "rootlet_threshold": 0.6
    }


def test_nnunet_loads_it_strictly(exported):
    pytest.importorskip("nnunetv2")
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    network, folder = exported
    predictor = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(folder), ("all",))
    assert predictor.allowed_mirroring_axes == (2,)
    tile = torch.randn(1, 1, 16, 16, 16)
    with torch.inference_mode():
        expected, got = network.eval()(tile), predictor.network.eval()(tile)
    assert (expected - got).abs().max() < 0.05 * expected.std() + 0.02


def test_weights_too_large_for_half_precision_are_refused(tmp_path):
    kwargs = plain_conv_unet_kwargs((2, 2), (1, 2), 1)
    weights = {name: value * 1e9 for name, value in build_network(kwargs).state_dict().items()}
    with pytest.raises(ValueError, match="float16"):
        write_nnunet_folder(tmp_path, "3d_fullres", (1, 1, 1), (8, 8, 8), kwargs, weights)
