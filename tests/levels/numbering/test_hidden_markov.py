"""Borders as a hidden Markov chain: what tissue between them costs, the best path, the shares."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from sct_rootlets.levels.numbering.evidence import BorderEvidence
from sct_rootlets.levels.numbering.hidden_markov import (
    LENGTH_SD_MM,
    _crowding,
    _marginals,
    _viterbi,
    settle_borders,
)


def _settled(tissue_mm: float, at_mm: float, cut: float) -> np.ndarray:
    """Settle borders 15 mm apart about one block of tissue, of which zones of 10 mm know."""
    at = np.arange(-20.0, 140.0, 0.25)
    tissue = (at > at_mm) & (at < at_mm + tissue_mm)
    cost = np.where(tissue, cut, 0.0)
    four = np.cumsum(tissue)[None].repeat(4, axis=0) * 0.25
    return settle_borders(
        BorderEvidence(at, cost, four), 15.0 * np.arange(9), np.full(8, 10.0), 60.0, 1e-6
    )[0]


def test_what_fits_into_one_zone_moves_no_border() -> None:
    np.testing.assert_allclose(_settled(10.0, 62.5, 0.0), 15.0 * np.arange(9), atol=0.01)


def test_tissue_of_two_levels_gets_a_border_within_it() -> None:
    """A border through it costs less than 18 mm between two borders, but for a large cost."""
    for cut, inside in ((2.0, True), (40.0, False)):
        borders = _settled(18.0, 58.0, cut)
        assert ((borders > 61) & (borders < 73)).any() == inside


def test_the_excess_counts_in_units_of_its_spread_and_linearly_far_out() -> None:
    at = np.arange(0.0, 100.0, 0.25)
    evidence = BorderEvidence(at, np.zeros(len(at)), at[None] + 0.0)
    place = np.array([[10.0], [20.0 + LENGTH_SD_MM], [60.0]])
    first, second = _crowding(evidence, place, np.array([10.0, 10.0]))[:, 0, 0]
    assert first == pytest.approx(0.5)
    far = (60.0 - 20.0 - LENGTH_SD_MM - 10.0) / LENGTH_SD_MM
    assert second == pytest.approx(far - 0.5)


def test_best_path_and_shares_are_those_of_all_paths_counted_one_by_one() -> None:
    rng = np.random.default_rng(3)
    emission, transition = rng.normal(0, 2, (4, 3)), rng.normal(0, 2, (3, 3, 3))
    paths = list(product(range(3), repeat=4))
    scores = np.array(
        [
            sum(emission[k, state] for k, state in enumerate(path))
            + sum(transition[k, a, b] for k, (a, b) in enumerate(pairwise(path)))
            for path in paths
        ]
    )
    value, best = _viterbi(emission, transition)
    assert value == pytest.approx(scores.max())
    assert tuple(best) == paths[int(scores.argmax())]
    total, share = _marginals(emission, transition)
    weight = np.exp(scores)
    assert total == pytest.approx(np.log(weight.sum()))
    for node, state in product(range(4), range(3)):
        there = np.array([path[node] == state for path in paths])
        assert share[node, state] == pytest.approx(weight[there].sum() / weight.sum())
