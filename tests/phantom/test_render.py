"""A rendering is pure, and its labels lie where the anatomy says."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.anatomy import ROOTLET_LEVELS
from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid
from sct_rootlets.phantom import (
    Acquisition,
    Anatomy,
    Phantom,
    make_grid,
    render,
    render_labels,
)
from sct_rootlets.phantom.model import Filament
from sct_rootlets.phantom.tissue import cord_coordinates
from sct_rootlets.phantom.tubes import tubes

SMALL = (24.0, 40.0, 40.0)


@pytest.fixture(scope="module")
def small_grid(anatomy: Anatomy) -> Grid:
    return make_grid(anatomy, (1.2, 1.2, 1.2), field_of_view_mm=SMALL)


def test_pure(anatomy: Anatomy, small_grid: Grid) -> None:
    first, again = (render(anatomy, small_grid, Acquisition(seed=2)) for _ in range(2))
    np.testing.assert_array_equal(first.image.data, again.image.data)
    np.testing.assert_array_equal(first.parts.data, again.parts.data)
    other = render(anatomy, small_grid, Acquisition(seed=3))
    np.testing.assert_array_equal(first.rootlets.data, other.rootlets.data)
    assert not np.array_equal(first.image.data, other.image.data)


@pytest.mark.parametrize(
    ("spacing", "orientation", "oblique"),
    [((1.2, 1.2, 1.2), "RPI", 0.0), ((0.7, 0.7, 2.5), "AIL", 25.0), ((2.0, 0.9, 0.9), "LPS", -9.0)],
)
def test_labels_alone_are_those_of_the_whole(
    anatomy: Anatomy, spacing: tuple[float, float, float], orientation: str, oblique: float
) -> None:
    grid = make_grid(
        anatomy, spacing, orientation_sct=orientation, oblique_deg=oblique, field_of_view_mm=SMALL
    )
    whole, labels = render(anatomy, grid), render_labels(anatomy, grid)
    for name in ("cord", "rootlets", "parts", "discs", "pmj"):
        np.testing.assert_array_equal(getattr(labels, name).data, getattr(whole, name).data)
    assert labels.rootlets.labels


def test_structures_exclude_one_another(phantom_small: Phantom) -> None:
    cord, csf = phantom_small.cord.data > 0, phantom_small.csf.data > 0
    rootlets = phantom_small.rootlets.data > 0
    assert not (cord & csf).any()
    assert not (cord & rootlets).any()
    assert not (csf & rootlets).any()
    assert phantom_small.rootlets.labels == [level.value for level in ROOTLET_LEVELS]


def test_parts_agree_with_levels_and_sides(anatomy: Anatomy, phantom_small: Phantom) -> None:
    parts, rootlets = phantom_small.parts.data, phantom_small.rootlets
    np.testing.assert_array_equal(parts // 10, rootlets.data)
    xyz = rootlets.points_world().astype(np.float32)
    _, u, _ = cord_coordinates(anatomy, xyz)
    left = np.isin(parts[parts > 0] % 10, (1, 2))
    np.testing.assert_array_equal(u > 0, left)


def test_cord_is_as_wide_as_the_anatomy_says(anatomy: Anatomy, phantom_small: Phantom) -> None:
    s, u, v = cord_coordinates(anatomy, phantom_small.cord.points_world().astype(np.float32))
    for start in (60, 90, 120):
        here = (s > start) & (s < start + 6)
        at = np.array([start + 3.0])
        assert np.ptp(u[here]) / 2 == pytest.approx(anatomy.at(anatomy.cord_lr_mm, at)[0], abs=0.7)
        assert np.ptp(v[here]) / 2 == pytest.approx(anatomy.at(anatomy.cord_ap_mm, at)[0], abs=0.9)


def test_cord_volume_does_not_depend_on_the_grid(anatomy: Anatomy) -> None:
    volumes = []
    for spacing, orientation, oblique in (
        ((1.0, 1.0, 1.0), "RPI", 0.0),
        ((1.0, 1.0, 1.0), "AIL", 0.0),
        ((0.8, 0.8, 2.4), "LPS", 15.0),
    ):
        grid = make_grid(
            anatomy, spacing, orientation_sct=orientation, oblique_deg=oblique,
            field_of_view_mm=(40, 60, 60),
        )  # fmt: skip
        assert grid.orientation_sct == orientation
        phantom = render(anatomy, grid)
        s, _, _ = cord_coordinates(anatomy, phantom.cord.points_world().astype(np.float32))
        if not volumes:
            middle = float(np.median(anatomy.s_mm[grid.contains(anatomy.xyz_world)]))
        # A voxel that straddles an end counts by the share of it that lies inside.
        height = float(np.abs(grid.affine[2, :3]).max())
        share = np.clip((15 - np.abs(s - middle)) / height + 0.5, 0, 1)
        volumes.append(share.sum() * grid.voxel_volume_mm3)
    # Voxels that are just half cord count whole: of 8 points at 1 mm that is 3 % of the volume.
    np.testing.assert_allclose(volumes, volumes[0], rtol=0.05)


def test_t2_like_contrast(phantom_small: Phantom) -> None:
    image = phantom_small.image.data
    csf, cord = image[phantom_small.csf.data > 0].mean(), image[phantom_small.cord.data > 0].mean()
    rootlets = image[phantom_small.rootlets.data > 0].mean()
    assert csf > 1.5 * cord
    assert cord < rootlets < csf, "rootlets are thin: they share their voxels with CSF"


def test_field_of_view_that_misses_the_cord(anatomy: Anatomy) -> None:
    affine = np.eye(4)
    affine[:3, 3] = 500
    for function in (render, render_labels):
        with pytest.raises(InputError, match="misses the cord"):
            function(anatomy, Grid((8, 8, 8), affine))


def test_tubes_measure_the_distance_to_a_straight_filament(anatomy: Anatomy) -> None:
    at = anatomy.s_mm[np.argmin(np.abs(anatomy.s_mm - 90))]
    points = np.stack([np.full(81, at), np.linspace(0, 8, 81), np.full(81, 5.0)], axis=1)
    level = anatomy.filaments[0].level
    side, sector = anatomy.filaments[0].side, anatomy.filaments[0].sector
    thread = Filament(level, side, sector, 0.6, points, np.zeros(81))
    ends = anatomy.world_from_suv(points[[0, -1]])
    affine = np.diag([0.4, 0.5, 0.6, 1.0])
    affine[:3, 3] = ends.mean(axis=0) - affine[:3, :3] @ np.array([19.5, 9.5, 9.5])
    grid = Grid((40, 20, 20), affine)
    distance, owner = tubes(anatomy, [thread], grid, np.array([0.6]))
    xyz = grid.world_from_ijk(np.indices(grid.shape).reshape(3, -1).T)
    along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    t = np.clip((xyz - ends[0]) @ along, 0, np.linalg.norm(ends[1] - ends[0]))
    exact = np.linalg.norm(xyz - ends[0] - t[:, None] * along, axis=1) - 0.6
    near = np.isfinite(distance.ravel())
    np.testing.assert_allclose(distance.ravel()[near], exact[near], atol=0.03)
    assert (near == (exact < 0.36)).mean() > 0.99
    assert (owner.ravel()[near] == 0).all()
