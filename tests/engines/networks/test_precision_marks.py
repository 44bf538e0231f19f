from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip("openvino")
torch = pytest.importorskip("torch")

from sct_rootlets.engines.networks.network_cache import converted  # noqa: E402
from sct_rootlets.engines.networks.openvino_convert import convert  # noqa: E402
from sct_rootlets.engines.networks.openvino_network import (  # noqa: E402
    OpenVINONetwork,
    reduced_precision,
)
from tests.engines.conftest import compiled_layers, write_random  # noqa: E402
from training.export import build_network, plain_conv_unet_kwargs  # noqa: E402

PATCH = (32, 32, 32)


KWARGS = plain_conv_unet_kwargs((16, 32, 32), (1, 2, 2))


def network():
    torch.manual_seed(7)
    return build_network(KWARGS).eval()


@pytest.fixture(scope="module")
def xml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("marked") / "net.xml"
    convert(network(), PATCH, path)
    return path


def marked(xml: Path) -> list[str]:
    """Return the names of the convolutions that have the mark."""
    layers = ElementTree.parse(xml.with_suffix(".mixed.xml")).iterfind("layers/layer")
    return [
        layer.attrib["name"]
        for layer in layers
        if layer.attrib["type"].startswith("Convolution")
        and layer.find("rt_info/attribute[@name='precise']") is not None
    ]


def test_the_first_stage_of_the_encoder_is_marked(xml: Path):
    names = marked(xml)
    assert len(names) == 2
    assert all("encoder.stages.0." in name for name in names)
    plain = ElementTree.parse(xml).getroot()
    assert plain.find(".//attribute[@name='precise']") is None


@pytest.mark.parametrize(("middle", "count"), [(torch.nn.ReLU(), 2), (torch.nn.MaxPool3d(2), 1)])
def test_pooling_ends_the_first_stage_and_without_an_end_all_is_marked(
    tmp_path: Path, middle, count
):
    first, last = torch.nn.Conv3d(1, 4, 3, padding=1), torch.nn.Conv3d(4, 2, 1)
    convert(torch.nn.Sequential(first, middle, last), (8, 8, 8), tmp_path / "net.xml")
    assert len(marked(tmp_path / "net.xml")) == count


def computed_in(xml: Path) -> dict[str, str]:
    """Return the precision in which each convolution is computed, by its name."""
    layers = compiled_layers(
        xml.with_suffix(".mixed.xml"),
        xml.with_suffix(".bin"),
        INFERENCE_PRECISION_HINT=reduced_precision(),
    )
    return {
        layer.get_friendly_name(): says["runtimePrecision"]
        for layer, says in layers
        if says["layerType"] == "Convolution"
    }


gains = pytest.mark.skipif(reduced_precision() is None, reason="no reduced precision on this CPU")


@gains
def test_openvino_heeds_the_marks(xml: Path):
    found = computed_in(xml)
    first = {name for name in found if "encoder.stages.0." in name}
    assert len(first) == 2
    assert {found[name] for name in first} == {"f32"}
    assert {found[name] for name in set(found) - first} == {reduced_precision()}


@gains
def test_mixed_lies_between_reduced_and_full(xml: Path):
    tile = np.random.default_rng(3).normal(size=(1, *PATCH)).astype(np.float32)
    full, mixed, reduced = (
        OpenVINONetwork(xml, precision, 1).scores(tile).copy()
        for precision in ("f32", "mixed", str(reduced_precision()))
    )
    assert 0 < np.abs(mixed - full).mean() < 0.9 * np.abs(reduced - full).mean()


def test_what_is_kept_has_both_forms_and_weights_once(tmp_path: Path):
    where = write_random(tmp_path / "model", PATCH, KWARGS)
    with converted(where, "ab" * 32, tmp_path / "cache") as found:
        names = sorted(path.name for path in found.folder.iterdir())
        assert names == ["facts.json", "fold_all.bin", "fold_all.mixed.xml", "fold_all.xml"]
        assert len(found.networks("mixed", 1)) == 1
    found.folder.joinpath("fold_all.mixed.xml").write_text("changed")
    with converted(where, "ab" * 32, tmp_path / "cache") as again:
        assert again.networks("mixed", 1)
