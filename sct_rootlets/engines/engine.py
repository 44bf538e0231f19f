"""The contract every engine keeps: an image in, labels on its grid out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sct_rootlets.image import Image, LabelImage
from sct_rootlets.manifest import InstalledModel

__all__ = ["ENGINES", "Engine", "Progress", "Segmentation", "load_engine"]

#: Engines by name.
ENGINES = ("auto", "nnunet", "openvino", "torch")

#: Called as ``progress(stage, done, total)`` while an engine works.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What an engine predicted, on the grid of the image it was given.

    Attributes
    ----------
    rootlets : LabelImage
        Spinal level of each rootlet voxel, or 1 everywhere where the model does not
        tell levels apart.
    cord, csf : LabelImage or None
        Masks of the spinal cord and the cerebrospinal fluid, where the model predicts
        them. They are the engine's own even if a cord mask was given to it.
    has_level_identity : bool
        Whether the values of `rootlets` are spinal levels.
    meanings : dict of int to str
        What each value of `rootlets` means.
    notes : list of str
        What a user should know about how this came to be, for the sidecar.
    """

    rootlets: LabelImage
    cord: LabelImage | None
    csf: LabelImage | None
    has_level_identity: bool
    meanings: dict[int, str]
    notes: list[str] = field(default_factory=list)


class Engine(Protocol):
    """A loaded model: predicts as many images as one likes."""

    def predict(
        self,
        image: Image,
        *,
        cord: LabelImage | None = None,
        progress: Progress | None = None,
    ) -> Segmentation:
        """Predict the rootlets of `image`.

        Parameters
        ----------
        image : Image
            Any orientation, oblique or not, any spacing.
        cord : LabelImage, optional
            Cord mask on the grid of `image`, which spares an engine the search for it.
        progress : callable, optional
            Called as ``progress(stage, done, total)``.
        """
        ...


def load_engine(
    model: InstalledModel,
    device: str = "auto",
    threads: int | None = None,
    *,
    engine: str = "auto",
    fast: bool = False,
    mirror: bool = False,
    cache: Path | None = None,
    finder: InstalledModel | None = None,
) -> Engine:
    """Load `model` into an engine.

    Parameters
    ----------
    model : InstalledModel
        From :func:`sct_rootlets.store.locate`.
    device : str
        ``"auto"`` (the first CUDA device, else the CPU), ``"cpu"``, ``"cuda"``,
        ``"cuda:N"`` or ``"mps"``.
    threads : int, optional
        Threads on the CPU; by default the cores this process may use, or
        ``OMP_NUM_THREADS`` where that is less.
    engine : str
        ``"nnunet"`` is nnU-Net's own predictor, the reference. ``"openvino"`` (on the CPU)
        and ``"torch"`` (anywhere) are our own sliding window, in full precision on a CPU.
        ``"auto"`` takes OpenVINO on a CPU where it is installed, at reduced precision once
        that was shown to change nothing (see :mod:`sct_rootlets.engines.reduced_precision`), else
        torch; and nnU-Net's predictor for a model that only that one can run.
    fast : bool
        Take reduced precision where the hardware gains from it, and tiles on the cord
        instead of nnU-Net's grid, unproven.
    mirror : bool
        Average over mirrored views of the image (test-time augmentation).
    cache : Path, optional
        Folder for converted networks and what was proved of them. Without it networks are
        converted anew, and nothing is proved.
    finder : InstalledModel, optional
        A compact model that finds the cord where no mask is given, so that what lies far
        from it is not predicted.

    Raises
    ------
    MissingDependencyError
        If what the engine needs is not installed.
    ModelError
        If the model cannot be loaded.
    UsageError
        If there is no such device or engine, or they do not go together.
    """
    from sct_rootlets.engines.choice import choose

    return choose(
        model,
        device,
        threads,
        engine=engine,
        fast=fast,
        mirror=mirror,
        cache=cache,
        finder=finder,
    )
