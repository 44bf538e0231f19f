"""The mosaic: which course it follows, every tile on the cord, in true proportion."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as Picture
from scipy.spatial import cKDTree

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.colours import colour_of
from sct_rootlets.image import Grid, Image, LabelImage
from sct_rootlets.levels import Derived, derive
from sct_rootlets.qc import mosaic
from sct_rootlets.qc.course import UNNAMED, Course
from sct_rootlets.qc.mosaic import HALF_MM, Layout, Mosaic
from tests.levels.bent_cord import rotation, turned
from tests.synthetic import Neck

pytest.importorskip("matplotlib")


Pixels = NDArray[np.uint8]


#: Radius of the cord of the phantom, mm.
RADIUS_MM = 4.0


def curve_world() -> NDArray[np.float64]:
    """Return a cord that bends forwards and sideways, 25 mm off the middle of its image."""
    t = np.linspace(0, 1, 201)
    return np.column_stack([18 + 6 * np.sin(2 * t), -17 + 14 * t**2, 45 - 90 * t])


def oblique_grid(spacing: tuple[float, float, float]) -> Grid:
    """Return a grid of 90x80x110 mm that stands oblique to all axes of the world."""
    shape = tuple(round(mm / step) for mm, step in zip((90, 80, 110), spacing, strict=True))
    affine = np.eye(4)
    affine[:3, :3] = rotation(0, 17) @ rotation(1, -11) @ np.diag(spacing)
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape) / 2)
    return Grid(shape, affine)


@functools.cache
def phantom(
    spacing: tuple[float, float, float] = (0.8, 0.8, 3.0),
) -> tuple[Image, LabelImage, LabelImage]:
    """Return image, cord and rootlets, of which C5 is on the left alone, on an oblique grid."""
    grid = oblique_grid(spacing)
    curve = Centerline.from_points(curve_world())
    world = grid.world_from_ijk(np.indices(grid.shape).reshape(3, -1).T)
    # What is far from the cord is in none of its parts, and its place along it is not asked for.
    away, _ = cKDTree(curve.xyz_world).query(world, distance_upper_bound=12.0)
    near = np.flatnonzero(np.isfinite(away))
    at = curve.project(world[near])
    inside = (at.s_mm > 0) & (at.s_mm < curve.end_mm)
    cord = np.zeros(grid.shape, dtype=bool)
    cord.ravel()[near] = inside & (at.radius_mm < RADIUS_MM)
    # Two rows at each side, behind and before the cord.
    beside = inside & (np.hypot(np.abs(at.left_mm) - 5.5, np.abs(at.dorsal_mm) - 2.5) < 1.6)
    rootlets = np.zeros(len(world), dtype=np.int32)
    rootlets[near[beside & (at.s_mm > 20) & (at.s_mm < 32)]] = 3
    rootlets[near[beside & (at.s_mm > 45) & (at.s_mm < 57)]] = 4
    rootlets[near[beside & (at.s_mm > 64) & (at.s_mm < 76) & (at.left_mm > 0)]] = 5
    rng = np.random.default_rng(3)
    grey = -150 * cord.ravel() + rng.normal(0, 10, len(world)) + 60
    grey[near[at.radius_mm < 9]] += 300
    return (
        Image(grey.reshape(grid.shape).astype(np.float32), grid),
        LabelImage(cord.astype(np.int32), grid),
        LabelImage(rootlets.reshape(grid.shape), grid),
    )


#: Pixels of the files for each of the page.
FINE = mosaic._FINE


@pytest.fixture(scope="module", autouse=True)
def as_coarse_as_the_page() -> Iterator[None]:
    """Draw less than half the pixels, but in the test that looks at their number."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mosaic, "_FINE", 1.0)
        yield


@pytest.fixture(scope="module")
def course(neck: Neck, derived: Derived) -> Course:
    return Course.of_levels(neck.image, neck.cord, derived, neck.discs)


@pytest.fixture(scope="module")
def drawn_phantom() -> Mosaic:
    """Return the mosaic of the phantom, with the subject's right on the left."""
    image, cord, rootlets = phantom()
    return mosaic.draw(Course.of_rootlets(image, rootlets, cord))


@pytest.fixture(scope="module")
def drawn(course: Course) -> Mosaic:
    return mosaic.draw(course, footer="compact 1.0")


def pixels(png: bytes) -> Pixels:
    with Picture.open(io.BytesIO(png)) as picture:
        return np.asarray(picture)


def layout_of(course: Course) -> Layout:
    left, right, bottom, top = course.side_sheet.extent
    return Layout.of(len(mosaic.stations(course)), (right - left) / (bottom - top))


def tiles_of(course: Course, png: bytes) -> list[Pixels]:
    """Cut the tiles out of a layer."""
    layout, whole = layout_of(course), pixels(png)
    size = layout.pixels
    places = np.rint(np.array(layout.places) * layout.scale).astype(int)
    return [whole[y : y + size, x : x + size] for x, y in places]


def has_colour(picture: Pixels, colour: str) -> bool:
    """Say whether a colour is somewhere in a layer, opaque."""
    rgb = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    return bool(((np.abs(picture[..., :3].astype(int) - rgb).max(axis=-1) <= 2)
                 & (picture[..., 3] > 250)).any())  # fmt: skip


def test_both_layers_have_the_same_size_and_that_of_the_page(drawn: Mosaic, course: Course) -> None:
    background, overlay = pixels(drawn.background), pixels(drawn.overlay)
    layout = layout_of(course)
    assert background.shape == overlay.shape[:2]
    assert background.shape == (layout.height, mosaic.WIDTH)
    assert background.ndim == 2  # greys alone
    assert overlay.shape[2] == 4


def test_the_overlay_is_transparent_where_nothing_was_found(drawn: Mosaic, course: Course) -> None:
    seen = pixels(drawn.overlay)[..., 3] > 0
    assert 0.01 < seen.mean() < 0.25
    # Below the last level a tile has no more than the outline of the cord.
    last = tiles_of(course, drawn.overlay)[-1][..., 3] > 0
    middle = len(last) // 2
    assert 0 < last.mean() < 0.05
    assert not last[: middle // 2].any()
    assert not last[middle - 3 : middle + 3, middle - 3 : middle + 3].any()


def test_every_level_has_its_colour_and_a_plane_of_its_own(
    drawn: Mosaic, course: Course, derived: Derived
) -> None:
    overlay = pixels(drawn.overlay)
    at = mosaic.stations(course)
    measured = [row.level for row in derived.table.rows if row.status == "measured"]
    assert len(measured) == 4
    for level in measured:
        assert has_colour(overlay, colour_of(level.value))
        assert any(level in [span.level for span in course.spans_at(s)] for s in at)
    assert not has_colour(overlay, colour_of(SpinalLevel.C7.value))


def test_planes_are_evenly_spaced_at_whole_millimetres(course: Course) -> None:
    low, high = course.s_range_mm
    at = mosaic.stations(course)
    np.testing.assert_allclose(np.diff(at), 3.0)
    np.testing.assert_allclose(np.mod(at + course.origin_mm, 3.0) % 3.0, 0, atol=1e-6)
    assert low <= at[0] < low + 3
    assert high - 3 < at[-1] <= high
    shifted = replace(course, origin_mm=0.7)
    np.testing.assert_allclose(np.mod(mosaic.stations(shifted) + 0.7, 3.0), 0, atol=1e-6)


def test_planes_are_farther_apart_along_a_long_cord() -> None:
    line = Centerline.from_points([[0, 0, 480], [0, 0, 0]])
    grid = Grid((20, 20, 500), np.diag([2.0, 2.0, 1.0, 1.0]))
    image = Image(np.zeros((20, 20, 500), np.float32), grid)
    for length, step in ((100, 3), (150, 4), (190, 5), (460, 6)):
        at = mosaic.stations(Course(line, (10.0, 10.0 + length), image))
        np.testing.assert_allclose(np.diff(at), step)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 0.8, 3.0), (2.5, 0.7, 0.7)])
def test_the_cord_is_in_the_middle_of_every_tile(spacing: tuple[float, float, float]) -> None:
    image, cord, rootlets = phantom(spacing)
    course = Course.of_rootlets(image, rootlets, cord)
    at = mosaic.stations(course)
    points = mosaic.tile_points(course, at, 130)
    masks = course.labels(cord, points)
    assert len(masks) > 10
    mm = 2 * HALF_MM / 130
    for mask in masks:
        rows, columns = np.nonzero(mask)
        # A section of few voxels has its middle within a part of one.
        near = 0.3 + 0.15 * max(spacing)
        assert abs(rows.mean() - 64.5) * mm < near
        assert abs(columns.mean() - 64.5) * mm < near
        # Round in the world, so round on the screen, within the voxels it is made of.
        assert np.ptp(rows) * mm == pytest.approx(2 * RADIUS_MM, abs=1.2 * max(spacing))
        assert np.ptp(columns) * mm == pytest.approx(2 * RADIUS_MM, abs=1.2 * max(spacing))


def test_the_cord_is_in_the_middle_of_the_picture_itself() -> None:
    image, cord, rootlets = phantom()
    bright = image.with_data((cord.data > 0).astype(np.float32))
    course = Course.of_rootlets(bright, rootlets, cord)
    tiles = tiles_of(course, mosaic.draw(course).background)
    for tile in tiles:
        size = len(tile)
        edge = size // 4  # what is written stands at the edges
        inner = tile[edge : size - edge, edge : size - edge] > 127
        rows, columns = np.nonzero(inner)
        mm = 2 * HALF_MM / size
        assert abs(rows.mean() - (len(inner) - 1) / 2) * mm < 0.6
        assert abs(columns.mean() - (len(inner) - 1) / 2) * mm < 0.6
        area = inner.sum() * mm**2
        assert area == pytest.approx(np.pi * RADIUS_MM**2, rel=0.25)


def test_a_millimetre_is_square_on_the_median_sheet() -> None:
    image, cord, rootlets = phantom((2.5, 0.7, 0.7))
    course = Course.of_rootlets(image, rootlets, cord)
    left, right, bottom, top = course.side_sheet.extent
    _, _, wide, tall = layout_of(course).side
    assert wide / (right - left) == pytest.approx(tall / (bottom - top), rel=0.01)


def test_another_orientation_of_the_voxels_gives_the_same_picture(drawn_phantom: Mosaic) -> None:
    image, cord, rootlets = phantom()
    twins = [turned(one, (2, 0, 1), (False, True, False)) for one in (image, rootlets, cord)]
    drawn = mosaic.draw(Course.of_rootlets(*twins))
    for layer in ("background", "overlay"):
        a, b = pixels(getattr(drawn_phantom, layer)), pixels(getattr(drawn, layer))
        assert a.shape == b.shape
        # A rounding may put a point on the border of two voxels into the other one.
        assert (np.abs(a.astype(int) - b.astype(int)) > 8).mean() < 2e-3


def test_the_left_is_where_it_is_said_to_be(drawn_phantom: Mosaic) -> None:
    image, cord, rootlets = phantom()
    course = Course.of_rootlets(image, rootlets, cord)
    at = mosaic.stations(course)
    only_left = [k for k, s in enumerate(at) if 66 < s < 74]
    assert only_left
    for left_on_left in (False, True):
        drawn = mosaic.draw(course, left_on_left=True) if left_on_left else drawn_phantom
        tiles = tiles_of(course, drawn.overlay)
        for k in only_left:
            found = tiles[k][:, 8:, 3] > 0  # past the strip at the left edge
            rows = slice(len(found) // 4, 3 * len(found) // 4)
            left, right = np.array_split(found[rows], 2, axis=1)
            assert (left.sum() > right.sum()) == left_on_left


def test_without_a_cord_the_tiles_are_centred_on_the_rootlets() -> None:
    image, cord, rootlets = phantom()
    both_sides = rootlets.with_data(np.where(rootlets.data == 5, 0, rootlets.data))
    course = Course.of_rootlets(image, both_sides)
    points = mosaic.tile_points(course, mosaic.stations(course), 65)
    masks = course.labels(cord, points)
    for mask in masks:
        rows, columns = np.nonzero(mask)
        assert np.abs([rows.mean() - 32, columns.mean() - 32]).max() * 2 * HALF_MM / 65 < 3.0
    overlay = pixels(mosaic.draw(course).overlay)
    assert has_colour(overlay, colour_of(3))


def test_rootlets_without_a_level_have_a_colour_of_no_level() -> None:
    image, cord, rootlets = phantom()
    plain = rootlets.with_data((rootlets.data > 0).astype(np.int32))
    overlay = pixels(mosaic.draw(Course.of_rootlets(image, plain, cord, named=False)).overlay)
    assert has_colour(overlay, UNNAMED)
    assert not has_colour(overlay, colour_of(1))


def test_nothing_found_is_a_picture_too() -> None:
    image, _, rootlets = phantom()
    empty = rootlets.with_data(np.zeros_like(rootlets.data))
    drawn = mosaic.draw(Course.of_rootlets(image, empty))
    background, overlay = pixels(drawn.background), pixels(drawn.overlay)
    assert background.std() > 20
    assert (overlay[..., 3] > 0).any()  # the words that say so
    assert (overlay[..., 3] > 0).mean() < 0.02


def test_levels_without_rootlets_and_without_an_image(neck: Neck, derived: Derived) -> None:
    predicted = replace(derived, rootlets=None, entry_zones=None)
    drawn = mosaic.draw(Course.of_levels(None, neck.cord, predicted))
    assert set(np.unique(pixels(drawn.background)[:100, :100])) != {0}
    assert has_colour(pixels(drawn.overlay), colour_of(4))


def test_the_files_are_fine_and_small_whatever_the_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mosaic, "_FINE", FINE)
    image, cord, rootlets = phantom()
    noise = np.random.default_rng(0).uniform(0, 500, image.data.shape).astype(np.float32)
    drawn = mosaic.draw(Course.of_rootlets(image.with_data(noise), rootlets, cord))
    assert pixels(drawn.background).shape[1] == mosaic.WIDTH * 1.5
    assert len(drawn.background) + len(drawn.overlay) < 1.5e6


@given(st.integers(1, 80), st.floats(25, 120))
def test_panels_fit_the_page_and_do_not_overlap(count: int, wide_mm: float) -> None:
    layout = Layout.of(count, wide_mm / (4 * count + 16))
    left, top, wide, tall = layout.side
    assert len(layout.places) == count
    assert (left, top) == (0, 0)
    assert layout.tile >= 60
    assert 0 < tall < layout.height
    assert wide > 0
    for x, y in layout.places:
        assert x >= wide
        assert x + layout.tile <= mosaic.WIDTH
        assert y + layout.tile <= layout.height
    xs, ys = zip(*layout.places, strict=True)
    for values in (sorted(set(xs)), sorted(set(ys))):
        assert all(b - a > layout.tile for a, b in pairwise(values))


def test_a_false_rootlet_far_away_does_not_bend_the_curve() -> None:
    image, _, rootlets = phantom()
    data = rootlets.data.copy()
    data[3, 3, 3] = 3
    straight = Course.of_rootlets(image, rootlets).centerline
    bent = Course.of_rootlets(image, rootlets.with_data(data)).centerline
    near = bent.project(straight.xyz_world[5:-5])
    assert near.radius_mm.max() < 1.0


def test_a_cord_mask_that_is_a_stump_is_not_followed() -> None:
    image, cord, rootlets = phantom((1.0, 1.0, 1.0))
    s = Centerline.from_points(curve_world()).project(cord.points_world()).s_mm
    stump = np.zeros_like(cord.data)
    stump[tuple(np.argwhere(cord.data)[s < 6].T)] = 1
    course = Course.of_rootlets(image, rootlets, cord.with_data(stump))
    assert course.origin == "top of the rootlets"


def test_false_rootlets_beyond_the_levels_are_shown(neck: Neck) -> None:
    data = neck.rootlets.data.copy()
    data[22:24, 12, 2:6] = 6  # far below C6
    derived = derive(neck.rootlets.with_data(data), neck.cord)
    course = Course.of_levels(neck.image, neck.cord, derived)
    assert course.s_range_mm[1] > 94
