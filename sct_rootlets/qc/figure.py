"""One figure of a result: levels on the image from the side, across, and around the cord."""

from __future__ import annotations

import io
import textwrap
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sct_rootlets.errors import MissingDependencyError
from sct_rootlets.image import Image, LabelImage
from sct_rootlets.qc.around import LANES, draw_around, legend_handles
from sct_rootlets.qc.panels import draw_across, draw_front, draw_side
from sct_rootlets.qc.scene import Scene
from sct_rootlets.qc.style import INK, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sct_rootlets.levels.derive import Derived

__all__ = ["HOW_TO_INSTALL", "draw", "figure_class", "has_matplotlib", "png", "require_matplotlib"]

_INSTALL = "pip install 'sct_rootlets[qc]'"
HOW_TO_INSTALL = f"matplotlib, which draws it, is not installed; {_INSTALL}"

_DPI = 160
#: Distance of the points that a plane across the cord is sampled at, mm, at that fineness.
_FINEST_MM = 0.1
# The layout, in inches.
_MARGIN, _HEADER, _TICKS = 0.3, 1.05, 0.35
_TALLEST, _SHORTEST, _WIDEST_SIDE, _WIDEST_FRONT = 7.0, 4.8, 4.6, 3.0
_WIDEST_ACROSS, _AROUND_WIDTH, _ALONE_WIDTH = 4.6, 3.4, 4.2
_AXIS_LABELS, _GAP = 0.8, 0.3
#: Height of the unrolled cord per mm, where it stands alone.
_PER_MM = 0.05
#: Mean width of a letter of the figure's font, in shares of its size: plain and bold.
_LETTER, _BOLD = 0.56, 0.68
#: Size of the words at the foot, points, and height of their lines and of the symbols', inches.
_SMALL, _LINE, _ROW = 7.5, 0.14, 0.19


def draw(
    *,
    image: Image | None,
    cord: LabelImage,
    derived: Derived,
    title: str,
    subtitle: str = "",
    discs: LabelImage | None = None,
    front: bool = False,
    dpi: int = _DPI,
) -> Figure:
    """Draw the levels of one image.

    From left to right: the median sagittal sheet with the levels painted on the cord; the
    plane across the cord at the middle of each level, with the rootlets that cross it; the
    surface of the cord unrolled, with all rootlets, solid where they count as entering the
    cord, the borders of the levels with their 95 % intervals, discs and the PMJ. Without an
    image the unrolled cord stands alone.

    Parameters
    ----------
    image : Image or None
        Grey-value image.
    cord : LabelImage
    derived : Derived
        Levels, numbered rootlets and the centerline they were derived on.
    title, subtitle : str
        File name; model, version and definition.
    discs : LabelImage, optional
        Disc labels to mark.
    front : bool
        Draw the coronal sheet too, beside the sagittal one.
    dpi : int
        Pixels per inch that it is made for.

    Returns
    -------
    matplotlib.figure.Figure
        Drawn without pyplot: no global state, no display.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    new_figure = figure_class()
    scene = Scene.of(image, cord, derived, discs)
    if image is None:
        length = scene.s_range_mm[1] - scene.s_range_mm[0]
        height = min(max(_PER_MM * length, _SHORTEST), _TALLEST)
        side_width = front_width = front_left = tile = 0.0
        columns = 0
        across_left = around_left = _AXIS_LABELS
    else:
        height = min(max(_WIDEST_SIDE / scene.side_aspect, _SHORTEST), _TALLEST)
        side_width = min(height * scene.side_aspect, _WIDEST_SIDE)
        columns, tile = _tiles(len(scene.shown), height)
        front_width = min(height * scene.front_aspect, _WIDEST_FRONT) if front else 0.0
        front_left = _MARGIN + side_width + _GAP
        across_left = front_left + front_width + (_GAP if front else 0.0)
        across_width = columns * tile + (columns - 1) * 0.1
        around_left = across_left + across_width + _AXIS_LABELS + (_GAP / 2 if columns else -_GAP)
    around_width = _ALONE_WIDTH if image is None else _AROUND_WIDTH
    wide = around_left + around_width + LANES
    handles, words = legend_handles(scene), _wrapped(scene.legend, wide - 2 * _MARGIN)
    rows = -(-len(handles) // _symbols_a_row(wide))
    footer = 0.1 + _LINE * len(words) + 0.08 + _ROW * rows + _TICKS
    size = (wide, height + _HEADER + footer)

    figure = new_figure(figsize=size, dpi=dpi, facecolor="white")

    def axes_at(left: float, top: float, width: float, tall: float) -> Axes:
        bottom = size[1] - _HEADER - top - tall
        return figure.add_axes((left / size[0], bottom / size[1], width / size[0], tall / size[1]))

    def heading(left: float, width: float, text: str) -> None:
        y = 1 - (_HEADER - 0.09) / size[1]
        figure.text((left + width / 2) / size[0], y, text, size=10, color=INK, ha="center")

    left, room = _MARGIN / size[0], size[0] - 2 * _MARGIN
    large, small = _fitting(title, 13, room, _BOLD), _fitting(subtitle, 9, room)
    figure.text(left, 1 - 0.2 / size[1], title, size=large, weight="bold", color=INK, va="top")
    figure.text(left, 1 - 0.5 / size[1], subtitle, size=small, color=QUIET, va="top")
    figure.text(left, 0.1 / size[1], "\n".join(words), size=_SMALL, color=QUIET, va="bottom",
                linespacing=1.15)  # fmt: skip
    if handles:
        figure.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(left, (0.18 + _LINE * len(words)) / size[1]),
            ncols=_symbols_a_row(wide),
            fontsize=_SMALL,
            labelcolor=INK,
            frameon=False,
            borderpad=0,
            borderaxespad=0,
            handlelength=1.8,
            columnspacing=1.6,
        )
    if image is not None:
        draw_side(axes_at(_MARGIN, 0, side_width, height), scene, image)
        heading(_MARGIN, side_width, "Median sagittal")
        if front:
            draw_front(axes_at(front_left, 0, front_width, height), scene, image)
            heading(front_left, front_width, "Coronal")
        for index, span in enumerate(scene.shown):
            row, column = divmod(index, columns)
            step = tile + 0.1
            place = axes_at(across_left + column * step, row * step, tile, tile)
            draw_across(place, scene, image, span, _DPI / dpi * _FINEST_MM)
        if columns:
            heading(across_left, across_width, "Across the cord, mid-level")
    draw_around(axes_at(around_left, 0, around_width, height), scene)
    heading(around_left, around_width, "Around the cord, unrolled")
    return figure


def _symbols_a_row(wide: float) -> int:
    """Return how many symbols of the legend fit beside each other in a figure `wide` inches."""
    return max(int((wide - 2 * _MARGIN) / 1.55), 1)


def _wrapped(text: str, room: float) -> list[str]:
    """Return the lines of `text`, none wider than `room` inches."""
    letters = int(room * 72 / (_SMALL * _LETTER))
    return [line for part in text.splitlines() for line in textwrap.wrap(part, letters)]


def _fitting(text: str, size: float, room: float, letter: float = _LETTER) -> float:
    """Return the size, in points, at which `text` fits in `room` inches, at most `size`."""
    return min(size, room * 72 / (letter * max(len(text), 1)))


def png(figure: Figure) -> bytes:
    """Return `figure` as the bytes of a PNG file, without the version of the software."""
    buffer = io.BytesIO()
    # "auto" keeps the colour of the figure itself, whatever a user's matplotlibrc says. Packing it
    # closer would take twice as long, for a file that is a tenth smaller.
    figure.savefig(
        buffer,
        format="png",
        metadata={"Software": None},
        facecolor="auto",
        pil_kwargs={"compress_level": 4},
    )
    return buffer.getvalue()


def _tiles(count: int, height: float) -> tuple[int, float]:
    """Return how many columns, and how large, square tiles fit best in the middle block."""
    best = (0, 0.0)
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        tile = min(
            (height - 0.1 * (rows - 1)) / rows, (_WIDEST_ACROSS - 0.1 * (columns - 1)) / columns
        )
        if tile > best[1]:
            best = (columns, tile)
    return best


def has_matplotlib() -> bool:
    """Say whether matplotlib is installed, without the half second that its import takes."""
    try:
        return find_spec("matplotlib") is not None
    except ValueError:  # somebody has forbidden its import
        return False


def require_matplotlib() -> None:
    """Raise a `MissingDependencyError` if matplotlib is not installed."""
    if not has_matplotlib():
        raise _no_matplotlib()


def _no_matplotlib() -> MissingDependencyError:
    return MissingDependencyError(
        "matplotlib, which draws the figures, is not installed",
        remedy=f"Install it with: {_INSTALL}",
    )


def figure_class() -> type[Figure]:
    """Return matplotlib's `Figure`, which needs neither pyplot nor a display.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise _no_matplotlib() from error
    return Figure
