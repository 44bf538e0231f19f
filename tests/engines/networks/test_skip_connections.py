"""Channels are never concatenated, and what was skipped is convolved before anything comes up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("openvino")
torch = pytest.importorskip("torch")

from sct_rootlets.engines.networks.openvino_convert import convert  # noqa: E402
from sct_rootlets.engines.networks.openvino_network import (  # noqa: E402
    OpenVINONetwork,
    import_openvino,
)
from training.export import build_network, plain_conv_unet_kwargs  # noqa: E402

PATCH = (16, 16, 16)


def order(xml: Path) -> list[tuple[str, tuple[int, ...]]]:
    """Return type and shape of all that OpenVINO computes, in its order."""
    core = import_openvino().Core()
    compiled = core.compile_model(core.read_model(str(xml)), "CPU", {})
    found = []
    for layer in compiled.get_runtime_model().get_ordered_ops():
        info = {key: layer.get_rt_info()[key].value for key in ("layerType", "execOrder")}
        shape = tuple(layer.output(0).shape) if layer.get_output_size() else ()
        found.append((int(info["execOrder"]), str(info["layerType"]), shape))
    return [(kind, shape) for _, kind, shape in sorted(found)]


def test_what_was_skipped_is_convolved_before_anything_comes_up(tmp_path: Path):
    torch.manual_seed(3)
    network = build_network(plain_conv_unet_kwargs((8, 12, 16), (1, 2, 2), convolutions=1))
    convert(network, PATCH, tmp_path / "net.xml")
    finest = [kind for kind, shape in order(tmp_path / "net.xml") if shape == (1, 8, *PATCH)]
    arithmetic = [kind for kind in finest if kind in ("Convolution", "Deconvolution")]
    # The encoder's, that of what was skipped, then up, and that of what came up.
    assert arithmetic == ["Convolution", "Convolution", "Deconvolution", "Convolution"]


class OneStep(torch.nn.Module):
    """A U-Net of one step, with its skip connection left open."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.first = torch.nn.Conv3d(1, 4, 3, padding=1)
        self.down = torch.nn.Conv3d(4, 6, 3, stride=2, padding=1)
        self.up = torch.nn.ConvTranspose3d(6, 4, 2, 2)
        self.last = torch.nn.Conv3d(12 if how == "three" else 8, 3, 3, padding=1)

    def forward(self, x):
        skipped = self.first(x)
        up = self.up(self.down(skipped))
        if self.how == "circle":  # what is skipped depends on what comes up
            return self.last(torch.cat((up, skipped * up), 1))
        if self.how == "swapped":
            return self.last(torch.cat((skipped, up), 1))
        if self.how == "three":
            return self.last(torch.cat((up, skipped, skipped + 1), 1))
        if self.how == "twice":
            joined = torch.cat((up, skipped), 1)
            return self.last(joined) + joined[:, :3]
        return self.last(torch.cat((up, skipped), 1))


@pytest.mark.parametrize("how", ["usual", "circle", "swapped", "three", "twice"])
def test_scores_stay_as_they_are(tmp_path: Path, how):
    torch.manual_seed(4)
    network = OneStep(how).eval()
    convert(network, PATCH, tmp_path / "net.xml")
    tile = np.random.default_rng(1).normal(size=(1, *PATCH)).astype(np.float32)
    found = OpenVINONetwork(tmp_path / "net.xml", "f32", 1).scores(tile)
    with torch.inference_mode():
        expected = network(torch.from_numpy(tile[:, None])).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4)
