"""The figure of an activity profile."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.fmri import MappedLevels, analyse
from tests.fmri.planted import BORDERS, Planted, write_map

pytest.importorskip("matplotlib")

from sct_rootlets.fmri.profiles import level_positions, profile_of
from sct_rootlets.qc.figure import png
from sct_rootlets.qc.profile import draw

C5 = SpinalLevel.C5


def analysis_of(planted: Planted, data: np.ndarray | None, **options: Any) -> Any:
    mapped = planted.mapped()
    if data is None:
        return analyse(mapped, func=planted.folder / "bold.nii.gz", **options)
    return analyse(mapped, maps=[write_map(planted, data)], **options)


@pytest.fixture
def left_dorsal_of_c5(planted: Planted) -> np.ndarray:
    """A map that is 4 in the left dorsal quadrant of C5 and 0 elsewhere."""
    ijk = np.indices(planted.grid.shape).reshape(3, -1).T
    x, y, _ = planted.grid.world_from_ijk(ijk).T
    quadrant = ((x < 0) & (y < 0)).reshape(planted.grid.shape)
    return np.asarray(4.0 * quadrant * (planted.share[..., 2] > 0))


def test_a_quadrant_is_where_it_belongs(planted: Planted, left_dorsal_of_c5: np.ndarray) -> None:
    profile = profile_of(analysis_of(planted, left_dorsal_of_c5))
    band = next(band for band in profile.bands if band.level is C5)
    assert band.quadrants[0] == pytest.approx(4, rel=0.05)
    assert max(band.quadrants[1:]) < 0.2
    assert band.mean == pytest.approx(1, abs=0.1)
    row, column = np.unravel_index(np.nanargmax(profile.around), profile.around.shape)
    angle = (column + 0.5) * 360 / profile.around.shape[1] - 180
    assert -90 < angle < 0, "left is -90 and dorsal 0, as in the figure of the levels"
    # All four slices that hold a part of it are as bright.
    assert profile.edges_mm[row] < band.caudal_mm
    assert profile.edges_mm[row + 1] > band.rostral_mm
    around = np.arange(profile.around.shape[1])
    at_ventral = profile.around[row, np.abs(around - around.mean()) > 30]
    assert np.nanmax(at_ventral) < 1


def test_levels_lie_where_they_do_within_the_slices(mapped: MappedLevels) -> None:
    """The first slice begins 16 mm below the top, and C3 at 20 mm."""
    order, places = level_positions(mapped.fractions)
    assert list(order) == list(range(11, 0, -1))
    ends = [places[level] for level in mapped.fractions.levels]
    np.testing.assert_allclose([a for a, _ in ends], np.array(BORDERS[:-1]) - 16, atol=0.3)
    np.testing.assert_allclose([b for _, b in ends], np.array(BORDERS[1:]) - 16, atol=0.3)


def test_a_map_with_both_signs_has_colours_about_0(
    planted: Planted, left_dorsal_of_c5: np.ndarray
) -> None:
    signed = draw(profile_of(analysis_of(planted, left_dorsal_of_c5 - 1.0, threshold=2.3)))
    mesh = signed.axes[0].collections[0]
    assert mesh.norm.vmin == -mesh.norm.vmax
    assert any(np.allclose(line.get_xdata(), 2.3) for line in signed.axes[2].lines)
    texts = [text.get_text() for axes in signed.axes for text in axes.texts]
    assert {"C3", "C4", "C5", "C6"} < set(texts)


def test_a_series_is_drawn_by_its_tsnr(planted: Planted) -> None:
    analysis = analysis_of(planted, None)
    profile = profile_of(analysis)
    assert profile.quantity == "tSNR"
    rows = {row["name"]: row for row in analysis.series.rows}
    for band in profile.bands:
        assert band.mean == pytest.approx(float(rows[str(band.level)]["tsnr"]), rel=1e-5)
    assert png(draw(profile_of(analysis))).startswith(b"\x89PNG")


def test_a_level_of_which_no_voxel_entered_leaves_room(planted: Planted) -> None:
    mask = np.ones(planted.grid.shape, dtype=np.uint8)
    mask[planted.share[..., 1] > 0] = 0
    analysis = analysis_of(planted, None, mask=write_map(planted, mask, "mask.nii.gz"))
    band = next(b for b in profile_of(analysis).bands if b.level is SpinalLevel.C4)
    assert np.isnan(band.mean)
    assert np.isnan(band.quadrants).all()
    assert png(draw(profile_of(analysis))).startswith(b"\x89PNG")
