"""What the figures of a study share: the frame of the page, and the bytes of its files."""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING

from sct_rootlets.qc.figure import figure_class, png
from sct_rootlets.qc.style import INK, LINE, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DPI", "EDGE", "MARKERS", "blank", "files", "plain_axes"]

DPI = 160
#: Outline of bars and points in the colours of levels, the palest of which are near white.
EDGE = "#3A4453"
#: Markers of groups; colours are those of levels.
MARKERS = "osD^vP*X<>hd"
# Inches.
_LEFT, _TITLE, _SUBTITLE, _LETTER = 0.25, 0.2, 0.47, 0.066


def blank(wide: float, tall: float, title: str, subtitle: str) -> Figure:
    """Return a figure of that size, in inches, with its title and subtitle.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    figure = figure_class()(figsize=(wide, tall), dpi=DPI, facecolor="white")
    figure.text(_LEFT / wide, 1 - _TITLE / tall, title, size=13, weight="bold", color=INK,
                va="top")  # fmt: skip
    lines = "\n".join(textwrap.wrap(subtitle, max(20, int((wide - 2 * _LEFT) / _LETTER))))
    figure.text(_LEFT / wide, 1 - _SUBTITLE / tall, lines, size=8.5, color=QUIET, va="top",
                linespacing=1.4)  # fmt: skip
    return figure


def plain_axes(axes: Axes, *, grid: str = "y") -> None:
    """Take the frame away, and leave quiet lines to read values by."""
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.grid(axis=grid, color="#E3E7EC", linewidth=0.7)  # type: ignore[arg-type]
    axes.set_axisbelow(True)
    axes.tick_params(colors=QUIET, labelsize=8, length=0)
    axes.set_facecolor(LINE)


def files(figure: Figure) -> dict[str, bytes]:
    """Return the bytes of a figure as ``png`` and as ``svg``; the same figure, the same bytes."""
    import matplotlib

    buffer = io.BytesIO()
    # Text stays text, so that a journal's letters can be set, and ids do not change.
    with matplotlib.rc_context({"svg.hashsalt": "sct_rootlets", "svg.fonttype": "none"}):
        figure.savefig(
            buffer, format="svg", metadata={"Date": None, "Creator": None}, facecolor="auto"
        )
    return {"png": png(figure), "svg": buffer.getvalue()}
