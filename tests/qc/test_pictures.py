"""The small pictures of a report: what they show, their size, and that nothing is squeezed."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sct_rootlets.image import Grid, Image, LabelImage
from sct_rootlets.inputs import LandmarkImages
from sct_rootlets.levels import Derived, derive
from tests.levels.bent_cord import rotation
from tests.synthetic import ZONES_MM, make_neck

pytest.importorskip("matplotlib")

from PIL import Image as Pillow

from sct_rootlets.qc import figure
from sct_rootlets.qc.pictures import Pictures, draw

RADIUS_MM = 4.0


def pixels(content: bytes) -> NDArray[np.int_]:
    return np.asarray(Pillow.open(io.BytesIO(content)).convert("RGB"), dtype=int)


@pytest.fixture(scope="module")
def derived() -> Derived:
    neck = make_neck()
    return derive(neck.rootlets, neck.cord, LandmarkImages(neck.discs))


@pytest.fixture(scope="module")
def drawn(derived: Derived) -> Pictures:
    neck = make_neck()
    return draw(image=neck.image, cord=neck.cord, derived=derived, title="t2.nii.gz")


def test_marked_and_bare_have_one_size_and_differ_by_colour(drawn: Pictures) -> None:
    marked, bare = pixels(drawn.marked), pixels(drawn.bare)
    assert marked.shape == bare.shape == (drawn.size[1], drawn.size[0], 3)

    def coloured(picture: NDArray[np.int_]) -> int:
        return int((np.ptp(picture, axis=2) > 60).sum())

    # What is left of colours in the bare one are names, and the bands beside the panels.
    assert coloured(bare) < 0.4 * coloured(marked)


def test_a_thumbnail_is_a_thumbnail(drawn: Pictures) -> None:
    small = pixels(drawn.thumbnail)
    assert small.shape == (drawn.thumbnail_size[1], drawn.thumbnail_size[0], 3)
    assert small.shape[0] == 132
    assert len(drawn.thumbnail) < 8_000
    assert len(drawn.marked) + len(drawn.bare) < 180_000


def test_without_an_image_the_unrolled_cord_stands_alone(derived: Derived) -> None:
    made = draw(image=None, cord=make_neck().cord, derived=derived, title="t2.nii.gz")
    assert made.bare == b""
    assert made.thumbnail_size[1] == 132


def test_the_subjects_right_is_left_in_the_coronal_sheet(derived: Derived) -> None:
    neck = make_neck()
    data = np.zeros(neck.image.data.shape, dtype=np.float32)
    data[:10] = 100.0  # RAS: the first axis runs from the left to the right
    image = Image(data, neck.image.grid)
    shown = figure.draw(image=image, cord=neck.cord, derived=derived, title="", front=True)
    values = np.asarray(shown.axes[1].images[0].get_array(), dtype=float)
    left, right = values[:, : values.shape[1] // 4], values[:, -values.shape[1] // 4 :]
    # x = -16 is the subject's left: it is on the right of the panel.
    assert np.nanmean(right) > np.nanmean(left) + 0.5


def tube(spacing_mm: tuple[float, float, float], oblique_deg: float) -> Any:
    """Return an image that is bright along a line, with a round cord and levels, on any grid."""
    size = np.array([44.0, 44.0, 110.0])
    shape = np.rint(size / spacing_mm).astype(int)
    turn = rotation(1, oblique_deg / 2) @ rotation(0, oblique_deg)
    affine = np.eye(4)
    affine[:3, :3] = turn * spacing_mm
    affine[:3, 3] = -affine[:3, :3] @ ((shape - 1) / 2)
    i, j, k = (int(n) for n in shape)
    grid = Grid((i, j, k), affine)
    x, y, z = np.moveaxis(grid.world_from_ijk(np.indices(shape).reshape(3, -1).T), -1, 0)
    radius, along = np.hypot(x, y).reshape(shape), (50 - z).reshape(shape)
    inside = (np.abs(z).reshape(shape)) < 48
    cord = (radius <= RADIUS_MM) & inside
    rootlets = np.zeros(shape, dtype=np.int32)
    for value, (start, end) in ZONES_MM.items():
        ring = (radius > RADIUS_MM) & (radius < RADIUS_MM + 2.5)
        rootlets[ring & (along >= start) & (along < end)] = value
    # A cone: interpolated between voxels it has circles for its levels, however coarse they are.
    grey = np.clip(16 - radius, 0, None).astype(np.float32)
    grey[0, 0, 0] = -1
    cord_image = LabelImage(cord.astype(np.int32), grid)
    return Image(grey, grid), cord_image, derive(LabelImage(rootlets, grid), cord_image)


@pytest.mark.parametrize(
    ("spacing_mm", "oblique_deg"),
    [((1.0, 1.0, 1.0), 25.0), ((2.4, 0.8, 0.8), 0.0), ((0.8, 0.8, 3.0), 0.0),
     ((0.8, 0.8, 2.4), 15.0)],
)  # fmt: skip
def test_a_circle_is_a_circle_whatever_the_voxels_are(
    spacing_mm: tuple[float, float, float], oblique_deg: float
) -> None:
    image, cord, derived = tube(spacing_mm, oblique_deg)
    shown = figure.draw(image=image, cord=cord, derived=derived, title="", front=True, dpi=100)
    shown.canvas.draw()
    tiles = shown.axes[2:-1]
    assert len(tiles) == len(ZONES_MM)
    for axes in tiles:
        grey = axes.images[0]
        values = np.nan_to_num(np.asarray(grey.get_array(), dtype=float))
        high = values >= 0.5 * values.max()
        rows, columns = (np.flatnonzero(high.any(axis=axis)) for axis in (1, 0))
        box = axes.get_window_extent()
        left, right, bottom, top = grey.get_extent()
        # Pixels on the page of what is bright, across and down.
        limits = [np.ptp(limit) for limit in (axes.get_xlim(), axes.get_ylim())]
        across = len(columns) / values.shape[1] * (right - left) / limits[0] * box.width
        down = len(rows) / values.shape[0] * (bottom - top) / limits[1] * box.height
        assert across / down == pytest.approx(1, abs=0.05)
    # And a millimetre is as long across as it is down in the median and the coronal sheet.
    for axes in shown.axes[:2]:
        box = axes.get_window_extent()
        assert box.width / np.ptp(axes.get_xlim()) == pytest.approx(
            box.height / np.ptp(axes.get_ylim()), rel=0.02
        )
