"""The vertebral column along the cord: where the discs are, and what lies between them.

Discs come from disc labels, from a cord labelled with vertebral levels, or from points at
the centres of vertebral bodies. All three end as positions along the centerline, by disc
label: disc N lies above vertebra N (C2/C3 = 3). Vertebrae and spinal levels share names and
not numbers; a vertebra leaves this module as a `VertebralLevel` and never as an integer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import DISC_C2C3, VertebralLevel, disc_name
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import LabelImage
from sct_rootlets.levels.labelled_cord import ON_CORD_MM, find_borders
from sct_rootlets.levels.point_labels import (
    APART_MM,
    LONGEST_MM,
    all_far,
    place_points,
    vertebral_voxels,
    voxels_of,
)
from sct_rootlets.levels.population import COHORT_SCALE
from sct_rootlets.levels.table import VertebralPlace, VertebralRelation
from sct_rootlets.levels.template import DISC_SD_MM

__all__ = [
    "DISC_LABELS",
    "VERTEBRA_HEIGHT_MM",
    "VertebralColumn",
    "disc_positions",
    "vertebra_below",
]

Floats = NDArray[np.float64]

#: Disc labels that are discs, C1/C2 to L5/S1.
DISC_LABELS = range(2, 26)
#: Label of the top of C1 in a file of disc labels.
TOP_OF_C1 = 1
#: Disc C7/T1, below the last cervical vertebra.
DISC_C7T1 = 8
#: Height of every vertebra with the half discs above and below it, mm along the cord of
#: PAM50: the projections of its label_discPosterior (spinalcordtoolbox/PAM50 @ 3144364, 0.5 mm),
#: the mean of 50 subjects. L2 to L5, whose discs PAM50 does not have, are set as high as T12.
VERTEBRA_HEIGHT_MM: Mapping[VertebralLevel, float] = MappingProxyType(
    dict(
        zip(
            list(VertebralLevel)[:24],
            (
                *(25.6, 14.4, 18.4, 17.6, 17.5, 16.4, 17.9),
                *(20.6, 23.1, 23.2, 23.5, 25.0, 25.5, 27.0, 26.5, 27.5, 28.4, 31.0, 32.6),
                *(32.3, 32.6, 32.6, 32.6, 32.6),
            ),
            strict=True,
        )
    )
)
#: The same as positions by disc label, mm from the top of C1.
_HEIGHTS = tuple(VERTEBRA_HEIGHT_MM.values())
_DISC_MM = dict(enumerate(np.concatenate([[0.0], np.cumsum(_HEIGHTS)]).tolist(), TOP_OF_C1))

#: Lowest vertebra that is believed, mm.
LOWEST_MM = 3.0
#: What body centres add to the spread of a disc label, mm, between neighbours, where a centre
#: between two others is missing, and beyond the first and the last. Assumed: half a
#: vertebra's height differs from PAM50's by about this much.
CENTRE_SD_MM, MISSING_SD_MM, END_SD_MM = 1.5, 2.0, 2.5
#: Heights that differ from the others by more than these factors are said.
UNUSUAL = (0.6, 1.6)
#: Voxels a label of a point may have.
POINT_VOXELS = 27


def vertebra_below(disc_label: int) -> VertebralLevel:
    """Return the vertebra below a disc: disc label N is the disc above vertebra N.

    Examples
    --------
    >>> vertebra_below(3), vertebra_below(8)
    (<VertebralLevel.C3: 3>, <VertebralLevel.T1: 8>)
    """
    return VertebralLevel(disc_label)


@dataclass(frozen=True, eq=False)
class VertebralColumn:
    """Discs along the centerline of a cord.

    Attributes
    ----------
    disc_s_mm : dict of int to float
        Position along the centerline by disc label (C2/C3 = 3), caudal-positive, mm.
    source : str
        What the discs were made from, in words.
    disc_sd_mm : dict of int to float
        Standard deviation of each position, mm; by default that of a disc label.
    top_of_c1_mm : float or None
        Where label 1, the top of C1, lies.
    warnings : tuple of str

    Raises
    ------
    InputError
        If there is no disc, or discs do not follow each other along the cord.
    """

    disc_s_mm: Mapping[int, float]
    source: str = "disc positions"
    disc_sd_mm: Mapping[int, float] = field(default_factory=dict)
    top_of_c1_mm: float | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        discs = {int(k): float(self.disc_s_mm[k]) for k in sorted(self.disc_s_mm)}
        wrong = [k for k, s in discs.items() if k not in DISC_LABELS or not np.isfinite(s)]
        if wrong or not discs:
            raise InputError(
                f"no vertebral column: {wrong} are no discs" if wrong else "there is no disc",
                remedy="Discs are 2, C1/C2, to 25, L5/S1",
            )
        _require_order(self._bounds(discs), None)
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
        voxels = voxels_of(discs)
        if not any(label in DISC_LABELS for label in voxels):
            raise InputError(
                f"has no disc label (2, C1/C2, to 25, L5/S1) among {list(voxels)[:8]}",
                path=discs.path,
            )
        names = {k: f"the {disc_name(k)} disc" for k in voxels if k in DISC_LABELS}
        names[TOP_OF_C1] = "the top of C1"
        s, sd, warnings = place_points(discs, voxels, centerline, names)
        top = s.pop(TOP_OF_C1, None)
        sd.pop(TOP_OF_C1, None)
        if not s:
            raise all_far(discs, "disc")
        _require_order(s, discs.path)
        if top is not None and top > min(s.values()) - LOWEST_MM:
            warnings.append("label 1, the top of C1, does not lie rostral of the discs: not used")
            top = None
        return cls(
            s,
            f"disc labels ({Path(discs.path).name})",
            sd,
            top,
            (*warnings, *_remarks(s)),
        )

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
        :mod:`sct_rootlets.levels.labelled_cord`.

        Where the labelled part begins and ends no disc is taken: the field of view, the
        mask or SCT's template may have ended it.
        """
        borders, warnings = find_borders(labels, centerline)
        if not borders:
            raise InputError(
                "has no two neighbouring vertebral levels, between which a disc would lie",
                path=labels.path,
            )
        discs = {_disc_above(border.below): border.s_mm for border in borders}
        spread = {
            _disc_above(border.below): float(np.hypot(DISC_SD_MM, border.gap_mm / np.sqrt(12)))
            for border in borders
        }
        _require_order(discs, labels.path)
        return cls(
            discs,
            f"labelled cord ({Path(labels.path).name})",
            spread,
            None,
            (*warnings, *_remarks(discs)),
        )

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
        heights in PAM50 (`VERTEBRA_HEIGHT_MM`). Where centres in between are missing, all is
        placed in the proportions of PAM50. The disc above the first and below the last
        centre is half a vertebra away, of PAM50's height times the scale that the centres
        show, or that of a population where there is one centre only. The standard
        deviations are larger than those of disc labels: 2.5 mm between neighbours, 2.8 mm
        where a centre is missing and 3.2 mm beyond the last.
        """
        voxels = vertebral_voxels(labels)
        names = {
            level.value: f"the centre of {level}"
            for level in VERTEBRA_HEIGHT_MM
            if level.value in voxels
        }
        s, sd, warnings = place_points(labels, voxels, centerline, names)
        sacral = [str(VertebralLevel(value)) for value in voxels if value not in names]
        if sacral:
            warnings.append(f"{', '.join(sacral)}: no discs are made of sacral vertebrae")
        if not s:
            raise all_far(labels, "vertebra")
        centres = {VertebralLevel(value): at for value, at in s.items()}
        for above, below in pairwise(sorted(centres)):
            apart = LOWEST_MM * (below.value - above.value)
            if centres[below] - centres[above] < apart:
                raise InputError(
                    f"has the centre of {below} at {centres[below]:.1f} mm along the cord, not "
                    f"caudal of {above} at {centres[above]:.1f} mm",
                    path=labels.path,
                    remedy="Vertebrae are C1-C7 = 1-7, T1 = 8, ...",
                )
        first, last = min(centres), max(centres)
        at = np.array([_centre_in_pam50(level) for level in sorted(centres)])
        here = np.array([centres[level] for level in sorted(centres)])
        scale = COHORT_SCALE
        if len(at) > 1:
            scale = float((here[-1] - here[0]) / (at[-1] - at[0]))
        discs: dict[int, float] = {}
        spread: dict[int, float] = {}
        for level in [lv for lv in VERTEBRA_HEIGHT_MM if first <= lv <= last]:
            for label in (_disc_above(level), _disc_above(level) + 1):
                if label not in DISC_LABELS or label in discs:
                    continue
                place = _DISC_MM[label]
                if place < at[0]:
                    discs[label] = float(here[0] - scale * (at[0] - place))
                elif place > at[-1]:
                    discs[label] = float(here[-1] + scale * (place - at[-1]))
                else:
                    discs[label] = float(np.interp(place, at, here))
                own = [sd[n] for n in (label - 1, label) if n in sd]
                beyond = place < at[0] or place > at[-1]
                extra = END_SD_MM if beyond else CENTRE_SD_MM if len(own) == 2 else MISSING_SD_MM
                spread[label] = float(np.hypot(max(own, default=DISC_SD_MM), extra))
        absent = [lv for lv in VertebralLevel if first < lv < last and lv not in centres]
        if absent:
            warnings.append(
                f"no body centre of {', '.join(map(str, absent))}: the discs next to it were "
                "placed between its neighbours"
            )
        return cls(
            discs,
            f"centres of vertebral bodies ({Path(labels.path).name})",
            spread,
            None,
            (*warnings, *_remarks(discs)),
        )

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
        template = np.array([_DISC_MM[label] for label in labels])
        at = np.array([_DISC_MM[label] for label in known])
        return labels, np.interp(template, at, np.array(list(known.values())))


def disc_positions(discs: LabelImage, centerline: Centerline) -> dict[int, float]:
    """Return the position along the cord of every disc label; empty where there is none.

    As :meth:`VertebralColumn.from_discs`, which says more.
    """
    if not any(label in DISC_LABELS for label in discs.labels):
        return {}
    return dict(VertebralColumn.from_discs(discs, centerline).disc_s_mm)


def _disc_above(vertebra: VertebralLevel) -> int:
    """Return the label of the disc above a vertebra; 1, the top of C1, for C1."""
    return int(vertebra.value)


def _centre_in_pam50(vertebra: VertebralLevel) -> float:
    label = _disc_above(vertebra)
    return (_DISC_MM[label] + _DISC_MM[label + 1]) / 2


def _require_order(s: Mapping[int, float], path: str | None) -> None:
    """Raise unless positions by disc label ascend by some mm a vertebra."""
    for above, below in pairwise(sorted(s)):
        if not s[below] - s[above] >= LOWEST_MM * (below - above):
            raise InputError(
                f"has {_bound_name(below)} (label {below}) at {s[below]:.1f} mm along the cord, "
                f"not caudal of {_bound_name(above)} (label {above}) at {s[above]:.1f} mm",
                path=path,
                remedy="Label N must lie on the disc above vertebra N (C2/C3 = 3)",
            )


def _bound_name(label: int) -> str:
    return "the top of C1" if label == TOP_OF_C1 else f"disc {disc_name(label)}"


def _remarks(discs: Mapping[int, float]) -> list[str]:
    """Return what is to be said of discs: heights unlike the others, discs in between missing."""
    texts = []
    pairs = list(pairwise(sorted(discs)))
    ratios = np.array([(discs[b] - discs[a]) / (_DISC_MM[b] - _DISC_MM[a]) for a, b in pairs])
    usual = float(np.median(ratios)) if len(ratios) > 2 else COHORT_SCALE
    for (above, below), ratio in zip(pairs, ratios, strict=True):
        if not UNUSUAL[0] <= ratio / usual <= UNUSUAL[1]:
            texts.append(
                f"discs {disc_name(above)} and {disc_name(below)} are "
                f"{discs[below] - discs[above]:.0f} mm apart, {ratio / usual:.1f} times what is "
                "usual: check that no disc is skipped or numbered wrong"
            )
        if below - above > 1:
            missing = ", ".join(disc_name(label) for label in range(above + 1, below))
            texts.append(
                f"no label of {missing}: between {disc_name(above)} and {disc_name(below)} the "
                "vertebrae are placed in the proportions of PAM50"
            )
    return texts
