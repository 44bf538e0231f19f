"""Reduced precision only once it was seen to change nothing that counts.

A processor with half-precision arithmetic computes a network several times faster, and what
that does to the answer depends on the network. The first images are therefore predicted both
ways. The exact answer is returned; whether the other one agrees is written down beside the
converted network, and decides from then on. Where it does not, what is less fast and more
exact has its turn.
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sct_rootlets.engines.engine import Engine, Progress, Segmentation
from sct_rootlets.errors import RootletsError
from sct_rootlets.files.json_files import object_if_readable
from sct_rootlets.files.outputs import OutputSet
from sct_rootlets.files.sidecar import to_json
from sct_rootlets.image import Image, LabelImage

__all__ = [
    "Agreement",
    "Candidate",
    "TrialEngine",
    "agreement",
    "cpu_name",
    "read_agreements",
]

logger = logging.getLogger(__name__)

#: The voxels that are compared lie within this distance, in mm, of the cord.
NEAR_MM = 10.0

#: What counts as agreement: this share of them equal, and this Dice for every level. Half of
#: the difference that is allowed (0.001 and 0.005), for the images that are not compared.
LEAST_EQUAL, LEAST_DICE = 0.9995, 0.9975

#: What is allowed speaks of the cord's neighbourhood. Of what was labelled anywhere, all levels
#: together, this Dice is asked for besides.
LEAST_WHOLE_DICE = 0.995

#: A cord says where to compare if this share of what was labelled lies near it. Rootlets of
#: lower levels do not.
LEAST_NEAR_CORD = 0.5

#: So many images have to agree, one after another.
IMAGES = 3

#: Fewer labelled voxels than this say nothing.
FEWEST_VOXELS = 500


@dataclass(frozen=True)
class Agreement:
    """How two predictions of one image compare.

    Attributes
    ----------
    equal : float
        Share of equal voxels within :data:`NEAR_MM` of the cord, or of what the reference
        labelled where no cord is known.
    lowest_dice : float
        Of the levels of either, within :data:`NEAR_MM` of the cord, or in the whole image where
        no cord is known.
    whole_dice : float
        Of all levels together, in the whole image.
    voxels : int
        That the reference labelled where the levels were compared.
    """

    equal: float
    lowest_dice: float
    whole_dice: float
    voxels: int

    @property
    def is_enough(self) -> bool:
        """Whether there was enough to compare."""
        return self.voxels >= FEWEST_VOXELS

    @property
    def passes(self) -> bool:
        """Whether the two may stand for one another."""
        return (
            self.is_enough
            and self.equal >= LEAST_EQUAL
            and self.lowest_dice >= LEAST_DICE
            and self.whole_dice >= LEAST_WHOLE_DICE
        )


def agreement(
    reference: Segmentation, other: Segmentation, cord: LabelImage | None = None
) -> Agreement:
    """Compare two predictions of one image, on its grid.

    Parameters
    ----------
    reference, other : Segmentation
    cord : LabelImage, optional
        Cord mask, to the nearest voxels; without it the reference's own, if it has one. It
        does not count if less than :data:`LEAST_NEAR_CORD` of what the reference labelled lies
        near it.
    """
    expected, found = reference.rootlets.data, other.rootlets.data
    labelled = expected != 0
    centre = cord if cord is not None else reference.cord
    near = _near(labelled if centre is None else centre.data, reference.rootlets)
    compared = near
    if centre is None or (labelled & near).sum() < LEAST_NEAR_CORD * labelled.sum():
        near, compared = _near(labelled, reference.rootlets), np.ones_like(near)
    equal = expected == found
    levels = np.union1d(np.unique(expected[compared]), np.unique(found[compared]))
    dice = [
        _dice((expected == level) & compared, (found == level) & compared)
        for level in levels
        if level != 0
    ]
    either = np.count_nonzero(expected) + np.count_nonzero(found)
    return Agreement(
        equal=float(equal[near].mean()) if near.any() else 1.0,
        lowest_dice=min(dice, default=1.0),
        whole_dice=float(2 * (equal & labelled).sum() / either) if either else 1.0,
        voxels=int(np.count_nonzero(labelled & compared)),
    )


def _dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


def _near(mask: NDArray[np.generic], image: Image) -> NDArray[np.bool_]:
    """Return what lies within :data:`NEAR_MM` of a mask; nothing for an empty one."""
    inside = mask != 0
    if not inside.any():
        return inside
    near: NDArray[np.bool_] = (
        ndimage.distance_transform_edt(~inside, image.grid.spacing_mm) <= NEAR_MM
    )
    return near


@dataclass(frozen=True)
class Candidate:
    """A faster engine that may take the place of the exact one.

    Attributes
    ----------
    load : callable
        Loads it.
    record : Path
        File that keeps what the comparison gave, for this network and processor.
    what : str
        What it does, for notes.
    """

    load: Callable[[], Engine]
    record: Path
    what: str


class _Trial:
    """A candidate, and the images on which it was compared so far."""

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self.known = read_agreements(candidate.record)

    @property
    def has_agreed(self) -> bool:
        return len(self.known) >= IMAGES and all(known.passes for known in self.known)

    @property
    def is_open(self) -> bool:
        return len(self.known) < IMAGES and all(known.passes for known in self.known)

    def add(self, found: Agreement) -> None:
        self.known = [*self.known, found]
        _write(self.candidate.record, self.known, self.candidate.what)

    def told(self, used: bool) -> str:
        count = len(self.known)
        images = "1 image" if count == 1 else f"{count} images"
        if self.is_open:
            outcome = f"is not used before it has agreed on {IMAGES}"
        elif self.has_agreed:
            outcome = "is used" if used else "is used from the next image on"
        else:
            outcome = "is not used, as that is too little"
        return (
            f"{self.candidate.what} {outcome}: on {images} at least "
            f"{min(known.equal for known in self.known):.5f} of the voxels near the cord were "
            f"equal, and the Dice of each level {min(k.lowest_dice for k in self.known):.4f} "
            f"({min(k.whole_dice for k in self.known):.4f} of all levels in the whole image)"
        )


class TrialEngine:
    """An exact engine, until a faster one has agreed with it on :data:`IMAGES` images.

    A candidate that does not agree on an image is given up, and the next one is compared
    from that image on.

    Parameters
    ----------
    exact : callable
        Loads the exact engine. No more than one engine is held at a time.
    candidates : sequence of Candidate
        The fastest first.
    find_cord : callable, optional
        From an image to a cord mask on its grid, or None if it finds none: where to compare
        predictions if no mask is given.
    """

    def __init__(
        self,
        exact: Callable[[], Engine],
        candidates: Sequence[Candidate],
        find_cord: Callable[[Image], LabelImage | None] | None = None,
    ) -> None:
        self._exact = exact
        self._find_cord = find_cord
        self._trials = [_Trial(candidate) for candidate in candidates]
        self._engine: Engine | None = self._load()

    def _load(self) -> Engine:
        chosen = self._chosen
        return self._exact() if chosen is None else chosen.candidate.load()

    @property
    def _chosen(self) -> _Trial | None:
        """The fastest that was not given up, if it has agreed already."""
        left = (trial for trial in self._trials if trial.is_open or trial.has_agreed)
        first = next(left, None)
        return first if first is not None and first.has_agreed else None

    def predict(
        self,
        image: Image,
        *,
        cord: LabelImage | None = None,
        progress: Progress | None = None,
    ) -> Segmentation:
        """Predict the rootlets of `image`; see :class:`sct_rootlets.engines.Engine`."""
        if self._engine is None:
            self._engine = self._load()
        used = self._chosen
        result = self._engine.predict(image, cord=cord, progress=progress)
        if used is None and int(np.count_nonzero(result.rootlets.data)) >= FEWEST_VOXELS:
            for trial in self._trials:
                if trial.is_open:
                    self._try(trial, image, cord, result, progress)
                if trial.is_open or trial.has_agreed:
                    break
        result.notes.extend(trial.told(trial is used) for trial in self._trials if trial.known)
        return result

    def _try(
        self,
        trial: _Trial,
        image: Image,
        cord: LabelImage | None,
        expected: Segmentation,
        progress: Progress | None,
    ) -> None:
        """Predict once more, the faster way, and keep how it compares."""
        tell = progress or (lambda stage, done, total: None)

        def told(stage: str, done: int, total: int) -> None:
            tell(f"on the first images only: is {trial.candidate.what} exact?", done, total)

        self._engine = None  # so that both are not in memory
        found = trial.candidate.load().predict(image, cord=cord, progress=told)
        if cord is None and expected.cord is None and self._find_cord is not None:
            cord = self._find_cord(image)
        trial.add(agreement(expected, found, cord))


def read_agreements(path: Path) -> list[Agreement]:
    """Return what was kept of comparisons; nothing where there is nothing readable."""
    try:
        return [
            Agreement(
                float(each["equal"]),
                float(each["lowest_dice"]),
                float(each["whole_dice"]),
                int(each["voxels"]),
            )
            for each in object_if_readable(path)["images"]
        ]
    except (ValueError, KeyError, TypeError):
        return []


def _write(path: Path, found: list[Agreement], what: str) -> None:
    images = [{**asdict(each), "passes": each.passes} for each in found]
    content = {"what": what, "cpu": cpu_name(), "images": images}
    try:
        with OutputSet() as outputs:
            outputs.write(path, to_json(content))
    except RootletsError as error:
        logger.info("the comparison cannot be kept (%s)", error)


def cpu_name() -> str:
    """Return the name of the processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
