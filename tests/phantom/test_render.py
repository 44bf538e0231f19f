"""A rendering is pure, and its labels lie where the anatomy says."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid
from sct_rootlets.phantom import Acquisition, Anatomy, Phantom, make_grid, render, render_labels
from sct_rootlets.phantom.tissue import cord_coordinates

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
            field_of_view_mm=(28, 44, 48),
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


def test_field_of_view_that_misses_the_cord(anatomy: Anatomy) -> None:
    affine = np.eye(4)
    affine[:3, 3] = 500
    for function in (render, render_labels):
        with pytest.raises(InputError, match="misses the cord"):
            function(anatomy, Grid((8, 8, 8), affine))
