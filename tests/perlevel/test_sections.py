"""Sections perpendicular to the cord: areas and diameters of cords that are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from sct_rootlets.centerline import Centerline
from sct_rootlets.image import Grid, Image, LabelImage
from sct_rootlets.perlevel.sections import Sections, cut_sections
from tests.levels.bent_cord import AP_MM, LR_MM, BentCord, rotation
from tests.levels.cylinder import cylinder

AREA_MM2 = np.pi * LR_MM * AP_MM
#: Mean height of the ellipse over its middle 3 mm.
AP_MEAN_MM = float(np.mean(2 * AP_MM * np.sqrt(1 - (np.linspace(-1.5, 1.5, 3001) / LR_MM) ** 2)))


def cut(cord: LabelImage) -> Sections:
    return cut_sections(cord, Centerline.fit(cord))


def mean(sections: Sections, name: str) -> float:
    return float(sections.shapes[name][sections.is_whole].mean())


ANGLES = st.floats(-40, 40)
SHIFTS = st.floats(0, 0.99)


# Not shrunk: a failing example says enough, and every one takes a third of a second.
@settings(max_examples=6, deadline=None, derandomize=True, phases=[Phase.generate])
@given(
    spacing=st.sampled_from([(0.5, 0.5, 0.5), (0.8, 0.8, 0.8), (0.6, 0.6, 2.0), (0.8, 0.7, 1.2)]),
    tilt=st.tuples(ANGLES, ANGLES, ANGLES),
    shift=st.tuples(SHIFTS, SHIFTS, SHIFTS),
)
def test_a_cylinder_at_any_obliquity_has_its_area_and_diameters(
    spacing: tuple[float, float, float],
    tilt: tuple[float, float, float],
    shift: tuple[float, float, float],
) -> None:
    # Along an axis of the grid all slices are alike, and what a mask of whole voxels has of the
    # section is a matter of luck: see the next test.
    assume(abs(tilt[0]) + abs(tilt[1]) > 4)
    turn = rotation(0, tilt[0]) @ rotation(1, tilt[1]) @ rotation(2, tilt[2])
    sections = cut(cylinder(spacing, turn, length_mm=40.0, shift=shift))
    assert sections.is_whole.sum() > 50
    assert mean(sections, "area") == pytest.approx(AREA_MM2, rel=0.025)
    assert mean(sections, "diameter_RL") == pytest.approx(2 * LR_MM, rel=0.025)
    assert mean(sections, "diameter_AP") == pytest.approx(AP_MEAN_MM, rel=0.03)
    assert mean(sections, "eccentricity") == pytest.approx(np.sqrt(1 - (4 / 6) ** 2), abs=0.03)


@pytest.mark.parametrize("degrees", [0.0, 25.0])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 3.0, 0.7), (1.0, 1.0, 3.0)])
def test_the_area_is_that_of_the_voxels_however_large_they_are(
    spacing: tuple[float, float, float], degrees: float
) -> None:
    """Cavalieri: what is lost on large voxels is lost by the mask, not by the planes."""
    turn = rotation(0, degrees) @ rotation(1, degrees / 2) @ rotation(2, degrees)
    cord = cylinder(spacing, turn, length_mm=72.0)
    by_voxels = np.count_nonzero(cord.data) * cord.grid.voxel_volume_mm3 / 72.0
    assert mean(cut(cord), "area") == pytest.approx(by_voxels, rel=0.006)


@pytest.mark.parametrize("radius_mm", [40.0, 90.0])
def test_a_bent_cord_has_the_area_of_its_section(radius_mm: float) -> None:
    bent = BentCord(length_mm=60.0, radius_mm=radius_mm)
    grid = bent.grid((0.8, 0.8, 0.8), rotation(0, 15.0))
    s, left, dorsal = bent.cord_coordinates(
        grid.world_from_ijk(np.moveaxis(np.indices(grid.shape), 0, -1))
    )
    inside = (np.hypot(left / LR_MM, dorsal / AP_MM) <= 1) & (s >= 0) & (s <= 60)
    cord = LabelImage(inside.astype(np.int32), grid)
    sections = cut(cord)
    assert mean(sections, "area") == pytest.approx(AREA_MM2, rel=0.015)
    assert sections.shapes["area"][sections.is_whole].std() < 0.03 * AREA_MM2
    # Axial slices of the same cord are larger, by one over the cosine of the angle.
    slices = np.asarray(cord.data).sum(axis=(0, 1)) * 0.8**2
    assert slices.max() > 1.1 * AREA_MM2
    # Pappus: sections times the length of their centres are the volume.
    volume = np.count_nonzero(cord.data) * cord.grid.voxel_volume_mm3
    assert sections.volume_mm3.sum() == pytest.approx(volume, rel=0.015)


def test_shares_count_as_much_as_they_are() -> None:
    cord = cylinder((1.0, 1.0, 1.0), rotation(0, 10.0))
    curve = Centerline.fit(cord)
    half = Image(cord.data * np.float32(0.5), cord.grid)
    whole, less = (cut_sections(image, curve) for image in (cord, half))
    np.testing.assert_allclose(less.shapes["area"], whole.shapes["area"] / 2)


def test_only_the_piece_at_the_centerline_counts() -> None:
    cord = cylinder((0.5, 0.5, 0.5), ap_mm=3.0)
    curve = Centerline.fit(cord)
    x, y, z = np.moveaxis(cord.grid.world_from_ijk(np.indices(cord.grid.shape).T).T, 0, 0)
    blob = (np.hypot(x, y - 6.5) < 1) & (np.abs(z) < 10)
    assert blob.any()
    other = cord.with_data(np.where(blob, 1, cord.data))
    with_blob = cut_sections(other, curve)
    np.testing.assert_allclose(
        with_blob.shapes["area"], cut_sections(cord, curve).shapes["area"], rtol=1e-6
    )


def test_sections_that_the_image_or_the_mask_cuts_are_not_whole() -> None:
    cord = cylinder((1.0, 1.0, 1.0), rotation(0, 30.0))
    sections = cut(cord)
    away = np.abs(np.mean(sections.s_mm) - sections.s_mm)
    # A cut of 30 degrees through a cord 8 mm thick reaches 2.3 mm along it.
    assert not sections.is_whole[away > 30 - 0.3].any()
    assert sections.is_whole[away < 30 - 4].all()
    assert np.isnan(sections.shapes["area"][~sections.is_whole]).all()
    # The image ends within the cord, on one side.
    side = cord.grid.ijk_from_world([0.0, -2.0, 0.0])[1]
    first = int(side)
    grid = Grid((cord.grid.shape[0], cord.grid.shape[1] - first, cord.grid.shape[2]),
                cord.grid.affine.copy())  # fmt: skip
    grid.affine[:3, 3] = cord.grid.world_from_ijk([0, first, 0])
    part = LabelImage(cord.data[:, first:], grid)
    assert not cut_sections(part, Centerline.fit(cord)).is_whole.all()


def test_large_voxels_do_not_widen_the_ellipse() -> None:
    """Linear interpolation alone would add 4 % to RL and 8 % to the ellipse's AP here."""
    cord = cylinder((2.0, 2.0, 2.0), rotation(0, 25.0) @ rotation(2, 20.0), length_mm=80.0)
    sections = cut(cord)
    assert mean(sections, "diameter_RL") == pytest.approx(2 * LR_MM, rel=0.015)
    assert mean(sections, "eccentricity") == pytest.approx(np.sqrt(1 - (4 / 6) ** 2), abs=0.02)


def test_a_ragged_last_slice_is_no_section() -> None:
    cord = cylinder((1.0, 1.0, 3.0))
    last = int(np.flatnonzero(np.asarray(cord.data).sum(axis=(0, 1)))[-1])
    data = np.array(cord.data)
    rag = np.argwhere(data[:, :, last])[:6]
    data[rag[:, 0], rag[:, 1], last + 1] = 1
    areas = cut(cord.with_data(data)).shapes["area"]
    assert np.nanmin(areas) > 0.97 * np.nanmax(areas)
