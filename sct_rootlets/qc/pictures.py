"""The figure of one image as small pictures for a page of many: marked, bare, and a thumbnail.

The marked picture is the whole figure of :mod:`sct_rootlets.qc.figure`; the bare one has the grey
values alone in its panels, pixel on pixel, so that a page can show and hide what was found. They
are WebP, which is much smaller than PNG, and which every browser reads since 2020.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sct_rootlets.image import Image, LabelImage
from sct_rootlets.qc import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL.Image import Image as Picture

    from sct_rootlets.levels.derive import Derived

__all__ = ["Pictures", "draw"]

#: Pixels per inch of the figure, and WebP's quality of the pictures, of 100.
_DPI, _QUALITY, _THUMBNAIL_QUALITY = 100, 62, 60
#: Height of the thumbnail, pixels.
_THUMBNAIL = 132


@dataclass(frozen=True)
class Pictures:
    """Pictures of one image, as the bytes of WebP files.

    Attributes
    ----------
    marked : bytes
        The figure.
    bare : bytes
        The same, of the same size, without what was found; empty where there is no image.
    thumbnail : bytes
        The median sheet of the figure, or the unrolled cord where there is no image.
    size : (int, int)
        Width and height of the two large ones, pixels.
    thumbnail_size : (int, int)
    """

    marked: bytes
    bare: bytes
    thumbnail: bytes
    size: tuple[int, int]
    thumbnail_size: tuple[int, int]


def draw(
    *,
    image: Image | None,
    cord: LabelImage,
    derived: Derived,
    title: str,
    subtitle: str = "",
    discs: LabelImage | None = None,
) -> Pictures:
    """Draw one image; parameters as :func:`sct_rootlets.qc.figure.draw` has them.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    drawn = figure.draw(
        image=image,
        cord=cord,
        derived=derived,
        title=title,
        subtitle=subtitle,
        discs=discs,
        front=True,
        dpi=_DPI,
    )
    canvas = _canvas(drawn)
    canvas.draw()
    marked = _picture(canvas)
    small = marked.crop(_pixels(drawn, drawn.axes[0]))
    small.thumbnail((10 * _THUMBNAIL, _THUMBNAIL))
    bare = b""
    if image is not None:
        for axes in drawn.axes:
            _draw_bare(axes, canvas.get_renderer())
        bare = _webp(_picture(canvas), _QUALITY)
    return Pictures(
        _webp(marked, _QUALITY),
        bare,
        _webp(small, _THUMBNAIL_QUALITY),
        marked.size,
        small.size,
    )


def _canvas(drawn: Figure) -> FigureCanvasAgg:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    return FigureCanvasAgg(drawn)


def _picture(canvas: FigureCanvasAgg) -> Picture:
    """Return what is on a canvas now."""
    from PIL import Image as Pictures  # which writes the PNG files of matplotlib

    size = canvas.get_width_height()
    pixels = bytes(canvas.buffer_rgba())
    return Pictures.frombytes("RGBA", size, pixels).convert("RGB")


def _pixels(drawn: Figure, axes: Axes) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what axes cover of a figure, in pixels."""
    height = drawn.bbox.height
    box = axes.get_window_extent()
    return round(box.x0), round(height - box.y1), round(box.x1), round(height - box.y0)


def _draw_bare(axes: Axes, renderer: Any) -> None:
    """Draw a panel once more over itself: its grey values and the letters, which find nothing."""
    if axes.images:
        for artist in (axes.patch, axes.images[0], *axes.texts):
            artist.draw(renderer)


def _webp(picture: Picture, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format="WEBP", quality=quality, method=2)
    return buffer.getvalue()
