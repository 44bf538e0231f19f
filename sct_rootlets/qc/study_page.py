"""What the figures of a study share: the frame of the page, and the bytes of its files."""

from __future__ import annotations

import io
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sct_rootlets.qc.figure import figure_class, png
from sct_rootlets.qc.style import INK, LINE, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DPI", "EDGE", "MARKERS", "PanelGrid", "blank", "files", "plain_axes"]

DPI = 160
#: Outline of bars and points in the colours of levels, the palest of which are near white.
EDGE = "#3A4453"
#: Markers of groups; colours are those of levels.
MARKERS = "osD^vP*X<>hd"
# Inches.
_LEFT, _TITLE, _SUBTITLE, _LETTER = 0.25, 0.2, 0.47, 0.066


@dataclass(frozen=True)
class PanelGrid:
    """Panels of one size side by side and below each other; all lengths in inches.

    Attributes
    ----------
    left, right, header, footer : float
        Room around the panels.
    gap, between : float
        Room between panels side by side, and between one row of them and the next.
    wide, tall : float
        Size of a panel.
    across : int
        How many panels a row has at most.
    """

    left: float
    right: float
    header: float
    footer: float
    gap: float
    between: float
    wide: float
    tall: float
    across: int = 2

    def page(self, count: int, title: str, subtitle: str) -> tuple[Figure, list[Axes]]:
        """Return a figure with so many panels, and the panels, row by row.

        Raises
        ------
        MissingDependencyError
            If matplotlib is not installed.
        """
        across = min(self.across, max(count, 1))
        down = -(-count // across)
        wide = self.left + across * self.wide + (across - 1) * self.gap + self.right
        tall = self.header + down * self.tall + (down - 1) * self.between + self.footer
        figure = blank(wide, tall, title, subtitle)
        panels = []
        for number in range(count):
            row, column = divmod(number, across)
            left = self.left + column * (self.wide + self.gap)
            bottom = tall - self.header - (row + 1) * self.tall - row * self.between
            panels.append(
                figure.add_axes((left / wide, bottom / tall, self.wide / wide, self.tall / tall))
            )
        return figure, panels


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
    axes.spines[:].set_visible(False)
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
