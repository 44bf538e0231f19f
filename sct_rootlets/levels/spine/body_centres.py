"""Discs along the cord from points at the centres of vertebral bodies."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from sct_rootlets.anatomy import VertebralLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import LabelImage
from sct_rootlets.levels.population.reference_data import COHORT_SCALE
from sct_rootlets.levels.population.template import DISC_SD_MM
from sct_rootlets.levels.spine.discs import LOWEST_MM, Discs, remarks
from sct_rootlets.levels.spine.point_labels import all_far, place_points, vertebral_voxels
from sct_rootlets.levels.spine.vertebrae import (
    DISC_LABELS,
    DISC_MM,
    VERTEBRA_HEIGHT_MM,
    centre_mm,
    disc_above,
)

__all__ = ["discs_of_body_centres"]

#: What body centres add to the spread of a disc label, mm, between neighbours, where a centre
#: between two others is missing, and beyond the first and the last. Assumed: half a
#: vertebra's height differs from PAM50's by about this much.
CENTRE_SD_MM, MISSING_SD_MM, END_SD_MM = 1.5, 2.0, 2.5


def discs_of_body_centres(labels: LabelImage, centerline: Centerline) -> Discs:
    """Read body centres, as :meth:`VertebralColumn.from_body_centres` says."""
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
    centres = {VertebralLevel(value): s[value] for value in sorted(s)}
    _require_order(centres, labels.path)
    discs, spread = _discs_between(centres, sd)
    first, last = min(centres), max(centres)
    absent = [lv for lv in VertebralLevel if first < lv < last and lv not in centres]
    if absent:
        warnings.append(
            f"no body centre of {', '.join(map(str, absent))}: the discs next to it were "
            "placed between its neighbours"
        )
    source = f"centres of vertebral bodies ({Path(labels.path).name})"
    return Discs(discs, source, spread, None, (*warnings, *remarks(discs)))


def _require_order(centres: Mapping[VertebralLevel, float], path: str | None) -> None:
    """Raise unless the centres ascend by some mm a vertebra."""
    for above, below in pairwise(centres):
        if centres[below] - centres[above] < LOWEST_MM * (below.value - above.value):
            raise InputError(
                f"has the centre of {below} at {centres[below]:.1f} mm along the cord, not "
                f"caudal of {above} at {centres[above]:.1f} mm",
                path=path,
                remedy="Vertebrae are C1-C7 = 1-7, T1 = 8, ...",
            )


def _discs_between(
    centres: Mapping[VertebralLevel, float], sd_mm: Mapping[int, float]
) -> tuple[dict[int, float], dict[int, float]]:
    """Place the discs of all vertebrae from the first centre to the last, by disc label, mm.

    The standard deviations of the centres, `sd_mm`, are by the value of the level.
    """
    at = np.array([centre_mm(level) for level in centres])
    here = np.array(list(centres.values()))
    scale = COHORT_SCALE
    if len(at) > 1:
        scale = float((here[-1] - here[0]) / (at[-1] - at[0]))
    first, last = min(centres), max(centres)
    discs: dict[int, float] = {}
    spread: dict[int, float] = {}
    for level in [lv for lv in VERTEBRA_HEIGHT_MM if first <= lv <= last]:
        for label in (disc_above(level), disc_above(level) + 1):
            if label not in DISC_LABELS or label in discs:
                continue
            place = DISC_MM[label]
            if place < at[0]:
                discs[label] = float(here[0] - scale * (at[0] - place))
            elif place > at[-1]:
                discs[label] = float(here[-1] + scale * (place - at[-1]))
            else:
                discs[label] = float(np.interp(place, at, here))
            own = [sd_mm[n] for n in (label - 1, label) if n in sd_mm]
            beyond = place < at[0] or place > at[-1]
            extra = END_SD_MM if beyond else CENTRE_SD_MM if len(own) == 2 else MISSING_SD_MM
            spread[label] = float(np.hypot(max(own, default=DISC_SD_MM), extra))
    return discs, spread
