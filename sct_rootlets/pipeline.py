"""From one image to a table of spinal levels: checks, prediction, derivation.

This is the one module that knows the engines, the store and the levels. Inputs are
checked before anything heavy is loaded, and what a run needs is asked for before it
starts, not after minutes of prediction.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Union

from sct_rootlets import writing
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.derivation import (
    LevelOptions,
    call_derive,
    derive_any,
    derive_levels,
    files_of,
    landmark_parameters,
    levels,
    name_of,
)
from sct_rootlets.engines import Progress, Segmentation, load_engine
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image import Image, LabelImage
from sct_rootlets.inputs import (
    ImageLike,
    LabelsLike,
    Landmarks,
    Point,
    read_cord,
    read_image,
)
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.result import Result, stem_of
from sct_rootlets.store import Choice, locate

__all__ = ["LevelOptions", "Predicted", "derive_levels", "levels", "run", "segment"]

ModelLike = Union[str, "os.PathLike[str]", Choice]


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
    vertebrae: LabelsLike | None = None,
    c2c3_world: Point | None = None,
    pmj: LabelsLike | None = None,
    model: ModelLike = "bundled",
    device: str = "auto",
    threads: int | None = None,
    definition: str = "caudal",
    reach_mm: float = 1.5,
    dilation_voxels: int | None = None,
    extend: SpinalLevel | None = None,
    renumber: bool = False,
    axial: bool = False,
    progress: Progress | None = None,
    write_to: str | os.PathLike[str] | None = None,
) -> Result:
    """Segment the rootlets of an image and derive its spinal levels.

    Parameters
    ----------
    image : path-like or Image
    cord : path-like or LabelImage, optional
        Cord mask with the voxels of the image, in any orientation. Without it the model has
        to predict one, as the bundled one does.
    discs, vertebrae, c2c3_world, pmj
        As :meth:`sct_rootlets.inputs.Landmarks.read` takes them.
    model : str, path-like or Choice
        As :func:`sct_rootlets.store.locate` takes it, or with options of its own. What is
        missing is installed, once the inputs have been checked.
    device, threads
        As :func:`sct_rootlets.engines.load_engine` takes them.
    definition, reach_mm, dilation_voxels, extend, renumber, axial
        As :class:`LevelOptions` has them.
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
        If the model does not name levels and nothing is given that does, options
        contradict each other, or the model makes no cord mask and none is given, before
        the model is loaded.
    ModelError, MissingDependencyError
        If the model cannot be found or loaded.
    RootletsError
        Of other kinds, if the model has to be installed and cannot be.
    """
    options = LevelOptions(definition, reach_mm, dilation_voxels, extend, renumber, axial)
    image_ = read_image(image)
    cord_ = None if cord is None else read_cord(cord, image_)
    landmarks = Landmarks.read(
        image_, discs=discs, vertebrae=vertebrae, c2c3_world=c2c3_world, pmj=pmj
    )
    installed = _located(model, progress)
    if not installed.has_level_identity and not landmarks.name_levels:
        raise _no_identity(installed)
    if cord_ is None and not installed.is_compact:
        raise _no_cord(installed)
    sources = files_of(image_, cord_, *landmarks.images)
    if write_to is not None:
        files = writing.image_outputs(stem_of(image_), Path(write_to), cord=cord_ is None)
        files |= writing.level_files(files["levels"])
        writing.require_free(files, sources)
    timings: dict[str, float] = {}
    segmentation = _predict(image_, cord_, installed, device, threads, progress, timings)
    used = cord_ if cord_ is not None else segmentation.cord
    if used is None:
        raise _no_cord(installed)
    _require_rootlets(segmentation, image_)
    with _timed("deriving the levels", timings, progress):
        derived = derive_any(
            segmentation.rootlets,
            used,
            landmarks,
            options,
            fname=f"{stem_of(image_)}{writing.SUFFIXES['rootlets']}.nii.gz",
            has_level_identity=segmentation.has_level_identity,
        )
    parameters = {
        **options.parameters,
        "cord": "predicted by the model" if cord_ is None else name_of(cord_),
        **landmark_parameters(landmarks),
        "device": device,
    }
    return Result(
        image_,
        used,
        cord_ is None,
        derived,
        segmentation,
        installed,
        landmarks.discs,
        sources,
        parameters,
        timings,
    )


def segment(
    image: ImageLike,
    *,
    cord: LabelsLike | None = None,
    discs: LabelsLike | None = None,
    vertebrae: LabelsLike | None = None,
    c2c3_world: Point | None = None,
    model: ModelLike = "bundled",
    device: str = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
    write_to: Mapping[str, Path] | None = None,
) -> Predicted:
    """Predict the rootlets of an image, and number them where landmarks are given.

    Parameters and errors as in :func:`run`, except that without landmarks the rootlets of a
    model that does not name levels keep the value 1, and that `write_to` are the files to
    write, ``rootlets`` and (where no cord mask is given) ``cord``.
    """
    image_ = read_image(image)
    cord_ = None if cord is None else read_cord(cord, image_)
    landmarks = Landmarks.read(image_, discs=discs, vertebrae=vertebrae, c2c3_world=c2c3_world)
    installed = _located(model, progress)
    sources = files_of(image_, cord_, *landmarks.images)
    if write_to is not None:
        predicts_cord = cord_ is None and installed.is_compact
        files = {what: f for what, f in write_to.items() if what != "cord" or predicts_cord}
        writing.require_free(files, sources)
    timings: dict[str, float] = {}
    segmentation = _predict(image_, cord_, installed, device, threads, progress, timings)
    used = cord_ if cord_ is not None else segmentation.cord
    rootlets, numbered = segmentation.rootlets, segmentation.has_level_identity
    if not numbered and landmarks.name_levels:
        if used is None:
            raise _no_cord(installed)
        _require_rootlets(segmentation, image_)
        with _timed("numbering the rootlets", timings, progress):
            rootlets = call_derive(rootlets, used, landmarks, has_level_identity=False).rootlets
        numbered = True
    ours = cord_ is None and used is not None
    return Predicted(
        image_, used, ours, rootlets, numbered, segmentation, installed, sources, timings
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


def _require_rootlets(segmentation: Segmentation, image: Image) -> None:
    if not segmentation.rootlets.labels:
        raise InputError(
            "no rootlets were found in it",
            path=image.path,
            remedy="They are seen at about 1 mm or finer; look at the image around the cord, "
            "or try another -model",
        )


def _no_identity(model: InstalledModel) -> UsageError:
    return UsageError(
        f"the model {model.name} finds rootlets and not which spinal level they belong to: "
        "from level to level they look alike",
        remedy="Say which is which with disc labels (-discs; C2/C3 alone, value 3, is enough), "
        "with a cord labelled with vertebral levels (-vertfile), or with the C2/C3 disc's "
        "position in world mm (-c2c3 x,y,z)",
    )


def _no_cord(model: InstalledModel) -> UsageError:
    return UsageError(
        f"the model {model.name} predicts no cord mask, which the levels need",
        remedy="Give one with -s, for example from sct_deepseg spinalcord",
    )


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
