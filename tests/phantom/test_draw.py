"""What is drawn is an anatomy: in its ranges, reproducible, and its own frame is exact."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from sct_rootlets.anatomy import ROOTLET_LEVELS, Sector, Side, SpinalLevel
from sct_rootlets.phantom import Anatomy, random_anatomy, true_levels
from sct_rootlets.phantom.tissue import cord_coordinates

SEEDS = range(12)


@pytest.fixture(scope="module")
def anatomies() -> list[Anatomy]:
    return [random_anatomy(seed) for seed in SEEDS]


def test_same_seed_same_anatomy_other_seed_another() -> None:
    first, again, other = random_anatomy(3), random_anatomy(3), random_anatomy(4)
    np.testing.assert_array_equal(first.xyz_world, again.xyz_world)
    assert len(first.filaments) == len(again.filaments)
    for one, two in zip(first.filaments, again.filaments, strict=True):
        np.testing.assert_array_equal(one.points_suv, two.points_suv)
    assert np.abs(first.xyz_world - other.xyz_world).max() > 1


def test_s_is_arc_length(anatomies: list[Anatomy]) -> None:
    for anatomy in anatomies:
        steps = np.linalg.norm(np.diff(anatomy.xyz_world, axis=0), axis=1)
        np.testing.assert_allclose(steps, np.diff(anatomy.s_mm), rtol=1e-4)


def test_frame_is_orthonormal_and_points_left_and_dorsally(anatomies: list[Anatomy]) -> None:
    for anatomy in anatomies:
        frame = np.stack(anatomy.frame(), axis=1)  # (M, 3, 3)
        products = frame @ np.moveaxis(frame, 1, 2)
        np.testing.assert_allclose(products, np.broadcast_to(np.eye(3), products.shape), atol=1e-9)
        tangent, left, dorsal = np.moveaxis(frame, 1, 0)
        assert (tangent[:, 2] < 0).all(), "s grows caudally"
        assert (left[:, 0] < 0).all(), "x of RAS+ grows to the right"
        assert (dorsal[:, 1] < 0).all(), "y of RAS+ grows anteriorly"


def test_cord_coordinates_undo_the_way_into_the_world(anatomies: list[Anatomy]) -> None:
    rng = np.random.default_rng(0)
    for anatomy in anatomies:
        suv = np.stack(
            [rng.uniform(-20, 200, 500), rng.uniform(-12, 12, 500), rng.uniform(-12, 12, 500)], 1
        )
        world = anatomy.world_from_suv(suv).astype(np.float32)
        back = np.stack(cord_coordinates(anatomy, world), axis=1)
        # Half a step of the table, where the cord bends most, at 12 mm from its axis.
        np.testing.assert_allclose(back, suv, atol=0.15)


def test_every_level_has_four_fans_of_at_least_three_filaments(anatomies: list[Anatomy]) -> None:
    for anatomy in anatomies:
        for level in ROOTLET_LEVELS:
            for side in Side:
                for sector in Sector:
                    fan = [
                        f
                        for f in anatomy.filaments
                        if (f.level, f.side, f.sector) == (level, side, sector)
                    ]
                    assert len(fan) >= 3
                    u = np.concatenate([f.points_suv[:, 1] for f in fan])
                    assert (u > 0).all() if side is Side.LEFT else (u < 0).all()


def test_ventral_rootlets_start_ventral_and_dorsal_ones_dorsal(anatomies: list[Anatomy]) -> None:
    for anatomy in anatomies:
        for filament in anatomy.filaments:
            if filament.level is None:
                continue
            v_at_cord = filament.points_suv[0, 2]
            assert (v_at_cord > 0) == (filament.sector is Sector.DORSAL)


def test_entry_zones_agree_with_the_measured_subjects(anatomies: list[Anatomy]) -> None:
    # facts: 14 subjects, C3 top 48.2 +- 2.6 mm from the PMJ, T1 bottom 148.3 +- 8.5 mm.
    many = [true_levels(random_anatomy(seed)) for seed in range(40)]
    top = np.array([truth.rows[1].extent_rostral_mm for truth in many])
    bottom = np.array([truth.rows[-1].extent_caudal_mm for truth in many])
    assert truth_is_near(top, 48.2, 2.6)
    assert truth_is_near(bottom, 148.3, 8.5)


def truth_is_near(values: np.ndarray, mean: float, sd: float) -> bool:
    """Say whether the drawn mean is within one measured SD, and the spread is like it."""
    return bool(abs(values.mean() - mean) < sd and 0.5 * sd < values.std() < 3 * sd)


def test_true_borders_are_ordered_and_contiguous(anatomies: list[Anatomy]) -> None:
    for anatomy in anatomies:
        rows = true_levels(anatomy).rows
        assert [row.level for row in rows] == list(ROOTLET_LEVELS)
        for above, below in pairwise(rows):
            assert above.caudal_caudal_mm == below.caudal_rostral_mm
            assert above.extent_caudal_mm < below.extent_caudal_mm
        assert rows[0].level is SpinalLevel.C2
        assert rows[0].caudal_rostral_mm == rows[0].extent_rostral_mm


def test_a_wider_reach_never_shortens_an_entry_zone(anatomies: list[Anatomy]) -> None:
    for anatomy in anatomies[:4]:
        narrow, wide = true_levels(anatomy, 0.75).rows, true_levels(anatomy, 3.0).rows
        for one, other in zip(narrow, wide, strict=True):
            assert other.extent_rostral_mm <= one.extent_rostral_mm
            assert other.extent_caudal_mm >= one.extent_caudal_mm


def test_what_is_sampled_along_the_cord_is_found_at_its_place(anatomy: Anatomy) -> None:
    s = np.random.default_rng(4).uniform(anatomy.s_mm[0], anatomy.s_mm[-1], 50)
    step = anatomy.s_mm[1] - anatomy.s_mm[0]
    np.testing.assert_allclose(anatomy.at(anatomy.s_mm, s), s, atol=step / 2 + 1e-9)
    np.testing.assert_allclose(anatomy.at(anatomy.xyz_world, anatomy.s_mm), anatomy.xyz_world)
    beyond = np.array([anatomy.s_mm[0] - 9, anatomy.s_mm[-1] + 9])
    assert anatomy.nearest(beyond).tolist() == [0, len(anatomy.s_mm) - 1]
