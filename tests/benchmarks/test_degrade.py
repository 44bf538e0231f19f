"""Degraded masks: seeded, as bad as asked, and still rootlets of the same levels."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.degrade import degrade, dice_by_level
from benchmarks.phantom_masks import Masks, rendered
from sct_rootlets.image import LabelImage
from sct_rootlets.metrics import dice


@pytest.fixture(scope="module")
def masks() -> Masks:
    return rendered(3, 0.8)


def _degraded(masks: Masks, strength: float, seed: int = 1) -> tuple[LabelImage, LabelImage]:
    return degrade(masks.rootlets, masks.cord, np.random.default_rng(seed), strength)


def _mean_dice(masks: Masks, strength: float, seed: int = 1) -> float:
    found = dice_by_level(_degraded(masks, strength, seed)[0], masks.rootlets)
    return float(np.mean(list(found.values())))


def test_pure(masks: Masks) -> None:
    before = np.asarray(masks.rootlets.data).copy(), np.asarray(masks.cord.data).copy()
    first, again, other = (_degraded(masks, 1.0, seed) for seed in (1, 1, 2))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.data, b.data)
    assert not np.array_equal(first[0].data, other[0].data)
    np.testing.assert_array_equal(masks.rootlets.data, before[0])
    np.testing.assert_array_equal(masks.cord.data, before[1])


def test_strength_is_what_is_lost(masks: Masks) -> None:
    found = [np.mean([_mean_dice(masks, s, n) for n in range(2)]) for s in (0.3, 1.0, 1.7)]
    assert found[0] > found[1] + 0.05 > found[2] + 0.1
    assert 0.5 < found[1] < 0.78


def test_labels_stay_levels_of_the_mask(masks: Masks) -> None:
    rootlets, cord = _degraded(masks, 1.2)
    assert set(rootlets.labels) <= set(masks.rootlets.labels)
    assert cord.labels == [1]
    assert dice(cord.data, masks.cord.data) > 0.9
    assert rootlets.grid is masks.rootlets.grid


def test_every_kind_of_error_occurs(masks: Masks) -> None:
    truth = np.asarray(masks.rootlets.data)
    found = np.asarray(_degraded(masks, 1.2)[0].data)
    both = (truth > 0) & (found > 0)
    assert ((truth > 0) & (found == 0)).any(), "missed"
    assert ((truth == 0) & (found > 0)).any(), "added"
    swapped = both & (truth != found)
    assert 0 < swapped.sum() < 0.1 * both.sum()
    assert np.abs(truth - found)[swapped].max() == 1, "only neighbours are mistaken for each other"


def test_an_empty_mask_stays_empty(masks: Masks) -> None:
    empty = LabelImage(np.zeros_like(masks.rootlets.data), masks.rootlets.grid)
    assert not degrade(empty, masks.cord, np.random.default_rng(0), 1.0)[0].data.any()
