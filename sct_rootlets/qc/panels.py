"""The three panels of the figure: from the side, across, and around the cord."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel, disc_name
from sct_rootlets.image import Image, LabelImage
from sct_rootlets.qc.colours import colour_of
from sct_rootlets.qc.views import UNROLLED_DEG, Sagittal, Sheet, axial, sample, unrolled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sct_rootlets.centerline import Centerline
    from sct_rootlets.levels.derive import Derived

__all__ = ["Scene", "Span", "draw_across", "draw_around", "draw_side", "spans_of"]

Floats = NDArray[np.float64]
Extent = tuple[float, float, float, float]
Aspect = Literal["equal", "auto"]

INK, QUIET, _LINE = "#1B2330", "#66707F", "#FFFFFF"
#: What is shown around the levels and around the cord, mm.
_BEYOND_MM, _MARGIN_MM = 16.0, 8.0
_VENTRAL_MM, _DORSAL_MM = 34.0, 22.0
#: Shells whose mean is the background of the unrolled cord: where rootlets cross the CSF.
_SHELLS_MM = (0.75, 1.25, 1.75, 2.25)


@dataclass(frozen=True)
class Span:
    """Where one level lies along the centerline, in mm from its start; NaN: not known."""

    level: SpinalLevel
    status: str
    rostral_s_mm: float
    caudal_s_mm: float

    @property
    def middle_s_mm(self) -> float:
        """Middle of the level."""
        return (self.rostral_s_mm + self.caudal_s_mm) / 2

    @property
    def is_measured(self) -> bool:
        """Whether it was seen, and not interpolated or extrapolated from other levels."""
        return self.status == "measured"

    @property
    def is_known(self) -> bool:
        """Whether both borders are known."""
        return bool(np.isfinite(self.middle_s_mm))

    @property
    def name(self) -> str:
        """Name of the level, with an asterisk where it was not measured."""
        return self.level.name if self.is_measured else f"{self.level.name}*"


def spans_of(derived: Derived) -> list[Span]:
    """Return where the levels of a table lie on its centerline, rostral to caudal.

    The table counts mm from its own origin, which may be the PMJ; the borders in the
    world say where they are on the centerline.
    """
    spans = []
    for row in derived.table.rows:
        rostral = _on_centerline(row.rostral_world, derived.centerline)
        caudal = _on_centerline(row.caudal_world, derived.centerline)
        spans.append(Span(row.level, row.status, rostral, caudal))
    return sorted(spans, key=lambda span: span.level.value)


@dataclass(frozen=True, eq=False)
class Scene:
    """What the panels draw.

    Attributes
    ----------
    image, cord, derived, discs
        As :func:`sct_rootlets.qc.figure.draw` takes them.
    known : list of Span
        Levels with both borders.
    s_range_mm : (float, float)
        Part of the cord that is shown, rostral to caudal.
    """

    image: Image
    cord: LabelImage
    derived: Derived
    discs: LabelImage | None
    known: list[Span]
    s_range_mm: tuple[float, float]

    @classmethod
    def of(
        cls, image: Image, cord: LabelImage, derived: Derived, discs: LabelImage | None
    ) -> Scene:
        """Choose what to show: all levels and a little more of the cord."""
        known = [span for span in spans_of(derived) if span.is_known]
        first, last = derived.centerline.start_mm, derived.centerline.end_mm
        low, high = first, last
        if known:
            low = max(first, min(span.rostral_s_mm for span in known) - _BEYOND_MM)
            high = min(last, max(span.caudal_s_mm for span in known) + _BEYOND_MM)
        if high - low < 10:
            low, high = first, last
        return cls(image, cord, derived, discs, known, (float(low), float(high)))

    @property
    def shown(self) -> list[Span]:
        """Levels whose middle is in the part of the cord that is shown."""
        low, high = self.s_range_mm
        return [span for span in self.known if low < span.middle_s_mm < high]

    @property
    def origin_mm(self) -> float:
        """What the table counts at the start of the centerline: 0, or the PMJ's distance."""
        for row in self.derived.table.rows:
            s_mm = _on_centerline(row.rostral_world, self.derived.centerline)
            if row.rostral_mm is not None and np.isfinite(s_mm):
                return row.rostral_mm - s_mm
        return 0.0

    @cached_property
    def sagittal(self) -> Sagittal:
        """The median sheet."""
        return Sagittal(self.derived.centerline, self.s_range_mm)

    @cached_property
    def side_sheet(self) -> Sheet:
        """The part of the median sheet that is shown, cropped to the field of view."""
        s_mm = np.arange(*self.s_range_mm, 1.0)
        curve = self.sagittal.place(self.derived.centerline.point(s_mm))
        sheet = self.sagittal.sheet(
            (float(curve[:, 0].min()) - _VENTRAL_MM, float(curve[:, 0].max()) + _DORSAL_MM),
            (float(curve[:, 1].min()) - _MARGIN_MM, float(curve[:, 1].max()) + _MARGIN_MM),
        )
        return sheet.cropped(self.image.grid.contains(sheet.xyz_world))

    @property
    def side_aspect(self) -> float:
        """Width of the median sheet over its height."""
        left, right, bottom, top = self.side_sheet.extent
        return (right - left) / (bottom - top)

    @property
    def legend(self) -> str:
        """What the marks mean, in two lines."""
        reach = self.derived.entry_zones.reach_mm
        stars = ""
        if not all(span.is_measured for span in self.known):
            stars = "  * and dashed lines: interpolated or extrapolated, not measured."
        discs = "" if self.discs is None else "  Circles: disc labels given."
        return (
            f"Solid: rootlets within {reach:g} mm of the surface of the cord; pale: farther out; "
            "grey: the image 0.75-2.25 mm outside that surface, seen from behind.\n"
            f"V ventral, D dorsal, R right, L left (radiological view).{discs}{stars}"
        )


def draw_side(axes: Axes, scene: Scene) -> None:
    """Draw the median sagittal sheet with the levels painted on the cord."""
    sheet, sagittal = scene.side_sheet, scene.sagittal
    centerline = scene.derived.centerline
    _show_grey(axes, sheet.sample(scene.image), sheet.extent)
    _show_labels(axes, sheet.sample_labels(scene.derived.levels), sheet.extent, 0.5)
    _outline(axes, sheet.sample_labels(scene.cord), sheet)
    for span in scene.shown:
        for s_mm in (span.rostral_s_mm, span.caudal_s_mm):
            ends = np.array([_offset(centerline, s_mm, -6.5), _offset(centerline, s_mm, 6.5)])
            style = "-" if span.is_measured else (0, (2, 1.5))
            axes.plot(*sagittal.place(ends).T, color=_LINE, lw=1.1, ls=style)
        x, y = sagittal.place(_offset(centerline, span.middle_s_mm, 12.0))
        _write(axes, x, y, span.name, 10, _on_dark(colour_of(span.level.value)))
    if scene.discs is not None:
        _mark_discs(axes, scene)
    axes.set_xlim(*sheet.extent[:2])
    axes.set_ylim(*sheet.extent[2:])
    axes.set_anchor("N")
    _bare(axes)
    _scale_bar(axes, sheet.extent)
    for x, text in ((0.03, "V"), (0.97, "D")):
        _write(axes, x, 0.975, text, 9, _LINE, transform=axes.transAxes)


def draw_across(axes: Axes, scene: Scene, span: Span) -> None:
    """Draw the plane across the cord at the middle of one level, in the radiological view."""
    sheet = axial(scene.derived.centerline, span.middle_s_mm)
    _show_grey(axes, sheet.sample(scene.image), sheet.extent)
    labels = sheet.sample_labels(scene.derived.rootlets)
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
    _bare(axes)
    light = _on_dark(colour_of(span.level.value))
    _write(axes, 0.05, 0.92, span.name, 11, light, ha="left", transform=axes.transAxes)
    _write(axes, 0.05, 0.5, "R", 8, _LINE, transform=axes.transAxes)
    _write(axes, 0.95, 0.5, "L", 8, _LINE, transform=axes.transAxes)


def draw_around(axes: Axes, scene: Scene) -> None:
    """Draw the surface of the cord unrolled, with the rootlets and the borders."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    derived, s_range = scene.derived, scene.s_range_mm
    xyz, s_mm, _ = unrolled(scene.cord, derived.centerline, s_range, _SHELLS_MM)
    layers = np.ma.masked_invalid([sample(scene.image, shell) for shell in xyz])
    half = (s_mm[1] - s_mm[0]) / 2
    extent = (*UNROLLED_DEG, float(s_mm[-1] + half), float(s_mm[0] - half))
    _show_grey(axes, layers.mean(axis=0).filled(np.nan), extent, aspect="auto")
    zones, grid = derived.entry_zones, derived.rootlets.grid
    values = derived.rootlets.data[tuple(zones.ijk.T)]
    centre = -np.degrees(zones.angle)
    # A voxel is as wide, in degrees, as it looks from the axis of the cord.
    radius = derived.centerline.project(grid.world_from_ijk(zones.ijk)).radius_mm
    half_mm = 0.5 * np.cbrt(grid.voxel_volume_mm3)
    half_deg = np.degrees(np.arctan(half_mm / np.maximum(radius, 2.0)))
    for within, alpha in ((False, 0.3), (True, 0.9)):
        chosen = np.flatnonzero(zones.within_reach == within)
        boxes = [
            Rectangle((x, y), width, height)
            for x, y, width, height in zip(
                (centre - half_deg)[chosen],
                (zones.s_mm - zones.half_mm)[chosen],
                2 * half_deg[chosen],
                2 * zones.half_mm[chosen],
                strict=True,
            )
        ]
        colours = [colour_of(int(values[k])) for k in chosen]
        axes.add_collection(
            PatchCollection(boxes, facecolor=colours, lw=0, alpha=alpha, antialiased=False)
        )
    for span in scene.known:
        for s in (span.rostral_s_mm, span.caudal_s_mm):
            axes.axhline(s, color=INK, lw=2.4, alpha=0.55)
            axes.axhline(s, color=_LINE, lw=0.9, ls="-" if span.is_measured else (0, (5, 3)))
    for span in scene.shown:
        _tab(axes, span, s_range)
    axes.set_xlim(*UNROLLED_DEG)
    axes.set_ylim(s_range[1], s_range[0])
    axes.set_xticks([-180, -90, 0, 90, 180], ["ventral", "left", "dorsal", "right", "ventral"])
    ticks = np.arange(
        np.ceil((s_range[0] + scene.origin_mm) / 10) * 10, s_range[1] + scene.origin_mm, 10
    )
    axes.set_yticks(ticks - scene.origin_mm, [f"{round(tick)}" for tick in ticks])
    axes.tick_params(labelsize=8, colors=INK, length=3)
    label = f"mm along the cord, from the {derived.table.origin}"
    axes.set_ylabel(label, size=8.5, color=INK)
    for spine in axes.spines.values():
        spine.set_color(QUIET)


def _tab(axes: Axes, span: Span, s_range: tuple[float, float]) -> None:
    """Draw a band in the level's colour, with its name, beside the unrolled cord."""
    from matplotlib.patches import Rectangle

    top, bottom = max(span.rostral_s_mm, s_range[0]), min(span.caudal_s_mm, s_range[1])
    transform = axes.get_yaxis_transform()  # x in shares of the panel, y in mm
    band = Rectangle(
        (1.012, top),
        0.022,
        bottom - top,
        transform=transform,
        facecolor=colour_of(span.level.value),
        edgecolor=INK,
        lw=0.4,
        clip_on=False,
        alpha=1.0 if span.is_measured else 0.5,
    )
    axes.add_patch(band)
    middle = (top + bottom) / 2
    axes.text(1.05, middle, span.name, transform=transform, size=9.5, weight="bold",
              color=INK, va="center")  # fmt: skip


def _mark_discs(axes: Axes, scene: Scene) -> None:
    assert scene.discs is not None
    left, right, bottom, top = scene.side_sheet.extent
    for label in scene.discs.labels:
        if not 2 <= label <= 25:  # the PMJ and other points may be in the same file
            continue
        x, y = scene.sagittal.place(scene.discs.points_world(label).mean(axis=0))
        if left < x < right and top < y < bottom:
            axes.plot(x, y, "o", ms=3.5, mfc="none", mec=_LINE, mew=1.0)
            _write(axes, x - 2.2, y, disc_name(label), 7, _LINE, ha="right", weight="normal")


def _show_grey(axes: Axes, values: Floats, extent: Extent, aspect: Aspect = "equal") -> None:
    from matplotlib.colors import PowerNorm

    seen = values[np.isfinite(values)]
    low, high = np.percentile(seen, (0.5, 99.5)) if seen.size else (0.0, 1.0)
    # A gamma below 1 lifts bone and muscle, dark next to the CSF of a T2w image.
    norm = PowerNorm(0.75, vmin=low, vmax=max(high, low + 1e-6), clip=True)
    smooth = "bilinear" if np.isfinite(values).all() else "nearest"
    axes.imshow(values, extent=extent, cmap="gray", norm=norm, interpolation=smooth, aspect=aspect)
    axes.set_facecolor("black")


def _show_labels(axes: Axes, labels: NDArray[np.int_], extent: Extent, alpha: float) -> None:
    from matplotlib.colors import to_rgba

    pixels = np.zeros((*labels.shape, 4))
    for value in np.unique(labels[labels > 0]):
        pixels[labels == value] = to_rgba(colour_of(int(value)), alpha)
    axes.imshow(pixels, extent=extent, interpolation="nearest", aspect="equal")


def _outline(axes: Axes, mask: NDArray[np.int_], sheet: Sheet) -> None:
    if 0 < np.count_nonzero(mask) < mask.size:
        axes.contour(
            sheet.across, sheet.down, mask != 0, levels=[0.5], colors=[_LINE], linewidths=0.7
        )


def _scale_bar(axes: Axes, extent: Extent) -> None:
    left, right, bottom, _ = extent
    x, y = left + 0.05 * (right - left), bottom - 3.0
    axes.plot([x, x + 10], [y, y], color=_LINE, lw=2.2, solid_capstyle="butt")
    _write(axes, x + 5, y - 2.2, "10 mm", 7.5, _LINE, weight="normal")


def _write(
    axes: Axes, x: float, y: float, text: str, size: float, colour: Any, **kwargs: Any
) -> None:
    from matplotlib.patheffects import withStroke

    style = {"ha": "center", "va": "center", "weight": "bold", **kwargs}
    halo = [withStroke(linewidth=2.2, foreground="#000000B0")]
    axes.text(x, y, text, size=size, color=colour, path_effects=halo, clip_on=True, **style)


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _on_dark(colour: str) -> tuple[float, ...]:
    """Lighten `colour` for text on the image: the blue of C5 is dark."""
    from matplotlib.colors import to_rgb

    return tuple(0.7 * part + 0.3 for part in to_rgb(colour))


def _offset(centerline: Centerline, s_mm: float, dorsal_mm: float) -> Floats:
    """Return the world point (3,) at `s_mm`, moved dorsally by `dorsal_mm`."""
    return np.asarray(centerline.point(s_mm) + dorsal_mm * centerline.frame(s_mm)[2])


def _on_centerline(xyz_world: Any, centerline: Centerline) -> float:
    if xyz_world is None or not np.all(np.isfinite(xyz_world)):
        return float("nan")
    return float(centerline.project(np.asarray(xyz_world, dtype=float)[None]).s_mm[0])
