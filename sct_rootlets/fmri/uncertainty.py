"""How sure the levels of a slice are, from the standard deviations of the borders.

The table of levels beside the label image has the borders and their standard deviations in mm
along the cord. Borders are drawn from normal distributions, each on its own (a border that two
levels share is one), and the fractions of every slice follow from each draw.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.fmri.borders_on_cord import BordersOnCord
from sct_rootlets.fmri.fractions import Fractions

__all__ = ["slice_ranges", "spread_of_fractions"]

Floats = NDArray[np.float64]

#: Draws, enough for a probability to 0.01; their seed, so that the same files give the same.
_DRAWS, _SEED = 2000, 20
#: Borders nearer than this are one, mm.
_SAME_MM = 1e-2


def slice_ranges(fractions: Fractions, centerline: Centerline) -> dict[int, tuple[float, float]]:
    """Return where every slice begins and ends along the cord, mm, by its index.

    The positions of its layers are fitted with a straight line, which also covers the layers
    beyond the levels. Slices with fewer than two layers that hold a level are left out.
    """
    found = {}
    for index, profile in fractions.profiles.items():
        known = np.flatnonzero(np.isfinite(profile.xyz_world).all(axis=1))
        if len(known) < 2:
            continue
        at = (known + 0.5) / len(profile.xyz_world)
        slope, start = np.polyfit(at, centerline.project(profile.xyz_world[known]).s_mm, 1)
        ends = sorted((float(start), float(start + slope)))
        found[index] = (ends[0], ends[1])
    return found


def spread_of_fractions(
    fractions: Fractions, borders: BordersOnCord
) -> dict[tuple[int, SpinalLevel], tuple[float, float]]:
    """Return the standard deviation of each fraction, and how likely it is the largest.

    Returns
    -------
    dict
        By slice and level. Slices with, or next to, a border of unknown standard deviation
        are left out.
    """
    unknown = borders.s_mm[~np.isfinite(borders.sd_mm)]
    drawn = _draw(borders.s_mm, np.nan_to_num(borders.sd_mm))
    answer = {}
    for index, (start, end) in slice_ranges(fractions, borders.centerline).items():
        length = max(end - start, 1e-9)
        if ((unknown > start - length) & (unknown < end + length)).any():
            continue
        inside = np.clip(drawn, start, end)
        share = (inside[..., 1] - inside[..., 0]) / length
        largest = (share == share.max(axis=1, keepdims=True)) & (share > 0)
        for n, level in enumerate(borders.levels):
            spread = float(share[:, n].std()), float(largest[:, n].mean())
            answer[index, level] = spread
    return answer


def _draw(s_mm: Floats, sd_mm: Floats) -> Floats:
    """Draw borders (L, 2), each as often as the others: (draws, L, 2), never crossing."""
    rng = np.random.default_rng(_SEED)
    drawn = s_mm + sd_mm * rng.standard_normal((_DRAWS, *s_mm.shape))
    for n in range(1, len(s_mm)):
        if abs(s_mm[n, 0] - s_mm[n - 1, 1]) < _SAME_MM:
            drawn[:, n, 0] = drawn[:, n - 1, 1]
    flat = drawn.reshape(_DRAWS, -1)
    return np.maximum.accumulate(flat, axis=1).reshape(drawn.shape)
