"""From one image to a table of spinal levels: checks, prediction, derivation.

This is the one module that knows the engines, the store and the levels. Inputs are
checked before anything heavy is loaded, and what a run needs is asked for before it
starts, not after minutes of prediction.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Union

import numpy as np

from sct_rootlets import writing
from sct_rootlets.engines import Progress, Segmentation, load_engine
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image import Image, LabelImage, load_image, load_labels, require_same_grid
from sct_rootlets.levels import Derived, derive
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.result import Result, stem_of
from sct_rootlets.store import Choice, locate

__all__ = ["Predicted", "derive_levels", "run", "segment"]

logger = logging.getLogger(__name__)

ImageLike = Union[str, "os.PathLike[str]", Image]
LabelsLike = Union[str, "os.PathLike[str]", LabelImage]
ModelLike = Union[str, "os.PathLike[str]", Choice]
Point = tuple[float, float, float]

#: Fewer grey values than this make no MR image.
_FEWEST_GREY_VALUES = 8


@dataclass(frozen=True, eq=False)
class Predicted:
    """Rootlets of one image and the model that predicted them.

    Attributes
    ----------
    image : Image
    cord : LabelImage or None
        Cord mask given, else the model's, else None.
    cord_is_ours : bool
        Whether `cord` is the model's.
    rootlets : LabelImage
        With spinal level values where `numbered`, else 1 throughout.
    numbered : bool
    segmentation : Segmentation
        What the model predicted.
    model : InstalledModel
    sources : tuple of str
        Input files.
    timings_s : dict of str to float
        Seconds of each stage.
    """

    image: Image
    cord: LabelImage | None
    cord_is_ours: bool
    rootlets: LabelImage
    numbered: bool
    segmentation: Segmentation
    model: InstalledModel
    sources: tuple[str, ...]
    timings_s: dict[str, float]


def run(
    image: ImageLike,
    *,
    cord: LabelsLike | None = None,
    discs: LabelsLike | None = None,
    c2c3_world: Point | None = None,
    pmj: LabelsLike | None = None,
    model: ModelLike = "bundled",
    device: str = "auto",
    threads: int | None = None,
    definition: str = "caudal",
    reach_mm: float = 1.5,
    progress: Progress | None = None,
    write_to: str | os.PathLike[str] | None = None,
) -> Result:
    """Segment the rootlets of an image and derive its spinal levels.

    Parameters
    ----------
    image : path-like or Image
    cord, discs, pmj : path-like or LabelImage, optional
        Cord mask, disc labels and PMJ label on the grid of the image. Without a cord mask
        the model has to predict one, as the bundled one does.
    c2c3_world : (x, y, z), optional
        Posterior tip of the C2/C3 disc in world RAS+ mm, in place of `discs`.
    model : str, path-like or Choice
        As :func:`sct_rootlets.store.locate` takes it, or with options of its own. What is
        missing is installed, once the inputs have been checked.
    device, threads
        As :func:`sct_rootlets.engines.load_engine` takes them.
    definition : str
        ``"caudal"`` or ``"extent"``.
    reach_mm : float
        Largest distance from the cord surface at which rootlets count as entering it.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.
    write_to : path-like, optional
        Folder the result will be written to: whatever forbids that is found before the
        prediction. Nothing is written here.

    Returns
    -------
    Result

    Raises
    ------
    InputError
        If an input cannot be used, before the model is loaded; if no cord or no rootlets
        are found.
    UsageError
        If the model does not name levels and neither `discs` nor `c2c3_world` is given,
        or it makes no cord mask and none is given, before the model is loaded.
    ModelError, MissingDependencyError
        If the model cannot be found or loaded.
    RootletsError
        Of other kinds, if the model has to be installed and cannot be.
    """
    image_ = _image(image)
    cord_ = _labels(cord, "cord mask", image_)
    discs_ = _labels(discs, "disc labels", image_)
    pmj_ = _labels(pmj, "PMJ label", image_)
    _require_inside(c2c3_world, image_)
    installed = _located(model, progress)
    if not installed.has_level_identity and c2c3_world is None and not _has_disc(discs_):
        raise _no_identity(installed, discs_)
    if cord_ is None and not installed.is_compact:
        raise _no_cord(installed)
    sources = _files(image_, cord_, discs_, pmj_)
    if write_to is not None:
        files = writing.image_outputs(stem_of(image_), Path(write_to), cord=cord_ is None)
        writing.require_free(files, sources)
    timings: dict[str, float] = {}
    segmentation = _predict(image_, cord_, installed, device, threads, progress, timings)
    used = cord_ if cord_ is not None else segmentation.cord
    if used is None:
        raise _no_cord(installed)
    _require_rootlets(segmentation, image_)
    with _timed("deriving the levels", timings, progress):
        derived = derive(
            segmentation.rootlets,
            used,
            discs=discs_,
            c2c3_world=c2c3_world,
            pmj=pmj_,
            definition=definition,
            reach_mm=reach_mm,
            has_level_identity=segmentation.has_level_identity,
        )
    parameters = {
        "definition": definition,
        "reach_mm": reach_mm,
        "cord": "predicted by the model" if cord_ is None else Path(cord_.path).name,
        "discs": None if discs_ is None else Path(discs_.path).name,
        "c2c3_world_mm": None if c2c3_world is None else list(c2c3_world),
        "pmj": None if pmj_ is None else Path(pmj_.path).name,
        "device": device,
    }
    return Result(
        image_,
        used,
        cord_ is None,
        derived,
        segmentation,
        installed,
        discs_,
        sources,
        parameters,
        timings,
    )


def segment(
    image: ImageLike,
    *,
    cord: LabelsLike | None = None,
    discs: LabelsLike | None = None,
    c2c3_world: Point | None = None,
    model: ModelLike = "bundled",
    device: str = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
    write_to: Mapping[str, Path] | None = None,
) -> Predicted:
    """Predict the rootlets of an image, and number them where a disc is given.

    Parameters and errors as in :func:`run`, except that without a disc the rootlets of a
    model that does not name levels keep the value 1, and that `write_to` are the files to
    write, ``rootlets`` and (where no cord mask is given) ``cord``.
    """
    image_ = _image(image)
    cord_ = _labels(cord, "cord mask", image_)
    discs_ = _labels(discs, "disc labels", image_)
    _require_inside(c2c3_world, image_)
    installed = _located(model, progress)
    sources = _files(image_, cord_, discs_)
    if write_to is not None:
        predicts_cord = cord_ is None and installed.is_compact
        files = {what: f for what, f in write_to.items() if what != "cord" or predicts_cord}
        writing.require_free(files, sources)
    timings: dict[str, float] = {}
    segmentation = _predict(image_, cord_, installed, device, threads, progress, timings)
    used = cord_ if cord_ is not None else segmentation.cord
    rootlets, numbered = segmentation.rootlets, segmentation.has_level_identity
    if not numbered and (discs_ is not None or c2c3_world is not None):
        if used is None:
            raise _no_cord(installed)
        _require_rootlets(segmentation, image_)
        with _timed("numbering the rootlets", timings, progress):
            rootlets = derive(
                rootlets, used, discs=discs_, c2c3_world=c2c3_world, has_level_identity=False
            ).rootlets
        numbered = True
    ours = cord_ is None and used is not None
    return Predicted(
        image_, used, ours, rootlets, numbered, segmentation, installed, sources, timings
    )


def derive_levels(
    rootlets: LabelsLike,
    cord: LabelsLike,
    *,
    discs: LabelsLike | None = None,
    c2c3_world: Point | None = None,
    pmj: LabelsLike | None = None,
    definition: str = "caudal",
    reach_mm: float = 1.5,
) -> Derived:
    """Derive spinal levels from a segmentation of rootlets that is there already.

    Parameters and errors as in :func:`run`; rootlets of the single value 1 are taken for
    rootlets without level identity, others for spinal level values.
    """
    rootlets_ = rootlets if isinstance(rootlets, LabelImage) else load_labels(rootlets, "rootlets")
    cord_ = _labels(cord, "cord mask", rootlets_)
    discs_ = _labels(discs, "disc labels", rootlets_)
    pmj_ = _labels(pmj, "PMJ label", rootlets_)
    _require_inside(c2c3_world, rootlets_)
    assert cord_ is not None
    if np.array_equal(rootlets_.data != 0, cord_.data != 0):
        raise UsageError(
            f"has the same voxels as {cord_.path}, the cord mask",
            path=rootlets_.path,
            remedy="Give the rootlets with -i and the cord mask with -s",
        )
    return derive(
        rootlets_,
        cord_,
        discs=discs_,
        c2c3_world=c2c3_world,
        pmj=pmj_,
        definition=definition,
        reach_mm=reach_mm,
    )


def _located(model: ModelLike, progress: Progress | None) -> InstalledModel:
    if isinstance(model, Choice):
        return model.locate(progress)
    return locate(model, progress=progress)


def _predict(
    image: Image,
    cord: LabelImage | None,
    model: InstalledModel,
    device: str,
    threads: int | None,
    progress: Progress | None,
    timings_s: dict[str, float],
) -> Segmentation:
    with _timed("loading the model", timings_s, progress):
        engine = load_engine(model, device, threads)
    with _timed("prediction", timings_s):
        return engine.predict(image, cord=cord, progress=progress)


def _image(image: ImageLike) -> Image:
    loaded = image if isinstance(image, Image) else load_image(image, "image")
    values = np.unique(loaded.data)
    if len(values) < _FEWEST_GREY_VALUES:
        raise InputError(
            f"has only {len(values)} different values: it looks like a mask or labels, not "
            "like an MR image",
            path=loaded.path,
            remedy="Give the MR image itself with -i",
        )
    return loaded


def _labels(labels: LabelsLike | None, role: str, image: Image) -> LabelImage | None:
    if labels is None:
        return None
    loaded = labels if isinstance(labels, LabelImage) else load_labels(labels, role)
    require_same_grid(image, loaded)
    return loaded


def _require_inside(point_world: Point | None, image: Image) -> None:
    if point_world is not None and not image.grid.contains(point_world):
        place = ",".join(f"{value:g}" for value in point_world)
        raise UsageError(
            f"the point {place} of -c2c3 lies outside the field of view",
            path=image.path,
            remedy="Give world RAS+ mm (scanner coordinates), not voxel indices",
        )


def _require_rootlets(segmentation: Segmentation, image: Image) -> None:
    if not segmentation.rootlets.labels:
        raise InputError(
            "no rootlets were found in it",
            path=image.path,
            remedy="They are seen at about 1 mm or finer; look at the image around the cord, "
            "or try another -model",
        )


def _has_disc(discs: LabelImage | None) -> bool:
    return discs is not None and any(2 <= label <= 25 for label in discs.labels)


def _no_identity(model: InstalledModel, discs: LabelImage | None) -> UsageError:
    found = "" if discs is None else f"; {discs.path} holds no disc label, only {discs.labels}"
    return UsageError(
        f"the model {model.name} finds rootlets and not which spinal level they belong to: "
        f"from level to level they look alike{found}",
        remedy="Say which is which with disc labels (-discs; C2/C3 alone, value 3, is enough) "
        "or with the C2/C3 disc's position in world mm (-c2c3 x,y,z)",
    )


def _no_cord(model: InstalledModel) -> UsageError:
    return UsageError(
        f"the model {model.name} predicts no cord mask, which the levels need",
        remedy="Give one with -s, for example from sct_deepseg spinalcord",
    )


def _files(*images: Image | None) -> tuple[str, ...]:
    return tuple(im.path for im in images if im is not None and os.path.exists(im.path))


@contextmanager
def _timed(
    stage: str, timings_s: dict[str, float], progress: Progress | None = None
) -> Iterator[None]:
    start = time.perf_counter()
    if progress is not None:
        progress(stage, 0, 1)
    yield
    timings_s[stage] = time.perf_counter() - start
    if progress is not None:
        progress(stage, 1, 1)
