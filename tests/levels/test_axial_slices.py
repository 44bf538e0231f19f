"""Axial slices: where they lie along the cord, and which level they belong to."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.image import Grid
from sct_rootlets.levels.axial_slices import slice_positions, with_slices
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable
from tests.levels.bent_cord import rotation

C4, C5, C6 = (SpinalLevel(value) for value in (4, 5, 6))
#: 10 x 12 x 40 voxels of 1 x 1 x 2 mm; index 0 of the last axis is the inferior end.
AFFINE = np.diag([-1.0, 1.0, 2.0, 1.0])
GRID = Grid((10, 12, 40), AFFINE)


def straight(top_mm: float = 75.0, bottom_mm: float = 5.0) -> Centerline:
    """Return a straight centerline from z = `top_mm` down."""
    return Centerline.from_points([(-5.0, 5.0, top_mm), (-5.0, 5.0, bottom_mm)])


def table(*borders: tuple[float, float], pmj_mm: float | None = None) -> LevelTable:
    rows = [LevelRow(SpinalLevel(k), "measured", *mm) for k, mm in enumerate(borders, 4)]
    return LevelTable((*rows, LevelRow(SpinalLevel.C8, "unseen")), "caudal", 1.5, pmj_mm=pmj_mm)


def test_slices_of_an_oblique_grid() -> None:
    affine = AFFINE.copy()
    affine[:3, :3] = rotation(0, 25.0) @ AFFINE[:3, :3]
    grid = Grid(GRID.shape, affine)
    at = slice_positions(grid, straight(), 2)
    # Planes tilted by 25 degrees are farther apart along the cord.
    np.testing.assert_allclose(np.diff(at), -2.0 / np.cos(np.radians(25.0)), atol=1e-6)
    ijk = grid.ijk_from_world(straight().point(at))
    np.testing.assert_allclose(ijk[:, 2], np.arange(40), atol=1e-6)


def test_slices_count_from_the_inferior_end() -> None:
    found = with_slices(table((15.0, 25.0), (25.0, 41.0), pmj_mm=-20.0), GRID, straight())
    c4, c5 = (found.row(level).slices for level in (C4, C5))
    # z from 60 to 50 mm, that is slices 30 to 26 (at 60 and 52 mm); the border at 50 mm is C5's.
    assert (c4.start, c4.end) == (26, 30)
    assert (c4.start_from_pmj_mm, c4.end_from_pmj_mm) == pytest.approx((43.0, 35.0))
    assert c4.height_mm == pytest.approx(8.0)
    assert (c5.start, c5.end) == (18, 25)
    assert found.row(SpinalLevel.C8).slices is None


def test_without_a_pmj_there_are_heights_and_a_level_between_two_slices_has_none() -> None:
    slices = with_slices(table((15.0, 25.0)), GRID, straight()).row(C4).slices
    assert (slices.start_from_pmj_mm, slices.height_mm) == (None, pytest.approx(8.0))
    assert with_slices(table((15.3, 16.7)), GRID, straight()).row(C4).slices is None


def test_slices_that_are_known_already_stay() -> None:
    once = with_slices(table((15.0, 25.0)), GRID, straight())
    assert with_slices(once, Grid((10, 12, 20), AFFINE), straight()) == once


def test_slices_beyond_the_cord_belong_to_no_level() -> None:
    found = with_slices(table((-9.0, 5.0), (60.0, 90.0)), GRID, straight())
    c4, c5 = (found.row(level).slices for level in (C4, C5))
    assert (c4.start, c4.end) == (36, 37)  # 75 mm is the end of the cord; slice 38 is at 76
    assert (c5.start, c5.end) == (3, 7)  # the cord ends at 5 mm
