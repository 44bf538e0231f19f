from __future__ import annotations

import os

import pytest

from sct_rootlets.checkpoint import converted_files as converted
from sct_rootlets.checkpoint import write_converted
from sct_rootlets.engines.networks import runtime
from sct_rootlets.errors import ModelError, UsageError
from sct_rootlets.model_folder import read_folds

torch = pytest.importorskip("torch")


def test_auto_is_a_device_that_exists():
    chosen = runtime.choose_device("auto")
    assert chosen.type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert runtime.choose_device("CPU") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "auto:1", "", "cpu:3", "cuda:99"])
def test_a_device_that_does_not_exist_is_a_usage_error(name):
    with pytest.raises(UsageError, match="no device"):
        runtime.choose_device(name)


@pytest.mark.parametrize(("wish", "expected"), [("1", 1), ("1,4", 1), ("0", None), ("x", None)])
def test_omp_num_threads_is_respected(monkeypatch, wish, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2}, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", wish)
    assert runtime.usable_threads() == (expected or 3)
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert runtime.usable_threads() == 3


def checkpoint():
    return {
        "network_weights": {"module.a.weight": torch.arange(6.0).reshape(2, 3).half()},
        "trainer_name": "nnUNetTrainer",
        "init_args": {"configuration": "3d_fullres", "device": torch.device("cpu")},
    }


def test_what_the_store_made_of_a_checkpoint_is_read_instead(tmp_path):
    pytest.importorskip("safetensors")
    path = tmp_path / "fold_all" / "checkpoint_final.pth"
    path.parent.mkdir()
    torch.save(checkpoint(), path)
    expected = runtime.read_checkpoint(path)
    write_converted(expected, *converted(path), {})
    for rest in (b"not a checkpoint", None):
        path.write_bytes(rest) if rest else path.unlink()
        assert read_folds(tmp_path).used == (path,)
        got = runtime.read_checkpoint(path)
        assert set(got) == {*checkpoint(), "inference_allowed_mirroring_axes"}
        assert torch.equal(
            got["network_weights"]["a.weight"], expected["network_weights"]["a.weight"]
        )
        assert got["init_args"] == {"configuration": "3d_fullres"}
    converted(path)[0].unlink()
    with pytest.raises(ModelError, match="no checkpoint_final"):
        read_folds(tmp_path)
    with pytest.raises(ModelError, match="cannot be read"):
        runtime.read_checkpoint(path)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu.max": "nonsense"}, None),
        ({}, None),
    ],
)
def test_a_containers_quota_is_read(tmp_path, files, expected):
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    assert runtime._container_cores(tmp_path) == expected


@pytest.mark.parametrize(("share", "expected"), [(0.5, 1), (1.5, 2), (64.0, None), (None, None)])
def test_a_containers_quota_is_respected(monkeypatch, share, expected):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(runtime, "_container_cores", lambda: None)
    unlimited = runtime.usable_threads()
    monkeypatch.setattr(runtime, "_container_cores", lambda: share)
    assert runtime.usable_threads() == min(unlimited, expected or unlimited)
