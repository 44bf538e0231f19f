"""The levels of a study over the distance from the PMJ: a bar a level, a column an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.colours import LEVEL_COLOURS
from sct_rootlets.qc.study_page import EDGE, blank, plain_axes
from sct_rootlets.qc.style import INK, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Columns", "LevelSummary", "draw"]

Floats = NDArray[np.float64]

# The layout, in inches.
_LEFT, _RIGHT, _HEADER, _FOOTER, _GAP = 0.75, 0.25, 1.15, 0.95, 0.22
_TALL, _SUMMARY = 5.2, 2.9
_WIDEST, _NARROWEST, _PER_COLUMN = 9.0, 0.9, 0.24
#: Most columns of all groups together that have names, and bars that have their level's.
_NAMED, _LETTERED = 44, 30


@dataclass(frozen=True, eq=False)
class Columns:
    """The images of one group.

    Attributes
    ----------
    name, note : str
        Heads of the panel; the note may be empty.
    images : tuple of str
        Names of the columns.
    rostral_mm, caudal_mm : (N, L) array
        Borders, NaN where not measured.
    """

    name: str
    note: str
    images: tuple[str, ...]
    rostral_mm: Floats
    caudal_mm: Floats


@dataclass(frozen=True)
class LevelSummary:
    """One level over all subjects.

    Attributes
    ----------
    level : SpinalLevel
    rostral_mm, caudal_mm, midpoint_mm, sd_mm : float
        Means, and the standard deviation of the midpoint.
    note : str
        Beside it.
    """

    level: SpinalLevel
    rostral_mm: float
    caudal_mm: float
    midpoint_mm: float
    sd_mm: float
    note: str


def draw(
    *,
    title: str,
    subtitle: str,
    axis: str,
    levels: Sequence[SpinalLevel],
    groups: Sequence[Columns],
    summary: Sequence[LevelSummary],
) -> Figure:
    """Draw the levels of every image, group by group, and their mean and spread at the right.

    Where there are many images, the columns have no names and are in the order of the position
    of their levels, so that the spread is seen as a slope.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    n_all = sum(len(group.images) for group in groups)
    room = min(max(_PER_COLUMN * n_all, 3.2), _WIDEST)
    shares = np.array([max(len(group.images), 1) for group in groups], dtype=float)
    widths = np.maximum(room * shares / shares.sum(), _NARROWEST)
    wide = _LEFT + float(widths.sum()) + _GAP * len(groups) + _SUMMARY + _RIGHT
    named = n_all <= _NAMED
    longest = max((len(image) for group in groups for image in group.images), default=0)
    footer = _FOOTER + (0.055 * longest if named else 0.0)
    tall = _HEADER + _TALL + footer
    figure = blank(wide, tall, title, subtitle)
    ends = np.concatenate(
        [np.ravel(g.rostral_mm) for g in groups] + [np.ravel(g.caudal_mm) for g in groups]
    )
    ends = ends[np.isfinite(ends)]
    low, high = (float(ends.min()), float(ends.max())) if len(ends) else (0.0, 1.0)
    margin = 0.04 * (high - low or 1.0)
    left = _LEFT
    for number, (group, width) in enumerate(zip(groups, widths, strict=True)):
        axes = figure.add_axes((left / wide, footer / tall, width / wide, _TALL / tall))
        _draw_group(axes, group, levels, named=named, lettered=n_all <= _LETTERED)
        axes.set_ylim(high + margin, low - margin)
        if number:
            axes.tick_params(labelleft=False)
        else:
            axes.set_ylabel(axis, size=9, color=INK)
        figure.text((left + width / 2) / wide, 1 - (_HEADER - 0.1) / tall,
                    f"{group.name}\n{group.note}".strip(), size=8.5, color=INK, ha="center",
                    va="bottom", linespacing=1.4)  # fmt: skip
        left += float(width) + _GAP
    axes = figure.add_axes((left / wide, footer / tall, _SUMMARY / wide, _TALL / tall))
    _draw_summary(axes, summary)
    axes.set_ylim(high + margin, low - margin)
    figure.text((left + 0.1) / wide, 1 - (_HEADER - 0.1) / tall,
                "mean borders; whiskers: midpoint ± 1 SD\nbetween subjects, and its CoV",
                size=8.5, color=INK, va="bottom", linespacing=1.4)  # fmt: skip
    return figure


def _draw_group(
    axes: Axes, group: Columns, levels: Sequence[SpinalLevel], *, named: bool, lettered: bool
) -> None:
    plain_axes(axes)
    n = len(group.images)
    order = np.arange(n)
    if not named and n:
        middles = np.nanmean(_centred((group.rostral_mm + group.caudal_mm) / 2), axis=1)
        order = np.argsort(middles)
    width = 0.78
    for k, level in enumerate(levels):
        tops, bottoms = group.rostral_mm[order, k], group.caudal_mm[order, k]
        here = np.flatnonzero(np.isfinite(tops) & np.isfinite(bottoms))
        if not named:  # thousands of bars, each drawn on its own, take a minute
            _draw_many(axes, here, tops[here], bottoms[here], LEVEL_COLOURS[level])
            continue
        axes.bar(here, (bottoms - tops)[here], width, bottom=tops[here],
                 color=LEVEL_COLOURS[level], edgecolor=EDGE,
                 linewidth=0.5)  # fmt: skip
        for i in here:
            axes.plot([i - width / 2, i + width / 2], [(tops[i] + bottoms[i]) / 2] * 2,
                      color=EDGE, linewidth=0.6, linestyle=(0, (2, 1.5)))  # fmt: skip
            if lettered:
                axes.text(float(i), (tops[i] + bottoms[i]) / 2, str(level), size=5.5, color=INK,
                          ha="center", va="center",
                          bbox={"boxstyle": "round,pad=0.12", "facecolor": "white", "alpha": 0.75,
                                "linewidth": 0})  # fmt: skip
    axes.set_xlim(-0.7, max(n, 1) - 0.3)
    if named:
        axes.set_xticks(range(n))
        axes.set_xticklabels([group.images[i] for i in order], rotation=90, size=7)
    else:
        axes.set_xticks([])
        axes.set_xlabel(f"{n} images,\nshort to long", size=8, color=QUIET)


def _draw_many(axes: Axes, x: NDArray[np.intp], tops: Floats, bottoms: Floats, colour: str) -> None:
    """Draw bars of width 1 without outlines, as one object."""
    from matplotlib.collections import PolyCollection

    corners = np.stack(
        [
            np.stack([x - 0.5, x - 0.5, x + 0.5, x + 0.5], axis=1),
            np.stack([tops, bottoms, bottoms, tops], axis=1),
        ],
        axis=2,
    )
    # Outlines of the same colour close the hairlines between neighbours.
    axes.add_collection(PolyCollection(list(corners), color=colour, linewidths=0.2))


def _draw_summary(axes: Axes, summary: Sequence[LevelSummary]) -> None:
    plain_axes(axes)
    axes.tick_params(labelleft=False, labelbottom=False)
    for number, one in enumerate(summary):
        # Beside each other, since whiskers of neighbours may overlap.
        x = 0.5 + (0.1 if number % 2 else -0.1)
        axes.bar(0.5, one.caudal_mm - one.rostral_mm, 0.62, bottom=one.rostral_mm,
                 color=LEVEL_COLOURS[one.level], edgecolor=EDGE, linewidth=0.6)  # fmt: skip
        axes.text(0.1, one.midpoint_mm, str(one.level), size=9, weight="bold", color=INK,
                  ha="right", va="center")  # fmt: skip
        axes.errorbar(x, one.midpoint_mm, yerr=one.sd_mm, color=INK, marker="o", markersize=3,
                      capsize=3.5, linewidth=1.1)  # fmt: skip
        axes.text(0.92, one.midpoint_mm, one.note, size=8, color=INK, va="center")
    axes.set_xlim(-0.15, 2.6)


def _centred(middles: Floats) -> Floats:
    """Return midpoints (N, L) less the mean of their level, so that lacking ones do not matter."""
    lacking = ~np.isfinite(middles)
    counts = np.maximum((~lacking).sum(axis=0), 1)
    centred = middles - np.where(lacking, 0.0, middles).sum(axis=0) / counts
    centred[lacking.all(axis=1)] = 0.0
    return centred
