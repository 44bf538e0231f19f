"""How sure the fractions of a slice are, against what can be computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.fmri import level_fractions
from sct_rootlets.fmri.borders_on_cord import BordersOnCord
from sct_rootlets.fmri.transforms import IDENTITY
from sct_rootlets.fmri.uncertainty import slice_ranges, spread_of_fractions
from sct_rootlets.image import Image
from tests.fmri.straight import levels_on, slices, table_of

C3, C4 = SpinalLevel.C3, SpinalLevel.C4
BORDERS = (10.0, 40.0, 80.0)
Spread = dict[tuple[int, SpinalLevel], tuple[float, float]]


def spread(sd_mm: tuple[float | None, ...], epi: Image) -> Spread:
    labels = levels_on(BORDERS)
    borders = BordersOnCord.of(labels, table_of(BORDERS, sd_mm=sd_mm))
    assert borders is not None
    return spread_of_fractions(level_fractions(labels, epi.grid, IDENTITY), borders)


def test_a_border_within_a_slice() -> None:
    """40 mm, with 1 mm: of the slice 35 to 45 mm, C3 has 0.5 and its spread is 0.1."""
    found = spread((1.0, 1.0, 1.0), slices(10.0, 3, 25.0))
    sd, largest = found[1, C3]
    assert sd == pytest.approx(0.1, abs=0.01)
    assert largest == pytest.approx(0.5, abs=0.05)
    assert found[1, C4][1] == pytest.approx(1 - largest)


def test_the_probability_of_the_largest_follows_from_the_border() -> None:
    """Of the slice 38 to 48 mm C4 has the most unless the border lies beyond 43 mm."""
    found = spread((1.0, 3.0, 1.0), slices(10.0, 3, 28.0))
    assert found[1, C4][1] == pytest.approx(norm.cdf((43 - 40) / 3), abs=0.03)


def test_slices_far_from_borders_are_certain() -> None:
    found = spread((1.0, 1.0, 1.0), slices(5.0, 2, 55.0))
    for index in (0, 1):
        assert found[index, C4] == (pytest.approx(0, abs=1e-9), 1.0)
        assert found[index, C3] == (0.0, 0.0)


def test_slices_by_a_border_of_unknown_spread_are_left_out() -> None:
    epi = slices(5.0, 12, 15.0)
    known, partly = spread((1.0, 1.0, 1.0), epi), spread((1.0, None, 1.0), epi)
    missing = {index for index, _ in known} - {index for index, _ in partly}
    # Slices end 75 mm below the top: those within 5 mm of 40.
    assert missing == {6, 7} | ({5, 8} & missing)
    assert {index for index, _ in partly} >= {0, 1, 2, 3, 10, 11}


def test_the_same_input_gives_the_same() -> None:
    epi = slices(10.0, 3, 25.0)
    assert spread((1.0, 1.0, 1.0), epi) == spread((1.0, 1.0, 1.0), epi)


def test_ranges_go_on_where_there_is_no_level() -> None:
    """A slice half of which lies above the first level still begins where it begins."""
    labels = levels_on(BORDERS)
    borders = BordersOnCord.of(labels, table_of(BORDERS))
    assert borders is not None
    epi = slices(10.0, 1, 4.0)
    ranges = slice_ranges(level_fractions(labels, epi.grid, IDENTITY), borders.centerline)
    start, end = ranges[0]
    assert end - start == pytest.approx(10, abs=0.1)
    origin = borders.s_mm[0, 0] - 10.0
    np.testing.assert_allclose([start - origin, end - origin], [4, 14], atol=0.3)
