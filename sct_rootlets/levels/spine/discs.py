"""Discs along the cord, read from disc labels or from a cord labelled with vertebral levels.

Both end as positions along the centerline, by disc label; so do centres of vertebral bodies
(:mod:`sct_rootlets.levels.spine.body_centres`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from sct_rootlets.anatomy import disc_name
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import LabelImage
from sct_rootlets.levels.population.reference_data import COHORT_SCALE
from sct_rootlets.levels.population.template import DISC_SD_MM
from sct_rootlets.levels.spine.labelled_cord import find_borders
from sct_rootlets.levels.spine.point_labels import all_far, place_points, voxels_of
from sct_rootlets.levels.spine.vertebrae import (
    DISC_LABELS,
    DISC_MM,
    TOP_OF_C1,
    bound_name,
    disc_above,
)

__all__ = [
    "LOWEST_MM",
    "Discs",
    "discs_of_labelled_cord",
    "discs_of_labels",
    "remarks",
    "require_order",
]

#: Lowest vertebra that is believed, mm.
LOWEST_MM = 3.0
#: Heights that differ from the others by more than these factors are said.
UNUSUAL = (0.6, 1.6)


@dataclass(frozen=True, eq=False)
class Discs:
    """Discs along the centerline of a cord.

    Attributes
    ----------
    disc_s_mm : dict of int to float
        Position along the centerline by disc label (C2/C3 = 3), caudal-positive, mm.
    source : str
        What the discs were made from, in words.
    disc_sd_mm : dict of int to float
        Standard deviation of each position, mm.
    top_of_c1_mm : float or None
        Where label 1, the top of C1, lies, mm along the centerline.
    warnings : tuple of str
    """

    disc_s_mm: Mapping[int, float]
    source: str = "disc positions"
    disc_sd_mm: Mapping[int, float] = field(default_factory=dict)
    top_of_c1_mm: float | None = None
    warnings: tuple[str, ...] = ()


def discs_of_labels(labels: LabelImage, centerline: Centerline) -> Discs:
    """Read disc labels, as :meth:`VertebralColumn.from_discs` says."""
    voxels = voxels_of(labels)
    if not any(label in DISC_LABELS for label in voxels):
        raise InputError(
            f"has no disc label (2, C1/C2, to 25, L5/S1) among {list(voxels)[:8]}",
            path=labels.path,
        )
    names = {k: f"the {disc_name(k)} disc" for k in voxels if k in DISC_LABELS}
    names[TOP_OF_C1] = bound_name(TOP_OF_C1)
    s, sd, warnings = place_points(labels, voxels, centerline, names)
    top = s.pop(TOP_OF_C1, None)
    sd.pop(TOP_OF_C1, None)
    if not s:
        raise all_far(labels, "disc")
    require_order(s, labels.path)
    if top is not None and top > min(s.values()) - LOWEST_MM:
        warnings.append("label 1, the top of C1, does not lie rostral of the discs: not used")
        top = None
    source = f"disc labels ({Path(labels.path).name})"
    return Discs(s, source, sd, top, (*warnings, *remarks(s)))


def discs_of_labelled_cord(labels: LabelImage, centerline: Centerline) -> Discs:
    """Read a labelled cord, as :meth:`VertebralColumn.from_labelled_cord` says."""
    borders, warnings = find_borders(labels, centerline)
    at_discs = {
        disc_above(border.below): border
        for border in borders
        if disc_above(border.below) in DISC_LABELS
    }
    if len(at_discs) < len(borders):
        warnings = [*warnings, "no discs are made of sacral vertebrae"]
    if not at_discs:
        raise InputError(
            "has no two neighbouring vertebral levels, between which a disc would lie",
            path=labels.path,
        )
    s = {label: border.s_mm for label, border in at_discs.items()}
    sd = {
        label: float(np.hypot(DISC_SD_MM, border.gap_mm / np.sqrt(12)))
        for label, border in at_discs.items()
    }
    require_order(s, labels.path)
    source = f"labelled cord ({Path(labels.path).name})"
    return Discs(s, source, sd, None, (*warnings, *remarks(s)))


def require_order(s: Mapping[int, float], path: str | None) -> None:
    """Raise unless positions by disc label ascend by some mm a vertebra.

    Raises
    ------
    InputError
    """
    for above, below in pairwise(sorted(s)):
        if not s[below] - s[above] >= LOWEST_MM * (below - above):
            raise InputError(
                f"has {bound_name(below)} (label {below}) at {s[below]:.1f} mm along the cord, "
                f"not caudal of {bound_name(above)} (label {above}) at {s[above]:.1f} mm",
                path=path,
                remedy="Label N must lie on the disc above vertebra N (C2/C3 = 3)",
            )


def remarks(discs: Mapping[int, float]) -> list[str]:
    """Return what is to be said of discs: heights unlike the others, discs in between missing.

    Parameters
    ----------
    discs : dict of int to float
        Position by disc label, mm.
    """
    texts = []
    pairs = list(pairwise(sorted(discs)))
    ratios = np.array([(discs[b] - discs[a]) / (DISC_MM[b] - DISC_MM[a]) for a, b in pairs])
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
