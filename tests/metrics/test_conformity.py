"""Agreement of raters: by hand, and as SimpleITK has it for two."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets import metrics
from tests.metrics.test_overlap import line


def test_conformity_is_over_all_pairs() -> None:
    raters = [line(1, 2, 3), line(2, 3, 4), line(3, 9)]
    # shared 2 + 1 + 1, of 4 + 4 + 4
    assert metrics.conformity(raters) == pytest.approx(4 / 12)


def test_of_two_raters_it_is_the_jaccard_index_of_simpleitk() -> None:
    sitk = pytest.importorskip("SimpleITK")
    a, b = np.random.default_rng(3).random((2, 7, 8, 9)) < 0.3
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(*(sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in (a, b)))
    assert metrics.conformity([a, b]) == pytest.approx(overlap.GetJaccardCoefficient(1))
    assert metrics.dice(a, b) == pytest.approx(overlap.GetDiceCoefficient(1))


def test_of_nothing_it_is_unknown_and_one_rater_is_none() -> None:
    assert np.isnan(metrics.conformity([line(), line()]))
    assert metrics.conformity([line(), line(3), line()]) == 0
    with pytest.raises(ValueError, match="two or more"):
        metrics.conformity([line(1)])
    with pytest.raises(ValueError, match="one shape"):
        metrics.conformity([line(1), line(1, length=9)])
