"""Draw ``docs/images/definitions.png``: the same rootlets by every definition.

``python docs/draw_definitions.py``. The entry zones are those of the 14 subjects, C5 taken
away, so that what is measured, interpolated and estimated can be told apart.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.colours import colour_of
from sct_rootlets.levels.definitions import DEFINITIONS, apply_definition, statuses_of
from sct_rootlets.levels.population.prior import Prior
from sct_rootlets.levels.population.reference_data import COHORT_ZONES_MM
from sct_rootlets.levels.positions import locate_ends
from sct_rootlets.levels.zones.ends import Zone

TARGET = Path(__file__).parent / "images" / "definitions.png"
SEEN = [SpinalLevel.C3, SpinalLevel.C4, SpinalLevel.C6]
SHOWN_MM = (32.0, 112.0)


def draw() -> None:
    """Draw the figure."""
    zones = {level: Zone(*COHORT_ZONES_MM[level], 0.5, 0.5) for level in SEEN}
    statuses = statuses_of(zones, [level for level in COHORT_ZONES_MM if level <= SEEN[-1]])
    statuses.pop(SpinalLevel.C2)
    known = [level for level, status in statuses.items() if status != "unseen"]
    positions = locate_ends(zones, Prior.floating()).in_order(known)
    figure, axes = plt.subplots(figsize=(9, 4.4), layout="constrained")
    axes.set(xlim=SHOWN_MM, ylim=(-4.6, 2.2), xlabel="s, mm along the cord (caudal →)")
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.axhspan(-0.55, 0.15, color="0.88", lw=0)
    axes.text(SHOWN_MM[0] + 0.5, -0.2, "cord", va="center", color="0.35")
    axes.axhline(0.6, color="0.6", lw=0.8, ls=":")
    axes.text(SHOWN_MM[0] + 0.5, 0.68, "reach", va="bottom", color="0.35")
    for level, zone in zones.items():
        for s in np.linspace(zone.rostral_mm, zone.caudal_mm - 0.9, 9):
            axes.plot([s, s + 0.9, s + 3.6], [0.15, 0.6, 1.9], color=colour_of(level.value), lw=1.6)
        middle = (zone.rostral_mm + zone.caudal_mm) / 2
        axes.text(middle + 2.0, 2.0, f"{level} rootlets", ha="center", va="bottom", fontsize=9)
        for end, name in ((zone.rostral_mm, "R"), (zone.caudal_mm, "C")):
            axes.plot([end, end], [-4.4, 0.15], color="0.75", lw=0.7, zorder=0)
            axes.text(end, -0.2, f"{name}({level})", ha="center", va="center", fontsize=7)
    for row, name in enumerate(DEFINITIONS):
        y = -1.4 - 1.25 * row
        axes.text(SHOWN_MM[0] + 0.5, y, name, va="center", fontweight="bold")
        for border in apply_definition(name, positions, statuses):
            if border.rostral_mm is None or border.caudal_mm is None:
                continue
            seen = border.status == "measured"
            axes.barh(
                y,
                border.caudal_mm - border.rostral_mm,
                left=border.rostral_mm,
                height=0.62,
                color=colour_of(border.level.value),
                alpha=1.0 if seen else 0.45,
                hatch=None if seen else "///",
                edgecolor="white",
            )
            axes.text(
                (border.rostral_mm + border.caudal_mm) / 2,
                y,
                str(border.level),
                ha="center",
                va="center",
                fontsize=8,
            )
            for place, sd in (
                (border.rostral_mm, border.rostral_sd_mm),
                (border.caudal_mm, border.caudal_sd_mm),
            ):
                if sd is not None and sd > 0.7:
                    axes.errorbar(place, y, xerr=1.96 * sd, color="0.2", capsize=2, lw=0.9)
    axes.set_yticks([])
    TARGET.parent.mkdir(exist_ok=True)
    figure.savefig(TARGET, dpi=150)


if __name__ == "__main__":
    draw()
