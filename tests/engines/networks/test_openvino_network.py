from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.engines.networks import network_cache
from sct_rootlets.engines.networks.network_cache import converted
from sct_rootlets.engines.networks.torch_network import TorchNetwork, build_modules
from sct_rootlets.errors import ModelError
from tests.engines.conftest import edited, write_random

pytest.importorskip("openvino")
torch = pytest.importorskip("torch")

PATCH = (16, 24, 20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_random(tmp_path / "model", PATCH)


def tiles(count=2):
    return np.random.default_rng(8).normal(size=(count, *PATCH)).astype(np.float32)


def test_scores_are_torchs(folder: Path):
    (module,), _ = build_modules(folder)
    expected = TorchNetwork(module, torch.device("cpu"), 1).scores(tiles())
    with converted(folder, "ab" * 32, None) as found:
        (network,) = found.networks("f32", 1)
        xml = (found.folder / "fold_all.xml").read_text()
    # Shapes are joined along axis 0; channels, along axis 1, no more.
    assert not re.search(r'type="Concat"[^>]*>\s*<data axis="1"', xml)
    assert len(re.findall(r'type="Convolution"', xml)) == 11 + 2
    np.testing.assert_allclose(network.scores(tiles()), expected, atol=2e-4)


def test_it_lasts_as_long_as_the_context_without_a_cache(folder: Path):
    with converted(folder, "ab" * 32, None) as found:
        where = found.folder
        assert where.is_dir()
    assert not where.exists()


def test_it_is_made_once(folder: Path, tmp_path: Path):
    cache = tmp_path / "cache"
    with converted(folder, "ab" * 32, cache) as first:
        made = (first.folder / "fold_all.bin").stat().st_mtime_ns
    with converted(folder, "ab" * 32, cache) as second:
        assert second.folder == first.folder
        assert second.facts == first.facts
        assert (second.folder / "fold_all.bin").stat().st_mtime_ns == made
    with converted(folder, "cd" * 32, cache) as other:
        assert other.folder != first.folder
    assert not list(cache.glob(".new-*"))


@pytest.mark.parametrize("harm", ["changed", "cut", "missing", "facts", "format", "elsewhere"])
def test_what_is_damaged_is_made_again(folder: Path, tmp_path: Path, harm):
    cache = tmp_path / "cache"
    with converted(folder, "ab" * 32, cache) as found:
        where = found.folder
    binary, facts = where / "fold_all.bin", where / "facts.json"
    before = binary.read_bytes()
    if harm == "changed":
        binary.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    elif harm == "cut":
        binary.write_bytes(before[:100])
    elif harm == "missing":
        binary.unlink()
    elif harm == "facts":
        facts.write_text("{")
    else:
        with edited(facts) as content:
            if harm == "format":
                content["format"] = 99
            else:
                content["sha256"]["../../x"] = "00"
    with converted(folder, "ab" * 32, cache) as found:
        assert found.folder == where
        assert binary.read_bytes() == before


def test_a_cache_that_cannot_be_written_is_done_without(folder: Path, tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with converted(folder, "ab" * 32, blocked / "cache") as found:
        assert found.networks("f32", 1)
    assert blocked.read_text() == "in the way"


#: Python runs it at the start of this process and of those it starts.
NO_NETWORK = """
import socket, sys
sys.modules["torch"] = None  # whoever imports it fails
def refuse(*args):
    open({mark!r}, "w").close()
    raise OSError("the network was touched")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
"""

RUN = """
import sys
import numpy as np
from pathlib import Path
from sct_rootlets.engines import load_engine
from sct_rootlets.image import Grid, Image
from sct_rootlets.store import locate
engine = load_engine(locate(sys.argv[1]), "auto", 1, engine="openvino", cache=Path(sys.argv[2]))
data = np.random.default_rng(1).normal(size=(20, 24, 18)).astype(np.float32)
engine.predict(Image(data, Grid(data.shape, np.eye(4))))
print("nnunetv2" in sys.modules)
"""


def run_of(folder: Path, cache: Path) -> list[str]:
    """Return a command that predicts with the model, its labels named as levels."""
    with edited(folder / "dataset.json") as dataset:
        dataset["labels"] = {"background": 0, "lvl1": 1, "lvl2": 2, "lvl3": 3}
    return [sys.executable, "-c", RUN, str(folder), str(cache)]


def test_no_run_needs_torch_or_touches_the_network(folder: Path, tmp_path: Path):
    touched = tmp_path / "touched"
    (tmp_path / "sitecustomize.py").write_text(NO_NETWORK.format(mark=str(touched)))
    search = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    command = run_of(folder, tmp_path / "cache")
    answers = [
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": search},
        ).stdout
        for _ in (1, 2)
    ]
    assert answers == ["False\n", "False\n"]
    assert not touched.exists()


@pytest.mark.slow
def test_both_ways_to_convert_give_the_same(
    folder: Path, tmp_path: Path, converted_apart, monkeypatch
):
    monkeypatch.setattr(network_cache, "_written", lambda folder, target: None)
    with converted(folder, "ab" * 32, tmp_path / "apart") as apart:
        pass
    here = tmp_path / "here"
    here.mkdir()
    network_cache._make(folder, here)
    assert {path.name for path in here.iterdir()} == {p.name for p in apart.folder.iterdir()}
    assert (here / "fold_all.bin").read_bytes() == (apart.folder / "fold_all.bin").read_bytes()


def test_processes_that_make_the_same_at_a_time_do_no_harm(folder: Path, tmp_path: Path):
    cache = tmp_path / "cache"
    command = run_of(folder, cache)
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait() for process in running] == [0, 0]
    (kept,) = cache.iterdir()
    assert (kept / "facts.json").is_file()


def test_a_network_that_cannot_be_expressed_says_what_to_choose(tmp_path: Path):
    from sct_rootlets.engines.networks.openvino_convert import convert

    class Odd(torch.nn.Module):
        def forward(self, x):
            return torch.linalg.svd(x[0, 0, 0])[1]

    with pytest.raises(ModelError, match="-engine torch"):
        convert(Odd(), (8, 8, 8), tmp_path / "odd.xml")


def test_signals_are_handled_after_networks_are_gone(folder: Path):
    code = """
import signal, sys
from pathlib import Path
from sct_rootlets.engines.networks.network_cache import converted
with converted(Path(sys.argv[1]), "ab" * 32, None) as found:
    first, second = (found.networks("f32", 1) for _ in (1, 2))
del first
del second
signal.signal(signal.SIGTERM, lambda number, frame: print("handled"))
signal.raise_signal(signal.SIGTERM)
"""
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr
