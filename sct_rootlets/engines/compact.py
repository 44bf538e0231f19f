"""The compact engine: finds the cord at 2 mm, then segments around it at 1 mm.

Both steps are small 3D U-Nets in nnU-Net folders. The coarse one sees the whole image and
says only where the cord is; the fine one sees a box that follows the cord and predicts
the probabilities of cord, CSF and rootlet, which come back to the image's grid by linear
interpolation. See ``docs/models`` for what it was trained on and measured with.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sct_rootlets.engines.compact_stage import coarse_folder, load_stage, normalised
from sct_rootlets.engines.cord_finder import CordFinder
from sct_rootlets.engines.cord_pieces import stray
from sct_rootlets.engines.engine import (
    Progress,
    Segmentation,
    require_affordable,
    segmentation_from,
)
from sct_rootlets.engines.network_grid.axes import (
    Grids,
    Reorientation,
    grids_at,
    grids_of,
    resampled,
)
from sct_rootlets.engines.network_grid.tiles import mirrored_views
from sct_rootlets.engines.networks.backends import Backend
from sct_rootlets.errors import InputError, ModelError
from sct_rootlets.image import Image, LabelImage, require_same_grid
from sct_rootlets.manifest import InstalledModel

__all__ = ["CompactEngine"]

#: The box that is resampled and normalised reaches this far beyond the cord, in mm.
BOX_MARGIN_MM = 20.0

#: Tiles cover what is within this distance of the cord, in mm.
REACH_MM = 18.0

_Array = NDArray[np.float32]


class CompactEngine:
    """The bundled two-step model, loaded.

    Parameters
    ----------
    model : InstalledModel
        Its folder is that of 3d_fullres; that of 3d_lowres lies beside it.
    backend : Backend
    mirror : bool
        Average over the mirrored views that the fine network allows.
    """

    def __init__(self, model: InstalledModel, backend: Backend, *, mirror: bool = False) -> None:
        self._model = model
        self._backend = backend
        self._fine = load_stage(model.folder, model.sha256, backend)
        self._meanings = model.meanings
        self._rootlet_classes = sorted(self._meanings.rootlet_value_of)
        self._threshold = self._fine.model.rootlet_threshold
        self._finder = CordFinder.of(model, backend)
        self._views = mirrored_views(self._fine.mirror_axes if mirror else ())

    def predict(
        self,
        image: Image,
        *,
        cord: LabelImage | None = None,
        progress: Progress | None = None,
    ) -> Segmentation:
        """Predict cord, CSF and rootlets of `image`; see :class:`sct_rootlets.engines.Engine`.

        Without `cord` the coarse network looks for it.

        Notes
        -----
        On the grid of the image, a voxel is

        - rootlet where that probability reaches the model's threshold (0.7 by default)
          and is higher than the cord's;
        - else cord, or CSF, where that is the most probable class of all. A voxel that
          is most probably rootlet but below the threshold is none of them.

        Raises
        ------
        InputError
            If no cord is found, or the given mask is empty or on another grid.
        """
        tell = progress or (lambda stage, done, total: None)
        way = Reorientation.to(self._model.orientation_sct, image.grid.affine, image.grid.shape)
        data = way.apply(image.data)
        source = grids_of(data.shape, way.spacing_mm)
        notes = [f"compact model, rootlet threshold {self._threshold:g}, {self._backend.name}"]
        if len(self._views) > 1:
            notes[0] += f", {len(self._views)} mirrored views"
        if cord is None:
            if self._finder is None:
                raise ModelError(
                    "the network that finds the cord is missing",
                    path=coarse_folder(self._model),
                    remedy="Give a cord mask with -s",
                )
            mask, mask_grids = self._finder.find(image, tell)
            notes.append("the cord was found by the coarse network")
        else:
            require_same_grid(image, cord)
            mask, mask_grids = way.apply(cord.data) != 0, source
            if not mask.any():
                raise InputError("the cord mask is empty", path=cord.path)
            notes.append("the cord mask that was given says where to look")
        scores, grids = self._segment(image, data, source, mask, mask_grids, tell)
        labels = self._decide(scores, grids, source, tell)
        return segmentation_from(way.undo(labels), image, self._meanings, notes)

    def _segment(
        self,
        image: Image,
        data: NDArray[Any],
        source: Grids,
        mask: NDArray[np.bool_],
        mask_grids: Grids,
        tell: Progress,
    ) -> tuple[_Array, Grids]:
        """Return class probabilities (C, X, Y, Z) in a box around the cord, and its grid."""
        stage = self._fine
        text = "segmenting the rootlets"
        tell(text, 0, 1)
        box = []
        for axis, grid in enumerate(grids_at(source, stage.spacing_mm)):
            others = tuple(other for other in range(3) if other != axis)
            filled = mask_grids[axis].centres_mm[np.flatnonzero(mask.any(axis=others))]
            start, stop = grid.span(filled[0] - BOX_MARGIN_MM, filled[-1] + BOX_MARGIN_MM)
            box.append(grid.part(start, stop))
        grids = (box[0], box[1], box[2])
        size_mm = [grid.count * grid.spacing_mm for grid in grids]
        require_affordable(image, size_mm, stage.spacing_mm)
        volume = normalised(resampled(data, source, grids))
        present = resampled(mask, mask_grids, grids) > 0.25
        if not present.any():  # a mask of single voxels, thinner than the network's
            present = resampled(mask, mask_grids, grids) > 0
        near = ndimage.distance_transform_edt(~present, stage.spacing_mm) <= REACH_MM
        scores = stage.predict(
            volume,
            near,
            self._views,
            batch=self._backend.batch,
            progress=lambda done, total: tell(text, done, total),
        )
        scores[:, ~near] = 0
        cord = self._meanings.cord
        scores[cord][stray(scores.argmax(axis=0) == cord)] = 0
        return scores, grids

    def _decide(
        self, scores: _Array, grids: Grids, source: Grids, tell: Progress
    ) -> NDArray[np.uint8]:
        """Return classes (I, J, K) on the image's grid, in the model's orientation.

        Slice by slice, so that probabilities at the image's resolution are never held.
        """
        labels = np.zeros(tuple(grid.count for grid in source), dtype=np.uint8)
        ranges = [
            part.span(
                grid.first_mm - grid.spacing_mm / 2,
                grid.first_mm + (grid.count - 0.5) * grid.spacing_mm,
            )
            for part, grid in zip(source, grids, strict=True)
        ]
        wanted = [part.part(*span) for part, span in zip(source, ranges, strict=True)]
        first, second, third = (
            target.matrix_from(grid, average=False)
            for target, grid in zip(wanted, grids, strict=True)
        )
        (i, ii), (j, jj), (k, kk) = ranges
        for row, slice_index in enumerate(range(k, kk)):
            weights = third[row]
            plane = scores[..., weights.indices] @ weights.data
            fine = np.stack([(second @ (first @ each).T).T for each in plane])
            labels[i:ii, j:jj, slice_index] = self._label(fine)
            tell("back to the image's grid", row + 1, kk - k)
        return labels

    def _label(self, scores: _Array) -> NDArray[np.uint8]:
        """Decide the class of each pixel of probabilities (C, I, J)."""
        rootlet = scores[self._rootlet_classes].sum(axis=0)
        best = scores.argmax(axis=0).astype(np.uint8)
        best[scores.sum(axis=0) <= 0] = 0
        best[np.isin(best, self._rootlet_classes)] = 0  # those of them below the threshold
        is_rootlet = (rootlet >= self._threshold) & (rootlet > scores[self._meanings.cord])
        best[is_rootlet] = self._rootlet_classes[0]
        return best
