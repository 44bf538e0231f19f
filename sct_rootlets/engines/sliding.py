"""The sliding engine: any nnU-Net rootlets model, by our own sliding window.

What decides nnU-Net's answer is kept: orientation, transposition, crop, normalisation,
resampling, tiles, weights, mean over folds and mirrored views, the class of the highest
resampled score. What does not is left out: planes are handed on as soon as they are final,
scores are resampled at borders only, and where a cord mask is given, tiles that do not come
near it are not predicted.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.engines.cord_finder import CordFinder
from sct_rootlets.engines.engine import (
    Progress,
    Segmentation,
    require_affordable,
    segmentation_from,
)
from sct_rootlets.engines.network_grid.axes import Reorientation
from sct_rootlets.engines.network_grid.labels import MOST_CLASSES, labels_from
from sct_rootlets.engines.network_grid.preprocess import Prepared, prepare
from sct_rootlets.engines.network_grid.sweep import Plane, Region, best_axis, grid_origins, sweep
from sct_rootlets.engines.network_grid.tiles import (
    Origin,
    mirrored_views,
    pad_to_patch,
    tile_origins,
)
from sct_rootlets.engines.networks.backends import Backend
from sct_rootlets.errors import InputError, ModelError
from sct_rootlets.image import Image, LabelImage, require_same_grid
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.model_folder import UnsupportedPlan, read_model_folder

__all__ = ["REACH_MM", "SlidingEngine"]

_Array = NDArray[np.float32]

#: Rootlets are looked for within this distance of a given cord mask, in mm. They leave the
#: canal, which is less than 30 mm wide, within it.
REACH_MM = 15.0

#: With `fast`, so that one tile is mostly as wide as what it has to cover.
FAST_REACH_MM = 10.0

#: Around a cord that was found and not given, the whole length of the image is kept, and
#: this much on either side of its box, in mm: it may be found in part.
FOUND_MARGIN_MM = 30.0


#: Rootlets of lower levels run down the canal, far beyond the end of the cord.
_LAST_BESIDE_THE_CORD = SpinalLevel.T1


class SlidingEngine:
    """A model folder of nnU-Net v2, loaded.

    Parameters
    ----------
    model : InstalledModel
    backend : Backend
    fast : bool
        Place tiles on the cord instead of on nnU-Net's grid, where there is a cord mask.
    mirror : bool
        Average over the mirrored views that the model allows.
    finder : CordFinder, optional
        Finds the cord where no mask is given.

    Raises
    ------
    UnsupportedPlan
        If the model asks for what only nnU-Net's own predictor does.
    """

    def __init__(
        self,
        model: InstalledModel,
        backend: Backend,
        *,
        fast: bool = False,
        mirror: bool = False,
        finder: CordFinder | None = None,
    ) -> None:
        self._model = model
        self._fast = fast
        self._finder = finder
        self._networks, facts = backend.load(model.folder, model.sha256)
        read = read_model_folder(model.folder)
        self._plan = read.plan(facts.configuration)
        if self._plan.classes > MOST_CLASSES:
            raise UnsupportedPlan(f"its {self._plan.classes} classes")
        self._patch = (1, *self._plan.patch) if self._plan.is_2d else self._plan.patch
        self._meanings = model.meanings
        axes = facts.mirror_axes if mirror else ()
        if any(axis >= len(self._plan.patch) for axis in axes):
            raise ModelError(
                f"its checkpoint allows mirroring along the axes {axes}, and its patch has "
                f"{len(self._plan.patch)}",
                path=model.folder,
                remedy="Leave out -test-time-aug",
            )
        self._views = mirrored_views(axes)
        mirroring = f"{len(self._views)} mirrored views" if axes else "no mirroring"
        self._notes = [
            f"{backend.name}, {facts.configuration}, {read.folds.text}, tile step 0.5, {mirroring}"
        ]

    def predict(
        self,
        image: Image,
        *,
        cord: LabelImage | None = None,
        progress: Progress | None = None,
    ) -> Segmentation:
        """Predict the rootlets of `image`; see :class:`sct_rootlets.engines.Engine`.

        Where `cord` is given, rootlets are looked for within :data:`REACH_MM` of it
        (:data:`FAST_REACH_MM` with `fast`).

        Raises
        ------
        InputError
            If the cord mask is empty or on another grid.
        """
        tell = progress or (lambda stage, done, total: None)
        way = Reorientation.to(self._model.orientation_sct, image.grid.affine, image.grid.shape)
        # nnU-Net's arrays are (z, y, x), with the spacing in the same order.
        spacing = [float(mm) for mm in way.spacing_mm[::-1]]
        tell("preparing the image", 0, 1)
        require_affordable(image, image.grid.size_mm, self._plan.spacing_mm)
        prepared = prepare(way.apply(image.data).transpose(2, 1, 0), spacing, self._plan)
        needed, note = self._needed(image, cord, way, prepared, tell)
        labels = self._labels(prepared, needed, tell)
        notes = [*self._notes, note]
        if needed is not None and cord is None and not labels.any():
            labels = self._labels(prepared, None, tell)
            notes[-1] = "nothing was found around the cord, and the whole image was predicted"
        values = way.undo(prepared.labels_back(labels).transpose(2, 1, 0))
        tell("back to the image's grid", 1, 1)
        return segmentation_from(values, image, self._meanings, notes)

    def _needed(
        self,
        image: Image,
        cord: LabelImage | None,
        way: Reorientation,
        prepared: Prepared,
        tell: Progress,
    ) -> tuple[NDArray[np.bool_] | None, str]:
        """Return where rootlets are looked for on the network's grid, and what is said of it."""
        everywhere = "the whole image was predicted"
        levels = self._model.labels if self._model.has_level_identity else ()
        if any(level > _LAST_BESIDE_THE_CORD.value for level in levels):
            return None, everywhere
        if cord is not None:
            require_same_grid(image, cord)
            if not (cord.data != 0).any():
                raise InputError("the cord mask is empty", path=cord.path)
            mask = prepared.mask(way.apply(cord.data).transpose(2, 1, 0))
            if not mask.any():
                return None, everywhere
            reach = FAST_REACH_MM if self._fast else REACH_MM
            near = _near(mask, reach, prepared.spacing_mm)
            return near, f"within {reach:g} mm of the cord mask that was given"
        if self._finder is None or not self._is_wide(prepared):
            return None, everywhere
        found = self._finder.box_world(image, tell)
        if found is None:
            return None, f"{everywhere}: no cord was found to look around"
        box = self._found_box(found, image, way, prepared)
        if not self._fast and self._spares_no_tile(box):
            return None, everywhere
        return box, "around the cord that the bundled network found, over the image's length"

    def _is_wide(self, prepared: Prepared) -> bool:
        """Say whether there can be tiles beside the box around a cord, so that finding it pays."""
        sizes = zip(prepared.volume.shape, self._patch, prepared.spacing_mm, strict=True)
        beside = [(n - patch) * mm >= 2 * FOUND_MARGIN_MM for n, patch, mm in sizes]
        # The network's axes are the model's x, y, z in reverse, transposed.
        letters = [self._model.orientation_sct[::-1][axis] for axis in self._plan.transpose]
        return any(room for room, letter in zip(beside, letters, strict=True) if letter not in "IS")

    def _spares_no_tile(self, needed: NDArray[np.bool_]) -> bool:
        padded, _ = pad_to_patch(needed, self._patch)
        tiles = [grid_origins(padded.shape, self._patch, each) for each in (None, padded)]
        return len(tiles[0]) == len(tiles[1])

    def _found_box(
        self,
        corners_world: NDArray[np.float64],
        image: Image,
        way: Reorientation,
        prepared: Prepared,
    ) -> NDArray[np.bool_]:
        """Return the box around a found cord, all along the axis of the body."""
        inverse = np.linalg.inv(way.affine)
        ijk = corners_world @ inverse[:3, :3].T + inverse[:3, 3]
        margin = FOUND_MARGIN_MM / way.spacing_mm
        low, high = np.floor(ijk.min(axis=0) - margin), np.ceil(ijk.max(axis=0) + margin) + 1
        spans = [slice(max(0, int(a)), max(0, int(b))) for a, b in zip(low, high, strict=True)]
        along = next(
            axis for axis, letter in enumerate(self._model.orientation_sct) if letter in "IS"
        )
        spans[along] = slice(None)
        turned = np.zeros(way.apply(image.data).shape, dtype=bool)
        turned[tuple(spans)] = True
        return prepared.mask(turned.transpose(2, 1, 0))

    def _labels(
        self, prepared: Prepared, needed: NDArray[np.bool_] | None, tell: Progress
    ) -> NDArray[np.uint8]:
        """Return the labels of the cropped box of the image, in the network's axes."""
        volume, inside = pad_to_patch(prepared.volume, self._patch)
        region = Region(needed, prepared.volume.shape)
        wanted = None if needed is None else pad_to_patch(needed, self._patch)[0]
        origins = self._origins(volume.shape, wanted)
        axis = best_axis(volume.shape, self._patch)
        box = tuple(
            slice(part.start + whole.start, part.stop + whole.start)
            for part, whole in zip(region.box, inside, strict=True)
        )
        text = "segmenting the rootlets"
        planes = sweep(
            volume,
            origins,
            self._patch,
            self._scores,
            classes=self._plan.classes,
            axis=axis,
            box=(box[0], box[1], box[2]),
            progress=lambda done, total: tell(text, done, total),
        )
        shift = inside[axis].start
        return labels_from(_shifted(planes, shift), prepared.way_back(), axis, region)

    def _origins(
        self, shape: tuple[int, ...], wanted: NDArray[np.bool_] | None
    ) -> Sequence[Origin]:
        if self._fast and wanted is not None and not self._plan.is_2d:
            return tile_origins(shape, self._patch, wanted)
        return grid_origins(shape, self._patch, wanted)

    def _scores(self, tile: _Array) -> _Array:
        """Return the mean scores (classes, Z, Y, X) of a tile over folds and mirrored views."""
        given = tile[0] if self._plan.is_2d else tile
        views = list(itertools.product(self._networks, self._views))
        total: _Array | None = None
        for network, axes in views:
            scores = network.scores(np.flip(given, axes)[None])[0]
            if scores.shape != (self._plan.classes, *given.shape):
                raise ModelError(
                    f"its network gives scores of the shape {scores.shape} for a tile of "
                    f"{given.shape} and {self._plan.classes} classes",
                    path=self._model.folder,
                )
            scores = np.flip(scores, tuple(axis + 1 for axis in axes))
            if total is None:  # a network may write its next answer where this one is
                total = scores if len(views) == 1 else scores / np.float32(len(views))
            else:
                total += scores / np.float32(len(views))
        assert total is not None
        return total[:, None] if self._plan.is_2d else total


def _near(
    mask: NDArray[np.bool_], reach_mm: float, spacing_mm: Sequence[float]
) -> NDArray[np.bool_]:
    """Return what lies within `reach_mm` of a mask, looked for no farther than that."""
    box = []
    for axis, part in enumerate(Region(mask, mask.shape).box):
        margin = int(reach_mm / spacing_mm[axis]) + 1
        box.append(slice(max(0, part.start - margin), part.stop + margin))
    near = np.zeros(mask.shape, dtype=bool)
    inside = tuple(box)
    near[inside] = ndimage.distance_transform_edt(~mask[inside], spacing_mm) <= reach_mm
    return near


def _shifted(planes: Iterator[Plane], by: int) -> Iterator[Plane]:
    for plane in planes:
        yield replace(plane, index=plane.index - by) if by else plane
