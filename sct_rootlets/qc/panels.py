"""The panels of the figure that show the image: from the side, the front, and across the cord."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import disc_name
from sct_rootlets.colours import colour_of
from sct_rootlets.image import Image, LabelImage
from sct_rootlets.qc.scene import Extent, Scene, Span, show_grey
from sct_rootlets.qc.style import LINE
from sct_rootlets.qc.views import Sheet, axial

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sct_rootlets.centerline import Centerline
    from sct_rootlets.qc.course import Course

__all__ = [
    "bare",
    "colours_of",
    "draw_across",
    "draw_front",
    "draw_side",
    "mark_side",
    "offset",
    "on_dark",
    "scale_bar",
    "write",
]

Floats = NDArray[np.float64]


def draw_side(axes: Axes, scene: Scene, image: Image) -> None:
    """Draw the median sagittal sheet with the levels painted on the cord."""
    sheet = scene.side_sheet
    show_grey(axes, sheet.sample(image), sheet.extent)
    mark_side(axes, scene)
    axes.set_xlim(*sheet.extent[:2])
    axes.set_ylim(*sheet.extent[2:])
    axes.set_anchor("N")
    bare(axes)
    scale_bar(axes, sheet.extent)
    for x, text in ((0.03, "V"), (0.97, "D")):
        write(axes, x, 0.975, text, 9, LINE, transform=axes.transAxes)


def draw_front(axes: Axes, scene: Scene, image: Image) -> None:
    """Draw the coronal sheet with the levels painted on the cord and the rootlets beside it."""
    sheet, line = scene.front_sheet, scene.centerline
    show_grey(axes, sheet.sample(image), sheet.extent)
    _show_labels(axes, sheet.sample_labels(scene.levels), sheet.extent, 0.5)
    _show_labels(axes, sheet.sample_labels(scene.derived.rootlets), sheet.extent, 0.6)
    _outline(axes, sheet.sample_labels(scene.cord), sheet)
    for span in scene.bands:
        for s_mm in (span.rostral_s_mm, span.caudal_s_mm):
            ends = line.point(s_mm) + np.array([[-6.5], [6.5]]) * line.frame(s_mm)[1]
            style = "-" if span.is_measured else (0, (2, 1.5))
            axes.plot(*scene.coronal.place(ends).T, color=LINE, lw=1.1, ls=style)
    axes.set_xlim(*sheet.extent[:2])
    axes.set_ylim(*sheet.extent[2:])
    axes.set_anchor("N")
    bare(axes)
    for x, text in ((0.05, "R"), (0.95, "L")):
        write(axes, x, 0.975, text, 9, LINE, transform=axes.transAxes)


def mark_side(axes: Axes, side: Scene | Course) -> None:
    """Draw what was found over the median sheet: levels, borders, names, the cord, discs."""
    sheet, sagittal, centerline = side.side_sheet, side.sagittal, side.centerline
    if side.levels is not None:
        _show_labels(axes, sheet.sample_labels(side.levels), sheet.extent, 0.5)
    if side.cord is not None:
        _outline(axes, sheet.sample_labels(side.cord), sheet)
    low, high = side.s_range_mm
    for span in side.bands:
        for s_mm in (span.rostral_s_mm, span.caudal_s_mm):
            ends = np.array([offset(centerline, s_mm, -6.5), offset(centerline, s_mm, 6.5)])
            style = "-" if span.is_measured else (0, (2, 1.5))
            axes.plot(*sagittal.place(ends).T, color=LINE, lw=1.1, ls=style)
        middle = (max(span.rostral_s_mm, low) + min(span.caudal_s_mm, high)) / 2
        x, y = sagittal.place(offset(centerline, middle, side.names_mm))
        write(axes, x, y, span.name, 10, on_dark(colour_of(span.level.value)))
    if side.discs is not None:
        _mark_discs(axes, side, side.discs)


def draw_across(axes: Axes, scene: Scene, image: Image, span: Span, step_mm: float = 0.1) -> None:
    """Draw the plane across the cord at the middle of one level, in the radiological view."""
    sheet = axial(scene.derived.centerline, span.middle_s_mm, step_mm=step_mm)
    show_grey(axes, sheet.sample(image), sheet.extent)
    rootlets = scene.derived.rootlets
    labels = np.zeros(sheet.xyz_world.shape[:2], dtype=int)
    if rootlets is not None:
        labels = sheet.sample_labels(rootlets)
    _show_labels(axes, labels, sheet.extent, 0.35)
    for value in np.unique(labels[labels > 0]):
        colour = colour_of(int(value))
        axes.contour(
            sheet.across,
            sheet.down,
            labels == value,
            levels=[0.5],
            colors=[colour],
            linewidths=1.2,
        )
    _outline(axes, sheet.sample_labels(scene.cord), sheet)
    bare(axes)
    light = on_dark(colour_of(span.level.value))
    write(axes, 0.05, 0.92, span.name, 11, light, ha="left", transform=axes.transAxes)
    write(axes, 0.05, 0.5, "R", 8, LINE, transform=axes.transAxes)
    write(axes, 0.95, 0.5, "L", 8, LINE, transform=axes.transAxes)


def _mark_discs(axes: Axes, side: Scene | Course, discs: LabelImage) -> None:
    left, right, bottom, top = side.side_sheet.extent
    for label in discs.labels:
        if not 2 <= label <= 25:  # the PMJ and other points may be in the same file
            continue
        x, y = side.sagittal.place(discs.points_world(label).mean(axis=0))
        if left < x < right and top < y < bottom:
            axes.plot(x, y, "o", ms=3.5, mfc="none", mec=LINE, mew=1.0)
            write(axes, x - 2.2, y, disc_name(label), 7, LINE, ha="right", weight="normal")


def _show_labels(axes: Axes, labels: NDArray[np.int_], extent: Extent, alpha: float) -> None:
    pixels = colours_of(labels, alpha)
    axes.imshow(pixels, extent=extent, interpolation="nearest", aspect="equal")


def colours_of(
    labels: NDArray[np.int_], alpha: float, colour: Callable[[int], str] = colour_of
) -> Floats:
    """Return the pixels (..., 4), red, green, blue and opacity, of labels (...)."""
    from matplotlib.colors import to_rgba

    pixels = np.zeros((*labels.shape, 4))
    for value in np.unique(labels[labels > 0]):
        pixels[labels == value] = to_rgba(colour(int(value)), alpha)
    return pixels


def _outline(axes: Axes, mask: NDArray[np.int_], sheet: Sheet) -> None:
    if 0 < np.count_nonzero(mask) < mask.size:
        axes.contour(
            sheet.across, sheet.down, mask != 0, levels=[0.5], colors=[LINE], linewidths=0.7
        )


def scale_bar(axes: Axes, extent: Extent) -> None:
    """Draw a bar of 10 mm in the lower left corner."""
    left, right, bottom, _ = extent
    x, y = left + 0.05 * (right - left), bottom - 3.0
    axes.plot([x, x + 10], [y, y], color=LINE, lw=2.2, solid_capstyle="butt")
    write(axes, x + 5, y - 2.2, "10 mm", 7.5, LINE, weight="normal")


def write(
    axes: Axes, x: float, y: float, text: str, size: float, colour: Any, **kwargs: Any
) -> None:
    """Write `text` with a dark halo, so that it is legible on any grey."""
    from matplotlib.patheffects import withStroke

    style = {"ha": "center", "va": "center", "weight": "bold", **kwargs}
    halo = [withStroke(linewidth=2.2, foreground="#000000B0")]
    axes.text(x, y, text, size=size, color=colour, path_effects=halo, clip_on=True, **style)


def bare(axes: Axes) -> None:
    """Take ticks and frame away."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def on_dark(colour: str) -> tuple[float, ...]:
    """Lighten `colour` for text on the image: the blue of C5 is dark."""
    from matplotlib.colors import to_rgb

    return tuple(0.7 * part + 0.3 for part in to_rgb(colour))


def offset(centerline: Centerline, s_mm: float, dorsal_mm: float) -> Floats:
    """Return the world point (3,) at `s_mm`, moved dorsally by `dorsal_mm`."""
    return np.asarray(centerline.point(s_mm) + dorsal_mm * centerline.frame(s_mm)[2])
