"""The cord unrolled: rootlets, levels with their uncertainty, discs and the PMJ.

The surface of the cord is cut ventrally and laid flat, position along the cord downwards and
angle around it across. Beside it stand lanes: a band a level, the 95 % interval of every
border, the names, and the discs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import disc_name
from sct_rootlets.colours import colour_of
from sct_rootlets.qc.scene import Scene, Span, show_grey
from sct_rootlets.qc.style import INK, LINE, PAPER, QUIET
from sct_rootlets.qc.views import UNROLLED_DEG, sample, unrolled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["HATCHES", "LANES", "draw_around", "legend_handles", "spread"]

Floats = NDArray[np.float64]

#: Shells whose mean is the background of the unrolled cord: where rootlets cross the CSF.
_SHELLS_MM = (0.75, 1.25, 1.75, 2.25)
#: Hatches of the bands of levels that were not measured, by status.
HATCHES = {"interpolated": "////", "extrapolated": "....", "predicted": "xxxx"}
#: Half of the 95 % interval, in standard deviations.
_Z95 = 1.96
#: Where the lanes stand, inches right of the panel: band, intervals, names, discs.
_BAND, _BAND_WIDTH, _INTERVAL, _NAME, _DISC = 0.05, 0.1, 0.2, 0.34, 0.78
#: Width of all lanes, inches.
LANES = 1.5
_POINTS_PER_INCH = 72.0


def draw_around(axes: Axes, scene: Scene) -> None:
    """Draw the surface of the cord unrolled, with the rootlets, the borders and the lanes.

    The lanes stand in the `LANES` inches to the right of `axes`.
    """
    low, high = scene.s_range_mm
    if scene.image is None:
        axes.set_facecolor(PAPER)
    else:
        xyz, s_mm, _ = unrolled(scene.cord, scene.derived.centerline, (low, high), _SHELLS_MM)
        layers = np.ma.masked_invalid([sample(scene.image, shell) for shell in xyz])
        half = (s_mm[1] - s_mm[0]) / 2
        extent = (*UNROLLED_DEG, float(s_mm[-1] + half), float(s_mm[0] - half))
        show_grey(axes, layers.mean(axis=0).filled(np.nan), extent, aspect="auto")
    _draw_intervals(axes, scene)
    _draw_rootlets(axes, scene)
    _draw_borders(axes, scene)
    axes.set_xlim(*UNROLLED_DEG)
    axes.set_ylim(high, low)
    axes.set_xticks([-180, -90, 0, 90, 180], ["ventral", "left", "dorsal", "right", "ventral"])
    origin = scene.origin_mm
    ticks = np.arange(np.ceil((low + origin) / 10) * 10, high + origin, 10)
    axes.set_yticks(ticks - origin, [f"{round(tick)}" for tick in ticks])
    axes.tick_params(labelsize=8, colors=INK, length=3)
    axes.set_ylabel(
        f"mm along the cord, from the {scene.derived.table.origin}", size=8.5, color=INK
    )
    axes.spines[:].set_color(QUIET)
    _draw_lanes(axes, scene)


def legend_handles(scene: Scene) -> list[Any]:
    """Return what the legend has to explain of this scene."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    statuses = {span.status for span in scene.bands}
    handles: list[Any] = [
        Patch(facecolor="white", edgecolor=INK, lw=0.6, hatch=hatch, label=status)
        for status, hatch in {"measured": "", **HATCHES}.items()
        if status in statuses
    ]
    if any(sd is not None for span in scene.bands for _, sd in span.borders):
        handles.append(
            Line2D([], [], color=INK, lw=1.2, marker="_", ms=6, label="95 % interval of a border")
        )
    if any(span.cut_rostral or span.cut_caudal for span in scene.bands):
        handles.append(
            Line2D(
                [], [], color=INK, lw=0, marker="$\\wedge\\wedge$", ms=9, label="cut by the image"
            )
        )
    if scene.discs_s_mm:
        handles.append(Line2D([], [], color=INK, lw=0, marker="o", ms=4, mfc="white", label="disc"))
    if scene.pmj_s_mm is not None:
        handles.append(Line2D([], [], color=INK, lw=0, marker="D", ms=4, label="PMJ"))
    return handles


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Return ascending `places` moved as little as needed to be `gap` apart.

    Examples
    --------
    >>> spread([0.0, 1.0, 10.0], 3.0)
    [-1.0, 2.0, 10.0]
    """
    groups: list[list[float]] = []  # first place, number of places, sum of their own centres
    for place in places:
        groups.append([place, 1, place])
        while len(groups) > 1 and groups[-1][0] < groups[-2][0] + groups[-2][1] * gap:
            _, count, total = groups.pop()
            above = groups[-1]
            # The places of a group stand `gap` apart around the mean of their own.
            total += above[2] - count * above[1] * gap
            above[1] += count
            above[2] = total
            above[0] = total / above[1]
    return [first + k * gap for first, count, _ in groups for k in range(int(count))]


def _draw_intervals(axes: Axes, scene: Scene) -> None:
    """Shade the 95 % interval of every border across the panel."""
    alpha = 0.16 if scene.image is None else 0.25
    for s_mm, sd in _distinct_borders(scene):
        if sd:
            axes.axhspan(
                s_mm - _Z95 * sd, s_mm + _Z95 * sd, facecolor=INK, alpha=alpha, lw=0, zorder=1.5
            )


def _draw_rootlets(axes: Axes, scene: Scene) -> None:
    """Draw every rootlet voxel in the colour of its level, solid where it is within reach."""
    from matplotlib.collections import PolyCollection

    derived = scene.derived
    zones, rootlets = derived.entry_zones, derived.rootlets
    if zones is None or rootlets is None or not len(zones.ijk):
        return
    grid = rootlets.grid
    values = rootlets.data[tuple(zones.ijk.T)]
    centre = -np.degrees(zones.angle)
    # A voxel is as wide, in degrees, as it looks from the axis of the cord.
    radius = derived.centerline.project(grid.world_from_ijk(zones.ijk)).radius_mm
    half_mm = 0.5 * np.cbrt(grid.voxel_volume_mm3)
    half_deg = np.degrees(np.arctan(half_mm / np.maximum(radius, 2.0)))
    # On paper the pale ones of the colours need an outline.
    edge, pale = (0.25, 0.4) if scene.image is None else (0.0, 0.3)
    for within, alpha in ((False, pale), (True, 0.9)):
        chosen = np.flatnonzero(zones.within_reach == within)
        left, right = (centre - half_deg)[chosen], (centre + half_deg)[chosen]
        top = (zones.s_mm - zones.half_mm)[chosen]
        bottom = (zones.s_mm + zones.half_mm)[chosen]
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        boxes = np.stack([np.stack(corner, axis=-1) for corner in corners], axis=1)
        colours = [colour_of(int(values[k])) for k in chosen]
        axes.add_collection(
            PolyCollection(
                list(boxes),
                facecolor=colours,
                edgecolor=INK,
                lw=edge,
                alpha=alpha,
                antialiased=False,
                zorder=2,
            )
        )


def _draw_borders(axes: Axes, scene: Scene) -> None:
    """Draw a line at every border, dashed where it was not measured."""
    for span in scene.known:
        for s_mm in (span.rostral_s_mm, span.caudal_s_mm):
            style = "-" if span.is_measured else (0, (5, 3))
            if scene.image is None:
                axes.axhline(s_mm, color=INK, lw=0.9, ls=style, zorder=3)
            else:
                axes.axhline(s_mm, color=INK, lw=2.4, alpha=0.55, zorder=3)
                axes.axhline(s_mm, color=LINE, lw=0.9, ls=style, zorder=3)


def _distinct_borders(scene: Scene) -> list[tuple[float, float | None]]:
    """Return the borders with their standard deviations, those that two levels share once."""
    found: dict[float, tuple[float, float | None]] = {}
    for span in scene.bands:
        for s_mm, sd in span.borders:
            found.setdefault(round(s_mm, 2), (s_mm, sd))
    return [found[key] for key in sorted(found)]


def _draw_lanes(axes: Axes, scene: Scene) -> None:
    """Draw bands, intervals, names and discs beside the panel."""
    box = axes.get_window_extent()
    width, height = box.width / axes.figure.dpi, box.height / axes.figure.dpi
    low, high = scene.s_range_mm
    per_inch = (high - low) / height

    def x(inches: float) -> float:
        return 1 + inches / width

    transform = axes.get_yaxis_transform()  # x in shares of the panel, y in mm
    for span in scene.bands:
        _draw_band(axes, scene, span, (x(_BAND), x(_BAND + _BAND_WIDTH)), 0.05 * per_inch)
    for number, (s_mm, sd) in enumerate(_distinct_borders(scene)):
        if sd and low <= s_mm <= high:
            top, bottom = max(s_mm - _Z95 * sd, low), min(s_mm + _Z95 * sd, high)
            # Neighbours stand side by side, since their intervals may overlap.
            at, cap = x(_INTERVAL + 0.07 * (number % 2)), 0.025 / width
            lines = [([at, at], [top, bottom])]
            lines += [([at - cap, at + cap], [end, end]) for end in (top, bottom)]
            for across, down in lines:
                axes.plot(across, down, color=INK, lw=1.0, transform=transform, clip_on=False)
    gap = 10.5 / _POINTS_PER_INCH * per_inch
    middles = [_middle(span, low, high) for span in scene.bands]
    for span, middle, place in zip(scene.bands, middles, spread(middles, gap), strict=True):
        if abs(place - middle) > gap / 3:
            axes.plot(
                [x(_BAND + _BAND_WIDTH + 0.02), x(_NAME - 0.02)], [middle, place],
                color=QUIET, lw=0.6, transform=transform, clip_on=False,
            )  # fmt: skip
        axes.text(x(_NAME), place, span.name, transform=transform, size=9.5, weight="bold",
                  color=INK, va="center_baseline")  # fmt: skip
    _draw_landmarks(axes, scene, x, transform, gap)


def _draw_band(
    axes: Axes, scene: Scene, span: Span, across: tuple[float, float], tooth_mm: float
) -> None:
    """Draw the band of one level: hatched where not measured, jagged where cut."""
    from matplotlib.patches import Polygon

    low, high = scene.s_range_mm
    top, bottom = max(span.rostral_s_mm, low), min(span.caudal_s_mm, high)
    share = np.linspace(0, 1, 7)
    teeth = np.array([0, 1, 0, 1, 0, 1, 0]) * min(tooth_mm, (bottom - top) / 3)
    left, right = across
    edge = left + share * (right - left)
    upper = top + (teeth if span.cut_rostral else 0 * teeth)
    lower = bottom - (teeth if span.cut_caudal else 0 * teeth)
    corners = np.concatenate(
        [np.stack([edge, upper], axis=1), np.stack([edge[::-1], lower[::-1]], axis=1)]
    )
    axes.add_patch(
        Polygon(
            corners,
            transform=axes.get_yaxis_transform(),
            facecolor=colour_of(span.level.value),
            edgecolor=INK,
            lw=0.5,
            hatch=HATCHES.get(span.status, ""),
            clip_on=False,
        )
    )


def _draw_landmarks(axes: Axes, scene: Scene, x: Any, transform: Any, gap: float) -> None:
    """Draw discs and the PMJ in their lane, at the edge where they lie beyond it."""
    low, high = scene.s_range_mm
    marks = [(s_mm, disc_name(label), "o") for label, s_mm in scene.discs_s_mm.items()]
    marks = [mark for mark in marks if low <= mark[0] <= high]
    if scene.pmj_s_mm is not None:
        pmj = scene.pmj_s_mm
        beyond = max(low - pmj, pmj - high)
        arrow = "\N{UPWARDS ARROW}" if pmj < low else "\N{DOWNWARDS ARROW}"
        text = "PMJ" if beyond <= 0 else f"PMJ\n{arrow} {beyond:.0f} mm"
        marks.append((min(max(pmj, low), high), text, "D"))
    marks.sort(key=lambda mark: mark[0])
    at = spread([mark[0] for mark in marks], 0.85 * gap)
    for (s_mm, text, symbol), place in zip(marks, at, strict=True):
        axes.plot(
            x(_DISC), s_mm, symbol, ms=3.5, mfc="white" if symbol == "o" else INK, mec=INK,
            mew=0.9, transform=transform, clip_on=False,
        )  # fmt: skip
        if abs(place - s_mm) > gap / 3:
            axes.plot(
                [x(_DISC + 0.03), x(_DISC + 0.08)], [s_mm, place],
                color=QUIET, lw=0.6, transform=transform, clip_on=False,
            )  # fmt: skip
        axes.text(x(_DISC + 0.1), place, text, transform=transform, size=7.5, color=INK,
                  va="center", linespacing=0.95)  # fmt: skip


def _middle(span: Span, low: float, high: float) -> float:
    """Return the middle of what is shown of a level."""
    return (max(span.rostral_s_mm, low) + min(span.caudal_s_mm, high)) / 2
