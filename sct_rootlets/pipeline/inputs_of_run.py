"""What is known about one image before its rootlets are: read, checked, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from sct_rootlets.image import Image, LabelImage, on_grid_of
from sct_rootlets.inputs import (
    ImageLike,
    LabelsLike,
    LandmarkImages,
    Landmarks,
    name_of,
    read_cord,
    read_image,
    read_rootlets,
)

__all__ = ["RunInputs", "Supplied"]

_PREDICTED = "predicted by the model"


class Supplied(Protocol):
    """Inputs that were not given, ``cord``, ``discs`` and ``pmj``, and where each came from.

    Where rootlets came from is said here, too, if they were found and not given.
    """

    @property
    def paths(self) -> Mapping[str, Path]:
        """Files that were found or made, by what they are."""

    @property
    def origins(self) -> Mapping[str, str]:
        """Where each of them came from, for sidecars."""


@dataclass(frozen=True, eq=False)
class RunInputs:
    """One image, what was given beside it, and where the rest of it came from."""

    image: Image
    cord: LabelImage | None
    landmarks: LandmarkImages
    volume: int | None
    rootlets: LabelImage | None = None
    origins: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(
        cls,
        image: ImageLike,
        volume: int | None = None,
        cord: LabelsLike | None = None,
        landmarks: Landmarks = Landmarks(),
        rootlets: LabelsLike | None = None,
    ) -> RunInputs:
        """Read and check one image and what is given beside it.

        Parameters are those of :func:`sct_rootlets.pipeline.run`.

        Raises
        ------
        InputError, UsageError
            If one of them cannot be used, or they contradict each other.
        """
        image_ = read_image(image, volume)
        cord_ = None if cord is None else read_cord(cord, image_)
        given = None if rootlets is None else on_grid_of(read_rootlets(rootlets), image_)
        return cls(image_, cord_, landmarks.read(image_), volume, given)

    @property
    def all(self) -> tuple[Image | None, ...]:
        """Every image among them; None for one that was not given."""
        return (self.image, self.rootlets, self.cord, *self.landmarks.images)

    @property
    def parameters(self) -> dict[str, Any]:
        """What was given, as plain values for a JSON file."""
        return {
            "volume": self.volume,
            "rootlets": _PREDICTED if self.rootlets is None else name_of(self.rootlets),
            "cord": _PREDICTED if self.cord is None else name_of(self.cord),
            **self.landmarks.parameters,
            **{
                f"{kind}_from": origin for kind, origin in self.origins.items() if origin != "given"
            },
        }

    def with_supplied(self, supplied: Supplied) -> RunInputs:
        """Return them with what was not given read from the files that were found or made."""
        cord, landmarks, paths = self.cord, self.landmarks, supplied.paths
        if cord is None and "cord" in paths:
            cord = read_cord(paths["cord"], self.image)
        if landmarks.discs is None and "discs" in paths:
            found = Landmarks(discs=paths["discs"]).read(self.image)
            landmarks = replace(landmarks, discs=found.discs)
        if landmarks.pmj is None and "pmj" in paths:
            found = Landmarks(pmj=paths["pmj"]).read(self.image)
            landmarks = replace(landmarks, pmj=found.pmj)
        return replace(self, cord=cord, landmarks=landmarks, origins=dict(supplied.origins))
