from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import warnings

import numpy as np
import pytest

from sct_rootlets.checkpoint import program, read, read_arrays, read_pth
from sct_rootlets.errors import MissingDependencyError, ModelError
from tests.checkpoint import hostile

torch = pytest.importorskip("torch")

#: torch does not read the pickle in it, but the program, which here is none.
_NOT_RUN_BY_TORCH = {"zip of a TorchScript program"}


@pytest.mark.parametrize("name", hostile.RUNS)
def test_no_checkpoint_runs_code(tmp_path, monkeypatch, name):
    """Nor where the stand-ins, the second line of defence, are without the first."""

    class Everything(frozenset):
        def __contains__(self, name):
            return True

    monkeypatch.chdir(tmp_path)
    path = hostile.write(tmp_path / "a.pth", hostile.RUNS[name](str(tmp_path / "ran")))
    for message in (r"a\.pth: .*could run code", r"a\.pth: "):
        if name == "two directories":  # its harmless half is read
            assert list(read_pth(path)["network_weights"]) == ["a.weight"]
        else:
            with pytest.raises(ModelError, match=message):
                read_pth(path)
        assert sorted(file.name for file in tmp_path.iterdir()) == ["a.pth"]
        monkeypatch.setattr(program, "ALLOWED_GLOBALS", Everything())


@pytest.mark.parametrize("name", [name for name in hostile.RUNS if name not in _NOT_RUN_BY_TORCH])
def test_each_does_run_its_code_where_nothing_protects(tmp_path, name):
    path = hostile.write(tmp_path / "a.pth", hostile.RUNS[name](str(tmp_path / "ran")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(ModelError):  # what comes after the code need not be in order
            read._load_anything(torch, path)
    assert (tmp_path / "ran").is_dir()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("many records", "table of contents has more than 4 MiB"),
        ("many weights of one tensor", "weights are larger than the file"),
        ("a size of large numbers", "a shape of 1000 axes"),
        ("a large number in a size", "a shape with a number of 61 bits"),
        ("a size", "a shape with a tuple"),
        ("40 axes", "inference_allowed_mirroring_axes of a tuple"),
        ("an axis twice", r"inference_allowed_mirroring_axes of \(0, 0\)"),
        ("a long configuration", r"init_args.configuration 'x{57}'\.\.\., which is no name"),
    ],
)
def test_what_would_take_too_long_is_said(tmp_path, name, problem):
    path = hostile.write(tmp_path / "a.pth", hostile.HANGS[name])
    with pytest.raises(ModelError, match=problem):
        read_arrays(path)


def test_the_weights_are_counted(tmp_path, monkeypatch):
    weights = {f"w{number}": hostile.tensor() for number in range(5)}
    data = hostile.archive(hostile.content() | {"network_weights": weights})
    path = hostile.write(tmp_path / "a.pth", data)
    monkeypatch.setattr(read, "_MOST_WEIGHTS", 5)
    assert len(read_arrays(path)["network_weights"]) == 5
    monkeypatch.setattr(read, "_MOST_WEIGHTS", 4)
    with pytest.raises(ModelError, match="5 weights, more than 4"):
        read_arrays(path)


def test_a_program_of_torchscript_is_refused_at_the_door(tmp_path):
    """It would run its __setstate__ as it is read."""

    class Program(torch.nn.Module):
        @torch.jit.export
        def __getstate__(self):
            return 1

        @torch.jit.export
        def __setstate__(self, state: int):
            self.training = False

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(Program()), str(tmp_path / "a.pth"))
    with pytest.raises(ModelError, match="is a TorchScript program"):
        read_pth(tmp_path / "a.pth")


@pytest.mark.parametrize("name", hostile.BREAKS)
def test_damaged_and_foreign_files_are_named(tmp_path, name):
    path = hostile.write(tmp_path / "a.pth", hostile.BREAKS[name])
    for read_one in (read_arrays, read_pth):  # torch has checks of its own, numpy has none
        with pytest.raises(ModelError, match=r"a\.pth"):
            read_one(path)


_BOUNDED = """
import resource, sys
from pathlib import Path
import torch
from sct_rootlets.checkpoint import read_arrays, read_pth
from sct_rootlets.errors import ModelError

used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
resource.setrlimit(resource.RLIMIT_AS, (used + (256 << 20),) * 2)
for path in sorted(Path(sys.argv[1]).iterdir()):
    for read in (read_arrays, read_pth):
        try:
            print(path.stem, sorted(read(path)))
        except ModelError as error:
            assert path.name in str(error) and len(str(error)) < 600
"""


def test_little_bytes_neither_hang_nor_fill_the_memory(tmp_path):
    """Each of them does, in minutes of hashing, showing or copying, where that is not minded."""
    for name, data in hostile.HANGS.items():
        hostile.write(tmp_path / f"{name}.pth", data)
    done = subprocess.run(
        [sys.executable, "-c", _BOUNDED, tmp_path], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_changed_bytes_give_an_error_or_a_checkpoint(tmp_path):
    """Of good and of hostile archives, at 400 seeded places: nothing runs or crashes."""
    draw = random.Random(5)
    marker = tmp_path / "ran"
    sources = [hostile.archive(hostile.content()), hostile.RUNS["as a weight"](str(marker))]
    read_well = 0
    for number in range(400):
        data = bytearray(sources[number % 2])
        for _ in range(draw.randint(1, 3)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        path = hostile.write(tmp_path / "a.pth", bytes(data))
        try:
            weights = read_pth(path)["network_weights"]
        except ModelError:
            continue
        read_well += 1
        assert all(tensor.shape == (2, 2) for tensor in weights.values())
    assert not marker.exists()
    assert 0 < read_well < 200


def checkpoint(**more):
    torch.manual_seed(1)
    return {
        "network_weights": {"module.a.weight": torch.randn(4, 3).half(), "b": torch.tensor(3)},
        "optimizer_state": {"state": {0: {"momentum_buffer": torch.randn(4)}}, "param_groups": []},
        "grad_scaler_state": {"scale": 65536.0},
        "trainer_name": "nnUNetTrainer_2000epochs",
        "init_args": {"configuration": "3d_fullres", "device": torch.device("cuda", 0)},
        "inference_allowed_mirroring_axes": (0, 1, 2),
        "logging": {"mean_fg_dice": [np.float64(0.5), np.float32(0.25)], "dice": np.ones((2, 3))},
        "_best_ema": np.float64(0.64),
        **more,
    }


def test_of_all_that_nnunet_saves_what_inference_needs_is_read(tmp_path):
    saved = checkpoint()
    torch.save(saved, tmp_path / "a.pth")
    got = read_pth(tmp_path / "a.pth")
    assert torch.equal(
        got["network_weights"]["a.weight"], saved["network_weights"]["module.a.weight"]
    )
    assert got["network_weights"]["a.weight"].dtype == torch.float16
    assert got["network_weights"]["b"].item() == 3
    del got["network_weights"]
    assert got == {
        "trainer_name": "nnUNetTrainer_2000epochs",
        "init_args": {"configuration": "3d_fullres"},
        "inference_allowed_mirroring_axes": (0, 1, 2),
    }


KINDS = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8")


@pytest.mark.parametrize("kind", [*KINDS, "bool"])
def test_weights_of_every_kind_of_number_are_read(tmp_path, kind):
    tensor = torch.tensor([[0, 1, 2], [3, 100, 5]]).to(getattr(torch, kind))
    weights = {
        "plain": tensor,
        "turned": tensor.T,
        "part": tensor[1:, ::2],
        "none": tensor[:0],
        "one": tensor[1, 1],
        "learnt": torch.nn.Parameter(tensor, requires_grad=tensor.is_floating_point()),
    }
    torch.save(checkpoint(network_weights=weights), tmp_path / "a.pth")
    got = read_pth(tmp_path / "a.pth")["network_weights"]
    for name, expected in weights.items():
        assert got[name].dtype == tensor.dtype
        assert torch.equal(got[name], expected), name
        assert not got[name].requires_grad


def test_a_state_dict_of_a_module_is_read(tmp_path):
    network = torch.nn.Sequential(torch.nn.Conv3d(1, 2, 3), torch.nn.InstanceNorm3d(2, affine=True))
    weights = network.state_dict()
    torch.save(checkpoint(network_weights=weights), tmp_path / "a.pth")
    got = read_pth(tmp_path / "a.pth")["network_weights"]
    assert list(got) == list(weights)
    assert all(torch.equal(got[name], weights[name]) for name in weights)


@pytest.mark.parametrize("package", ["core", "_core"])
def test_numbers_of_numpy_1_and_2_are_read(tmp_path, package):
    number = hostile.Call(
        hostile.Name(f"numpy.{package}.multiarray", "scalar"),
        (hostile._dtype(state=(3, "<", None, None, None, -1, -1, 0)), np.float64(0.64).tobytes()),
    )
    data = hostile.archive(hostile.content(_best_ema=number))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_pth(hostile.write(tmp_path / "a.pth", data))["network_weights"]


def test_trust_runs_the_code_and_takes_the_weights(tmp_path):
    torch.save(checkpoint(extra=hostile.Unusual(tmp_path / "ran")), tmp_path / "a.pth")
    with pytest.raises(ModelError, match=r"tests\.checkpoint\.hostile\.Unusual.*pathlib"):
        read_pth(tmp_path / "a.pth")
    assert not (tmp_path / "ran").exists()
    got = read_pth(tmp_path / "a.pth", trust_code=True)
    assert (tmp_path / "ran").is_dir()
    assert list(got["network_weights"]) == ["a.weight", "b"]


def test_trust_does_not_make_a_checkpoint_of_what_is_none(tmp_path):
    for name in ("nothing", "no dictionary", "cut", "a weight that is a number"):
        path = hostile.write(tmp_path / "a.pth", hostile.BREAKS[name])
        with pytest.raises(ModelError, match=r"a\.pth"):
            read_pth(path, trust_code=True)


def test_the_old_format_is_read_only_where_it_is_trusted(tmp_path):
    torch.save(checkpoint(), tmp_path / "a.pth", _use_new_zipfile_serialization=False)
    with pytest.raises(ModelError, match="old format of PyTorch"):
        read_pth(tmp_path / "a.pth")
    assert len(read_pth(tmp_path / "a.pth", trust_code=True)["network_weights"]) == 2


def test_without_torch_the_error_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"sct_rootlets\[standalone\]"):
        read_pth(tmp_path / "a.pth")


def test_import_loads_no_torch():
    code = (
        "import sys, sct_rootlets.checkpoint, sct_rootlets.store.weights;"
        "print({'torch', 'numpy', 'safetensors'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
