"""A network is as large as its weights, or it is not built."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from sct_rootlets.engines import load_engine
from sct_rootlets.engines.networks import fitting
from sct_rootlets.engines.networks.architecture import build_network
from sct_rootlets.engines.networks.fitting import built_to_fit, within
from sct_rootlets.errors import ModelError
from sct_rootlets.store import locate
from tests.engines.networks.test_openvino_graph import write
from tests.engines.networks.test_unet import architecture

torch = pytest.importorskip("torch")

PATH = Path("model")


class Counted:
    """Builds a network, and remembers on which device its tensors were each time."""

    def __init__(self, build):
        self.build, self.devices = build, []

    def __call__(self):
        self.devices.append(torch.empty(0).device.type)
        return self.build()


def plain(**changes: Any) -> Counted:
    return Counted(lambda: build_network(architecture(**changes), 4, PATH))


def checkpoint(module: Any) -> dict[str, Any]:
    return {"network_weights": module.state_dict(), "trainer_name": "nnUNetTrainer"}


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(5)
    return checkpoint(plain().build())


RESIDUAL = {
    **architecture(),
    "network_class_name": ("dynamic_network_architectures.architectures.unet.ResidualEncoderUNet"),
}
RESIDUAL["arch_kwargs"]["n_blocks_per_stage"] = RESIDUAL["arch_kwargs"].pop("n_conv_per_stage")


@pytest.mark.parametrize("described", [architecture(), RESIDUAL], ids=["plain", "residual"])
def test_networks_of_nnunet_are_built_with_their_weights(described):
    build = Counted(lambda: build_network(described, 4, PATH))
    torch.manual_seed(6)
    expected = build.build()
    found = built_to_fit(build, checkpoint(expected), PATH)
    assert build.devices == ["meta", "cpu"]
    weights = found.state_dict()
    assert all(torch.equal(weights[name], it) for name, it in expected.state_dict().items())


LARGE = {
    "60 stages": {
        "n_stages": 60, "features_per_stage": [320] * 60, "kernel_sizes": [[3] * 3] * 60,
        "strides": [[1] * 3] * 60, "n_conv_per_stage": [2] * 60,
        "n_conv_per_stage_decoder": [2] * 59,
    },
    "10^6 features": {"features_per_stage": [10**6] * 3},
    "10^4 convolutions a stage": {"n_conv_per_stage": [10**4] * 3},
    "kernels of 99": {"kernel_sizes": [[99] * 3] * 3},
    "a stage more": {
        "n_stages": 4, "features_per_stage": [6, 10, 12, 12], "kernel_sizes": [[3] * 3] * 4,
        "strides": [[1] * 3, *[[2] * 3] * 3], "n_conv_per_stage": [2] * 4,
        "n_conv_per_stage_decoder": [2] * 3,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_a_larger_network_than_its_weights_is_never_built(name, small):
    build = plain(**LARGE[name])
    with pytest.raises(ModelError, match=r"^model: .*(larger than its \d+ weights|do not fit)"):
        built_to_fit(build, small, PATH, is_installed=True)
    assert build.devices == ["meta"]


class Reads(torch.nn.Module):
    """Reads a number out of its tensors, as some networks do to say how often they drop."""

    def __init__(self, size: int = 3) -> None:
        super().__init__()
        self.rate = torch.linspace(0, 1, size)[-1].item()
        self.layer = torch.nn.Linear(size, size)


def test_what_cannot_be_outlined_is_built_if_its_code_was_installed():
    def build(size: int = 3) -> Any:
        try:
            return Reads(size)
        except RuntimeError as error:  # as the builders of networks do
            raise ModelError(f"cannot be built ({error})", path=PATH) from error

    given = checkpoint(Reads())
    with pytest.raises(ModelError, match="cannot be built"):
        built_to_fit(build, given, PATH)
    found = built_to_fit(build, given, PATH, is_installed=True)
    assert torch.equal(found.layer.weight, given["network_weights"]["layer.weight"])
    with pytest.raises(ModelError, match="do not fit"):
        built_to_fit(build, checkpoint(torch.nn.Linear(9, 9)), PATH, is_installed=True)
    large = Counted(lambda: build(3000))
    with pytest.raises(ModelError, match="larger than its 2 weights of 12 numbers"):
        built_to_fit(large, given, PATH, is_installed=True)
    assert large.devices == ["meta", "cpu"]


def test_numbers_and_parts_are_counted(monkeypatch):
    weights = torch.nn.Linear(3, 2).state_dict()  # 8 numbers in two parameters
    weights["again"] = weights["weight"]
    for name, value in (("_NUMBERS_A_NUMBER", 1), ("_PARTS_A_NAME", 1)):
        monkeypatch.setattr(fitting, name, value)
    for numbers, parts, is_within in ((0, -1, True), (-1, -1, False), (0, -2, False)):
        monkeypatch.setattr(fitting, "_MORE_NUMBERS", numbers)
        monkeypatch.setattr(fitting, "_MORE_PARTS", parts)
        if is_within:
            with within(weights, PATH):
                torch.nn.Linear(3, 2)
            continue
        with pytest.raises(ModelError, match="3 weights of 8 numbers"), within(weights, PATH):
            torch.nn.Linear(3, 2)


@pytest.mark.parametrize(
    "grow",
    [
        lambda: torch.nn.Sequential(*[torch.nn.Identity() for _ in range(10_000)]),
        lambda: torch.nn.BatchNorm1d(10**7, affine=False),
        lambda: [torch.nn.Linear(900, 900) for _ in range(99)],
    ],
    ids=["modules", "buffers", "parameters of several"],
)
def test_nothing_grows_beside_the_weights(grow):
    with pytest.raises(ModelError, match="larger than"), within({}, PATH), torch.device("meta"):
        grow()


def test_an_error_that_is_caught_on_the_way_is_raised_all_the_same():
    def careless() -> None:
        with contextlib.suppress(RuntimeError):
            torch.nn.Linear(9999, 9999)

    with pytest.raises(ModelError, match="larger than"), within({}, PATH):
        careless()


def test_other_errors_stay_and_nothing_is_counted_after():
    with pytest.raises(KeyError), within({}, PATH):
        raise KeyError("a")
    torch.nn.Linear(9999, 9999, device="meta")


@pytest.mark.parametrize("engine", ["nnunet", "torch", "openvino"])
def test_no_engine_builds_a_larger_network(engine, tmp_path):
    pytest.importorskip({"nnunet": "nnunetv2"}.get(engine, engine))
    folder = write(tmp_path)
    plans = json.loads((folder / "plans.json").read_text())
    described = plans["configurations"]["3d_fullres"]["architecture"]["arch_kwargs"]
    described["features_per_stage"] = [2048, 4096, 4096]
    (folder / "plans.json").write_text(json.dumps(plans))
    with pytest.raises(ModelError, match="larger than its"):
        load_engine(locate(folder), "cpu", 1, engine=engine)
