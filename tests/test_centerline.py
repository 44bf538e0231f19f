"""The centerline against curves that are known exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid, LabelImage
from tests.levels.bent_cord import BentCord, rotation, turned
from tests.orientations import TURNS

CORD = BentCord()
GRIDS = {
    "0.8 mm": ((0.8, 0.8, 0.8), np.eye(3)),
    "1 mm": ((1.0, 1.0, 1.0), np.eye(3)),
    "1x1x2 mm": ((1.0, 1.0, 2.0), np.eye(3)),
    "0.5x0.5x3 mm": ((0.5, 0.5, 3.0), np.eye(3)),
    "sagittal 2 mm": ((2.0, 0.8, 0.8), np.eye(3)),
    "oblique": ((1.0, 1.0, 1.0), rotation(0, 30) @ rotation(2, 15)),
}


@pytest.fixture(scope="module")
def cord_1mm() -> LabelImage:
    return CORD.render(CORD.grid((1.0, 1.0, 1.0)))[0]


def _off_curve(curve: Centerline) -> float:
    """Largest distance of the fitted curve from the true one, mm."""
    _, left, dorsal = CORD.cord_coordinates(curve.xyz_world)
    return float(np.hypot(left, dorsal).max())


def _off_ends(curve: Centerline) -> tuple[float, float]:
    s = CORD.cord_coordinates(curve.xyz_world[[0, -1]])[0]
    return float(s[0]), float(s[1] - CORD.length_mm)


def test_arc_length_of_an_analytic_helix() -> None:
    t = np.linspace(0, 4, 60)
    helix = np.stack([20 * np.cos(t), 20 * np.sin(t), -30 * t], axis=1)
    curve = Centerline.from_points(helix)
    # Chords of 2.4 mm alone would miss 0.006 mm.
    assert curve.end_mm == pytest.approx(4 * np.hypot(20, 30), abs=2e-3)


@pytest.mark.parametrize("name", GRIDS)
def test_fit_finds_curve_length_and_ends(name: str) -> None:
    spacing, turn = GRIDS[name]
    curve = Centerline.fit(CORD.render(CORD.grid(spacing, turn))[0])
    coarse = max(spacing)
    assert _off_curve(curve) < 0.1 + 0.12 * coarse
    start, end = _off_ends(curve)
    # A slice is cord or not as a whole, so that an end is known to half a slice.
    assert abs(start) < 0.3 + 0.5 * coarse
    assert abs(end) < 0.3 + 0.5 * coarse
    # Between two world points the arc length has no such limit.
    points = CORD.world(np.array([10.0, 50.0]), np.zeros(2), np.zeros(2))
    s = curve.project(points).s_mm
    assert s[1] - s[0] == pytest.approx(40.0, abs=0.1)


def test_frame_points_caudal_left_and_dorsal(cord_1mm: LabelImage) -> None:
    curve = Centerline.fit(cord_1mm)
    tangent, left, dorsal = curve.frame(np.array([-5.0, 0.0, 20.0, 70.0]))
    assert np.all(tangent[:, 2] < -0.8)
    assert np.all(left[:, 0] < -0.9)  # RAS+: the subject's left is -x
    assert np.all(dorsal[:, 1] < -0.8)
    stack = np.stack([tangent, left, dorsal], axis=1)
    assert np.allclose(stack @ stack.transpose(0, 2, 1), np.eye(3), atol=1e-9)
    assert curve.start_mm == curve.s_mm[0] == 0.0
    assert np.all(np.diff(curve.s_mm) > 0)


@settings(max_examples=40, deadline=None)
@given(s=st.floats(2, 58), left=st.floats(-12, 12), dorsal=st.floats(-12, 12))
def test_project_inverts_the_known_curve(s: float, left: float, dorsal: float) -> None:
    at = np.arange(0, 60.01, 0.5)
    curve = Centerline.from_points(CORD.world(at, np.zeros_like(at), np.zeros_like(at)))
    found = curve.project(CORD.world(np.array([s]), np.array([left]), np.array([dorsal])))
    assert found.s_mm[0] == pytest.approx(s, abs=0.02)
    assert found.left_mm[0] == pytest.approx(left, abs=0.01)
    assert found.dorsal_mm[0] == pytest.approx(dorsal, abs=0.01)


def test_the_curve_goes_on_straight_beyond_the_mask(cord_1mm: LabelImage) -> None:
    curve = Centerline.fit(cord_1mm)
    assert np.allclose(curve.point(-8.0), curve.point(0.0) - 8 * curve.tangent[0])
    found = curve.project(curve.point(np.array([-8.0, curve.end_mm + 8])))
    assert np.allclose(found.s_mm, [-8.0, curve.end_mm + 8], atol=1e-5)


def test_every_orientation_gives_the_same_curve(cord_1mm: LabelImage) -> None:
    reference = Centerline.fit(cord_1mm)
    for axes, flips in TURNS:
        curve = Centerline.fit(turned(cord_1mm, axes, flips))
        assert curve.end_mm == pytest.approx(reference.end_mm, abs=1e-6)
        assert np.allclose(curve.xyz_world, reference.xyz_world, atol=1e-6)


def _blemished(cord: LabelImage, blemish: str) -> LabelImage:
    data = cord.data.copy()
    ijk = np.argwhere(data)
    s = CORD.cord_coordinates(cord.grid.world_from_ijk(ijk))[0]
    rng = np.random.default_rng(5)
    if blemish == "holes":
        data[tuple(ijk[rng.random(len(ijk)) < 0.1].T)] = 0
    elif blemish == "gap":
        data[tuple(ijk[(s > 25) & (s < 33)].T)] = 0
    elif blemish == "ragged end":
        data[tuple(ijk[(s < 3) & (rng.random(len(ijk)) < 0.7)].T)] = 0
    elif blemish == "stray part":
        low = np.array(data.shape) * [0.02, 0.02, 0.5]
        i, j, k = low.astype(int)
        data[i : i + 3, j : j + 3, k : k + 5] = 1
        data[-1, -1, -1] = 1
    return cord.with_data(data)


@pytest.mark.parametrize("blemish", ["holes", "gap", "ragged end", "stray part"])
def test_a_blemished_mask_gives_nearly_the_same_curve(cord_1mm: LabelImage, blemish: str) -> None:
    damaged = _blemished(cord_1mm, blemish)
    assert damaged.data.sum() != cord_1mm.data.sum()
    curve = Centerline.fit(damaged)
    assert _off_curve(curve) < 0.4
    start, end = _off_ends(curve)
    assert abs(start) < (3.5 if blemish == "ragged end" else 1.0)
    assert abs(end) < 1.0


def _blob(shape: tuple[int, int, int], size: tuple[int, int, int]) -> LabelImage:
    data = np.zeros(shape, dtype=np.int32)
    data[: size[0], : size[1], : size[2]] = 1
    return LabelImage(data, Grid(shape, np.eye(4)), None, "blob.nii.gz")


@pytest.mark.parametrize("size", [(0, 0, 0), (8, 8, 1), (8, 8, 10), (40, 40, 40)], ids=str)
def test_what_is_no_cord_is_refused(size: tuple[int, int, int]) -> None:
    with pytest.raises(InputError, match="cord"):
        Centerline.fit(_blob((44, 44, 44), size))


@pytest.mark.parametrize("points", [np.zeros((1, 3)), np.zeros((3, 2)), np.zeros((4, 3))])
def test_from_points_refuses_what_is_no_curve(points: np.ndarray) -> None:
    with pytest.raises(InputError, match="centerline"):
        Centerline.from_points(points)
