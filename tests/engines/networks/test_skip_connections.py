"""Channels are never concatenated, and what was skipped is convolved before anything comes up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("openvino")
torch = pytest.importorskip("torch")

from sct_rootlets.engines.networks.openvino_convert import convert  # noqa: E402
from sct_rootlets.engines.networks.openvino_network import OpenVINONetwork  # noqa: E402
from tests.engines.conftest import compiled_layers  # noqa: E402
from training.export import build_network, plain_conv_unet_kwargs  # noqa: E402

PATCH = (16, 16, 16)


def test_what_was_skipped_is_convolved_before_anything_comes_up(tmp_path: Path):
    torch.manual_seed(3)
    network = build_network(plain_conv_unet_kwargs((8, 12, 16), (1, 2, 2), convolutions=1))
    convert(network, PATCH, tmp_path / "net.xml")
    layers = compiled_layers(tmp_path / "net.xml", tmp_path / "net.bin")
    finest = [
        says["layerType"]
        for layer, says in layers
        if layer.get_output_size() and tuple(layer.output(0).shape) == (1, 8, *PATCH)
    ]
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
