"""The cord mask that levels need: given, manual, at hand, made by SCT, or predicted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sct_rootlets import pipeline
from sct_rootlets.deepseg.request import Request
from sct_rootlets.deepseg.tasks import Say
from sct_rootlets.engines import Progress
from sct_rootlets.errors import InputError
from sct_rootlets.files.names import SUFFIXES
from sct_rootlets.files.sidecar import split_nifti
from sct_rootlets.image import LabelImage
from sct_rootlets.inputs import read_cord
from sct_rootlets.manifest import BUNDLED, InstalledModel
from sct_rootlets.pipeline import Settings
from sct_rootlets.result import Predicted
from sct_rootlets.sct.missing_inputs import MadeInputs, Making, make_missing, sct_to_use

__all__ = ["CordMask", "at_hand", "find_cord"]


@dataclass(frozen=True, eq=False)
class CordMask:
    """A cord mask, and who made it.

    Attributes
    ----------
    mask : LabelImage
        With the voxels of the image.
    predicted_by : InstalledModel or None
        Model that predicted it in this run; None for a file, which stays as it is.
    origin : str or None
        Where a file comes from that was not given, as in
        :attr:`sct_rootlets.sct.missing_inputs.MadeInputs.origins`.
    """

    mask: LabelImage
    predicted_by: InstalledModel | None = None
    origin: str | None = None


def find_cord(
    request: Request,
    number: int,
    predicted: Predicted,
    say: Say,
    progress: Progress | None = None,
) -> CordMask:
    """Return the cord mask of an image: given, manual, at hand, SCT's, or predicted.

    Parameters
    ----------
    request : Request
    number : int
        Which of its images.
    predicted : Predicted
        Its rootlets; of a model of ours also a cord mask, the last choice.
    say : callable
        Told where the mask is from, unless it is given.
    progress : callable, optional

    Raises
    ------
    InputError
        If a mask cannot be used, or none is found in the image.
    """
    image, path, files = predicted.image, request.images[number], request.files(number)
    given = request.cord(number)
    if given is not None:
        return CordMask(read_cord(given, image))
    supplied = found_or_made(request, number, say, progress)
    if "cord" in supplied.paths:
        return CordMask(read_cord(supplied.paths["cord"], image), origin=supplied.origins["cord"])
    here = at_hand(path, files["rootlets"].parent)
    if here is not None:
        say(f"Cord mask at hand, used and left as it is: {here}")
        return CordMask(read_cord(here, image), origin="at hand")
    if predicted.segmentation.cord is None:
        say("No cord mask is at hand: the bundled model predicts one.")
        predicted = pipeline.segment(
            image,
            model=BUNDLED,
            settings=Settings(request.settings.device, request.settings.threads),
            progress=progress,
        )
    mask = predicted.segmentation.cord
    if mask is None or not mask.labels:
        raise InputError(
            "no cord was found in it, which the levels need",
            path=path,
            remedy="Give a cord mask with -s, for example from sct_deepseg spinalcord",
        )
    say(f"Cord mask of the model {predicted.model.name}: {files['cord']}")
    return CordMask(mask, predicted.model)


def at_hand(image: Path, folder: Path) -> Path | None:
    """Return the cord mask ``<image>_seg`` beside an image or in `folder`, None without one."""
    stem = split_nifti(image)[1]
    for where in (image.parent, folder):
        for extension in (".nii.gz", ".nii"):
            path = where / f"{stem}{SUFFIXES['cord']}{extension}"
            if path.is_file():
                return path
    return None


def found_or_made(request: Request, number: int, say: Say, progress: Progress | None) -> MadeInputs:
    """Find a manual cord mask of an image, or have SCT make one where it is installed."""
    image, folder = request.images[number], request.files(number)["cord"].parent
    threads, offline = request.settings.threads, request.model.offline
    making = Making(request.volume, threads, offline, progress, say)
    return make_missing(image, folder, sct=sct_to_use(), given={}, wanted=["cord"], making=making)
