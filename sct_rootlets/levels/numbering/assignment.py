"""Numbering: which level rootlets belong to, from where the vertebrae are.

Rootlets without level identity are numbered by where they lie. Discs place a template of
entry zones along the cord; the template may shift, stretch and bend a little, as people
differ, and its borders between levels settle where the rootlets leave gaps.

Method
------
The nine borders from C1/C2 to T1/T2 form a hidden Markov chain
(:mod:`~sct_rootlets.levels.numbering.hidden_markov`). Each deviates from the template as a random
walk (standard deviation `CAUDAL_TO_CAUDAL_SD_MM` a step) that starts at the discs with the spread
`DISC_TO_LEVEL_SD_MM`; the template's scale is normal. A border that cuts a connected part, or
tissue as dense as within an entry zone, costs (:mod:`~sct_rootlets.levels.numbering.evidence`),
and so does more tissue between two borders than one entry zone is long. Rootlets rostral of C2
or caudal of T1 cost nothing: a network may segment them as well, as the compact model does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import ROOTLET_LEVELS, disc_name
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.levels.numbering.evidence import one_level_per_part, read_evidence
from sct_rootlets.levels.numbering.hidden_markov import settle_borders
from sct_rootlets.levels.population import reference_data
from sct_rootlets.levels.population.template import DISC_SD_MM, place_template
from sct_rootlets.levels.spine.column import VertebralColumn
from sct_rootlets.levels.zones.entry_zones import REACH_MM, EntryZones, measure

__all__ = ["Numbering", "number_rootlets"]

Floats = NDArray[np.float64]

#: A shift of all levels against the discs, mm, from which on it is warned of.
SHIFT_TO_CHECK_MM = 5.0
#: Template position of the borders (C1/C2 to T1/T2), mm from C2/C3: middle of the gaps.
_ENDS = [reference_data.PAM50_ZONES_MM[level] for level in ROOTLET_LEVELS]
TEMPLATE_MM = np.array(
    [_ENDS[0][0] - 2.5]
    + [(above[1] + below[0]) / 2 for above, below in pairwise(_ENDS)]
    + [_ENDS[-1][1] + 3.0]
)
#: Length of the template's entry zones, C2 to T1, mm.
ZONES_MM = np.diff(_ENDS, axis=1)[:, 0]


@dataclass(frozen=True, eq=False)
class Numbering:
    """Rootlets with the level they were given, and how sure that is.

    Attributes
    ----------
    labels : LabelImage
        Spinal level values; voxels rostral of C2 or caudal of T1 are 0.
    borders_mm : (9,) array
        Borders between the levels C1, C2, ..., T1, T2 along the cord.
    border_sd_mm : (9,) array
        Their spread, given discs and rootlets.
    scale : float
        Size of this cord against PAM50.
    shift_mm : float
        Mean deviation of the borders from where discs alone would put them.
    uncertainty_mm : float
        Mean spread of the borders next to rootlets.
    warnings : tuple of str
    """

    labels: LabelImage
    borders_mm: Floats
    border_sd_mm: Floats
    scale: float
    shift_mm: float
    uncertainty_mm: float
    disc_s_mm: Mapping[int, float]
    warnings: tuple[str, ...] = field(default=())

    def report(self) -> dict[str, Any]:
        """Return the numbering as plain values for a JSON file."""
        return {
            "discs_mm": {disc_name(k): round(v, 2) for k, v in self.disc_s_mm.items()},
            "scale_to_pam50": round(self.scale, 3),
            "shift_mm": round(self.shift_mm, 2),
            "uncertainty_mm": round(self.uncertainty_mm, 2),
            "gaps_between_levels_mm": [round(float(b), 2) for b in self.borders_mm],
            "gaps_sd_mm": [round(float(b), 2) for b in self.border_sd_mm],
        }


def number_rootlets(
    rootlets: LabelImage,
    cord: LabelImage,
    centerline: Centerline,
    disc_s_mm: VertebralColumn | Mapping[int, float],
    *,
    zones: EntryZones | None = None,
) -> Numbering:
    """Give rootlets without level identity their spinal level.

    Parameters
    ----------
    rootlets, cord : LabelImage
        On one grid; every value above 0 counts.
    centerline : Centerline
    disc_s_mm : VertebralColumn, or mapping of int to float
        The vertebrae, or the position along the cord of one or more discs, by disc label.
    zones : EntryZones, optional
        What `measure` says about `rootlets`, if it is known already.

    Raises
    ------
    UsageError
        If there is no disc.
    InputError
        If all rootlets lie outside C2-T1.
    """
    if isinstance(disc_s_mm, VertebralColumn):
        given, sd_mm = disc_s_mm.disc_s_mm, disc_s_mm.disc_sd_mm
    else:
        given, sd_mm = disc_s_mm, {}
    discs = {k: float(v) for k, v in given.items() if k in reference_data.PAM50_DISCS_MM}
    placed = place_template(discs)
    template = placed.s_mm(TEMPLATE_MM)
    zones = measure(rootlets, cord, centerline) if zones is None else zones
    warnings: list[str] = []
    entry = _entry_positions(zones, template)
    seen_mm = _field_of_view(rootlets.grid, centerline, zones)
    borders, sd, stretch = settle_borders(
        read_evidence(zones, entry, seen_mm),
        template,
        ZONES_MM * placed.scale,
        placed.centre_mm,
        placed.scale_sd,
        _shift_sd(discs, sd_mm),
    )

    levels = np.searchsorted(borders, entry) + 1  # 1 = C1, rostral of the first border
    levels = one_level_per_part(levels, zones, entry)
    outside = (levels < ROOTLET_LEVELS[0].value) | (levels > ROOTLET_LEVELS[-1].value)
    if outside.all():
        raise InputError(
            "no rootlet lies between C2 and T1, as the discs place them",
            path=rootlets.path,
            remedy="Check the disc labels (C2/C3 = 3)",
        )
    if outside.any():
        warnings.append(
            f"{int(outside.sum())} rootlet voxels rostral of C2 or caudal of T1 were left out"
        )
    values = np.zeros(np.asarray(rootlets.data).shape, dtype=np.int32)
    values[tuple(zones.ijk[~outside].T)] = levels[~outside]

    low, high = entry.min() - 5, entry.max() + 5
    near = (borders > low) & (borders < high)
    uncertainty = float(sd[near].mean() if near.any() else sd.mean())
    shift = float((borders - template)[near].mean() if near.any() else 0.0)
    if abs(shift) > SHIFT_TO_CHECK_MM:
        warnings.append(
            f"the rootlets lie {abs(shift):.1f} mm {'caudal' if shift > 0 else 'rostral'} of where "
            "the discs place them, which is near halfway to the next level: check the discs, and "
            "that the levels are not all one off"
        )
    if len(discs) == 1:
        only = disc_name(next(iter(discs)))
        warnings.append(
            f"numbered from one disc ({only}) and the spacing of a population: levels far from "
            f"it are less certain (about {uncertainty:.1f} mm)"
        )
    if uncertainty > 4.0:
        warnings.append(
            f"the numbering is uncertain by {uncertainty:.1f} mm; give more disc labels"
        )
    return Numbering(
        labels=LabelImage(values, rootlets.grid, rootlets.header, rootlets.path),
        borders_mm=borders,
        border_sd_mm=sd,
        scale=placed.scale * stretch,
        shift_mm=shift,
        uncertainty_mm=uncertainty,
        disc_s_mm=discs,
        warnings=tuple(warnings),
    )


def _shift_sd(discs: Mapping[int, float], sd_mm: Mapping[int, float]) -> float:
    """Return how far all borders may lie off the discs, mm: more where discs are less certain."""
    sd = [sd_mm.get(label, DISC_SD_MM) for label in discs]
    extra = sum(max(one**2 - DISC_SD_MM**2, 0.0) for one in sd)
    return float(np.hypot(reference_data.DISC_TO_LEVEL_SD_MM, np.sqrt(extra) / len(discs)))


def _field_of_view(grid: Grid, centerline: Centerline, zones: EntryZones) -> tuple[float, float]:
    """Return the range of s (mm) in which the image shows the centerline."""
    margin = 40.0
    s = np.arange(centerline.start_mm - margin, centerline.end_mm + margin, 0.25)
    inside = s[grid.contains(centerline.point(s))]
    low, high = (inside[0], inside[-1]) if len(inside) else (s[0], s[-1])
    return float(min(low, zones.s_mm.min())), float(max(high, zones.s_mm.max()))


def _entry_positions(zones: EntryZones, template: Floats) -> Floats:
    """Return where each voxel's rootlet passes the middle of the reach, (N,) mm along the cord.

    A voxel far from the cord lies caudal of its entry; it is brought back along the mean
    obliquity of its sector at its place. Not to the surface of the cord but to half the
    reach, which is where the middle of a zone of the template lies, on average.
    """
    centres = (template[:-1] + template[1:]) / 2
    entry = zones.s_mm.copy()
    for _ in range(4):
        for sector, slopes in reference_data.SLOPE.items():
            here = zones.sector == sector
            slope = np.interp(entry[here], centres, np.array(list(slopes.values())))
            back = (np.clip(zones.depth_mm[here], 0, 6) - REACH_MM / 2) * slope
            entry[here] = zones.s_mm[here] - back
    return entry
