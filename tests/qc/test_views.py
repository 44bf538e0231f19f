"""Sheets show the same anatomy whatever the voxels are, and in true proportion."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.centerline import Centerline
from sct_rootlets.image import Grid, Image, LabelImage
from sct_rootlets.qc.views import Sagittal, Sheet, axial, sample, unrolled
from tests.levels.bent_cord import rotation, turned
from tests.orientations import TURNS


def ramp(spacing: tuple[float, float, float], turn_deg: float = 0.0) -> Image:
    """Make an image whose value is 3 x + 5 y + 7 z (world mm), of any voxel size and obliquity."""
    shape = tuple(int(80 / mm) for mm in spacing)
    affine = np.eye(4)
    affine[:3, :3] = rotation(0, turn_deg) @ np.diag(spacing)
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape) / 2)
    grid = Grid(shape, affine)
    world = grid.world_from_ijk(np.indices(shape).reshape(3, -1).T)
    return Image((world @ [3.0, 5.0, 7.0]).reshape(shape).astype(np.float32), grid)


@pytest.fixture
def curve() -> Centerline:
    """A cord that bends forwards and a little to one side."""
    s = np.linspace(-1, 1, 41)
    points = np.column_stack([2 * s, 6 * s**2, -25 * s])
    return Centerline.from_points(points)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 2.0, 1.1)])
@pytest.mark.parametrize("turn_deg", [0.0, 20.0])
def test_a_sheet_shows_the_world_not_the_voxels(
    curve: Centerline, spacing: tuple[float, float, float], turn_deg: float
) -> None:
    image = ramp(spacing, turn_deg)
    sheets = (axial(curve, 25.0), Sagittal(curve, (0, 50)).sheet((-15, 15), (0, 40)))
    for sheet in sheets:
        expected = sheet.xyz_world @ [3.0, 5.0, 7.0]
        seen = sheet.sample(image)
        assert np.isfinite(seen).mean() > 0.9
        # At most half a voxel beyond the outer centres is held constant.
        inner = np.isfinite(seen) & (np.abs(sheet.xyz_world) < 30).all(axis=-1)
        np.testing.assert_allclose(seen[inner], expected[inner], atol=0.05)


def test_every_orientation_of_the_voxels_gives_the_same_sheet(curve: Centerline) -> None:
    image = ramp((1.0, 1.5, 2.0))
    expected = axial(curve, 25.0).sample(image)
    for axes, flips in TURNS:
        twin = turned(image, axes, flips)
        np.testing.assert_allclose(axial(curve, 25.0).sample(twin), expected, atol=1e-3)


def test_axial_columns_run_to_the_left_and_rows_to_the_back() -> None:
    cord = Centerline.from_points([[0, 0, 10], [0, 0, 0], [0, 0, -10]])
    sheet = axial(cord, 10.0)
    right, left = sheet.xyz_world[100, 0], sheet.xyz_world[100, -1]
    front, back = sheet.xyz_world[0, 100], sheet.xyz_world[-1, 100]
    assert right[0] > left[0]  # RAS: x grows to the right
    assert front[1] > back[1]


def test_axial_is_perpendicular_to_the_cord(curve: Centerline) -> None:
    sheet = axial(curve, 10.0)
    tangent = curve.frame(10.0)[0]
    across = (sheet.xyz_world - curve.point(10.0)) @ tangent
    np.testing.assert_allclose(across, 0, atol=1e-9)


def test_the_sagittal_sheet_follows_the_cord_sideways(curve: Centerline) -> None:
    sagittal = Sagittal(curve, (0, curve.end_mm))
    sheet = sagittal.sheet((-10, 10), (0, 45))
    points = curve.point(np.linspace(2, curve.end_mm - 8, 20))
    flat = sheet.xyz_world.reshape(-1, 3)
    nearest = [np.linalg.norm(flat - point, axis=1).min() for point in points]
    assert max(nearest) < 0.3


def test_the_sagittal_sheet_keeps_distances(curve: Centerline) -> None:
    sagittal = Sagittal(curve, (0, curve.end_mm))
    a, b = np.array([0.0, 3.0, 12.0]), np.array([0.0, -9.0, -4.0])  # apart in y and z only
    assert np.linalg.norm(sagittal.place(a) - sagittal.place(b)) == pytest.approx(20.0, abs=0.1)


def test_the_sagittal_sheet_stands_upright_with_the_front_to_the_left(curve: Centerline) -> None:
    sagittal = Sagittal(curve, (0, curve.end_mm))
    head, feet = sagittal.place([[0, 0, 20], [0, 0, -20]])
    front, back = sagittal.place([[0, 20, 0], [0, -20, 0]])
    assert head[1] < feet[1]
    assert front[0] < back[0]


def test_outside_the_image_nothing_is_seen() -> None:
    image = ramp((1.0, 1.0, 1.0))
    assert np.isnan(sample(image, np.array([[500.0, 0.0, 0.0]]))).all()
    labels = LabelImage(np.ones(image.data.shape, int), image.grid)
    far = Sheet(np.full((2, 2, 3), 500.0), np.arange(2.0), np.arange(2.0))
    assert (far.sample_labels(labels) == 0).all()


def test_cropping_keeps_what_was_seen() -> None:
    seen = np.zeros((6, 5), dtype=bool)
    seen[1:4, 2:5] = True
    sheet = Sheet(np.zeros((6, 5, 3)), np.arange(5.0), 10 + np.arange(6.0))
    cropped = sheet.cropped(seen)
    np.testing.assert_array_equal(cropped.across, [2, 3, 4])
    np.testing.assert_array_equal(cropped.down, [11, 12, 13])
    assert cropped.extent == (1.5, 4.5, 13.5, 10.5)


def test_the_unrolled_cord_is_seen_from_behind_at_its_own_radius() -> None:
    shape = (41, 41, 60)
    affine = np.eye(4)
    affine[:3, 3] = (-20, -20, 0)
    grid = Grid(shape, affine)
    x, y, _ = np.moveaxis(grid.world_from_ijk(np.indices(shape).reshape(3, -1).T), -1, 0)
    cord = LabelImage((np.hypot(x, y) <= 5).reshape(shape).astype(int), grid)
    centerline = Centerline.fit(cord)
    xyz, s_mm, angle_deg = unrolled(cord, centerline, (10, 50), [2.0])
    assert xyz.shape == (1, len(s_mm), len(angle_deg), 3)
    radius = np.hypot(xyz[..., 0], xyz[..., 1])
    np.testing.assert_allclose(radius, 7.0, atol=0.4)  # a cylinder of 1 mm voxels
    left = xyz[0, :, np.abs(angle_deg + 90).argmin()]
    dorsal = xyz[0, :, np.abs(angle_deg).argmin()]
    assert (left[:, 0] < -6).all()  # RAS: the subject's left is negative x
    assert (dorsal[:, 1] < -6).all()
