"""Coefficients of variation by level, with their confidence intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.colours import LEVEL_COLOURS
from sct_rootlets.qc.study_page import EDGE, MARKERS, PanelGrid, plain_axes
from sct_rootlets.qc.style import INK, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Panel", "Point", "draw"]

_LAYOUT = PanelGrid(
    left=0.75, right=0.25, header=1.1, footer=0.85, gap=0.45, between=0.95, wide=4.3, tall=2.6
)


@dataclass(frozen=True)
class Point:
    """One coefficient.

    Attributes
    ----------
    group : str
    level : SpinalLevel
    cov, low, high : float or None
        Percent; the ends of the interval may be None.
    """

    group: str
    level: SpinalLevel
    cov: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Panel:
    """What stands in one panel.

    Attributes
    ----------
    title : str
    points : tuple of Point
    """

    title: str
    points: tuple[Point, ...]


def draw(
    *, title: str, subtitle: str, levels: Sequence[SpinalLevel], panels: Sequence[Panel]
) -> Figure:
    """Draw the coefficients by level; the marker is the group, the colour the level.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    figure, places = _LAYOUT.page(len(panels), title, subtitle)
    for number, (axes, panel) in enumerate(zip(places, panels, strict=True)):
        _draw_panel(axes, panel, levels)
        if number % _LAYOUT.across == 0:
            axes.set_ylabel("CoV of the midpoint, %", size=9, color=INK)
    return figure


def _draw_panel(axes: Axes, panel: Panel, levels: Sequence[SpinalLevel]) -> None:
    plain_axes(axes)
    groups = list(dict.fromkeys(point.group for point in panel.points))
    ends: list[tuple[float, float]] = []
    step = min(0.16, 0.72 / max(len(groups), 1))
    for point in panel.points:
        k = groups.index(point.group)
        x = levels.index(point.level) + (k - (len(groups) - 1) / 2) * step
        if point.low is not None and point.high is not None:
            ends.append((x, point.high))
            axes.plot([x, x], [point.low, point.high], color=EDGE, linewidth=1.1, zorder=2)
        axes.plot(x, point.cov, MARKERS[k % len(MARKERS)], color=LEVEL_COLOURS[point.level],
                  markeredgecolor=EDGE, markeredgewidth=0.8, markersize=6, zorder=3)  # fmt: skip
    axes.set_xticks(range(len(levels)))
    axes.set_xticklabels([str(level) for level in levels])
    axes.set_xlim(-0.6, len(levels) - 0.4)
    tops = [point.high or point.cov for point in panel.points]
    # An interval of very few subjects would press all others to the floor.
    highest = max([point.cov for point in panel.points] or [1.0])
    limit = 1.08 * min(max([*tops, 0.1]), 3.2 * highest if highest > 0 else 1.0)
    axes.set_ylim(0, limit)
    for x, high in ends:
        if high > limit:  # goes on above
            axes.plot(x, 0.985 * limit, "^", color=EDGE, markersize=4, zorder=2)
    axes.set_title(panel.title, size=9.5, color=INK, loc="left", pad=8)
    if len(groups) > 1:
        from matplotlib.lines import Line2D

        handles = [
            Line2D([], [], linestyle="", marker=MARKERS[k % len(MARKERS)], color="white",
                   markeredgecolor=EDGE, markersize=6, label=group)
            for k, group in enumerate(groups)
        ]  # fmt: skip
        axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(-0.02, -0.1), ncols=6,
                    frameon=False, fontsize=7.5, labelcolor=QUIET, handletextpad=0.1,
                    columnspacing=1.0)  # fmt: skip
