"""The vertebral column along the cord: where the discs are, and what lies between them.

It is made of disc labels, of a cord labelled with vertebral levels (both read by
:mod:`sct_rootlets.levels.spine.discs`), or of points at the centres of vertebral bodies
(:mod:`sct_rootlets.levels.spine.body_centres`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import DISC_C2C3, disc_name
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import LabelImage
from sct_rootlets.levels.population.template import DISC_SD_MM
from sct_rootlets.levels.spine.body_centres import discs_of_body_centres
from sct_rootlets.levels.spine.discs import (
    Discs,
    discs_of_labelled_cord,
    discs_of_labels,
    require_order,
)
from sct_rootlets.levels.spine.labelled_cord import ON_CORD_MM
from sct_rootlets.levels.spine.point_labels import APART_MM, LONGEST_MM, vertebral_voxels
from sct_rootlets.levels.spine.vertebrae import (
    DISC_C7T1,
    DISC_LABELS,
    DISC_MM,
    TOP_OF_C1,
    vertebra_below,
)
from sct_rootlets.levels.table.level_table import VertebralPlace, VertebralRelation

__all__ = ["VertebralColumn"]

Floats = NDArray[np.float64]

#: Voxels a label of a point may have.
POINT_VOXELS = 27


@dataclass(frozen=True, eq=False)
class VertebralColumn(Discs):
    """The vertebrae between discs, which follow each other along the cord.

    Its attributes are those of :class:`~sct_rootlets.levels.spine.discs.Discs`; the standard
    deviation of a position is by default that of a disc label.

    Raises
    ------
    InputError
        If there is no disc, or discs do not follow each other along the cord.
    """

    def __post_init__(self) -> None:
        discs = {int(k): float(self.disc_s_mm[k]) for k in sorted(self.disc_s_mm)}
        wrong = [k for k, s in discs.items() if k not in DISC_LABELS or not np.isfinite(s)]
        if wrong or not discs:
            raise InputError(
                f"no vertebral column: {wrong} are no discs" if wrong else "there is no disc",
                remedy="Discs are 2, C1/C2, to 25, L5/S1",
            )
        require_order(self._bounds(discs), None)
        spread = {label: float(self.disc_sd_mm.get(label, DISC_SD_MM)) for label in discs}
        object.__setattr__(self, "disc_s_mm", discs)
        object.__setattr__(self, "disc_sd_mm", spread)

    @classmethod
    def from_discs(cls, discs: LabelImage, centerline: Centerline) -> VertebralColumn:
        """Make a column of disc labels, as SCT writes them.

        Only the projection onto the cord matters, so that a label may lie on the posterior
        tip of the disc or on the cord; a label of several voxels counts with its middle.
        Label 1 is the top of C1, which C1 needs for its place and nothing else does; 49, 50
        and 60 are no discs and are ignored.

        Parameters
        ----------
        discs : LabelImage
            On any grid of the same world.
        centerline : Centerline

        Raises
        ------
        InputError
            If no label is a disc, a label occurs twice, a label is far too long for a disc,
            all lie far from the cord, or discs do not follow each other along the cord.

        Notes
        -----
        A disc beyond the cord mask is projected onto the straight continuation of the
        centerline: it is said, and its standard deviation grows by 0.1 mm per mm. One more
        than 40 mm from the cord or its ends is left out, and said.
        """
        return cls._of(discs_of_labels(discs, centerline))

    @classmethod
    def from_labelled_cord(cls, labels: LabelImage, centerline: Centerline) -> VertebralColumn:
        """Make a column of a cord labelled with vertebral levels (SCT's ``-vertfile``).

        Parameters
        ----------
        labels : LabelImage
            Cord voxels with the values of vertebral levels (C1-C7 = 1-7, T1 = 8, ...), on any
            grid of the same world.
        centerline : Centerline

        Raises
        ------
        InputError
            If values are no vertebral levels, levels do not follow each other along the
            cord, one occurs twice, or no two neighbouring levels are there.

        Notes
        -----
        A disc lies where one level gives way to the next; how that is found, finer than a
        voxel and whatever the direction of the cut, is in
        :mod:`sct_rootlets.levels.spine.labelled_cord`.

        Where the labelled part begins and ends no disc is taken: the field of view, the
        mask or SCT's template may have ended it.
        """
        return cls._of(discs_of_labelled_cord(labels, centerline))

    @classmethod
    def from_body_centres(cls, labels: LabelImage, centerline: Centerline) -> VertebralColumn:
        """Make a column of points at the middle of vertebral bodies.

        Parameters
        ----------
        labels : LabelImage
            Points with the values of vertebral levels (C1-C7 = 1-7, T1 = 8, ...), in the bodies
            or projected onto the cord, on any grid of the same world.
        centerline : Centerline

        Raises
        ------
        InputError
            If values are no vertebral levels, a label occurs twice or is no point, all lie
            far from the cord, or vertebrae do not follow each other along the cord.

        Notes
        -----
        A disc lies halfway between two neighbouring centres, in the proportion of their
        heights in PAM50 (`VERTEBRA_HEIGHT_MM` of :mod:`sct_rootlets.levels.spine.vertebrae`). Where
        centres in between are missing, all is placed in the proportions of PAM50. The disc
        above the first and below the last centre is half a vertebra away, of PAM50's height
        times the scale that the centres show, or that of a population where there is one
        centre only. The standard deviations are larger than those of disc labels: 2.5 mm
        between neighbours, 2.8 mm where a centre is missing and 3.2 mm beyond the last.
        """
        return cls._of(discs_of_body_centres(labels, centerline))

    @classmethod
    def from_labels(cls, labels: LabelImage, centerline: Centerline) -> VertebralColumn:
        """Make a column of a labelled cord or of body centres, whichever `labels` are.

        A labelled cord has labels of many voxels (more than 27, or longer than 6 mm along the
        cord) that lie on the cord; body centres are points. `source` says which was found.

        Raises
        ------
        InputError
            If `labels` are neither, or as :meth:`from_labelled_cord` and
            :meth:`from_body_centres`.
        """
        sizes, lengths, off = [], [], []
        for points in vertebral_voxels(labels).values():
            at = centerline.project(points)
            sizes.append(len(at.s_mm))
            lengths.append(float(np.ptp(at.s_mm)))
            off.append(float(np.median(at.radius_mm)))
        # Few voxels far apart are points, of which one occurs twice.
        if max(sizes) <= POINT_VOXELS and not APART_MM < max(lengths) <= LONGEST_MM:
            return cls.from_body_centres(labels, centerline)
        if np.median(off) > ON_CORD_MM:
            raise InputError(
                "is neither a labelled cord nor points at vertebral bodies: its labels have up to "
                f"{max(sizes)} voxels and lie {np.median(off):.0f} mm off the cord",
                path=labels.path,
                remedy="Give a cord labelled with vertebral levels, or one point a vertebra",
            )
        return cls.from_labelled_cord(labels, centerline)

    @classmethod
    def _of(cls, found: Discs) -> VertebralColumn:
        return cls(**vars(found))

    @property
    def c3_c7_height_mm(self) -> float | None:
        """Height of C3 to C7 along the centerline, from C2/C3 to C7/T1; None if one is missing."""
        if DISC_C2C3 not in self.disc_s_mm or DISC_C7T1 not in self.disc_s_mm:
            return None
        return self.disc_s_mm[DISC_C7T1] - self.disc_s_mm[DISC_C2C3]

    def place(self, s_mm: float) -> VertebralPlace | None:
        """Return the vertebra at a position along the cord, and the fraction within it.

        The fraction is 0 at the disc above the vertebra and 1 at the disc below it; a disc
        belongs to the vertebra below it, the last one to the vertebra above. Where a disc
        between two known ones is not labelled, it is placed in the proportions of PAM50.

        Parameters
        ----------
        s_mm : float
            Position along the centerline, mm.

        Returns
        -------
        VertebralPlace or None
            None rostral of the first disc (of label 1, where that is known beside C1/C2) and
            caudal of the last one.
        """
        labels, s = self._filled()
        if len(s) < 2 or not s[0] <= s_mm <= s[-1]:
            return None
        k = min(int(np.searchsorted(s, s_mm, side="right")) - 1, len(s) - 2)
        fraction = float((s_mm - s[k]) / (s[k + 1] - s[k]))
        return VertebralPlace(vertebra_below(labels[k]), min(max(fraction, 0.0), 1.0))

    def relation(
        self, rostral_mm: float, midpoint_mm: float, caudal_mm: float
    ) -> VertebralRelation:
        """Return where the borders and the midpoint of a spinal level lie, all in mm."""
        return VertebralRelation(
            self.place(rostral_mm),
            self.place(midpoint_mm),
            self.place(caudal_mm),
            {label: float(midpoint_mm - s) for label, s in self.disc_s_mm.items()},
        )

    def report(self) -> dict[str, Any]:
        """Return the column as plain values for a JSON file."""
        height, top = self.c3_c7_height_mm, self.top_of_c1_mm
        return {
            "source": self.source,
            "discs_mm": {disc_name(k): round(v, 3) for k, v in self.disc_s_mm.items()},
            "discs_sd_mm": {disc_name(k): round(v, 2) for k, v in self.disc_sd_mm.items()},
            "top_of_c1_mm": None if top is None else round(top, 3),
            "c3_c7_height_mm": None if height is None else round(height, 3),
        }

    def _bounds(self, discs: Mapping[int, float]) -> dict[int, float]:
        top = self.top_of_c1_mm
        return dict(discs) if top is None else {TOP_OF_C1: float(top), **discs}

    def _filled(self) -> tuple[list[int], Floats]:
        """Return every disc label from the first to the last, and its position (N,)."""
        known = self._bounds(self.disc_s_mm)
        if TOP_OF_C1 in known and TOP_OF_C1 + 1 not in known:
            del known[TOP_OF_C1]  # without C1/C2 nothing says where C1 ends
        labels = list(range(min(known), max(known) + 1))
        template = np.array([DISC_MM[label] for label in labels])
        at = np.array([DISC_MM[label] for label in known])
        return labels, np.interp(template, at, np.array(list(known.values())))
