"""From a request to files: the rootlets first, and then what follows from them.

The rootlets of an image are on the disk before its levels are derived and its quality control
is drawn, so that neither can lose them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path

import numpy as np

from sct_rootlets import pipeline
from sct_rootlets.deepseg.cord import find_cord
from sct_rootlets.deepseg.request import Request
from sct_rootlets.deepseg.tasks import Say, located
from sct_rootlets.engines import Progress
from sct_rootlets.errors import InputError, RootletsError, UsageError
from sct_rootlets.files.guards import require_apart, require_free
from sct_rootlets.files.names import QC_FILES, page_stem, stem_of
from sct_rootlets.files.results import ResultSet
from sct_rootlets.files.sidecar import GENERATOR, sidecar_path, split_nifti
from sct_rootlets.image import Image
from sct_rootlets.inputs import check_readable, files_of, name_of, read_cord, read_image
from sct_rootlets.levels import derive
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.postprocess import postprocess
from sct_rootlets.prefetch import Outcome
from sct_rootlets.result import LevelsResult, Predicted
from sct_rootlets.result.stage import stage_cord, stage_intermediate
from sct_rootlets.sct import qc_report
from sct_rootlets.store.catalogue import model_url

__all__ = ["FailedStep", "Made", "run"]


@dataclass(frozen=True, eq=False)
class FailedStep:
    """What failed after the rootlets of an image were written.

    Attributes
    ----------
    what : str
        ``"the levels"`` or ``"the quality control"``.
    error : Exception
    """

    what: str
    error: Exception


@dataclass(frozen=True, eq=False)
class Made:
    """What was made of one image.

    Attributes
    ----------
    predicted : Predicted
        With the rootlets as they were written.
    files : dict of str to Path
        What was written, by what it is.
    levels : LevelsResult or None
    failures : tuple of FailedStep
        What failed after the rootlets were written.
    """

    predicted: Predicted
    files: dict[str, Path]
    levels: LevelsResult | None = None
    failures: tuple[FailedStep, ...] = field(default=())


def run(
    request: Request, *, say: Say, progress: Progress | None = None
) -> Iterator[Outcome[Path, Made]]:
    """Do what is asked for, image after image, with a model that is loaded once.

    Parameters
    ----------
    request : Request
    say : callable
        Told in a line what is done besides.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Yields
    ------
    Outcome
        The image with what was made of it, or with the error that befell it; one of several
        that cannot be used does not stop the others.

    Raises
    ------
    UsageError
        If the request contradicts itself, an output would replace an input or another output,
        or the model does not go with it: all before the model is loaded.
    InputError
        If the only image, or all of several, cannot be used, before the model is loaded.
    RootletsError
        Of other kinds, if the model cannot be installed or loaded.
    """
    request.check()
    _require_free(request)
    if request.qc is not None:
        from sct_rootlets.qc import figure

        figure.require_matplotlib()
    images = _first_look(request)
    model = located(request.model, say, progress)
    _require_fit(request, model)
    return _outcomes(request, images, model, say, progress)


def _require_free(request: Request) -> None:
    """Raise if an output would replace an input, or another output."""
    planned = [request.files(number) for number in range(len(request.images))]
    # The cord mask is written only where there is none.
    apart = [
        [path for what, path in one.items() if what not in ("cord", *QC_FILES)] for one in planned
    ]
    require_apart(list(zip(request.images, apart, strict=True)))
    shared = {path for one in planned for what, path in one.items() if what in QC_FILES}
    sources = [*request.images, *(request.cords or ()), *request.landmarks.files]
    written = [path for paths in apart for path in paths]
    require_free([*written, *sorted(shared)], sources, overwrite=request.overwrite)


def _first_look(request: Request) -> list[Path | Image]:
    """Check the inputs; one alone is read, of several the headers.

    The checks of several are repeated where they are segmented, and their errors are theirs.
    """
    if len(request.images) > 1:
        errors = []
        for number, path in enumerate(request.images):
            try:
                check_readable(path, request.cord(number), volume=request.volume)
            except RootletsError as error:
                errors.append(error)
        if len(errors) == len(request.images):
            raise InputError("none of the images can be used: " + "; ".join(map(str, errors)))
        return list(request.images)
    image = read_image(request.images[0], request.volume)
    cord = request.cord(0)
    reference = image if cord is None else read_cord(cord, image)
    if request.task.has_levels:
        request.landmarks.read(reference)
    return [image]


def _require_fit(request: Request, model: InstalledModel) -> None:
    """Raise a `UsageError` if a model does not go with what is asked for."""
    request.steps.require_classes(len(model.labels))
    if (
        request.task.has_levels
        and not model.has_level_identity
        and not request.landmarks.name_levels
    ):
        raise UsageError(
            f"the model {model.name} finds rootlets and not which spinal level they belong to",
            remedy="Say which is which with -discs, -vertfile or -c2c3, or take the official model",
        )


def _outcomes(
    request: Request,
    images: list[Path | Image],
    model: InstalledModel,
    say: Say,
    progress: Progress | None,
) -> Iterator[Outcome[Path, Made]]:
    numbers = {str(path): number for number, path in enumerate(request.images)}
    alone = isinstance(images[0], Image)
    for outcome in pipeline.segment_many(
        images,
        volume=None if alone else request.volume,
        model=model,
        settings=request.settings,
        progress=progress,
    ):
        item = outcome.item
        path = Path(item.path if isinstance(item, Image) else item)
        try:
            made = _finish(request, numbers[str(path)], outcome.result(), say, progress)
        except Exception as error:
            if alone:
                raise
            yield Outcome(path, error=error)
        else:
            yield Outcome(path, made)


def _finish(
    request: Request, number: int, raw: Predicted, say: Say, progress: Progress | None
) -> Made:
    """Write the rootlets of an image, and then what follows from them."""
    rootlets = postprocess(raw.rootlets, request.steps, sorted(raw.model.labels))
    predicted = replace(
        raw,
        rootlets=rootlets,
        numbered=raw.numbered and request.steps.keeps_levels,
        parameters={
            "volume": request.volume,
            **{name: raw.parameters[name] for name in ("device", "engine", "fast", "mirror")},
            "postprocessing": request.steps.parameters,
        },
    )
    made = _with_rootlets(request, number, raw, predicted)
    if request.task.has_levels:
        try:
            made = _with_levels(request, number, made, say, progress)
        except Exception as error:  # noqa: BLE001 - whatever it is, the rootlets are written
            return replace(made, failures=(FailedStep("the levels", error),))
    if request.qc is not None:
        try:
            made = _with_quality_control(request, number, made)
        except Exception as error:  # noqa: BLE001 - as above
            return replace(made, failures=(FailedStep("the quality control", error),))
    return made


def _with_rootlets(request: Request, number: int, raw: Predicted, predicted: Predicted) -> Made:
    files = {"rootlets": request.files(number)["rootlets"]}
    with ResultSet(overwrite=request.overwrite) as outputs:
        _stage_rootlets(request, outputs, files["rootlets"], predicted)
        made = dict(files)
        if request.keep_intermediate:
            made |= stage_intermediate(
                outputs,
                files["rootlets"].parent,
                stem_of(raw.image),
                sidecar_path(files["rootlets"]),
                rootlets=raw.rootlets if request.steps.any else None,
                csf=raw.segmentation.csf,
            )
    return Made(predicted, made)


def _stage_rootlets(
    request: Request, outputs: ResultSet, target: Path, predicted: Predicted
) -> None:
    maker = {
        "Name": f"{GENERATOR}: {request.command}" if request.command else GENERATOR,
        "CodeURL": _code_url(),
        "ModelURL": model_url(predicted.model, request.model.manifest),
    }
    predicted.stage(outputs, {"rootlets": target}, maker)


def _code_url() -> str | None:
    """Return the address of this package's code, None where its metadata names none."""
    try:
        known = metadata.metadata(GENERATOR)
    except metadata.PackageNotFoundError:
        return None
    return next(iter(known.get_all("Home-page") or ()), None)


def _with_levels(
    request: Request, number: int, made: Made, say: Say, progress: Progress | None
) -> Made:
    predicted, image = made.predicted, made.predicted.image
    planned = request.files(number)
    if not predicted.rootlets.labels:
        raise InputError(
            "no rootlets were found in it",
            path=image.path,
            remedy="They are seen at about 1 mm or finer; look at the image around the cord",
        )
    cord = find_cord(request, number, predicted, say, progress)
    landmarks = request.landmarks.read(image)
    options = request.level_options
    derived = derive(
        predicted.rootlets,
        cord.mask,
        landmarks,
        options,
        fname=planned["rootlets"].name,
        has_level_identity=predicted.numbered,
        remarks=image.remarks,
    )
    is_file = cord.predicted_by is None
    parameters = {
        **options.parameters,
        **predicted.parameters,
        **landmarks.parameters,
        "cord": name_of(cord.mask) if is_file else "predicted by the model",
        **({} if cord.origin is None else {"cord_from": cord.origin}),
    }
    sources = files_of(image, cord.mask if is_file else None, *landmarks.images)
    result = LevelsResult(
        derived=derived,
        cord=cord.mask,
        image=image,
        discs=landmarks.discs,
        model=predicted.model,
        sources=sources,
        parameters=parameters,
        facts={"Notes": "; ".join(predicted.segmentation.notes)},
    )
    files = dict(made.files)
    with ResultSet(overwrite=request.overwrite) as outputs:
        if not np.array_equal(derived.rootlets.data, predicted.rootlets.data):
            # Numbered only now, or renumbered: the same file with the values they have.
            predicted = replace(predicted, rootlets=derived.rootlets, numbered=True)
            _stage_rootlets(request, outputs, planned["rootlets"], predicted)
        if cord.predicted_by is not None:
            files["cord"] = planned["cord"]
            stage_cord(
                outputs,
                planned["cord"],
                cord.mask,
                sources=files_of(image),
                model=cord.predicted_by,
            )
        files |= result.stage(outputs, planned["levels"], csv=request.csv)
        if request.keep_intermediate:
            files |= stage_intermediate(
                outputs,
                planned["levels"].parent,
                stem_of(image),
                files["json"],
                centerline=derived.centerline,
            )
    return replace(made, predicted=predicted, files=files, levels=result)


def _with_quality_control(request: Request, number: int, made: Made) -> Made:
    assert request.qc is not None
    files = dict(made.files)
    shown: LevelsResult | Predicted = made.levels or made.predicted
    stem = split_nifti(files["rootlets" if made.levels is None else "levels"])[1]
    page = page_stem(request.images[number], stem, request.qc.folder)
    with ResultSet(overwrite=request.overwrite) as outputs:
        drawn = shown.stage_qc(outputs, request.qc.folder, page)
    files |= {f"qc_{what}": path for what, path in drawn.items()}
    added = qc_report.add_result(
        shown,
        request.qc.folder,
        image=request.images[number],
        command=request.command.partition(" ")[0],
        cmdline=request.command,
        dataset=request.qc.dataset,
        subject=request.qc.subject,
    )
    if added is not None:
        files["qc_sct"] = added[0]
    return replace(made, files=files)
