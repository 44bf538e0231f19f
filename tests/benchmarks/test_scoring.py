"""Scoring: exact on tables whose errors are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import scoring
from benchmarks.phantom_masks import Masks, rendered
from benchmarks.published import published_levels, slice_faces
from benchmarks.scoring import Run, measured_runs, published_runs, true_borders
from sct_rootlets.anatomy import ROOTLET_LEVELS, SpinalLevel
from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable

L = SpinalLevel


@pytest.fixture(scope="module")
def masks() -> Masks:
    return rendered(2, 1.2)


def _table(masks: Masks, definition: str, shift_mm: float = 0.0) -> LevelTable:
    """Make a table of the truth, all borders off by `shift_mm`."""

    def point(s_mm: float) -> tuple[float, float, float]:
        x, y, z = (float(np.interp(s_mm, masks.axis_s_mm, c)) for c in masks.axis_world.T)
        return (x, y, z)

    rows = []
    for level, (rostral, caudal) in true_borders(masks.extents_mm, definition).items():
        if level in ROOTLET_LEVELS:
            a, b = rostral + shift_mm, caudal + shift_mm
            rows.append(LevelRow(level, "measured", a, b, point(a), point(b)))
    return LevelTable(tuple(rows), definition, 1.5)


def test_definitions() -> None:
    extents = {L.C1: (0.0, 5.0), L.C2: (10.0, 15.0), L.C3: (21.0, 26.0)}
    caudal, extent, midgap = (true_borders(extents, d) for d in ("caudal", "extent", "midgap"))
    assert extent == extents
    assert caudal[L.C2] == (10.0, 15.0), "C1 has no rootlets in the masks"
    assert caudal[L.C3] == (15.0, 26.0)
    assert midgap[L.C2] == (7.5, 18.0)
    assert np.isnan(midgap[L.C3][1])


@pytest.mark.parametrize("definition", ["caudal", "extent"])
@pytest.mark.parametrize("shift", [0.0, -0.7])
def test_errors_are_exact(masks: Masks, definition: str, shift: float) -> None:
    table = _table(masks, definition, shift)
    run = scoring._score(masks, table, definition, list(ROOTLET_LEVELS))
    borders = [r for r in run.records if r.what != "midpoint"]
    assert len(borders) == (9 if definition == "caudal" else 16), "shared borders count once"
    assert len(run.records) - len(borders) == 8
    np.testing.assert_allclose([r.error_mm for r in run.records], shift, atol=2e-3)
    assert (run.lost, run.overlaps, run.swaps, run.misnamed, run.cut) == ([], 0, 0, 0, 0)


def test_what_goes_wrong_is_counted(masks: Masks) -> None:
    table = _table(masks, "extent")
    rows = list(table.rows)
    # C5 and C6 change places, and C8 reaches into T1.
    rows[3], rows[4] = (
        replace(rows[4], level=L.C5),
        replace(rows[3], level=L.C6),
    )
    rows[6] = replace(rows[6], caudal_mm=rows[7].rostral_mm + 1)
    rows = [row for row in rows if row.level is not L.C3]
    run = scoring._score(masks, replace(table, rows=tuple(rows)), "extent", list(ROOTLET_LEVELS))
    assert run.lost == ["C3"]
    assert run.swaps == 1
    assert run.misnamed == 2
    assert run.overlaps == 2, "of swapped levels one begins before the other ends"


def test_borders_outside_the_view_are_not_judged(masks: Masks) -> None:
    data = np.asarray(masks.cord.data)
    half = masks.cord.grid.shape[2] // 2
    affine = masks.cord.grid.affine.copy()
    affine[:3, 3] += half * affine[:3, 2]
    i, j, k = data[:, :, half:].shape
    grid = Grid((i, j, k), affine)
    upper = replace(
        masks,
        cord=LabelImage(data[:, :, half:], grid),
        rootlets=LabelImage(masks.rootlets.data[:, :, half:], grid),
    )
    run = scoring._score(upper, _table(masks, "extent"), "extent", [])
    judged = {record.level for record in run.records}
    assert "C2" in judged
    assert "T1" not in judged
    assert run.cut > 0


def test_the_package_itself(masks: Masks) -> None:
    runs = measured_runs(masks, masks.rootlets, masks.cord)
    caudal = next(run for run in runs if run.definition == "caudal")
    assert caudal.crash == ""
    errors = [abs(r.error_mm) for r in caudal.records if r.what == "caudal"]
    assert len(errors) >= 8
    assert np.median(errors) < 1.5
    assert Run.from_json(caudal.to_json()) == caudal


def test_a_crash_is_a_result(masks: Masks) -> None:
    empty = LabelImage(np.zeros_like(masks.rootlets.data), masks.rootlets.grid, None, "nothing")
    for run in measured_runs(masks, empty, masks.cord):
        assert "empty" in run.crash
        assert run.records == []


def _bars() -> tuple[LabelImage, LabelImage]:
    """Return a straight cord along z and rootlets of two levels, 2 and 4 voxels off it."""
    grid = Grid((21, 21, 40), np.diag([-1.0, 1.0, 1.0, 1.0]))
    cord, rootlets = np.zeros(grid.shape, np.int32), np.zeros(grid.shape, np.int32)
    cord[8:13, 8:13] = 1
    rootlets[14:18, 10, 20:26] = 5
    rootlets[16, 10, 8:12] = 6
    return LabelImage(rootlets, grid), LabelImage(cord, grid)


def test_published_slices_in_mm() -> None:
    """Slices within a reach of the cord, and their outer faces, however the image is stored."""
    rootlets, cord = _bars()
    assert published_levels(rootlets, cord, 1) == {}
    assert published_levels(rootlets, cord, 4) == {L.C5: (20, 25), L.C6: (8, 11)}
    s = np.arange(0.0, 45.0, 0.25)
    axis = np.stack([np.full_like(s, -10.0), np.full_like(s, 10.0), 42.0 - s], axis=1)
    expected = {L.C5: (16.5, 22.5)}
    for flip in (False, True):
        images = []
        for image in (rootlets, cord):
            data, affine = np.asarray(image.data), image.grid.affine.copy()
            if flip:  # the third axis becomes the first, and points down
                data = np.flip(np.transpose(data, (2, 0, 1)), 0)
                affine = affine[:, [2, 0, 1, 3]]
                affine[:3, 3] += affine[:3, 0] * (data.shape[0] - 1)
                affine[:3, 0] *= -1
            i, j, k = data.shape
            images.append(LabelImage(data, Grid((i, j, k), affine)))
        slices = published_levels(*images, 2)
        assert slices == {L.C5: (20, 25)}
        faces = slice_faces(images[0].grid, slices, s, axis)
        assert faces[L.C5] == pytest.approx(expected[L.C5], abs=1e-6)


def test_published_method_is_scored(masks: Masks) -> None:
    runs = published_runs(masks, masks.rootlets, masks.cord, (3,))
    caudal, extent = runs
    assert {r.what for r in caudal.records} == {"caudal"}
    assert {r.what for r in extent.records} == {"rostral", "caudal"}
    assert np.median([abs(r.error_mm) for r in extent.records]) < 4
