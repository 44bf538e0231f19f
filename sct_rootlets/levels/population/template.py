"""PAM50's entry zones stretched to the discs of a subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sct_rootlets.errors import UsageError
from sct_rootlets.levels.population import reference_data

__all__ = ["PlacedTemplate", "place_template"]

Floats = NDArray[np.float64]

#: Spread of the template's scale where two or more discs give it.
SCALE_SD_DISCS = 0.03
#: How far the template follows a single disc off the line of all of them.
DISC_TRUST = 0.5
#: How well a disc label says where its disc is along the cord, mm.
DISC_SD_MM = 2.0
#: How far beyond the discs the template is drawn out, mm; straight on after that.
BEYOND_MM = 100.0


@dataclass(frozen=True, eq=False)
class PlacedTemplate:
    """A map from PAM50's axis to the cord of a subject.

    Attributes
    ----------
    template_mm, cord_mm : (N,) arrays
        Positions on PAM50's axis (mm caudal of C2/C3) and along the cord.
    centre_mm : float
        Middle of the discs along the cord.
    scale, scale_sd : float
        Size against PAM50, and its spread.
    """

    template_mm: Floats
    cord_mm: Floats
    centre_mm: float
    scale: float
    scale_sd: float

    def s_mm(self, template_mm: ArrayLike) -> Floats:
        """Return the position along the cord (...) of positions on PAM50's axis (...)."""
        return np.interp(np.asarray(template_mm, float), self.template_mm, self.cord_mm)


def place_template(disc_s_mm: Mapping[int, float]) -> PlacedTemplate:
    """Stretch PAM50 to discs.

    It is stretched halfway between one scale for all discs and a fit of each: half of what
    a single disc deviates is taken for its own reading or a collapsed neighbour, which the
    cord does not follow. Beyond the discs it keeps the scale of all, drawn towards that of
    a population when they are few.

    Parameters
    ----------
    disc_s_mm : mapping of int to float
        Position along the cord by disc label.

    Raises
    ------
    UsageError
        If PAM50 has none of the discs.
    """
    labels = [label for label in sorted(disc_s_mm) if label in reference_data.PAM50_DISCS_MM]
    if not labels:
        raise UsageError(
            "rootlets cannot be numbered without a disc from C1/C2 to T5/T6",
            remedy="Give disc labels that include one of those",
        )
    s = np.array([float(disc_s_mm[label]) for label in labels])
    x = np.array([reference_data.PAM50_DISCS_MM[label] for label in labels])
    sd, prior = reference_data.COHORT_SCALE_SD, reference_data.COHORT_SCALE
    # A long row of discs fixes the scale.
    spread = float(((x - x.mean()) ** 2).sum())
    information = spread / DISC_SD_MM**2
    slope = float(((x - x.mean()) * (s - s.mean())).sum()) / spread if spread else 0.0
    scale = (slope * information + prior / sd**2) / (information + 1 / sd**2)
    line = s.mean() + slope * (x - x.mean())
    s = line + DISC_TRUST * (s - line) if len(labels) > 2 else s
    return PlacedTemplate(
        template_mm=np.array([x[0] - BEYOND_MM, *x, x[-1] + BEYOND_MM]),
        cord_mm=np.array([s[0] - BEYOND_MM * scale, *s, s[-1] + BEYOND_MM * scale]),
        centre_mm=float(s.mean()),
        scale=float(scale),
        scale_sd=max(SCALE_SD_DISCS, float(np.sqrt(1 / (information + 1 / sd**2)))),
    )
