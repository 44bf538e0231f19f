"""One figure of a result: levels on the image from the side, across, and around the cord."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from sct_rootlets.errors import MissingDependencyError
from sct_rootlets.image import Image, LabelImage
from sct_rootlets.qc.panels import INK, QUIET, Scene, draw_across, draw_around, draw_side

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sct_rootlets.levels.derive import Derived

__all__ = ["draw", "png", "require_matplotlib"]

_DPI = 160
# The layout, in inches.
_MARGIN, _HEADER, _FOOTER = 0.3, 1.05, 0.75
_TALLEST, _SHORTEST, _WIDEST_SIDE = 7.0, 4.8, 4.6
_WIDEST_ACROSS, _AROUND_WIDTH = 4.6, 3.4
_AXIS_LABELS, _LEVEL_NAMES, _GAP = 0.8, 0.65, 0.3


def draw(
    *,
    image: Image,
    cord: LabelImage,
    derived: Derived,
    title: str,
    subtitle: str = "",
    discs: LabelImage | None = None,
) -> Figure:
    """Draw the levels of one image.

    From left to right: the median sagittal sheet with the levels painted on the cord; the
    plane across the cord at the middle of each level, with the rootlets that cross it; the
    surface of the cord unrolled, with all rootlets, solid where they count as entering the
    cord, and the borders of the levels.

    Parameters
    ----------
    image : Image
        Grey-value image.
    cord : LabelImage
    derived : Derived
        Levels, numbered rootlets and the centerline they were derived on.
    title, subtitle : str
        File name; model, version and definition.
    discs : LabelImage, optional
        Disc labels to mark on the sagittal sheet.

    Returns
    -------
    matplotlib.figure.Figure
        Drawn without pyplot: no global state, no display.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    new_figure = _figure_class()
    scene = Scene.of(image, cord, derived, discs)
    height = min(max(_WIDEST_SIDE / scene.side_aspect, _SHORTEST), _TALLEST)
    side_width = min(height * scene.side_aspect, _WIDEST_SIDE)
    columns, tile = _tiles(len(scene.shown), height)
    across_width = columns * tile + (columns - 1) * 0.1
    across_left = _MARGIN + side_width + _GAP
    around_left = across_left + across_width + _AXIS_LABELS + (_GAP / 2 if columns else -_GAP)
    size = (around_left + _AROUND_WIDTH + _LEVEL_NAMES + 0.1, height + _HEADER + _FOOTER)

    figure = new_figure(figsize=size, dpi=_DPI, facecolor="white")

    def axes_at(left: float, top: float, width: float, tall: float) -> Axes:
        bottom = size[1] - _HEADER - top - tall
        return figure.add_axes((left / size[0], bottom / size[1], width / size[0], tall / size[1]))

    def heading(left: float, width: float, text: str) -> None:
        y = 1 - (_HEADER - 0.09) / size[1]
        figure.text((left + width / 2) / size[0], y, text, size=10, color=INK, ha="center")

    left = _MARGIN / size[0]
    figure.text(left, 1 - 0.2 / size[1], title, size=13, weight="bold", color=INK, va="top")
    figure.text(left, 1 - 0.5 / size[1], subtitle, size=9, color=QUIET, va="top")
    figure.text(left, 0.1 / size[1], scene.legend, size=7.5, color=QUIET, va="bottom")

    draw_side(axes_at(_MARGIN, 0, side_width, height), scene)
    heading(_MARGIN, side_width, "Median sagittal")
    for index, span in enumerate(scene.shown):
        row, column = divmod(index, columns)
        step = tile + 0.1
        draw_across(axes_at(across_left + column * step, row * step, tile, tile), scene, span)
    if columns:
        heading(across_left, across_width, "Across the cord, mid-level")
    draw_around(axes_at(around_left, 0, _AROUND_WIDTH, height), scene)
    heading(around_left, _AROUND_WIDTH, "Around the cord, unrolled")
    return figure


def png(figure: Figure) -> bytes:
    """Return `figure` as the bytes of a PNG file, without the version of the software."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
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


def require_matplotlib() -> None:
    """Raise a `MissingDependencyError` if matplotlib is not installed."""
    _figure_class()


def _figure_class() -> type[Figure]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            "matplotlib, which draws the figures, is not installed",
            remedy="Install it with: pip install 'sct_rootlets[qc]'",
        ) from error
    return Figure
