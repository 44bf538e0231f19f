"""One image: predict its rootlets, number them, derive its levels."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.derivation import (
    LevelOptions,
    call_derive,
    derive_any,
    files_of,
    remarks_of,
)
from sct_rootlets.engines import Engine, Progress
from sct_rootlets.files.guards import require_apart, require_free
from sct_rootlets.files.names import SUFFIXES, stem_of
from sct_rootlets.inputs import ImageLike, LabelsLike, Point
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.pipeline import inputs_of_run, network, refusals
from sct_rootlets.pipeline.inputs_of_run import Given, Supplied
from sct_rootlets.pipeline.network import ModelLike, Settings, timed
from sct_rootlets.result import Predicted, Result

__all__ = ["files_to_write", "run", "segment", "segmented"]

logger = logging.getLogger(__name__)


def run(
    image: ImageLike,
    *,
    volume: int | None = None,
    cord: LabelsLike | None = None,
    discs: LabelsLike | None = None,
    vertebrae: LabelsLike | None = None,
    c2c3_world: Point | None = None,
    pmj: LabelsLike | None = None,
    model: ModelLike = "bundled",
    device: str = "auto",
    threads: int | None = None,
    engine: str = "auto",
    fast: bool = False,
    mirror: bool = False,
    definition: str = "caudal",
    reach_mm: float = 1.5,
    dilation_voxels: int | None = None,
    extend: SpinalLevel | None = None,
    renumber: bool = False,
    axial: bool = False,
    progress: Progress | None = None,
    write_to: str | os.PathLike[str] | None = None,
    supply: Callable[[InstalledModel], Supplied] | None = None,
) -> Result:
    """Segment the rootlets of an image and derive its spinal levels.

    Parameters
    ----------
    image : path-like or Image
    volume : int, optional
        Volume of a 4D file to take, from 0; without it a file of several volumes is an error.
    cord : path-like or LabelImage, optional
        Cord mask with the voxels of the image, in any orientation. Without it the model has
        to predict one, as the bundled one does.
    discs, vertebrae, c2c3_world, pmj
        As :meth:`sct_rootlets.inputs.Landmarks.read` takes them.
    model : str, path-like, Choice or InstalledModel
        As :func:`sct_rootlets.store.locate` takes it, or with options of its own, or one that
        was located already. What is missing is installed, once the inputs have been checked.
    device, threads, engine, fast, mirror
        As :func:`sct_rootlets.engines.load_engine` takes them.
    definition, reach_mm, dilation_voxels, extend, renumber, axial
        As :class:`LevelOptions` has them.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.
    write_to : path-like, optional
        Folder the result will be written to: whatever forbids that is found before the
        prediction. Nothing is written here.
    supply : callable, optional
        Finds or makes what is not given, such as :func:`sct_rootlets.sct.missing_inputs.supplier`.
        Called once, with the model, after everything that is given was checked.

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
    inputs = inputs_of_run.read(image, volume, cord, discs, vertebrae, c2c3_world, pmj)
    installed = network.located(model, progress)
    if supply is not None:
        # What can take minutes comes after all that can forbid the run, but for the cord mask,
        # which may turn out to be an input.
        if write_to is not None:
            inputs.require_free(Path(write_to), cord=False)
        inputs = inputs.with_supplied(supply(installed))
    image_, cord_, landmarks = inputs.image, inputs.cord, inputs.landmarks
    if not installed.has_level_identity and not landmarks.name_levels:
        raise refusals.no_identity(installed)
    if cord_ is None and not installed.is_compact:
        raise refusals.no_cord(installed)
    sources = files_of(*inputs.all)
    if write_to is not None:
        inputs.require_free(Path(write_to), cord=cord_ is None)
    timings: dict[str, float] = {}
    settings = Settings(device, threads, engine, fast, mirror)
    loaded = settings.load(installed, progress, timings)
    with timed("prediction", timings):
        segmentation = loaded.predict(image_, cord=cord_, progress=progress)
    used = cord_ if cord_ is not None else segmentation.cord
    if used is None:
        raise refusals.no_cord(installed)
    refusals.require_rootlets(segmentation, image_)
    with timed("deriving the levels", timings, progress):
        derived = derive_any(
            segmentation.rootlets,
            used,
            landmarks,
            options,
            fname=f"{stem_of(image_)}{SUFFIXES['rootlets']}.nii.gz",
            has_level_identity=segmentation.has_level_identity,
            remarks=image_.remarks,
        )
    parameters = {**options.parameters, **inputs.parameters, **settings.parameters}
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
    volume: int | None = None,
    cord: LabelsLike | None = None,
    discs: LabelsLike | None = None,
    vertebrae: LabelsLike | None = None,
    c2c3_world: Point | None = None,
    model: ModelLike = "bundled",
    device: str = "auto",
    threads: int | None = None,
    engine: str = "auto",
    fast: bool = False,
    mirror: bool = False,
    progress: Progress | None = None,
    write_to: Mapping[str, Path] | None = None,
) -> Predicted:
    """Predict the rootlets of an image, and number them where landmarks are given.

    Parameters and errors as in :func:`run`, except that without landmarks the rootlets of a
    model that does not name levels keep the value 1, and that `write_to` are the files to
    write, ``rootlets`` and (where no cord mask is given) ``cord``.
    """
    inputs = inputs_of_run.read(image, volume, cord, discs, vertebrae, c2c3_world)
    installed = network.located(model, progress)
    if write_to is not None:
        files = files_to_write(write_to, cord is not None, installed)
        require_apart([(inputs.image.path, files.values())])
        require_free(files, files_of(*inputs.all))
    timings: dict[str, float] = {}
    settings = Settings(device, threads, engine, fast, mirror)
    loaded = settings.load(installed, progress, timings)
    return segmented(inputs, installed, loaded, settings, progress, timings)


def files_to_write(
    planned: Mapping[str, Path], has_cord: bool, model: InstalledModel
) -> dict[str, Path]:
    """Return what of the files planned will be written: a cord mask by some models only."""
    predicts_cord = not has_cord and model.is_compact
    return {what: path for what, path in planned.items() if what != "cord" or predicts_cord}


def segmented(
    inputs: Given,
    model: InstalledModel,
    engine: Engine,
    settings: Settings,
    progress: Progress | None,
    timings_s: dict[str, float],
) -> Predicted:
    """Predict the rootlets of one image, and number them where landmarks are given."""
    image, landmarks = inputs.image, inputs.landmarks
    remarks = remarks_of(*inputs.all)
    for remark in remarks:
        logger.warning(remark)
    with timed("prediction", timings_s):
        segmentation = engine.predict(image, cord=inputs.cord, progress=progress)
    used = inputs.cord if inputs.cord is not None else segmentation.cord
    rootlets, numbered = segmentation.rootlets, segmentation.has_level_identity
    if not numbered and landmarks.name_levels:
        if used is None:
            raise refusals.no_cord(model)
        refusals.require_rootlets(segmentation, image)
        with timed("numbering the rootlets", timings_s, progress):
            rootlets = call_derive(rootlets, used, landmarks, has_level_identity=False).rootlets
        numbered = True
    return Predicted(
        image,
        used,
        inputs.cord is None and used is not None,
        rootlets,
        numbered,
        segmentation,
        model,
        files_of(*inputs.all),
        timings_s,
        remarks,
        {**inputs.parameters, **settings.parameters},
    )
