"""In which vertebra the middle of each level lies: a square a pair, as dark as it is often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sct_rootlets.anatomy import SpinalLevel, VertebralLevel
from sct_rootlets.colours import LEVEL_COLOURS
from sct_rootlets.qc.study_page import EDGE, blank
from sct_rootlets.qc.style import INK, QUIET

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

# The layout, in inches.
_LEFT, _RIGHT, _HEADER, _FOOTER, _CELL, _NARROWEST = 0.85, 0.3, 1.15, 0.75, 0.62, 5.2


def draw(
    *,
    title: str,
    subtitle: str,
    shares: Mapping[tuple[SpinalLevel, VertebralLevel], float],
    vertebrae: Sequence[VertebralLevel],
    levels: Sequence[SpinalLevel],
) -> Figure:
    """Draw the shares, percent of the subjects, by spinal level (rows) and vertebra (columns).

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    from matplotlib.patches import Rectangle

    wide = max(_LEFT + _CELL * len(vertebrae) + _RIGHT, _NARROWEST)
    tall = _HEADER + _CELL * len(levels) + _FOOTER
    figure = blank(wide, tall, title, subtitle)
    size = (_CELL * len(vertebrae) / wide, _CELL * len(levels) / tall)
    axes = figure.add_axes((_LEFT / wide, _FOOTER / tall, *size))
    for i, level in enumerate(levels):
        for j, vertebra in enumerate(vertebrae):
            share = shares.get((level, vertebra), 0.0)
            axes.add_patch(Rectangle((j - 0.47, i - 0.47), 0.94, 0.94, facecolor="#F0F2F5"))
            if share > 0:
                axes.add_patch(Rectangle((j - 0.47, i - 0.47), 0.94, 0.94, linewidth=0.6,
                                         facecolor=LEVEL_COLOURS[level], edgecolor=EDGE,
                                         alpha=0.15 + 0.85 * share / 100))  # fmt: skip
                axes.text(j, i, f"{share:.0f} %" if share >= 0.5 else "<1 %", size=8.5,
                          color=INK, ha="center", va="center",
                          bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "alpha": 0.7,
                                "linewidth": 0})  # fmt: skip
    axes.set_xlim(-0.5, len(vertebrae) - 0.5)
    axes.set_ylim(len(levels) - 0.5, -0.5)
    axes.set_xticks(range(len(vertebrae)))
    axes.set_xticklabels([str(vertebra) for vertebra in vertebrae])
    axes.set_yticks(range(len(levels)))
    axes.set_yticklabels([str(level) for level in levels])
    axes.set_xlabel("vertebral level", size=9, color=INK)
    axes.set_ylabel("spinal level", size=9, color=INK)
    axes.tick_params(colors=QUIET, labelsize=9, length=0)
    axes.spines[:].set_visible(False)
    return figure
