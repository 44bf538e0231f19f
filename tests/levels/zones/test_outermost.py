"""The outermost of four ends, each known with an error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sct_rootlets.levels.zones.outermost import NOISES, Cell, noise_of, outermost

NAMES = ("LD", "LV", "RD", "RV")


def _cells(ends: list[float | None], sd: float = 0.2, spread: float = 0.6) -> list[Cell]:
    return [
        Cell(name, spread, end, None if end is None else sd)
        for name, end in zip(NAMES, ends, strict=True)
    ]


def test_exact_ends_give_the_outermost_one() -> None:
    mean, sd = outermost(_cells([10.0, 10.5, 9.8, 11.0], sd=0.1))
    assert mean == pytest.approx(11.0, abs=0.1)
    assert sd < 0.15


def test_noisy_ends_do_not_add_their_errors_up() -> None:
    rng = np.random.default_rng(1)
    errors = []
    for _ in range(300):
        true = rng.normal(0, 0.6, 4)
        mean, _ = outermost(_cells(list(true + rng.normal(0, 0.8, 4)), sd=0.8))
        errors.append(mean - true.max())
    assert abs(np.mean(errors)) < 0.12  # the outermost measured end is 0.4 mm too far out


def test_the_spread_is_honest() -> None:
    rng = np.random.default_rng(2)
    inside = []
    for _ in range(400):
        true, seen = rng.normal(20, 0.6, 4), rng.random(4) < 0.8
        seen[rng.integers(4)] = True
        ends = true + rng.normal(0, 0.5, 4)
        cells = _cells([e if s else None for e, s in zip(ends, seen, strict=True)], sd=0.5)
        mean, sd = outermost(cells)
        inside.append(abs(mean - true.max()) < sd)
    assert np.mean(inside) == pytest.approx(0.68, abs=0.06)


def test_one_wild_end_among_four_decides_little() -> None:
    mean, _ = outermost(_cells([10.0, 10.2, 9.9, 18.0], sd=0.2))
    assert mean < 12.5


def test_fewer_cells_are_less_certain_and_the_missing_ones_may_reach_farther() -> None:
    four, three = (outermost(_cells([10.0, 10.0, 10.0, e])) for e in (10.0, None))
    one = outermost(_cells([10.0, None, None, None]))
    assert four[1] < three[1] < one[1]
    assert four[0] < three[0] < one[0]


def test_the_noise_is_found_where_cells_disagree() -> None:
    rng = np.random.default_rng(3)
    found = []
    for noise in (0.6, 2.0, 4.0):
        ends = [
            _cells(list(rng.normal(0, 0.6, 4) + rng.normal(0, 0.3 * noise, 4)), sd=0.3)
            for _ in range(16)
        ]
        found.append(noise_of(ends))
    assert found[0] < found[1] < found[2]
    assert found[2] == pytest.approx(4.0, rel=0.4)
    assert noise_of([]) == NOISES[np.argmin(np.abs(np.log(NOISES)))]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-8, 8), min_size=4, max_size=4), st.floats(-20, 20))
def test_it_moves_with_its_ends(ends: list[float], shift: float) -> None:
    first, second = outermost(_cells(list(ends))), outermost(_cells([e + shift for e in ends]))
    assert second[0] == pytest.approx(first[0] + shift, abs=0.05)
    assert min(ends) - 0.5 < first[0] < max(ends) + 1.5


def test_nothing_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="no end"):
        outermost(_cells([None] * 4))
