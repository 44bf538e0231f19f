"""The consensus of raters whose errors are planted, and of SimpleITK itself."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from sct_rootlets import metrics
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.consensus import Consensus, RaterRow, combine
from sct_rootlets.consensus.filters import Staple, staple, vote
from sct_rootlets.consensus.raters import _likeliest
from tests.synthetic import make_neck

Labels = NDArray[np.int32]

pytest.importorskip("SimpleITK")

C3, C4, C5 = SpinalLevel.C3, SpinalLevel.C4, SpinalLevel.C5


@pytest.fixture(scope="module")
def truth() -> Labels:
    return np.asarray(make_neck().rootlets.data)


def careless(truth: Labels, seed: int, missed: float) -> Labels:
    """Return rootlets of which a share of voxels was missed, and as many marked beside them."""
    rng = np.random.default_rng(seed)
    lost = (truth > 0) & (rng.random(truth.shape) < missed)
    beside = np.roll(truth, rng.choice([-1, 1]), axis=0)
    added = (truth == 0) & (beside > 0) & (rng.random(truth.shape) < missed)
    return np.where(lost, 0, np.where(added, beside, truth))


def rows(found: Consensus, level: SpinalLevel | None) -> list[RaterRow]:
    return [row for row in found.raters if row.level is level]


@pytest.mark.parametrize("method", ["staple", "vote"])
def test_raters_who_agree_are_the_consensus(truth: Labels, method: str) -> None:
    found = combine([truth] * 3, method=method)
    np.testing.assert_array_equal(found.labels, truth)
    assert found.undecided == 0
    assert {row.dice for row in (*found.raters, *found.pairs)} == {1.0}
    assert {row.conformity for row in found.pairs} == {1.0}
    known = [np.isfinite([row.sensitivity, row.specificity]).all() for row in found.raters]
    assert set(known) == {method == "staple"}  # a vote knows neither


@pytest.mark.parametrize("method", ["staple", "vote"])
def test_the_consensus_is_better_than_each_rater(truth: Labels, method: str) -> None:
    raters = [careless(truth, seed, 0.2) for seed in range(3)]
    found = combine(raters, method=method)
    ours = metrics.dice(found.labels, truth)
    assert ours > 0.9
    assert all(metrics.dice(rater, truth) < ours - 0.05 for rater in raters)


def test_staple_knows_who_is_careless(truth: Labels) -> None:
    found = combine([careless(truth, seed, miss) for seed, miss in enumerate((0.1, 0.1, 0.5))])
    for level in (C3, C4, C5, None):
        good, also, bad = rows(found, level)
        assert bad.sensitivity < min(good.sensitivity, also.sensitivity) - 0.2
        assert bad.dice < min(good.dice, also.dice)
        assert good.sensitivity == pytest.approx(0.9, abs=0.08)
        assert bad.sensitivity == pytest.approx(0.5, abs=0.12)


def test_staple_is_that_of_simpleitk_within_the_region(truth: Labels) -> None:
    """Called on the image itself, cut out of it, instead of on a row of voxels."""
    import SimpleITK as sitk
    from scipy import ndimage

    raters = [careless(truth, seed, 0.25) for seed in range(3)]
    masks = [rater == 4 for rater in raters]
    seen = ndimage.binary_dilation(np.any(masks, axis=0), np.ones((3, 3, 3)))
    row = [mask[seen] for mask in masks]
    images = [sitk.GetImageFromArray(mask.astype(np.uint8)[:, None, None]) for mask in row]
    filter_ = sitk.STAPLEImageFilter()
    filter_.SetForegroundValue(1)
    probability = sitk.GetArrayFromImage(filter_.Execute(images)).ravel()
    found = combine(raters)
    np.testing.assert_array_equal((found.labels == 4)[seen], probability >= 0.5)
    wanted = [(row.sensitivity, row.specificity) for row in rows(found, C4)]
    np.testing.assert_allclose(
        wanted, list(zip(filter_.GetSensitivity(), filter_.GetSpecificity(), strict=True))
    )


def test_the_background_of_an_image_does_not_matter(truth: Labels) -> None:
    raters = [careless(truth, seed, 0.3) for seed in range(4)]
    narrow = combine(raters)
    wide = combine([np.pad(rater, 40) for rater in raters])
    np.testing.assert_array_equal(np.pad(narrow.labels, 40), wide.labels)
    assert narrow.raters == wide.raters
    assert min(row.specificity for row in narrow.raters) < 0.98


def test_a_threshold_of_staple_asks_for_more(truth: Labels) -> None:
    raters = [careless(truth, seed, 0.4) for seed in range(4)]
    sizes = [
        int((combine(raters, threshold=share).labels > 0).sum()) for share in (0.05, 0.5, 0.999)
    ]
    assert sizes[0] > sizes[1] > sizes[2]


def test_a_level_that_one_rater_named_otherwise(truth: Labels) -> None:
    renamed = np.where(truth == 5, 6, truth)
    for method in ("staple", "vote"):
        found = combine([truth, truth, renamed], method=method)
        np.testing.assert_array_equal(found.labels, truth)
        assert rows(found, C5)[2].dice == 0
        assert rows(found, C5)[2].n_voxels == 0
        assert [row.dice for row in rows(found, None)] == [1, 1, 1]


def test_a_tie_of_a_vote_is_background_and_counted(truth: Labels) -> None:
    renamed = np.where(truth == 5, 6, truth)
    count = int((truth == 5).sum())
    found = combine([truth, truth, renamed, renamed], method="vote")
    assert found.undecided == count
    np.testing.assert_array_equal(found.labels, np.where(truth == 5, 0, truth))
    # of two raters, whatever one of them alone marked
    both = combine([truth, np.where(truth == 4, 0, truth)], method="vote")
    assert both.undecided == int((truth == 4).sum())
    assert not (both.labels == 4).any()


def test_of_two_levels_that_claim_a_voxel_the_more_probable_has_it() -> None:
    region = np.array([True, True, True, True, False])
    estimates = {
        3: (region, Staple(np.array([0.9, 0.6, 0.3, 0.7]), (), ())),
        4: (region, Staple(np.array([0.6, 0.8, 0.4, 0.7]), (), ())),
        5: (~region, Staple(np.array([0.5]), (), ())),
    }
    labels, tied = _likeliest(estimates, [3, 4, 5], 0.5, 5)
    np.testing.assert_array_equal(labels, [3, 4, 0, 0, 5])
    assert tied == 1


def test_a_rater_who_marked_nothing_is_one_too(truth: Labels) -> None:
    found = combine([truth, truth, np.zeros_like(truth)])
    np.testing.assert_array_equal(found.labels, truth)
    lazy = rows(found, C3)[2]
    assert lazy.sensitivity == pytest.approx(0, abs=1e-3)
    assert (lazy.dice, lazy.n_voxels) == (0, 0)


def test_pairs_and_the_whole(truth: Labels) -> None:
    raters = [careless(truth, seed, 0.2) for seed in range(3)]
    found = combine(raters)
    mine = [row for row in found.pairs if row.level is C4]
    assert [(row.first, row.second) for row in mine] == [(0, 1), (0, 2), (1, 2), (None, None)]
    masks = [rater == 4 for rater in raters]
    assert mine[1].dice == pytest.approx(metrics.dice(masks[0], masks[2]))
    assert mine[-1].dice == pytest.approx(np.mean([row.dice for row in mine[:-1]]))
    assert mine[-1].conformity == pytest.approx(metrics.conformity(masks))


def test_without_levels_all_is_one_structure(truth: Labels) -> None:
    found = combine([truth, truth, truth], by_level=False)
    np.testing.assert_array_equal(found.labels, (truth > 0).astype(np.int32))
    assert {row.level for row in found.raters} == {None}


def test_one_rater_and_other_shapes_are_refused(truth: Labels) -> None:
    with pytest.raises(ValueError, match="two or more"):
        combine([truth])
    with pytest.raises(ValueError, match="one grid"):
        combine([truth, truth[:, :, 1:]])
    with pytest.raises(ValueError, match="method"):
        combine([truth, truth], method="mean")


def test_filters_by_hand() -> None:
    labels = [np.array(side) for side in ([1, 1, 2, 0], [1, 2, 2, 0], [1, 3, 0, 5])]
    np.testing.assert_array_equal(vote(labels, 255), [1, 255, 2, 0])
    masks = [np.array(side, bool) for side in ([1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [1, 0, 0, 0, 1])]
    found = staple(masks)
    np.testing.assert_array_equal(found.probability > 0.5, [1, 1, 0, 0, 0])
    assert found.sensitivity[2] < found.sensitivity[0]
