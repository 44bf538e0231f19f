"""What the tables of docs/evaluate.md rest on."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.evaluation import planted, published_f1, rater
from sct_rootlets import metrics
from tests.synthetic import make_neck


def slices(text: str) -> NDArray[np.bool_]:
    return np.array([letter == "x" for letter in text])


@pytest.mark.parametrize(
    ("predicted", "reference", "theirs", "ours"),
    [
        ("..xxxx..", "..xxxx..", 6 / 6, 8 / 8),
        ("..xxxxx.", "..xxxx..", 8 / 8, 8 / 9),
        (".xxxx...", "..xxxxx.", 6 / 8, 6 / 9),
        ("........", "..xxxx..", 0, 0),
        ("..x.", "..x.", np.nan, 1),  # the script itself divides 0 by 0 there
    ],
)
def test_the_published_f1_lacks_the_last_slice(
    predicted: str, reference: str, theirs: float, ours: float
) -> None:
    a, b = slices(predicted), slices(reference)
    assert published_f1(a, b) == pytest.approx(theirs, nan_ok=True)
    assert metrics.f1_slice(a[None, None], b[None, None], 2) == pytest.approx(ours)


def test_planted_errors_are_what_their_names_say() -> None:
    truth = make_neck().rootlets.data
    made = planted(truth, 2)
    assert metrics.dice(made["none"], truth) == 1
    assert not (made["C5 missing"] == 5).any()
    swapped = made["C5 and C6 swapped"]
    np.testing.assert_array_equal(swapped == 6, truth == 5)
    np.testing.assert_array_equal(swapped == 5, truth == 6)
    part = made["C5 shifted by 3 mm"]
    np.testing.assert_array_equal(part == 5, np.roll(truth == 5, -3, axis=2))
    np.testing.assert_array_equal(part == 3, truth == 3)
    np.testing.assert_array_equal(
        made["each named as the next level"][truth > 0], truth[truth > 0] + 1
    )


def test_a_rater_misses_and_adds_as_told() -> None:
    truth = make_neck().rootlets.data
    made = rater(truth, 0.3, 0.1, seed=4)
    assert metrics.recall(made, truth) == pytest.approx(0.7, abs=0.05)
    assert 0 < ((made > 0) & (truth == 0)).sum() < 0.3 * (truth > 0).sum()
    assert set(np.unique(made)) <= set(np.unique(truth))
