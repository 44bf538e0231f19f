"""The activity profile: a map around the unrolled cord, by region, and by spinal level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.colours import LEVEL_COLOURS
from sct_rootlets.qc.figure import figure_class
from sct_rootlets.qc.style import INK, LINE, PAPER, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Band", "Profile", "draw"]

Floats = NDArray[np.float64]

_DPI = 160
# The layout, in inches.
_HEADER, _FOOTER, _LEFT, _GAP = 0.98, 1.12, 0.75, 0.3
_WIDTHS = {"around": 2.9, "regions": 1.9, "profile": 2.7}
_NAMES = 0.62
_TALLEST, _SHORTEST, _PER_MM = 7.0, 3.6, 0.055
#: Where the quadrants stand on the unrolled cord, left to right: places in `Band.quadrants`.
_ACROSS = (2, 0, 1, 3)
_SHORT = ("ventral\nleft", "dorsal\nleft", "dorsal\nright", "ventral\nright")
#: Markers of the quadrants in the profile: left and right by direction, dorsal filled.
_MARKERS = (("<", True, "left dorsal"), (">", True, "right dorsal"),
            ("<", False, "left ventral"), (">", False, "right ventral"))  # fmt: skip


@dataclass(frozen=True)
class Band:
    """One level.

    Attributes
    ----------
    level : SpinalLevel
    rostral_mm, caudal_mm : float
        Its ends, mm from the rostral face of the first slice.
    mean : float
        NaN if none of its voxels entered.
    quadrants : tuple of 4 floats
        Left dorsal, right dorsal, left ventral, right ventral.
    """

    level: SpinalLevel
    rostral_mm: float
    caudal_mm: float
    mean: float
    quadrants: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Profile:
    """What the figure shows.

    Attributes
    ----------
    title, subtitle, quantity : str
    is_signed : bool
        Whether values below 0 matter as much as those above.
    edges_mm : (S + 1,) array
        Faces of the slices, rostral to caudal.
    around : (S, A) array
        Values around the cord: from ventral over left, dorsal and right to ventral.
    by_slice : (S,) array
        Mean of each slice.
    bands : tuple of Band
        Rostral to caudal.
    threshold : float or None
        Marked in the profile.
    """

    title: str
    subtitle: str
    quantity: str
    is_signed: bool
    edges_mm: Floats
    around: Floats
    by_slice: Floats
    bands: tuple[Band, ...]
    threshold: float | None = None


def draw(profile: Profile) -> Figure:
    """Draw the profile: voxels around the cord, means of the regions, means of the levels.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    new_figure = figure_class()
    length = float(profile.edges_mm[-1]) if len(profile.edges_mm) else 1.0
    height = min(max(_PER_MM * length, _SHORTEST), _TALLEST)
    wide = _LEFT + sum(_WIDTHS.values()) + 2 * _GAP + _NAMES + 0.3
    tall = height + _HEADER + _FOOTER
    figure = new_figure(figsize=(wide, tall), dpi=_DPI, facecolor="white")
    lefts = {
        "around": _LEFT,
        "regions": _LEFT + _WIDTHS["around"] + _GAP,
        "profile": _LEFT + _WIDTHS["around"] + _WIDTHS["regions"] + 2 * _GAP + _NAMES,
    }
    panels = {
        name: figure.add_axes((left / wide, _FOOTER / tall, _WIDTHS[name] / wide, height / tall))
        for name, left in lefts.items()
    }
    figure.text(0.25 / wide, 1 - 0.2 / tall, profile.title, size=13, weight="bold", color=INK,
                va="top")  # fmt: skip
    figure.text(0.25 / wide, 1 - 0.47 / tall, profile.subtitle, size=8.5, color=QUIET, va="top")
    headings = {
        "around": "Voxels around the cord, unrolled",
        "regions": "Means of regions",
        "profile": "Means of levels",
    }
    for name, text in headings.items():
        x = (lefts[name] + _WIDTHS[name] / 2) / wide
        figure.text(x, 1 - (_HEADER - 0.1) / tall, text, size=9.5, color=INK, ha="center")
    low, high = _limits(profile)
    colours = {"cmap": "RdBu_r" if profile.is_signed else "viridis", "vmin": low, "vmax": high}
    mesh = _draw_around(panels["around"], profile, colours)
    _draw_regions(panels["regions"], profile, colours)
    _draw_profile(panels["profile"], profile)
    for axes in panels.values():
        axes.set_ylim(length, 0)
        axes.tick_params(labelsize=8, colors=INK, length=3)
        axes.spines[:].set_color(QUIET)
    panels["around"].set_ylabel("mm along the slices, from the first one", size=8.5, color=INK)
    panels["regions"].set_yticklabels([])
    panels["profile"].set_yticklabels([])
    _draw_names(panels["regions"], profile, height)
    bar = figure.add_axes((lefts["around"] / wide, 0.42 / tall, 2.1 / wide, 0.1 / tall))
    figure.colorbar(mesh, cax=bar, orientation="horizontal")
    bar.tick_params(labelsize=7.5, colors=INK, length=2)
    bar.set_xlabel(profile.quantity, size=8, color=INK, labelpad=1)
    return figure


def _limits(profile: Profile) -> tuple[float, float]:
    """Return the range of the colours: of all but the outermost 2 % of the values."""
    known = profile.around[np.isfinite(profile.around)]
    if not len(known):
        return 0.0, 1.0
    if profile.is_signed:
        most = float(np.percentile(np.abs(known), 98)) or 1.0
        return -most, most
    low, high = (float(value) for value in np.percentile(known, (2, 98)))
    return low, max(high, low + 1e-6)


def _draw_around(axes: Axes, profile: Profile, colours: dict[str, Any]) -> Any:
    angles = np.linspace(-180, 180, profile.around.shape[1] + 1)
    axes.set_facecolor(PAPER)
    values = np.ma.masked_invalid(profile.around)
    mesh = axes.pcolormesh(angles, profile.edges_mm, values, rasterized=True, **colours)
    for edge in profile.edges_mm[1:-1]:
        axes.axhline(edge, color=LINE, lw=0.35, alpha=0.5)
    # Where a slice holds no level its voxels are those of the levels in the rest of it.
    ends = [0.0, *(mm for band in profile.bands for mm in (band.rostral_mm, band.caudal_mm))]
    ends.append(float(profile.edges_mm[-1]))
    for top, bottom in zip(ends[::2], ends[1::2], strict=True):
        if bottom - top > 1e-3:
            axes.axhspan(top, bottom, facecolor=PAPER, alpha=0.75, lw=0)
    for angle in (-90, 0, 90):
        axes.axvline(angle, color=LINE, lw=0.6, ls=(0, (1, 2)))
    for mm in _borders(profile):
        axes.axhline(mm, color=INK, lw=2.2, alpha=0.6)
        axes.axhline(mm, color=LINE, lw=0.9)
    axes.set_xlim(-180, 180)
    axes.set_xticks([-180, -90, 0, 90, 180], ["ventral", "left", "dorsal", "right", "ventral"])
    return mesh


def _draw_regions(axes: Axes, profile: Profile, colours: dict[str, Any]) -> None:
    """Draw a cell for each region, with its number where there is room for one."""
    axes.set_facecolor(PAPER)
    for band in profile.bands:
        cells = np.ma.masked_invalid([[band.quadrants[q] for q in _ACROSS]])
        edges = [band.rostral_mm, band.caudal_mm]
        mesh = axes.pcolormesh(
            np.arange(5), edges, cells, edgecolors=LINE, linewidth=1.0, **colours
        )
        if band.caudal_mm - band.rostral_mm < 0.02 * profile.edges_mm[-1]:
            continue
        for column, q in enumerate(_ACROSS):
            value = band.quadrants[q]
            if np.isfinite(value):
                rgb = mesh.to_rgba(np.array([value]))[0, :3]
                dark = float(np.dot(rgb, (0.299, 0.587, 0.114))) < 0.55
                axes.text(
                    column + 0.5, sum(edges) / 2, _short(value), size=7.5, ha="center",
                    va="center_baseline", color=LINE if dark else INK,
                )  # fmt: skip
    axes.set_xlim(0, 4)
    axes.set_xticks(np.arange(4) + 0.5, _SHORT)
    axes.tick_params(axis="x", length=0)


def _short(value: float) -> str:
    """Return a number of three digits."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}"


def _draw_names(axes: Axes, profile: Profile, height: float) -> None:
    """Write the levels right of the regions, each on a band of its colour."""
    from matplotlib.patches import Rectangle

    transform = axes.get_yaxis_transform()
    wide = _WIDTHS["regions"]
    for band in profile.bands:
        tall = band.caudal_mm - band.rostral_mm
        axes.add_patch(
            Rectangle(
                (1 + 0.06 / wide, band.rostral_mm), 0.11 / wide, tall, transform=transform,
                facecolor=LEVEL_COLOURS[band.level], edgecolor=INK, lw=0.5, clip_on=False,
            )
        )  # fmt: skip
        room = tall / profile.edges_mm[-1] * height * 72
        axes.text(
            1 + 0.23 / wide, band.rostral_mm + tall / 2, str(band.level), transform=transform,
            size=min(10.0, max(5.5, room)), weight="bold", color=INK, va="center_baseline",
        )  # fmt: skip


def _draw_profile(axes: Axes, profile: Profile) -> None:
    """Draw slices as a line of steps, levels as bars, and their quadrants as marks."""
    axes.set_facecolor(PAPER)
    axes.grid(axis="x", color=LINE, lw=1.0)
    axes.set_axisbelow(True)
    if profile.is_signed:
        axes.axvline(0, color=QUIET, lw=0.8)
    if profile.threshold is not None:
        axes.axvline(profile.threshold, color=QUIET, lw=0.8, ls=(0, (4, 3)))
    for mm in _borders(profile):
        axes.axhline(mm, color=QUIET, lw=0.5)
    axes.stairs(
        profile.by_slice, profile.edges_mm, orientation="horizontal", baseline=None, color=QUIET,
        lw=1.0, label="slice",
    )  # fmt: skip
    for band in profile.bands:
        middle = (band.rostral_mm + band.caudal_mm) / 2
        ends = [band.rostral_mm, band.caudal_mm]
        axes.plot([band.mean] * 2, ends, color=INK, lw=5.2, solid_capstyle="butt")
        axes.plot([band.mean] * 2, ends, color=LEVEL_COLOURS[band.level], lw=3.8,
                  solid_capstyle="butt")  # fmt: skip
        for (marker, is_filled, _), value in zip(_MARKERS, band.quadrants, strict=True):
            axes.plot(value, middle, marker, ms=5.5, mec=INK, mew=0.8,
                      mfc=INK if is_filled else LINE, zorder=4)  # fmt: skip
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=INK, lw=0, marker=marker, ms=5.5, mfc=INK if is_filled else LINE,
               mew=0.8, label=label)
        for marker, is_filled, label in _MARKERS
    ]  # fmt: skip
    handles += [
        Line2D([], [], color=QUIET, lw=1.0, label="slice"),
        Line2D([], [], color=INK, lw=4, label="level"),
    ]
    if profile.threshold is not None:
        handles.append(Line2D([], [], color=QUIET, lw=0.8, ls=(0, (4, 3)), label="threshold"))
    axes.figure.legend(
        handles=handles, loc="lower right", bbox_to_anchor=(0.985, 0.015), ncols=3, fontsize=7.5,
        labelcolor=INK, frameon=False, columnspacing=1.4, handlelength=1.6,
    )  # fmt: skip
    axes.set_xlabel(profile.quantity, size=8.5, color=INK)
    axes.margins(x=0.12)


def _borders(profile: Profile) -> list[float]:
    """Return every border once."""
    ends = {round(mm, 2) for band in profile.bands for mm in (band.rostral_mm, band.caudal_mm)}
    return sorted(ends)
