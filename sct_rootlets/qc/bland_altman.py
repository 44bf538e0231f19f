"""Bland-Altman plots: differences of paired measurements over their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.colours import LEVEL_COLOURS
from sct_rootlets.qc.study_page import EDGE, PanelGrid, plain_axes
from sct_rootlets.qc.style import INK, PAPER, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["GroupPair", "draw"]

Floats = NDArray[np.float64]

_LAYOUT = PanelGrid(
    left=0.75, right=0.95, header=1.1, footer=1.0, gap=1.05, between=0.9, wide=4.3, tall=2.8
)


@dataclass(frozen=True, eq=False)
class GroupPair:
    """Two groups of the same subjects.

    Attributes
    ----------
    factor, first, second : str
    means_mm, differences_mm : (N, L) array
        Of every subject and level, second less first; NaN where one is lacking.
    bias_mm, lower_mm, upper_mm : float
        Of all levels together.
    """

    factor: str
    first: str
    second: str
    means_mm: Floats
    differences_mm: Floats
    bias_mm: float
    lower_mm: float
    upper_mm: float


def draw(
    *,
    title: str,
    subtitle: str,
    axis: str,
    levels: Sequence[SpinalLevel],
    pairs: Sequence[GroupPair],
) -> Figure:
    """Draw one panel a pair, with bias and 95 % limits of agreement.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    from matplotlib.lines import Line2D

    figure, places = _LAYOUT.page(len(pairs), title, subtitle)
    wide, tall = figure.get_size_inches()
    reach = max((_reach(pair) for pair in pairs), default=1.0)
    for axes, pair in zip(places, pairs, strict=True):
        _draw_pair(axes, pair, levels, reach)
        axes.set_xlabel(axis, size=8.5, color=INK)
    handles = [
        Line2D([], [], linestyle="", marker="o", color=LEVEL_COLOURS[level], markeredgecolor=EDGE,
               markersize=5.5, label=str(level))
        for level in levels
    ]  # fmt: skip
    figure.legend(handles=handles, loc="lower left", ncols=len(handles), frameon=False,
                  fontsize=8, labelcolor=QUIET, handletextpad=0.1, columnspacing=1.1,
                  bbox_to_anchor=(_LAYOUT.left / wide - 0.02, 0.1 / tall))  # fmt: skip
    return figure


def _reach(pair: GroupPair) -> float:
    away = np.abs(pair.differences_mm[np.isfinite(pair.differences_mm)])
    return 1.15 * max(float(away.max(initial=0.0)), abs(pair.lower_mm), abs(pair.upper_mm), 0.1)


def _draw_pair(axes: Axes, pair: GroupPair, levels: Sequence[SpinalLevel], reach: float) -> None:
    plain_axes(axes)
    axes.axhspan(pair.lower_mm, pair.upper_mm, color=PAPER, zorder=0)
    axes.axhline(0, color=QUIET, linewidth=0.7, zorder=1)
    for value, style in ((pair.bias_mm, "-"), (pair.lower_mm, "--"), (pair.upper_mm, "--")):
        axes.axhline(value, color=INK, linewidth=1.1, linestyle=style, zorder=1.5)
        axes.annotate(f"{value:+.2f}", (1.01, value), xycoords=("axes fraction", "data"), size=8,
                      color=INK, va="center")  # fmt: skip
    many = pair.differences_mm.size > 800
    for k, level in enumerate(levels):
        axes.plot(pair.means_mm[:, k], pair.differences_mm[:, k], "o", zorder=3,
                  color=LEVEL_COLOURS[level], markeredgecolor=EDGE,
                  markeredgewidth=0.25 if many else 0.5,
                  markersize=2.8 if many else 4.8)  # fmt: skip
    axes.set_ylim(-reach, reach)
    axes.set_ylabel(f"{pair.second} less {pair.first}, mm", size=8.5, color=INK)
    axes.set_title(
        f"{pair.factor} {pair.first} and {pair.second}", size=9.5, color=INK, loc="left", pad=8
    )
