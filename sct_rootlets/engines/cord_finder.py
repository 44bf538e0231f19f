"""Where the cord is in an image, by the coarse network of the compact model."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.engines.compact_stage import Stage, coarse_folder, load_stage, normalised
from sct_rootlets.engines.cord_pieces import clean_cord
from sct_rootlets.engines.engine import Progress, require_affordable
from sct_rootlets.engines.network_grid.axes import (
    Grids,
    Reorientation,
    grids_at,
    grids_of,
    resampled,
)
from sct_rootlets.engines.networks.backends import Backend
from sct_rootlets.errors import InputError
from sct_rootlets.image import Image, LabelImage
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.model_folder import read_model_folder

__all__ = ["COARSE_THRESHOLDS", "CordFinder"]

#: Probabilities of the coarse network that count as cord, tried in this order.
COARSE_THRESHOLDS = (0.5, 0.25)


class CordFinder:
    """The coarse network of a compact model, loaded when it is first needed.

    Parameters
    ----------
    model : InstalledModel
        A compact model.
    backend : Backend
    """

    def __init__(self, model: InstalledModel, backend: Backend) -> None:
        self._model = model
        self._backend = backend
        self._stage: Stage | None = None

    @classmethod
    def of(cls, model: InstalledModel, backend: Backend) -> CordFinder | None:
        """Return the finder of a compact model, None if its coarse network is missing.

        Raises
        ------
        ModelError
            If that network is none that can be run, though it is loaded only when it is needed.
        """
        folder = coarse_folder(model)
        if folder is None or not folder.is_dir():
            return None
        coarse = read_model_folder(folder)
        for configuration in coarse.plans["configurations"]:
            coarse.plan(configuration)
        return cls(model, backend)

    def find(self, image: Image, tell: Progress) -> tuple[NDArray[np.bool_], Grids]:
        """Return a coarse mask of the cord, and its axes, both in the model's orientation.

        Raises
        ------
        InputError
            If no cord is found.
        """
        found = self._find(image, tell)
        if found is None:
            raise InputError(
                "no spinal cord was found in it",
                path=image.path,
                remedy="Give a cord mask with -s (for example from sct_deepseg spinalcord); "
                "if the image shows no cervical cord, the model cannot be used on it",
            )
        return found

    def box_world(self, image: Image, tell: Progress) -> NDArray[np.float64] | None:
        """Return the corners (8, 3), in world mm, of the cord's box; None if none is found."""
        found = self._find(image, tell)
        if found is None:
            return None
        mask, grids = found
        way = self._way(image)
        ends = []
        for axis, grid in enumerate(grids):
            others = tuple(other for other in range(3) if other != axis)
            filled = grid.centres_mm[np.flatnonzero(mask.any(axis=others))]
            # Positions are in mm from the centre of the reoriented image's first voxel.
            ends.append((filled[0] / way.spacing_mm[axis], filled[-1] / way.spacing_mm[axis]))
        corners = np.array(list(itertools.product(*ends)))
        world: NDArray[np.float64] = corners @ way.affine[:3, :3].T + way.affine[:3, 3]
        return world

    def mask(self, image: Image) -> LabelImage | None:
        """Return the coarse mask of the cord on the grid of `image`; None if none is found."""
        found = self._find(image, lambda stage, done, total: None)
        if found is None:
            return None
        coarse, grids = found
        way = self._way(image)
        source = grids_of(way.apply(image.data).shape, way.spacing_mm)
        inside = resampled(coarse, grids, source) >= 0.5
        return LabelImage(way.undo(inside.astype(np.uint8)), image.grid, image.header, image.path)

    def _way(self, image: Image) -> Reorientation:
        return Reorientation.to(self._model.orientation_sct, image.grid.affine, image.grid.shape)

    def _find(self, image: Image, tell: Progress) -> tuple[NDArray[np.bool_], Grids] | None:
        text = "looking for the cord"
        tell(text, 0, 1)
        if self._stage is None:
            folder = coarse_folder(self._model)
            assert folder is not None
            self._stage = load_stage(folder, self._model.sha256, self._backend)
        stage = self._stage
        require_affordable(image, image.grid.size_mm, stage.spacing_mm)
        way = self._way(image)
        data = way.apply(image.data)
        source = grids_of(data.shape, way.spacing_mm)
        grids = grids_at(source, stage.spacing_mm)
        volume = normalised(resampled(data, source, grids))
        probability = stage.predict(
            volume,
            batch=self._backend.batch,
            progress=lambda done, total: tell(text, done, total),
        )[stage.model.meanings().cord]
        for threshold in COARSE_THRESHOLDS:
            mask = clean_cord(probability >= threshold, stage.spacing_mm)
            if mask is not None:
                return mask, grids
        return None
