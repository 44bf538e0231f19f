"""Reduced precision only once it was seen to change nothing that counts.

A processor with half-precision arithmetic computes a network several times faster, and what
that does to the answer depends on the network. The first image is therefore predicted both
ways. The exact answer is returned; whether the other one agrees is written down beside the
converted network, and decides from then on.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sct_rootlets.engines.engine import Engine, Progress, Segmentation
from sct_rootlets.image import Image, LabelImage

__all__ = ["Agreement", "ProvingEngine", "agreement", "cpu_name", "read_agreement"]

logger = logging.getLogger(__name__)

#: The voxels that are compared lie within this distance, in mm, of the cord.
NEAR_MM = 10.0

#: What counts as agreement: this share of them equal, and this Dice for every level.
LEAST_EQUAL, LEAST_DICE = 0.999, 0.995

#: Fewer labelled voxels than this prove nothing.
FEWEST_VOXELS = 500


@dataclass(frozen=True)
class Agreement:
    """How two predictions of one image compare.

    Attributes
    ----------
    equal : float
        Share of equal voxels within :data:`NEAR_MM` of the cord, or of what the reference
        labelled where no cord mask is at hand.
    lowest_dice : float
        Of the levels of either.
    voxels : int
        That the reference labelled.
    """

    equal: float
    lowest_dice: float
    voxels: int

    @property
    def is_enough(self) -> bool:
        """Whether there was enough to compare."""
        return self.voxels >= FEWEST_VOXELS

    @property
    def passes(self) -> bool:
        """Whether the two may stand for one another."""
        return self.is_enough and self.equal >= LEAST_EQUAL and self.lowest_dice >= LEAST_DICE


def agreement(
    reference: Segmentation, other: Segmentation, cord: LabelImage | None = None
) -> Agreement:
    """Compare two predictions of one image, on its grid."""
    expected, found = reference.rootlets.data, other.rootlets.data
    labels = np.union1d(np.unique(expected), np.unique(found))
    dice = [_dice(expected == label, found == label) for label in labels if label != 0]
    centre = cord if cord is not None else reference.cord
    near = _near(expected if centre is None else centre.data, reference.rootlets)
    equal = float((expected == found)[near].mean()) if near.any() else 1.0
    return Agreement(equal, min(dice, default=1.0), int(np.count_nonzero(expected)))


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


class ProvingEngine:
    """An exact engine, until a faster one is shown to agree with it.

    Parameters
    ----------
    exact, faster : callable
        Load the two engines. No more than one is held at a time.
    record : Path
        File that keeps what the comparison gave, for this network and processor.
    what : str
        What the faster one does, for notes.
    """

    def __init__(
        self,
        exact: Callable[[], Engine],
        faster: Callable[[], Engine],
        record: Path,
        what: str,
    ) -> None:
        self._exact, self._faster = exact, faster
        self._record, self._what = record, what
        self._known = read_agreement(record)
        self._engine: Engine | None = self._load()

    def _load(self) -> Engine:
        passed = self._known is not None and self._known.passes
        return self._faster() if passed else self._exact()

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
        result = self._engine.predict(image, cord=cord, progress=progress)
        is_first = self._known is None
        if self._known is None:
            self._prove(image, cord, result, progress)
        if self._known is not None:
            result.notes.append(self._told(self._known, is_first))
        return result

    def _told(self, known: Agreement, is_first: bool) -> str:
        outcome = "is used" if known.passes else "is not used"
        when = "this first image, predicted without it," if is_first else "a first image"
        return (
            f"{self._what} {outcome}{' from now on' if is_first else ''}: on {when} "
            f"{known.equal:.5f} of the voxels near the cord were equal, and the lowest Dice of "
            f"a level was {known.lowest_dice:.4f}"
        )

    def _prove(
        self,
        image: Image,
        cord: LabelImage | None,
        expected: Segmentation,
        progress: Progress | None,
    ) -> None:
        """Predict once more, the faster way, and keep how it compares."""
        if int(np.count_nonzero(expected.rootlets.data)) < FEWEST_VOXELS:
            return
        tell = progress or (lambda stage, done, total: None)

        def told(stage: str, done: int, total: int) -> None:
            tell(f"once only: is {self._what} exact?", done, total)

        self._engine = None  # so that both are not in memory
        found = self._faster().predict(image, cord=cord, progress=told)
        self._known = agreement(expected, found, cord)
        _write(self._record, self._known, self._what)


def read_agreement(path: Path) -> Agreement | None:
    """Return what was kept of a comparison, None where there is nothing readable."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Agreement(
            float(content["equal"]), float(content["lowest_dice"]), int(content["voxels"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, found: Agreement, what: str) -> None:
    content = {"what": what, "cpu": cpu_name(), **asdict(found), "passes": found.passes}
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(content, stream, indent=1)
        os.replace(temporary, path)
    except OSError as error:
        logger.info("the comparison cannot be kept as %s (%s)", path, error)
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def cpu_name() -> str:
    """Return the name of the processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
