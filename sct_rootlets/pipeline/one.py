"""One image: predict its rootlets, number them, derive its levels."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sct_rootlets.engines import Engine, Progress, Segmentation
from sct_rootlets.files.guards import Planned
from sct_rootlets.files.names import SUFFIXES, stem_of
from sct_rootlets.inputs import ImageLike, LabelsLike, Landmarks, files_of, name_of, remarks_of
from sct_rootlets.levels import LevelOptions, derive, numbered
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.pipeline import network, refusals
from sct_rootlets.pipeline.earlier_results import require_same_image
from sct_rootlets.pipeline.inputs_of_run import RunInputs, Supplied
from sct_rootlets.pipeline.network import ModelLike, Settings, timed
from sct_rootlets.result import LevelsResult, Predicted, Result
from sct_rootlets.result.made_by import seconds_and_notes

__all__ = ["files_to_write", "run", "segment", "segmented"]

logger = logging.getLogger(__name__)


def run(
    image: ImageLike,
    *,
    volume: int | None = None,
    rootlets: LabelsLike | None = None,
    cord: LabelsLike | None = None,
    landmarks: Landmarks = Landmarks(),
    model: ModelLike = "bundled",
    settings: Settings = Settings(),
    options: LevelOptions = LevelOptions(),
    progress: Progress | None = None,
    write_to: Planned | None = None,
    supply: Callable[[bool], Supplied] | None = None,
) -> Result:
    """Segment the rootlets of an image and derive its spinal levels.

    Parameters
    ----------
    image : path-like or Image
    volume : int, optional
        Volume of a 4D file to take, from 0; without it a file of several volumes is an error.
    rootlets : path-like or LabelImage, optional
        Rootlets with the voxels of the image, in any orientation, that are used instead of being
        predicted: by the value of their level, or 1 throughout. With a cord mask no model is
        needed.
    cord : path-like or LabelImage, optional
        Cord mask with the voxels of the image, in any orientation. Without it the model has
        to predict one, as the bundled one does.
    landmarks : Landmarks
        Discs or vertebrae, and the PMJ, as files or images.
    model : str, path-like, Choice or InstalledModel
        As :func:`sct_rootlets.store.locate` takes it, or with options of its own, or one that
        was located already. What is missing is installed, once the inputs have been checked.
    settings : Settings
        Where and how the network runs.
    options : LevelOptions
        The definition of a level, and what goes with it.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.
    write_to : Planned, optional
        Files that the result will be written to, as
        :func:`sct_rootlets.files.names.run_files` names them: whatever forbids that is found
        before any work. Nothing is written here.
    supply : callable, optional
        Finds or makes what is not given, such as :func:`sct_rootlets.sct.missing_inputs.supplier`.
        Called once, after everything that is given was checked, with whether the rootlets have
        levels without discs.

    Returns
    -------
    Result

    Raises
    ------
    InputError
        If an input cannot be used, before the model is loaded; if no cord or no rootlets
        are found.
    UsageError
        If neither the model, or the rootlets given, nor anything else names levels; or the model
        makes no cord mask and none is given; before the model is loaded.
    ModelError, MissingDependencyError
        If the model cannot be found or loaded.
    RootletsError
        Of other kinds, if the model has to be installed and cannot be.
    """
    inputs = RunInputs.read(image, volume, cord, landmarks, rootlets)
    rootlets_ = inputs.rootlets
    if write_to is not None:
        if rootlets_ is not None:
            write_to = write_to.without("rootlets", "predicted", "csf")
        require_same_image(inputs.image.path, write_to)
        # What can take minutes comes after all that can forbid the run, but for the cord mask
        # where it may be supplied.
        certain = write_to if cord is None and supply is None else write_to.without("cord")
        certain.require_free(files_of(*inputs.all), attempt=False)
    installed = None
    if rootlets_ is None:
        installed = network.located(model, progress)
        has_levels, unnamed = installed.has_level_identity, refusals.no_identity(installed)
    else:
        has_levels, unnamed = rootlets_.labels != [1], refusals.no_levels(rootlets_)
    if supply is not None:
        inputs = inputs.with_supplied(supply(has_levels))
    cord_ = inputs.cord
    if not has_levels and not inputs.landmarks.name_levels:
        raise unnamed
    if cord_ is None:
        installed = installed or network.located(model, progress)
        if not installed.is_compact:
            raise refusals.no_cord(installed)
    if write_to is not None:
        certain = write_to if cord_ is None else write_to.without("cord")
        certain.require_free(files_of(*inputs.all))
    timings: dict[str, float] = {}
    segmentation = None
    if installed is not None:
        loaded = settings.load(installed, progress, timings)
        with timed("prediction", timings):
            segmentation = loaded.predict(inputs.image, cord=cord_, progress=progress)
    return _result(inputs, segmentation, installed, settings, options, timings, progress)


def _result(
    inputs: RunInputs,
    segmentation: Segmentation | None,
    model: InstalledModel | None,
    settings: Settings,
    options: LevelOptions,
    timings_s: dict[str, float],
    progress: Progress | None,
) -> Result:
    """Derive the levels of rootlets that were given or predicted, and put all of it together."""
    image, cord, rootlets = inputs.image, inputs.cord, inputs.rootlets
    has_levels, fname = None, name_of(rootlets)
    if segmentation is not None:
        cord = cord if cord is not None else segmentation.cord
    if rootlets is None and segmentation is not None:
        refusals.require_rootlets(segmentation, image)
        rootlets, has_levels = segmentation.rootlets, segmentation.has_level_identity
        fname = f"{stem_of(image)}{SUFFIXES['rootlets']}.nii.gz"
    if cord is None:
        assert model is not None
        raise refusals.no_cord(model)
    with timed("deriving the levels", timings_s, progress):
        derived = derive(
            rootlets,
            cord,
            inputs.landmarks,
            options,
            fname=fname,
            has_level_identity=has_levels,
            remarks=image.remarks,
        )
    sources = files_of(*inputs.all)
    parameters = {**options.parameters, **inputs.parameters}
    predicted, facts = None, {}
    if segmentation is not None and model is not None:
        parameters |= settings.parameters
        facts = seconds_and_notes(segmentation, timings_s)
        predicted = Predicted(
            image,
            cord,
            inputs.cord is None,
            derived.rootlets,
            True,
            segmentation,
            model,
            sources,
            timings_s,
            image.remarks,
            parameters,
            rootlets_are_ours=inputs.rootlets is None,
        )
    discs = inputs.landmarks.discs
    # A model that made the cord mask alone has not made the rootlets that levels are known by.
    maker = model if inputs.rootlets is None else None
    return Result(
        LevelsResult(derived, cord, image, discs, maker, sources, parameters, facts), predicted
    )


def segment(
    image: ImageLike,
    *,
    volume: int | None = None,
    cord: LabelsLike | None = None,
    landmarks: Landmarks = Landmarks(),
    model: ModelLike = "bundled",
    settings: Settings = Settings(),
    progress: Progress | None = None,
    write_to: Planned | None = None,
) -> Predicted:
    """Predict the rootlets of an image, and number them where landmarks are given.

    Parameters and errors as in :func:`run`, except that without landmarks the rootlets of a
    model that does not name levels keep the value 1, and that `write_to` are the files of a
    segmentation, ``rootlets`` and (where no cord mask is given) ``cord``.
    """
    inputs = RunInputs.read(image, volume, cord, landmarks)
    if write_to is not None:
        require_same_image(inputs.image.path, write_to)
        write_to.without("cord").require_free(files_of(*inputs.all), attempt=False)
    installed = network.located(model, progress)
    if write_to is not None:
        files_to_write(write_to, cord is not None, installed).require_free(files_of(*inputs.all))
    timings: dict[str, float] = {}
    loaded = settings.load(installed, progress, timings)
    return segmented(inputs, installed, loaded, settings, progress, timings)


def files_to_write(planned: Planned, has_cord: bool, model: InstalledModel) -> Planned:
    """Return what of the files planned will be written: a cord mask by some models only."""
    return planned if model.is_compact and not has_cord else planned.without("cord")


def segmented(
    inputs: RunInputs,
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
    rootlets, has_levels = segmentation.rootlets, segmentation.has_level_identity
    if not has_levels and landmarks.name_levels:
        if used is None:
            raise refusals.no_cord(model)
        refusals.require_rootlets(segmentation, image)
        with timed("numbering the rootlets", timings_s, progress):
            rootlets = numbered(rootlets, used, landmarks)
        has_levels = True
    return Predicted(
        image,
        used,
        inputs.cord is None and used is not None,
        rootlets,
        has_levels,
        segmentation,
        model,
        files_of(*inputs.all),
        timings_s,
        remarks,
        {**inputs.parameters, **settings.parameters},
    )
