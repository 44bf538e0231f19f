from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.engines.networks.torch_network import TorchNetwork
from sct_rootlets.errors import ModelError

torch = pytest.importorskip("torch")


class Narrow(torch.nn.Module):
    """Doubles tiles, and has memory for a number of them."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room, self.given = room, []

    def forward(self, x):
        self.given.append(len(x))
        if len(x) > self.room:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return 2 * x


TILES = np.random.default_rng(2).normal(size=(3, 4, 4, 4)).astype(np.float32)


def test_tiles_that_do_not_fit_together_are_scored_one_by_one():
    module = Narrow(1)
    found = TorchNetwork(module, torch.device("cpu"), 1).scores(TILES)
    np.testing.assert_array_equal(found, 2 * TILES[:, None])
    assert module.given == [3, 1, 1, 1]


def test_a_tile_that_does_not_fit_says_what_to_do():
    network = TorchNetwork(Narrow(0), torch.device("cpu"), 1)
    with pytest.raises(ModelError, match=r"cpu does not hold one tile.*2 GiB.*-device cpu"):
        network.scores(TILES)
