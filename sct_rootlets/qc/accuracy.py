"""The figure of an evaluation: which level was taken for which, and the Dice by level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.colours import LEVEL_COLOURS, UNNUMBERED
from sct_rootlets.qc.figure import figure_class
from sct_rootlets.qc.style import INK, LINE, PAPER, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Accuracy", "draw"]

_DPI = 160
# The layout, in inches.
_CELL, _LEFT, _HEADER, _FOOTER, _GAP, _RIGHT = 0.52, 0.85, 1.0, 0.85, 1.0, 0.25
_COLUMN, _SHORTEST, _NARROWEST = 0.6, 2.6, 2.4


@dataclass(frozen=True, eq=False)
class Accuracy:
    """What the figure shows.

    Attributes
    ----------
    title, subtitle : str
    levels : tuple of SpinalLevel
        N levels, rostral to caudal; empty without level identity.
    confusion : (N + 1, N + 1) array
        Voxels of a reference level (down) by predicted level (across); 0 is background.
    dice : mapping of str to (M,) array
        Values of the images by level, and of all levels together.
    """

    title: str
    subtitle: str
    levels: tuple[SpinalLevel, ...]
    confusion: NDArray[np.int64]
    dice: Mapping[str, NDArray[np.float64]]


def draw(accuracy: Accuracy) -> Figure:
    """Draw the confusion matrix, in percent of each reference level, and the Dice by level.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    new_figure = figure_class()
    count = len(accuracy.levels)
    wide_matrix = _CELL * (count + 1) if count else 0.0
    tall = max(_CELL * count, _SHORTEST)
    wide_dice = max(_COLUMN * len(accuracy.dice), _NARROWEST)
    left_dice = _LEFT + (wide_matrix + _GAP if count else 0.0)
    size = (left_dice + wide_dice + _RIGHT, tall + _HEADER + _FOOTER)
    figure = new_figure(figsize=size, dpi=_DPI, facecolor="white")

    def axes_at(left: float, width: float, height: float) -> Axes:
        bottom = size[1] - _HEADER - height
        return figure.add_axes(
            (left / size[0], bottom / size[1], width / size[0], height / size[1])
        )

    figure.text(0.2 / size[0], 1 - 0.18 / size[1], accuracy.title, size=12, weight="bold",
                color=INK, va="top")  # fmt: skip
    figure.text(0.2 / size[0], 1 - 0.45 / size[1], accuracy.subtitle, size=8.5, color=QUIET,
                va="top")  # fmt: skip
    if count:
        _draw_matrix(axes_at(_LEFT, wide_matrix, _CELL * count), accuracy)
    _draw_dice(axes_at(left_dice, wide_dice, tall), accuracy)
    return figure


def _draw_matrix(axes: Axes, accuracy: Accuracy) -> None:
    """Draw the share of each reference level that was given to each level, or to none."""
    names = [str(level) for level in accuracy.levels]
    counts = accuracy.confusion[1:]
    totals = counts.sum(axis=1, keepdims=True)
    share = 100 * np.roll(counts, -1, axis=1) / np.maximum(totals, 1)  # none comes last
    axes.imshow(share, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    for row, column in np.ndindex(share.shape):
        value = share[row, column]
        if counts[row].sum() and (value > 0 or row == column):
            axes.text(column, row, _percent(value), ha="center", va="center", size=8,
                      color=LINE if value > 55 else INK)  # fmt: skip
    for row, total in enumerate(totals[:, 0]):
        if not total:
            axes.text(len(names) / 2, row, "not in the reference", ha="center", va="center",
                      size=7.5, color=QUIET)  # fmt: skip
    axes.set_xticks(range(len(names) + 1), [*names, "none"])
    axes.set_yticks(range(len(names)), names)
    axes.axvline(len(names) - 0.5, color=INK, lw=0.8)
    axes.set_title("Voxels of each reference level, %", size=9.5, color=INK, pad=6)
    axes.set_xlabel("predicted as", size=9, color=INK)
    axes.set_ylabel("reference", size=9, color=INK)
    _quiet(axes)
    axes.tick_params(length=0)


def _draw_dice(axes: Axes, accuracy: Accuracy) -> None:
    """Draw the Dice of every image, with mean and standard deviation, by level."""
    axes.set_facecolor(PAPER)
    for place, (name, values) in enumerate(accuracy.dice.items()):
        known = values[np.isfinite(values)]
        colour = LEVEL_COLOURS[SpinalLevel[name]] if name in SpinalLevel.__members__ else UNNUMBERED
        spread = 0.22 * np.linspace(-1, 1, len(known)) if len(known) > 1 else np.zeros(len(known))
        axes.scatter(place + spread, known, s=26, color=colour, edgecolor=INK, lw=0.5, zorder=3)
        if len(known) > 1:
            axes.errorbar(place + 0.38, known.mean(), known.std(ddof=1), fmt="_", color=INK,
                          ms=7, lw=1.2, capsize=2.5, zorder=4)  # fmt: skip
        if len(known):
            axes.text(place, 1.04, f"{known.mean():.2f}", ha="center", size=8, color=INK)
    axes.set_xlim(-0.6, len(accuracy.dice) - 0.4)
    axes.set_ylim(-0.03, 1.12)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_xticks(range(len(accuracy.dice)), list(accuracy.dice))
    axes.grid(axis="y", color=LINE, lw=1)
    axes.set_axisbelow(True)
    axes.set_title("Dice by level, mean ± SD", size=9.5, color=INK, pad=6)
    axes.set_ylabel("Dice", size=9, color=INK)
    _quiet(axes)


def _percent(value: float) -> str:
    return "<1" if 0 < value < 0.5 else f"{value:.0f}"


def _quiet(axes: Axes) -> None:
    axes.tick_params(labelsize=8.5, colors=INK, length=3)
    axes.spines[:].set_color(QUIET)
