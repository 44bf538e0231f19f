"""One picture of a run in two layers: the image, and what was found in it.

On the left the median sheet of the cord with the levels; on the right planes across the cord,
evenly spaced along it and each centred on it, with the rootlets. The background holds the grey
values, millimetres and sides; the overlay, transparent elsewhere, holds everything that was
found, so that a page can show and hide it. A millimetre is as long across as it is down in every
panel, whatever the voxels are.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.colours import colour_of
from sct_rootlets.qc.course import Course
from sct_rootlets.qc.figure import figure_class, png
from sct_rootlets.qc.panels import colours_of, mark_side, offset, on_dark, scale_bar, write
from sct_rootlets.qc.style import LINE
from sct_rootlets.qc.views import axial

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Layout", "Mosaic", "draw", "stations", "tile_points"]

Floats = NDArray[np.float64]

#: Width, in pixels, that a page of SCT is made for, and the height that it shows of it at once.
WIDTH, TALL = 1060, 800
#: Half of the side of a plane across the cord, mm.
HALF_MM = 13.0
#: Millimetres between planes, and how many of them are fine at each.
_STEPS_MM, _MANY, _MOST = (3.0, 4.0, 5.0), 40, 80
#: Pixels of the files for each of the page, for sharp print on fine screens; fewer for pictures
#: of so many planes that the files would grow large.
_FINE, _COARSE, _FINE_UP_TO = 1.5, 1.0, 48
_GAP, _FOOTER = 4, 24
#: Share of a plane across the cord that must lie in the image.
_LEAST_SEEN = 0.5
#: Largest tile, and the share of the width that the median sheet may take.
_LARGEST, _SIDE_SHARE = 190, 0.42
#: Where the ticks of the median sheet start, end and have their number, mm dorsal of the cord.
_TICK_MM = (7.6, 9.0, 9.6)
_SOFT = "#C9D1DB"


@dataclass(frozen=True)
class Mosaic:
    """Two PNG files of the same size in pixels, the second one to lie over the first."""

    background: bytes
    overlay: bytes


@dataclass(frozen=True)
class Layout:
    """Where the panels are, in pixels of a page `WIDTH` wide.

    Attributes
    ----------
    tile : int
        Side of a tile.
    places : tuple of (int, int)
        Left and top edge of each tile.
    side : (int, int, int, int)
        Left and top edge, width and height of the median sheet.
    height : int
        Of the whole, with the footer.
    """

    tile: int
    places: tuple[tuple[int, int], ...]
    side: tuple[int, int, int, int]
    height: int

    @property
    def scale(self) -> float:
        """Pixels of the files for each of the page."""
        return _FINE if len(self.places) <= _FINE_UP_TO else _COARSE

    @property
    def pixels(self) -> int:
        """Side of a tile in pixels of the files."""
        return round(self.tile * self.scale)

    @classmethod
    def of(cls, count: int, aspect: float) -> Layout:
        """Fit `count` tiles beside a sheet whose width is `aspect` times its height.

        Of all numbers of columns that leave the sheet its share of the width, the one with
        the largest tiles on the page is taken; all rows together are as tall as the sheet.
        """
        best = (0.0, 100, 6)
        for columns in range(2, max(count, 2) + 1):
            rows = max(-(-count // columns), 2)
            tile = min(int(WIDTH / (columns + aspect * rows)) - _GAP, _LARGEST)
            fits = aspect * rows * (tile + _GAP) <= _SIDE_SHARE * WIDTH
            # SCT's page shrinks what is taller until it fits. Of tiles of about the same size
            # there, rather those that leave few places empty.
            shrunk = tile * min(1.0, TALL / (rows * (tile + _GAP)))
            score = shrunk * (count / (rows * columns)) ** 0.3
            if fits and score > best[0]:
                best = (score, tile, columns)
        _, tile, columns = best
        rows = max(-(-count // columns), 2)
        height = rows * (tile + _GAP) - _GAP
        wide = min(int(aspect * height), WIDTH - columns * (tile + _GAP))
        tall = min(int(wide / aspect), height)
        step = tile + _GAP
        places = tuple(
            (wide + _GAP + (k % columns) * step, (k // columns) * step) for k in range(count)
        )
        return cls(tile, places, (0, 0, wide, tall), height + _FOOTER)


def draw(course: Course, *, footer: str = "", left_on_left: bool = False) -> Mosaic:
    """Draw the two layers.

    Parameters
    ----------
    course : Course
    footer : str
        What made it, for the line at the foot.
    left_on_left : bool
        Show the subject's left on the left, as SCT's report does, and not on the right as
        radiologists do and the figure of this package.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    new_figure = figure_class()
    s_mm = stations(course)
    sheet = course.side_sheet
    left, right, bottom, top = sheet.extent
    layout = Layout.of(len(s_mm), (right - left) / (bottom - top))
    points = tile_points(course, s_mm, layout.pixels, left_on_left=left_on_left)
    size = (WIDTH / 100, layout.height / 100)
    below = new_figure(figsize=size, dpi=100 * layout.scale, facecolor="black")
    above = new_figure(figsize=size, dpi=100 * layout.scale, facecolor="none")
    _paint_background(below, course, layout, s_mm, points, "LR" if left_on_left else "RL", footer)
    _paint_overlay(above, course, layout, s_mm, points)
    return Mosaic(_grey_png(below), png(above))


def stations(course: Course) -> Floats:
    """Return where along the centerline (T,) planes across the cord are shown.

    They are 3 to 5 mm apart, farther on a very long cord, at whole multiples of the distance
    as the table counts millimetres.
    """
    low, high = course.s_range_mm
    step = next(
        (mm for mm in _STEPS_MM if high - low <= mm * _MANY),
        max(_STEPS_MM[-1], np.ceil((high - low) / _MOST)),
    )
    first = np.ceil((low + course.origin_mm) / step) * step - course.origin_mm
    at = np.arange(first, high + 1e-6, step)
    seen = course.grid.contains(tile_points(course, at, 7)) if len(at) else np.zeros((0, 1, 1))
    at = at[seen.mean(axis=(1, 2)) >= _LEAST_SEEN]
    return at if len(at) else np.array([(low + high) / 2])


def tile_points(
    course: Course, s_mm: Sequence[float] | Floats, pixels: int, *, left_on_left: bool = False
) -> Floats:
    """Return the world points (T, pixels, pixels, 3) of the planes across the cord at `s_mm`.

    Rows run from ventral to dorsal and columns from the subject's right to the left, or back
    with `left_on_left`; the cord is in the middle.
    """
    step = 2 * HALF_MM / pixels
    planes = [
        axial(course.centerline, float(s), HALF_MM - step / 2, step).xyz_world[:pixels, :pixels]
        for s in s_mm
    ]
    points = np.stack(planes)
    return points[:, :, ::-1] if left_on_left else points


def _paint_background(
    figure: Figure,
    course: Course,
    layout: Layout,
    s_mm: Floats,
    points: Floats,
    sides: str,
    footer: str,
) -> None:
    """Draw the image, millimetres and sides."""
    axes, side = _axes(figure, layout)
    for shades, place in zip(course.grey(points), layout.places, strict=True):
        _show(axes, layout, place, np.nan_to_num(shades))
    sheet = course.side_sheet
    shades = np.nan_to_num(course.grey(sheet.xyz_world[None])[0])
    side.imshow(shades, extent=sheet.extent, cmap="gray", vmin=0, vmax=1, interpolation="bilinear")
    _frame(side, course)
    scale_bar(side, sheet.extent)
    for x, text in ((0.04, "V"), (0.96, "D")):
        write(side, x, 0.975, text, 9, LINE, transform=side.transAxes)
    _draw_scale(side, course)
    for s, (x, y) in zip(s_mm, layout.places, strict=True):
        millimetres = f"{round(s + course.origin_mm)}"
        write(axes, x + layout.tile - 5, y + 10, millimetres, 8.5, _SOFT, ha="right")
    for y in {y for _, y in layout.places}:  # on the first tile of every row
        x, middle = layout.places[0][0], y + layout.tile / 2
        write(axes, x + 8, middle, sides[0], 8.5, LINE)
        write(axes, x + layout.tile - 7, middle, sides[1], 8.5, LINE)
    x, y = layout.places[0]
    write(axes, x + layout.tile / 2, y + 9, "V", 8.5, LINE)
    write(axes, x + layout.tile / 2, y + layout.tile - 9, "D", 8.5, LINE)
    note = f"Planes across the cord, mm along it from the {course.origin}."
    if any(not span.is_measured for span in course.spans):
        note += "  * not measured."
    for x, text, side_of in ((6, note, "left"), (WIDTH - 6, footer, "right")):
        axes.text(x, layout.height - 11, text, size=7.5, color=_SOFT, ha=side_of, va="center")


def _paint_overlay(
    figure: Figure, course: Course, layout: Layout, s_mm: Floats, points: Floats
) -> None:
    """Draw what was found."""
    axes, side = _axes(figure, layout)
    rootlets, cords = (
        np.zeros(points.shape[:-1], int) if mask is None else course.labels(mask, points)
        for mask in (course.rootlets, course.cord)
    )
    for s, place, found, cord in zip(s_mm, layout.places, rootlets, cords, strict=True):
        _outline(axes, layout, place, cord > 0, LINE, 0.7)
        values = [int(value) for value in np.unique(found[found > 0])]
        if values:
            _show(axes, layout, place, colours_of(found, 0.4, course.colour))
        for value in values:
            _outline(axes, layout, place, found == value, course.colour(value), 1.1)
        if course.spans:
            spans = course.spans_at(float(s))
            names = [(span.name, colour_of(span.level.value)) for span in spans]
        else:
            names = [(course.name(value), course.colour(value)) for value in values]
        _name(axes, layout, place, names)
    mark_side(side, course)
    if not course.spans:
        _draw_rootlets(side, course)
    _frame(side, course)


def _grey_png(figure: Figure) -> bytes:
    """Return a figure as a PNG file of greys alone, a third smaller than the same in colours."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image as Picture  # which writes the PNG files of matplotlib

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    buffer = io.BytesIO()
    Picture.fromarray(np.asarray(canvas.buffer_rgba())).convert("L").save(buffer, format="PNG")
    return buffer.getvalue()


def _axes(figure: Figure, layout: Layout) -> tuple[Axes, Axes]:
    """Return axes in pixels over the whole figure, and those of the median sheet over them."""
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    left, top, wide, tall = layout.side
    side = figure.add_axes(
        (left / WIDTH, 1 - (top + tall) / layout.height, wide / WIDTH, tall / layout.height)
    )
    side.set_axis_off()
    axes.set(xlim=(0, WIDTH), ylim=(layout.height, 0), autoscale_on=False)
    return axes, side


def _frame(side: Axes, course: Course) -> None:
    left, right, bottom, top = course.side_sheet.extent
    side.set(xlim=(left, right), ylim=(bottom, top), aspect="auto")


def _show(axes: Axes, layout: Layout, place: tuple[int, int], pixels: NDArray[Any]) -> None:
    """Show shades (R, C) or colours (R, C, 4) in a tile."""
    x, y = place
    extent = (x, x + layout.tile, y + layout.tile, y)
    axes.imshow(
        pixels, cmap="gray", vmin=0, vmax=1, extent=extent, interpolation="nearest", aspect="auto"
    )
    axes.set(xlim=(0, WIDTH), ylim=(layout.height, 0))  # imshow moves them


def _outline(
    axes: Axes,
    layout: Layout,
    place: tuple[int, int],
    mask: NDArray[np.bool_],
    colour: str,
    width: float,
) -> None:
    if not mask.any() or mask.all():
        return
    middles = (np.arange(len(mask)) + 0.5) * layout.tile / len(mask)
    axes.contour(
        place[0] + middles, place[1] + middles, mask, levels=[0.5], colors=[colour],
        linewidths=width,
    )  # fmt: skip


def _name(
    axes: Axes, layout: Layout, place: tuple[int, int], names: Sequence[tuple[str, str]]
) -> None:
    """Write the levels of a tile below each other, with a strip of their colours at its edge."""
    from matplotlib.patches import Rectangle

    x, y = place
    for row, (name, colour) in enumerate(names):
        share = layout.tile / len(names)
        strip = Rectangle((x, y + row * share), 3, share, facecolor=colour, lw=0)
        axes.add_patch(strip)
        write(axes, x + 7, y + 11 + 16 * row, name, 10.5, on_dark(colour), ha="left")


def _draw_scale(side: Axes, course: Course) -> None:
    """Draw a tick every 10 mm behind the cord, by which the planes are found."""
    low, high = course.s_range_mm
    origin = course.origin_mm
    for tick in np.arange(np.ceil((low + origin) / 10) * 10, high + origin, 10):
        at = [
            course.sagittal.place(offset(course.centerline, tick - origin, mm)) for mm in _TICK_MM
        ]
        side.plot(*np.transpose(at[:2]), color=_SOFT, lw=0.9)
        x, y = at[2]
        write(side, x, y, f"{round(tick)}", 7.5, _SOFT, ha="left", weight="normal")


def _draw_rootlets(side: Axes, course: Course) -> None:
    """Draw rootlets seen from the side, all of them, with their names behind."""
    rootlets = course.rootlets
    if rootlets is None or not rootlets.labels:
        write(side, 0.5, 0.5, "no rootlets found", 11, LINE, transform=side.transAxes)
        return
    for value in rootlets.labels:
        xyz = rootlets.points_world(value)
        colour = course.colour(value)
        at = course.sagittal.place(xyz)
        side.scatter(at[:, 0], at[:, 1], s=4, marker="s", color=colour, alpha=0.35, lw=0)
        middle = float(np.median(course.centerline.project(xyz).s_mm))
        x, y = course.sagittal.place(offset(course.centerline, middle, course.names_mm))
        write(side, x, y, course.name(value), 10, on_dark(colour))
