from __future__ import annotations

import json
import struct
import sys

import pytest

from sct_rootlets.checkpoint import (
    converted,
    converted_files,
    read_converted,
    read_pth,
    write_converted,
)
from sct_rootlets.errors import MissingDependencyError, ModelError
from tests.checkpoint import hostile

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")


def checkpoint(weights):
    return {
        "network_weights": weights,
        "trainer_name": "nnUNetTrainer",
        "init_args": {"configuration": "3d_fullres"},
        "inference_allowed_mirroring_axes": (0, 1, 2),
    }


@pytest.fixture
def pair(tmp_path):
    """Write the two files of a small checkpoint."""
    torch.manual_seed(0)
    shared = torch.randn(2, 3).half()
    weights = {"encoder.a": shared, "decoder.encoder.a": shared, "b": torch.randn(3)}
    files = converted_files(tmp_path / "checkpoint_final.pth")
    write_converted(checkpoint(weights), *files, {"sha256": "0" * 64})
    return files


def bits(tensor):
    return tensor.contiguous().reshape(-1).view(torch.uint8).tolist()


def change(facts, **more):
    facts.write_text(json.dumps({**json.loads(facts.read_text()), **more}))


@pytest.mark.parametrize(
    "kind", ["float64", "float32", "float16", "bfloat16", "int64", "int32", "uint8", "bool"]
)
def test_every_bit_comes_back(tmp_path, kind):
    torch.manual_seed(0)
    base = (torch.randn(6, 8) * 50).to(getattr(torch, kind))
    if base.is_floating_point():
        base[0, :3] = torch.tensor([float("nan"), float("-inf"), -0.0])
    weights = {
        "whole": base,
        "whole_again": base,
        "turned": base.T,
        "part": base[1:3, ::2],
        "row": base[0],
        "none": base[:0],
        "none_too": base[:0],
        "one": base[2, 2],
        "equal": base.clone(),
    }
    torch.save(checkpoint(weights), tmp_path / "a.pth")
    read = read_pth(tmp_path / "a.pth")
    files = converted_files(tmp_path / "a.pth")
    write_converted(read, *files, {"sha256": "0" * 64})
    got = read_converted(*files)
    assert set(got["network_weights"]) == set(weights)
    for name, tensor in weights.items():
        again = got["network_weights"][name]
        assert (again.dtype, again.shape) == (tensor.dtype, tensor.shape)
        assert bits(again) == bits(tensor), name
    content = json.loads(files[1].read_text())
    assert content["aliases"] == {"whole_again": "whole"}
    assert content["weights"]["tensors"] == len(weights) - 1
    assert (content["format_version"], content["source"]) == (1, {"sha256": "0" * 64})
    for key in ("trainer_name", "init_args", "inference_allowed_mirroring_axes"):
        assert got[key] == read[key]


@pytest.mark.parametrize("axes", [None, (), (2,)])
def test_mirroring_axes_are_kept(tmp_path, axes):
    files = converted_files(tmp_path / "a.pth")
    held = {**checkpoint({"a": torch.ones(1)}), "inference_allowed_mirroring_axes": axes}
    write_converted(held, *files, {})
    assert read_converted(*files)["inference_allowed_mirroring_axes"] == axes


def header(data: bytes, new: bytes) -> bytes:
    (length,) = struct.unpack("<Q", data[:8])
    return struct.pack("<Q", len(new)) + new + data[8 + length :]


DAMAGE = {
    "nothing": lambda data: b"",
    "cut": lambda data: data[:-1],
    "longer": lambda data: data + b"x",
    "half": lambda data: data[: len(data) // 2],
    "a header of 10^18 bytes": lambda data: struct.pack("<Q", 10**18) + data[8:],
    "a header of 99 MB": lambda data: struct.pack("<Q", 99 << 20) + data[8:],
    "no header": lambda data: struct.pack("<Q", 0) + data[8:],
    "a header that is no JSON": lambda data: header(data, b"{'a'"),
    "a tensor beyond the end": lambda data: header(
        data, b'{"b":{"dtype":"F32","shape":[9999],"data_offsets":[0,39996]}}'
    ),
    "a tensor of negative size": lambda data: header(
        data, b'{"b":{"dtype":"F32","shape":[-3],"data_offsets":[0,12]}}'
    ),
    "overlapping tensors": lambda data: header(
        data,
        b'{"a":{"dtype":"F32","shape":[6],"data_offsets":[0,24]},'
        b'"b":{"dtype":"F32","shape":[5],"data_offsets":[4,24]}}',
    ),
    "an overflowing shape": lambda data: header(
        data, b'{"b":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,24]}}'
    ),
    "a pickle": lambda data: hostile.program({"a": 1}),
    "a web page": lambda data: b"<html>404</html>",
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_weights_are_named(pair, name):
    weights, _ = pair
    weights.write_bytes(DAMAGE[name](weights.read_bytes()))
    with pytest.raises(ModelError, match=r"checkpoint_final\.(safetensors|json).*install it again"):
        read_converted(*pair)


def test_a_long_table_of_weights_is_not_read(pair, monkeypatch):
    size = struct.unpack("<Q", pair[0].read_bytes()[:8])[0]
    monkeypatch.setattr(converted, "_MAX_TABLE_BYTES", size)
    assert read_converted(*pair)
    monkeypatch.setattr(converted, "_MAX_TABLE_BYTES", size - 1)
    with pytest.raises(ModelError, match="its table of contents has more than"):
        read_converted(*pair)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"format_version": 2}, "format version 2.*reads 1.*Update"),
        ({"weights": {"tensors": 2, "size_bytes": 1}}, "not of the weights beside it"),
        ({"weights": {"tensors": 3}}, "not of the weights beside it"),
        ({"aliases": {"c": "nothing"}}, "alias 'c' of 'nothing'"),
        ({"aliases": {"c": ["b"]}}, "alias 'c'"),
        ({"aliases": {"b": "encoder.a"}}, "alias 'b'"),
        ({"aliases": {"../c": "b"}}, r"named '\.\./c'"),
        ({"aliases": []}, "does not describe"),
        ({"trainer_name": 3}, "does not describe"),
        ({"trainer_name": "a-b"}, "names no class"),
        ({"configuration": None}, "does not describe"),
        ({"inference_allowed_mirroring_axes": [7]}, r"axes of \[7\]"),
        ({"inference_allowed_mirroring_axes": 1}, "axes of 1"),
    ],
)
def test_facts_that_are_not_in_order_are_named(pair, more, message):
    change(pair[1], **more)
    with pytest.raises(ModelError, match=r"checkpoint_final\.json: .*" + message):
        read_converted(*pair)


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b" " * (2 << 20)])
def test_facts_that_are_no_json_are_named(pair, text):
    pair[1].write_bytes(text)
    with pytest.raises(ModelError, match=r"checkpoint_final\.json"):
        read_converted(*pair)


def test_what_is_not_there_is_named(pair):
    for file in pair:
        file.unlink()
        with pytest.raises(ModelError, match=rf"{file.name}: .*install it again"):
            read_converted(*pair)


def test_without_safetensors_the_error_names_the_extra(pair, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(MissingDependencyError, match=r"sct_rootlets\[standalone\]"):
        read_converted(*pair)
