"""From one image to a table of spinal levels: checks, prediction, derivation.

This is the one module that knows the engines, the store and the levels. Inputs are
checked before anything heavy is loaded, and what a run needs is asked for before it
starts, not after minutes of prediction. Several images are checked together, and share
one loaded model.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, Union

from sct_rootlets import writing
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.conveyor import Outcome, convey
from sct_rootlets.derivation import (
    LevelOptions,
    call_derive,
    derive_any,
    derive_levels,
    files_of,
    landmark_parameters,
    levels,
    name_of,
    remarks_of,
)
from sct_rootlets.engines import Engine, Progress, Segmentation, load_engine
from sct_rootlets.errors import InputError, RootletsError, UsageError
from sct_rootlets.image import Image, LabelImage
from sct_rootlets.inputs import (
    ImageLike,
    LabelsLike,
    Landmarks,
    Point,
    check_readable,
    read_cord,
    read_image,
)
from sct_rootlets.manifest import BUNDLED, InstalledModel
from sct_rootlets.result import Predicted, Result, stem_of
from sct_rootlets.store import Choice, home, locate

__all__ = [
    "LevelOptions",
    "Outcome",
    "Predicted",
    "derive_levels",
    "levels",
    "run",
    "segment",
    "segment_many",
]

logger = logging.getLogger(__name__)

ModelLike = Union[str, "os.PathLike[str]", Choice, InstalledModel]
AnyImage = TypeVar("AnyImage", bound=ImageLike)


class Supplied(Protocol):
    """Inputs that were not given, ``cord``, ``discs`` and ``pmj``, and where each came from."""

    @property
    def paths(self) -> Mapping[str, Path]: ...

    @property
    def origins(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class _Settings:
    """How a network is run, as :func:`sct_rootlets.engines.load_engine` takes it."""

    device: str
    threads: int | None
    engine: str
    fast: bool
    mirror: bool

    def load(
        self, model: InstalledModel, progress: Progress | None, timings_s: dict[str, float]
    ) -> Engine:
        with _timed("loading the model", timings_s, progress):
            return load_engine(
                model,
                self.device,
                self.threads,
                engine=self.engine,
                fast=self.fast,
                mirror=self.mirror,
                cache=home().compiled,
                finder=None if model.is_compact else locate(BUNDLED),
            )

    @property
    def parameters(self) -> dict[str, Any]:
        """What of it a result may depend on, as plain values for a JSON file."""
        return {
            "device": self.device,
            "engine": self.engine,
            "fast": self.fast,
            "mirror": self.mirror,
        }


@dataclass(frozen=True, eq=False)
class _Inputs:
    """What is known about one image before its rootlets are."""

    image: Image
    cord: LabelImage | None
    landmarks: Landmarks
    volume: int | None
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def all(self) -> tuple[Image | None, ...]:
        return (self.image, self.cord, *self.landmarks.images)

    @property
    def parameters(self) -> dict[str, Any]:
        """What was given, as plain values for a JSON file."""
        return {
            "volume": self.volume,
            "cord": "predicted by the model" if self.cord is None else name_of(self.cord),
            **landmark_parameters(self.landmarks),
            **{
                f"{kind}_from": origin for kind, origin in self.origins.items() if origin != "given"
            },
        }

    def with_supplied(self, supplied: Supplied) -> _Inputs:
        """Return them with what was not given read from the files that were found or made."""
        cord, landmarks, paths = self.cord, self.landmarks, supplied.paths
        if cord is None and "cord" in paths:
            cord = read_cord(paths["cord"], self.image)
        if landmarks.discs is None and "discs" in paths:
            read = Landmarks.read(self.image, discs=paths["discs"])
            landmarks = replace(landmarks, discs=read.discs)
        if landmarks.pmj is None and "pmj" in paths:
            landmarks = replace(landmarks, pmj=Landmarks.read(self.image, pmj=paths["pmj"]).pmj)
        return replace(self, cord=cord, landmarks=landmarks, origins=dict(supplied.origins))


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
        Finds or makes what is not given, such as :func:`sct_rootlets.sct.inputs.supplier`.
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
    inputs = _read(image, volume, cord, discs, vertebrae, c2c3_world, pmj)
    installed = _located(model, progress)
    if supply is not None:
        # What can take minutes comes after all that can forbid the run, but for the cord mask,
        # which may turn out to be an input.
        if write_to is not None:
            _require_free(inputs, Path(write_to), cord=False)
        inputs = inputs.with_supplied(supply(installed))
    image_, cord_, landmarks = inputs.image, inputs.cord, inputs.landmarks
    if not installed.has_level_identity and not landmarks.name_levels:
        raise _no_identity(installed)
    if cord_ is None and not installed.is_compact:
        raise _no_cord(installed)
    sources = files_of(*inputs.all)
    if write_to is not None:
        _require_free(inputs, Path(write_to), cord=cord_ is None)
    timings: dict[str, float] = {}
    settings = _Settings(device, threads, engine, fast, mirror)
    loaded = settings.load(installed, progress, timings)
    with _timed("prediction", timings):
        segmentation = loaded.predict(image_, cord=cord_, progress=progress)
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
    inputs = _read(image, volume, cord, discs, vertebrae, c2c3_world)
    installed = _located(model, progress)
    if write_to is not None:
        files = _files(write_to, cord is not None, installed)
        writing.require_apart([(inputs.image.path, files.values())])
        writing.require_free(files, files_of(*inputs.all))
    timings: dict[str, float] = {}
    settings = _Settings(device, threads, engine, fast, mirror)
    loaded = settings.load(installed, progress, timings)
    return _segmented(inputs, installed, loaded, settings, progress, timings)


def segment_many(
    images: Sequence[AnyImage],
    *,
    volume: int | None = None,
    cords: Sequence[LabelsLike | None] | None = None,
    model: ModelLike = "bundled",
    device: str = "auto",
    threads: int | None = None,
    engine: str = "auto",
    fast: bool = False,
    mirror: bool = False,
    progress: Progress | None = None,
    write_to: Sequence[Mapping[str, Path]] | None = None,
    keep_intermediate: bool = False,
) -> Iterator[Outcome[AnyImage, Predicted]]:
    """Predict the rootlets of several images with a model that is loaded once.

    While one image is predicted, the next one is read and the results of the last one are
    written.

    Parameters
    ----------
    images : sequence of path-like or Image
    volume : int, optional
        As in :func:`run`, of every image.
    cords : sequence of (path-like or LabelImage, or None), optional
        Cord mask of each image.
    model, device, threads, engine, fast, mirror
        As in :func:`run`.
    progress : callable, optional
        As in :func:`run`; the stage says which image it is about.
    write_to : sequence of mapping, optional
        Files to write for each image, as :meth:`Predicted.write` takes them. Without it
        nothing is written.
    keep_intermediate : bool
        As :meth:`Predicted.write` takes it.

    Yields
    ------
    Outcome
        The image as it was given, with its `Predicted` or with the error that befell it: an
        image that cannot be used does not stop the others. Those that cannot even be opened
        come first, before the model is loaded; the others in their order.

    Raises
    ------
    UsageError
        If two images would be written to one file, or if a file may not be replaced, before
        anything is predicted.
    ModelError, MissingDependencyError
        If the model cannot be found or loaded.
    """
    given = list(cords) if cords is not None else [None] * len(images)
    files = list(write_to) if write_to is not None else [None] * len(images)
    jobs = [
        _Job(number, *parts) for number, parts in enumerate(zip(images, given, files, strict=True))
    ]
    # The rootlets already here, before a model is perhaps downloaded; which model it is says
    # whether there will be cord masks.
    writing.require_apart([(job.name, [job.files["rootlets"]]) for job in jobs if job.files])
    settings = _Settings(device, threads, engine, fast, mirror)
    return _outcomes(jobs, volume, model, settings, progress, keep_intermediate)


@dataclass(frozen=True, eq=False)
class _Job(Generic[AnyImage]):
    """One of several images, by its place among them."""

    number: int
    image: AnyImage
    cord: LabelsLike | None
    files: Mapping[str, Path] | None

    @property
    def name(self) -> str:
        return _path_of(self.image)

    @property
    def sources(self) -> list[str]:
        paths = [_path_of(given) for given in (self.image, self.cord) if given is not None]
        return [path for path in paths if os.path.exists(path)]


def _outcomes(
    jobs: Sequence[_Job[AnyImage]],
    volume: int | None,
    model: ModelLike,
    settings: _Settings,
    progress: Progress | None,
    keep_intermediate: bool,
) -> Iterator[Outcome[AnyImage, Predicted]]:
    ready = []
    for job in jobs:
        try:
            check_readable(job.image, job.cord, volume=volume)
        except RootletsError as error:
            yield Outcome(job.image, error=error)
        else:
            ready.append(job)
    if not ready:
        return
    installed = _located(model, progress)
    ready = [
        replace(job, files=job.files and _files(job.files, job.cord is not None, installed))
        for job in ready
    ]
    writing.require_apart([(job.name, job.files.values()) for job in ready if job.files])
    sources = [source for job in jobs for source in job.sources]
    for job in ready:
        writing.require_free(job.files or {}, sources)
    engine = settings.load(installed, progress, {})

    def load(job: _Job[AnyImage]) -> _Inputs:
        return _read(job.image, volume, job.cord)

    def work(job: _Job[AnyImage], inputs: _Inputs) -> Predicted:
        tell = progress
        if progress is not None and len(jobs) > 1:
            tell = _numbered(progress, f"[{job.number + 1}/{len(jobs)}]")
        return _segmented(inputs, installed, engine, settings, tell, {})

    def keep(job: _Job[AnyImage], predicted: Predicted) -> Predicted:
        if job.files is None:
            return predicted
        files = predicted.write(job.files, keep_intermediate=keep_intermediate)
        return replace(predicted, files=files)

    with closing(convey(ready, load, work, keep)) as outcomes:
        for outcome in outcomes:
            yield Outcome(outcome.item.image, outcome.made, outcome.error)


def _numbered(progress: Progress, number: str) -> Progress:
    return lambda stage, done, total: progress(f"{stage} {number}", done, total)


def _path_of(given: ImageLike) -> str:
    return given.path if isinstance(given, Image) else os.fspath(given)


def _files(planned: Mapping[str, Path], has_cord: bool, model: InstalledModel) -> dict[str, Path]:
    """Return what of the files planned will be written: a cord mask by some models only."""
    predicts_cord = not has_cord and model.is_compact
    return {what: path for what, path in planned.items() if what != "cord" or predicts_cord}


def _read(
    image: ImageLike,
    volume: int | None = None,
    cord: LabelsLike | None = None,
    discs: LabelsLike | None = None,
    vertebrae: LabelsLike | None = None,
    c2c3_world: Point | None = None,
    pmj: LabelsLike | None = None,
) -> _Inputs:
    image_ = read_image(image, volume)
    cord_ = None if cord is None else read_cord(cord, image_)
    landmarks = Landmarks.read(
        image_, discs=discs, vertebrae=vertebrae, c2c3_world=c2c3_world, pmj=pmj
    )
    return _Inputs(image_, cord_, landmarks, volume)


def _segmented(
    inputs: _Inputs,
    model: InstalledModel,
    engine: Engine,
    settings: _Settings,
    progress: Progress | None,
    timings_s: dict[str, float],
) -> Predicted:
    """Predict the rootlets of one image, and number them where landmarks are given."""
    image, landmarks = inputs.image, inputs.landmarks
    remarks = remarks_of(*inputs.all)
    for remark in remarks:
        logger.warning(remark)
    with _timed("prediction", timings_s):
        segmentation = engine.predict(image, cord=inputs.cord, progress=progress)
    used = inputs.cord if inputs.cord is not None else segmentation.cord
    rootlets, numbered = segmentation.rootlets, segmentation.has_level_identity
    if not numbered and landmarks.name_levels:
        if used is None:
            raise _no_cord(model)
        _require_rootlets(segmentation, image)
        with _timed("numbering the rootlets", timings_s, progress):
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


def _located(model: ModelLike, progress: Progress | None) -> InstalledModel:
    if isinstance(model, InstalledModel):
        return model
    if isinstance(model, Choice):
        return model.locate(progress)
    return locate(model, progress=progress)


def _require_free(inputs: _Inputs, folder: Path, *, cord: bool) -> None:
    """Raise unless the results of a run, with a mask of the `cord` or not, can be written."""
    files = writing.image_outputs(stem_of(inputs.image), folder, cord=cord)
    files |= writing.level_files(files["levels"])
    writing.require_free(files, files_of(*inputs.all))


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
        "position in world mm (-c2c3 x,y,z). 'sct_rootlets run' finds discs itself where SCT is "
        "installed",
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
