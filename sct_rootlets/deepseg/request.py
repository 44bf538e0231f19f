"""What is asked of a task, checked as far as that needs neither a network nor a voxel."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from sct_rootlets.deepseg.tasks import TASKS, Task
from sct_rootlets.errors import UsageError
from sct_rootlets.files.names import (
    intermediate_files,
    level_files,
    levels_target,
    page_stem,
    segmentation_targets,
    with_qc,
)
from sct_rootlets.files.sidecar import split_nifti
from sct_rootlets.inputs import Landmarks
from sct_rootlets.levels import LevelOptions
from sct_rootlets.pipeline import Settings
from sct_rootlets.postprocess import Steps
from sct_rootlets.store import Choice

__all__ = ["QualityControl", "Request", "default_device"]

#: Environment variable by which SCT allows the use of a GPU.
USE_GPU = "SCT_USE_GPU"

#: Landmarks lie in one image.
_OF_ONE_IMAGE = {"discs": "-discs", "vertebrae": "-vertfile", "c2c3_world": "-c2c3", "pmj": "-pmj"}


def default_device() -> str:
    """Return where the network runs by default: as in SCT a GPU only with ``SCT_USE_GPU``.

    SCT's batches run several images side by side, which one GPU has no memory for.
    """
    return "auto" if USE_GPU in os.environ else "cpu"


@dataclass(frozen=True)
class QualityControl:
    """What ``-qc`` and its companions ask for.

    Attributes
    ----------
    folder : Path
    dataset, subject : str or None
        Named in SCT's report.
    """

    folder: Path
    dataset: str | None = None
    subject: str | None = None


@dataclass(frozen=True)
class Request:
    """What is asked of a task.

    Attributes
    ----------
    task_name : str
        One of `TASKS`.
    images : tuple of Path
    output : str or None
        Rootlets to write, as typed with ``-o``; for one image only.
    command : str
        The command line, for sidecars and reports.
    model : Choice
        Its reference is empty for the model of the task.
    steps : Steps
        What is done to the segmentation after the network.
    settings : Settings
        How the network is run.
    volume : int or None
        As :func:`sct_rootlets.pipeline.run` takes it.
    keep_intermediate : bool
    qc : QualityControl or None
    cords : tuple of Path, or None
        Cord mask of each image, for levels.
    landmarks : Landmarks
    level_options : LevelOptions
    csv : Path or None
        Where to put the table of levels in the layout of the published script.
    overwrite : bool
        Whether files that are not as an earlier run wrote them may be replaced.
    """

    task_name: str
    images: tuple[Path, ...]
    output: str | None = None
    command: str = ""
    model: Choice = field(default_factory=lambda: Choice(""))
    steps: Steps = field(default_factory=Steps)
    settings: Settings = Settings("cpu")
    volume: int | None = None
    keep_intermediate: bool = False
    qc: QualityControl | None = None
    cords: tuple[Path, ...] | None = None
    landmarks: Landmarks = Landmarks()
    level_options: LevelOptions = LevelOptions()
    csv: Path | None = None
    overwrite: bool = False

    @property
    def task(self) -> Task:
        """The task."""
        return TASKS[self.task_name]

    def cord(self, number: int) -> Path | None:
        """Return the cord mask that is given for an image, by its place."""
        return None if self.cords is None else self.cords[number]

    def files(self, number: int) -> dict[str, Path]:
        """Return the files to write for an image, by its place and by what they are.

        They lie beside the image. What is given with ``-o`` gets the ending ``.nii.gz`` where
        it has none.
        """
        image = self.images[number]
        if self.output is None:
            files = segmentation_targets(image)
        else:
            target = Path(os.path.expanduser(self.output))
            if not split_nifti(target)[2]:
                target = target.with_name(f"{target.name}.nii.gz")
            files = segmentation_targets(image, target)
        shown = files["rootlets"]
        if self.task.has_levels:
            shown = levels_target(files["rootlets"])
            files |= level_files(shown)
            if self.csv is not None:
                files["csv"] = self.csv
        else:
            del files["cord"]
        if self.keep_intermediate:
            between = intermediate_files(shown.parent, split_nifti(image)[1])
            if not self.task.has_levels:
                del between["centerline"]
            files |= between
        folder = None if self.qc is None else self.qc.folder
        page = page_stem(image, split_nifti(shown)[1], folder)
        return with_qc(files, folder, page, figure=self.task.has_levels)

    def check(self) -> None:
        """Raise a `UsageError` if what is asked for contradicts itself."""
        several = len(self.images) > 1
        if several and self.output is not None:
            raise UsageError(
                f"-o names one output, and -i has {len(self.images)} images, of which each would "
                "replace the one before",
                remedy="Leave -o away: each output is written beside its image. Or loop over the "
                "images",
            )
        if self.output is not None and (self.output.endswith(("/", os.sep)) or not self.output):
            raise UsageError("is a folder, and -o is a file", path=self.output)
        if not self.task.has_levels:
            return
        count, remedy = len(self.images), "Loop over the images"
        for name, option in _OF_ONE_IMAGE.items():
            if several and getattr(self.landmarks, name) is not None:
                raise UsageError(
                    f"{option} belongs to one image, and -i has {count}", remedy=remedy
                )
        if several and self.csv is not None:
            raise UsageError(f"-ocsv names one file, and -i has {count} images", remedy=remedy)
        if self.cords is not None and len(self.cords) != len(self.images):
            raise UsageError(
                f"-s has {len(self.cords)} and -i has {len(self.images)} files",
                remedy="Give one cord mask for each image, in the same order, or none",
            )
        if not self.steps.keeps_levels:
            raise UsageError(
                "-thr makes one value of all rootlets, of which no levels follow",
                remedy="Leave -thr away, or take the task rootlets",
            )
