from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from sct_rootlets.checkpoint import (
    NoArrays,
    converted_files,
    read_arrays,
    read_pth,
    write_converted,
)
from tests.checkpoint.test_converted import checkpoint

torch = pytest.importorskip("torch")


def saved(path, weights):
    torch.save({**checkpoint(weights), "optimizer_state": {"momentum": torch.ones(5)}}, path)
    return path


def some_weights():
    generator = torch.Generator().manual_seed(3)
    whole = torch.randn(4, 6, 5, generator=generator)
    return {
        "plain": torch.randn(3, 4, generator=generator),
        "half": torch.randn(7, generator=generator).half(),
        "double": torch.randn(2, 2, generator=generator).double(),
        "turned": whole.permute(2, 0, 1),
        "part": whole[1:3, ::2],
        "first.half": whole[:2],
        "second.half": whole[2:],
        "square": whole[0, :5],
        "turned.square": whole[0, :5].T,
        "parameter": torch.nn.Parameter(torch.randn(3, generator=generator)),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "module.under.another.name": whole,
        "whole": whole,
    }


def assert_same(found, expected):
    left_out = {"network_weights": None, "optimizer_state": None}
    assert {**found, **left_out} == {**expected, **left_out}
    arrays, tensors = found["network_weights"], expected["network_weights"]
    assert list(arrays) == list(tensors)
    for name, tensor in tensors.items():
        assert arrays[name].dtype == tensor.numpy().dtype
        np.testing.assert_array_equal(arrays[name], tensor.numpy(), err_msg=name)


def test_arrays_are_what_torch_reads(tmp_path):
    path = saved(tmp_path / "checkpoint_final.pth", some_weights())
    found = read_arrays(path)
    assert_same(found, read_pth(path))
    assert found["network_weights"]["under.another.name"] is found["network_weights"]["whole"]
    assert not found["network_weights"]["plain"].flags.writeable


def test_what_the_store_made_of_it_is_read_instead(tmp_path):
    path = tmp_path / "checkpoint_final.pth"
    expected = read_pth(saved(path, some_weights()))
    write_converted(expected, *converted_files(path), {})
    path.unlink()
    found = read_arrays(path)["network_weights"]
    assert set(found) == set(expected["network_weights"])
    for name, tensor in expected["network_weights"].items():
        np.testing.assert_array_equal(found[name], tensor.numpy(), err_msg=name)


def test_weights_that_numpy_has_not_are_said_so(tmp_path):
    path = saved(tmp_path / "checkpoint_final.pth", {"w": torch.ones(3).bfloat16()})
    with pytest.raises(NoArrays, match="bfloat16"):
        read_arrays(path)


def test_no_torch_is_imported(tmp_path):
    path = saved(tmp_path / "checkpoint_final.pth", some_weights())
    program = (
        "import sys; from pathlib import Path; from sct_rootlets.checkpoint import read_arrays;"
        "read_arrays(Path(sys.argv[1])); print('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
