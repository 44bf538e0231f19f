"""Several images: checked together, predicted by one loaded network, read ahead."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from sct_rootlets.engines import Progress
from sct_rootlets.errors import RootletsError
from sct_rootlets.files.guards import Planned, require_apart, require_free
from sct_rootlets.image import Image
from sct_rootlets.inputs import ImageLike, LabelsLike, check_readable
from sct_rootlets.pipeline import network
from sct_rootlets.pipeline.earlier_results import require_same_image
from sct_rootlets.pipeline.inputs_of_run import RunInputs
from sct_rootlets.pipeline.network import ModelLike, Settings
from sct_rootlets.pipeline.one import files_to_write, segmented
from sct_rootlets.prefetch import Outcome, prefetch
from sct_rootlets.result import Predicted

__all__ = ["segment_many"]

AnyImage = TypeVar("AnyImage", bound=ImageLike)


def segment_many(
    images: Sequence[AnyImage],
    *,
    volume: int | None = None,
    cords: Sequence[LabelsLike | None] | None = None,
    model: ModelLike = "bundled",
    settings: Settings = Settings(),
    progress: Progress | None = None,
    write_to: Sequence[Planned] | None = None,
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
    model, settings
        As in :func:`run`.
    progress : callable, optional
        As in :func:`run`; the stage says which image it is about.
    write_to : sequence of Planned, optional
        Files to write for each image, as :meth:`Predicted.write` takes them, and with
        `keep_intermediate` those too. Without it nothing is written.
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
    masks = list(cords) if cords is not None else [None] * len(images)
    planned = list(write_to) if write_to is not None else [None] * len(images)
    jobs = [
        _Job(number, *parts)
        for number, parts in enumerate(zip(images, masks, planned, strict=True))
    ]
    # All but the cord masks already here, before a model is perhaps downloaded; which model it is
    # says whether there will be any.
    without = [replace(job, planned=job.planned and job.planned.without("cord")) for job in jobs]
    _require_free(without, jobs, attempt=False)
    return _outcomes(jobs, volume, model, settings, progress, keep_intermediate)


@dataclass(frozen=True, eq=False)
class _Job(Generic[AnyImage]):
    """One of several images, by its place among them."""

    number: int
    image: AnyImage
    cord: LabelsLike | None
    planned: Planned | None

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
    settings: Settings,
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
    installed = network.located(model, progress)
    ready = [
        replace(
            job,
            planned=job.planned and files_to_write(job.planned, job.cord is not None, installed),
        )
        for job in ready
    ]
    _require_free(ready, jobs)
    engine = settings.load(installed, progress, {})

    def load(job: _Job[AnyImage]) -> RunInputs:
        return RunInputs.read(job.image, volume, job.cord)

    def work(job: _Job[AnyImage], inputs: RunInputs) -> Predicted:
        tell = progress
        if progress is not None and len(jobs) > 1:
            tell = _numbered(progress, f"[{job.number + 1}/{len(jobs)}]")
        return segmented(inputs, installed, engine, settings, tell, {})

    def keep(job: _Job[AnyImage], predicted: Predicted) -> Predicted:
        if job.planned is None:
            return predicted
        files = predicted.write(
            job.planned.files,
            keep_intermediate=keep_intermediate,
            overwrite=job.planned.overwrite,
        )
        return replace(predicted, files=files)

    with closing(prefetch(ready, load, work, keep)) as outcomes:
        for outcome in outcomes:
            yield Outcome(outcome.item.image, outcome.made, outcome.error)


def _require_free(
    jobs: Sequence[_Job[AnyImage]], given: Sequence[_Job[AnyImage]], *, attempt: bool = True
) -> None:
    """Raise if a file of one of `jobs` cannot be written without harm, to their inputs as well."""
    planned = [(job, job.planned) for job in jobs if job.planned is not None]
    require_apart([(job.name, one.files.values()) for job, one in planned])
    for job, one in planned:
        require_same_image(job.name, one)
    require_free(
        [path for _, one in planned for path in one.files.values()],
        [source for job in given for source in job.sources],
        overwrite=all(one.overwrite for _, one in planned),
        attempt=attempt,
    )


def _numbered(progress: Progress, number: str) -> Progress:
    return lambda stage, done, total: progress(f"{stage} {number}", done, total)


def _path_of(image: ImageLike) -> str:
    return image.path if isinstance(image, Image) else os.fspath(image)
