"""A network of the compact model, with what its folder says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.engines.network_grid.tiles import accumulate, pad_to_patch, tile_origins
from sct_rootlets.engines.networks.backends import Backend
from sct_rootlets.engines.networks.torch_network import Network
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.model_folder import ModelFolder, read_model_folder

__all__ = ["Stage", "coarse_folder", "load_stage", "normalised"]

_Array = NDArray[np.float32]


@dataclass
class Stage:
    """One of the two networks.

    Attributes
    ----------
    network : Network
    spacing_mm : (3,) array
        Along x, y, z.
    patch_zyx : (3,) tuple of int
    model : ModelFolder
        What its folder says.
    mirror_axes : tuple of int
        Axes of a tile (z, y, x) along which mirroring is allowed.
    """

    network: Network
    spacing_mm: NDArray[np.float64]
    patch_zyx: tuple[int, int, int]
    model: ModelFolder
    mirror_axes: tuple[int, ...] = ()

    def probabilities(self, tiles: _Array, views: Sequence[tuple[int, ...]] = ((),)) -> _Array:
        """Return the probability (N, classes, Z, Y, X) of each class in tiles (N, Z, Y, X).

        It is the mean over `views`, each the axes of a tile along which it is mirrored.
        """
        total: _Array | None = None
        for axes in views:
            own = tuple(axis + 1 for axis in axes)
            scores = self.network.scores(np.ascontiguousarray(np.flip(tiles, own)))
            powers = np.exp(scores - scores.max(axis=1, keepdims=True))
            share = powers / powers.sum(axis=1, keepdims=True)
            share = np.flip(share, tuple(axis + 1 for axis in own))
            total = share if total is None else total + share
        assert total is not None
        return total / np.float32(len(views)) if len(views) > 1 else total

    def predict(
        self,
        volume: _Array,
        needed: NDArray[np.bool_] | None = None,
        views: Sequence[tuple[int, ...]] = ((),),
        *,
        batch: int,
        progress: Callable[[int, int], None],
    ) -> _Array:
        """Return the probability (classes, X, Y, Z) of each class in a volume (X, Y, Z).

        Tiles cover what is needed, and by default all of it; elsewhere it may be 0.
        """
        padded, inside = pad_to_patch(volume.transpose(2, 1, 0), self.patch_zyx)
        mask = None
        if needed is not None:
            mask = np.zeros(padded.shape, dtype=bool)
            mask[inside] = needed.transpose(2, 1, 0)
        scores, _ = accumulate(
            padded,
            tile_origins(padded.shape, self.patch_zyx, mask),
            self.patch_zyx,
            lambda tiles: self.probabilities(tiles, views),
            classes=self.model.labels.classes,
            batch=batch,
            progress=progress,
        )
        z, y, x = inside
        return scores[:, z, y, x].transpose(0, 3, 2, 1)


def coarse_folder(model: InstalledModel) -> Path | None:
    """Return where the coarse network of a compact model lies, None if there is no such place."""
    name = model.folder.name.replace("3d_fullres", "3d_lowres")
    return None if name == model.folder.name else model.folder.with_name(name)


def load_stage(folder: Path, sha256: str, backend: Backend) -> Stage:
    """Load a network of a compact model.

    Parameters
    ----------
    folder : Path
        Of the network.
    sha256 : str
        Hash of what inference reads of the model.
    backend : Backend

    Raises
    ------
    ModelError
        If it cannot be used, or is none in three dimensions and plain order of axes.
    """
    model = read_model_folder(folder)
    (network, *_), facts = backend.load(folder, sha256)
    plan = model.plan(facts.configuration)
    z, y, x = plan.patch
    spacing = np.array(plan.spacing_mm[::-1])
    return Stage(network, spacing, (z, y, x), model, facts.mirror_axes)


def normalised(volume: _Array) -> _Array:
    """Return `volume` with mean 0 and standard deviation 1, as nnU-Net's z-score does."""
    spread = max(float(volume.std(dtype=np.float64)), 1e-8)
    return (volume - float(volume.mean(dtype=np.float64))) / np.float32(spread)
