"""What the panels of the figure draw: the levels, what is shown of the cord, landmarks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.image import Grid, Image, LabelImage
from sct_rootlets.qc.views import Coronal, Sagittal, Sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sct_rootlets.centerline import Centerline
    from sct_rootlets.levels.derive import Derived

__all__ = [
    "bands_of",
    "Extent",
    "Scene",
    "Span",
    "grey_scale",
    "show_grey",
    "side_sheet",
    "spans_of",
]

Floats = NDArray[np.float64]
Extent = tuple[float, float, float, float]
Aspect = Literal["equal", "auto"]

#: What is shown around the levels and around the cord, mm.
_BEYOND_MM, _MARGIN_MM = 16.0, 8.0
_VENTRAL_MM, _DORSAL_MM, _ASIDE_MM = 34.0, 22.0, 20.0
#: Part of a level that must be shown for it to have a band, mm.
_LEAST_MM = 1.0


@dataclass(frozen=True)
class Span:
    """Where one level lies along the centerline, in mm from its start; NaN: not known."""

    level: SpinalLevel
    status: str
    rostral_s_mm: float
    caudal_s_mm: float
    rostral_sd_mm: float | None = None
    caudal_sd_mm: float | None = None
    flags: tuple[str, ...] = ()

    @property
    def borders(self) -> tuple[tuple[float, float | None], tuple[float, float | None]]:
        """Both borders, each with its standard deviation."""
        return (self.rostral_s_mm, self.rostral_sd_mm), (self.caudal_s_mm, self.caudal_sd_mm)

    @property
    def cut_rostral(self) -> bool:
        """Whether the field of view ends within the level, rostrally."""
        return "cut_rostral" in self.flags

    @property
    def cut_caudal(self) -> bool:
        """Whether the field of view ends within the level, caudally."""
        return "cut_caudal" in self.flags

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
        sd = row.rostral_sd_mm, row.caudal_sd_mm
        spans.append(Span(row.level, row.status, rostral, caudal, *sd, row.flags))
    return sorted(spans, key=lambda span: span.level.value)


def bands_of(spans: Iterable[Span], s_range_mm: tuple[float, float]) -> list[Span]:
    """Return the levels of which a part lies in a part of the cord."""
    low, high = s_range_mm
    return [
        span
        for span in spans
        if min(span.caudal_s_mm, high) - max(span.rostral_s_mm, low) >= _LEAST_MM
    ]


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

    image: Image | None
    cord: LabelImage
    derived: Derived
    discs: LabelImage | None
    known: list[Span]
    s_range_mm: tuple[float, float]

    @classmethod
    def of(
        cls, image: Image | None, cord: LabelImage, derived: Derived, discs: LabelImage | None
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
    def bands(self) -> list[Span]:
        """Levels of which a part is shown."""
        return bands_of(self.known, self.s_range_mm)

    @property
    def names_mm(self) -> float:
        """How far behind the cord the names of the levels stand, mm."""
        return 12.0

    @cached_property
    def discs_s_mm(self) -> dict[int, float]:
        """Position of the discs along the centerline, by disc label."""
        column = getattr(self.derived, "column", None)
        if column is not None:  # of disc labels, of a labelled cord, or of body centres
            return dict(column.disc_s_mm)
        if self.discs is None:
            return {}
        points = {
            label: self.discs.points_world(label).mean(axis=0)
            for label in self.discs.labels
            if 2 <= label <= 25  # the PMJ and other points may be in the same file
        }
        return {k: _on_centerline(p, self.derived.centerline) for k, p in points.items()}

    @property
    def pmj_s_mm(self) -> float | None:
        """Position of the pontomedullary junction along the centerline."""
        pmj_mm = self.derived.table.pmj_mm
        return None if pmj_mm is None else pmj_mm - self.origin_mm

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
        grid = (self.image or self.cord).grid
        return side_sheet(self.sagittal, self.centerline, self.s_range_mm, grid)

    @cached_property
    def coronal(self) -> Coronal:
        """The coronal sheet."""
        return Coronal(self.derived.centerline, self.s_range_mm)

    @cached_property
    def front_sheet(self) -> Sheet:
        """The part of the coronal sheet around the cord, cropped to the field of view."""
        curve = self.coronal.place(self.centerline.point(np.arange(*self.s_range_mm, 1.0)))
        down = self.side_sheet.down
        sheet = self.coronal.sheet(
            (float(curve[:, 0].min()) - _ASIDE_MM, float(curve[:, 0].max()) + _ASIDE_MM),
            (float(down[0]), float(down[-1])),
        )
        return sheet.cropped((self.image or self.cord).grid.contains(sheet.xyz_world))

    @property
    def centerline(self) -> Centerline:
        """The cord as a curve."""
        return self.derived.centerline

    @property
    def levels(self) -> LabelImage:
        """The levels painted on the cord."""
        return self.derived.levels

    @property
    def front_aspect(self) -> float:
        """Width of the coronal sheet over its height."""
        left, right, bottom, top = self.front_sheet.extent
        return (right - left) / (bottom - top)

    @property
    def side_aspect(self) -> float:
        """Width of the median sheet over its height."""
        left, right, bottom, top = self.side_sheet.extent
        return (right - left) / (bottom - top)

    @property
    def legend(self) -> str:
        """What the marks mean that the legend with its symbols does not say."""
        zones = self.derived.entry_zones
        lines = []
        if zones is not None and self.derived.rootlets is not None:
            lines.append(
                f"Solid: rootlets within {zones.reach_mm:g} mm of the surface of the cord; pale: "
                "farther out. The cord is seen from behind."
            )
        if self.image is not None:
            lines.append(
                "Grey: the image 0.75-2.25 mm outside that surface. V ventral, D dorsal, R right, "
                "L left (radiological view)."
            )
        if not all(span.is_measured for span in self.known):
            lines.append("* and dashed lines: not measured.")
        return "\n".join(lines)


def side_sheet(
    sagittal: Sagittal, centerline: Centerline, s_range_mm: tuple[float, float], seen: Grid
) -> Sheet:
    """Return the part of the median sheet around the cord, cropped to the voxels `seen`."""
    curve = sagittal.place(centerline.point(np.arange(*s_range_mm, 1.0)))
    sheet = sagittal.sheet(
        (float(curve[:, 0].min()) - _VENTRAL_MM, float(curve[:, 0].max()) + _DORSAL_MM),
        (float(curve[:, 1].min()) - _MARGIN_MM, float(curve[:, 1].max()) + _MARGIN_MM),
    )
    return sheet.cropped(seen.contains(sheet.xyz_world))


def grey_scale(values: Floats) -> Floats:
    """Return grey values (...) as shares of white, 0 to 1, NaN as NaN."""
    seen = values[np.isfinite(values)]
    low, high = np.percentile(seen, (0.5, 99.5)) if seen.size else (0.0, 1.0)
    # A gamma below 1 lifts bone and muscle, dark next to the CSF of a T2w image.
    return np.asarray(np.clip((values - low) / max(high - low, 1e-6), 0, 1) ** 0.75)


def show_grey(axes: Axes, values: Floats, extent: Extent, aspect: Aspect = "equal") -> None:
    """Show grey values (R, C), NaN in black."""
    smooth = "bilinear" if np.isfinite(values).all() else "nearest"
    axes.imshow(
        grey_scale(values),
        extent=extent,
        cmap="gray",
        vmin=0,
        vmax=1,
        interpolation=smooth,
        aspect=aspect,
    )
    axes.set_facecolor("black")


def _on_centerline(xyz_world: Any, centerline: Centerline) -> float:
    if xyz_world is None or not np.all(np.isfinite(xyz_world)):
        return float("nan")
    return float(centerline.project(np.asarray(xyz_world, dtype=float)[None]).s_mm[0])
