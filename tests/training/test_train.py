"""A training run learns, resumes to the same weights, and exports a model that loads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("dynamic_network_architectures", reason="training needs nnunetv2")

from training.bank import FIRST_SEED, fine_volume, volume_path
from training.export import read_state_dict
from training.patches import Bank
from training.train import GAP_MM, RECIPES, between_rootlets, dice_and_cross_entropy, train

TINY = replace(RECIPES["fine"], patch_zyx=(16, 16, 16), features=(4, 8), volumes=1, steps=6, seed=1)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    folder = tmp_path_factory.mktemp("bank")
    np.save(volume_path(folder, "fine", 0), fine_volume(FIRST_SEED, None))
    return Bank(folder, "fine", 1)


def test_interrupted_run_ends_like_an_uninterrupted_one(bank: Bank, tmp_path: Path) -> None:
    whole = train(TINY, bank, tmp_path / "whole", workers=0)
    assert train(TINY, bank, tmp_path / "parts", workers=0, stop_after=0) is None
    parts = train(TINY, bank, tmp_path / "parts", workers=0)
    assert whole is not None
    assert parts is not None
    first, second = read_state_dict(whole), read_state_dict(parts)
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        torch.testing.assert_close(tensor, second[name], rtol=1e-3, atol=1e-4)


def test_other_recipe_does_not_continue_a_run(bank: Bank, tmp_path: Path) -> None:
    train(TINY, bank, tmp_path, workers=0, stop_after=0)
    with pytest.raises(SystemExit, match="another recipe"):
        train(replace(TINY, seed=2), bank, tmp_path, workers=0)


def test_training_lowers_the_loss(bank: Bank, tmp_path: Path) -> None:
    recipe = replace(TINY, steps=60, learning_rate=1e-2)
    folder = train(recipe, bank, tmp_path, workers=0)
    assert folder is not None
    from training.export import build_network, plain_conv_unet_kwargs
    from training.patches import numbered_patch

    network = build_network(plain_conv_unet_kwargs(recipe.features, recipe.strides))
    losses = []
    for trained in (False, True):
        if trained:
            network.load_state_dict(read_state_dict(folder))
        drawn = [numbered_patch(bank, recipe.patch_zyx, 9, number) for number in range(16)]
        images, classes = (torch.from_numpy(np.stack(part)) for part in zip(*drawn, strict=True))
        with torch.inference_mode():
            losses.append(float(dice_and_cross_entropy(network(images[:, None]), classes)[0]))
    assert losses[1] < losses[0] - 0.2


def test_loss_is_lowest_for_the_truth() -> None:
    classes = torch.randint(0, 4, (2, 6, 6, 6), generator=torch.Generator().manual_seed(0))
    sure = 20.0 * torch.nn.functional.one_hot(classes, 4).movedim(-1, 1)
    best, dice = dice_and_cross_entropy(sure, classes)
    worse, _ = dice_and_cross_entropy(torch.zeros_like(sure), classes)
    assert float(best) == pytest.approx(-1, abs=1e-3)
    np.testing.assert_allclose(dice.numpy(), 1, atol=1e-3)
    assert float(worse) > 0


def test_recipe_with_a_start_goes_on_from_it_and_no_other_does(bank: Bank, tmp_path: Path) -> None:
    first = train(TINY, bank, tmp_path / "first", workers=0)
    assert first is not None
    still = replace(TINY, start="fine", steps=1, learning_rate=0.0)
    second = train(still, bank, tmp_path / "second", workers=0, start=first)
    assert second is not None
    for name, tensor in read_state_dict(first).items():
        torch.testing.assert_close(tensor, read_state_dict(second)[name])
    for recipe, start in ((TINY, first), (still, None)):
        with pytest.raises(SystemExit, match="starts from"):
            train(recipe, bank, tmp_path / "other", workers=0, start=start)


def test_a_recipe_comes_after_the_one_that_it_starts_from() -> None:
    names = list(RECIPES)
    for name, recipe in RECIPES.items():
        assert recipe.start is None or names.index(recipe.start) < names.index(name)


def test_between_rootlets_is_what_has_one_above_and_one_below() -> None:
    classes = torch.full((1, 20, 3, 3), 2)
    classes[0, [2, 6, 19], 1, 1] = 3
    between = between_rootlets(classes)
    assert between.nonzero().tolist() == [[0, z, 1, 1] for z in (3, 4, 5)]
    # As far as it reaches, and no farther: 6 and 6 + GAP_MM + GAP_MM have no voxel between them
    # that is within GAP_MM of both but one.
    classes[0, 19, 1, 1], classes[0, 6 + 2 * GAP_MM, 1, 1] = 2, 3
    assert [z for _, z, *_ in between_rootlets(classes).nonzero().tolist()] == [3, 4, 5, 12]


def test_gap_weight_counts_errors_between_rootlets_more() -> None:
    classes = torch.full((1, 12, 4, 4), 2)
    classes[0, [2, 6], 1, 1] = 3
    right = 6.0 * torch.nn.functional.one_hot(classes, 4).movedim(-1, 1)
    in_gap, elsewhere = right.clone(), right.clone()
    for wrong, z in ((in_gap, 4), (elsewhere, 10)):
        wrong[0, :, z, 1, 1] = torch.tensor([0.0, 0.0, 0.0, 6.0])
    plain = [float(dice_and_cross_entropy(wrong, classes)[0]) for wrong in (in_gap, elsewhere)]
    heavy = [float(dice_and_cross_entropy(wrong, classes, 3.0)[0]) for wrong in (in_gap, elsewhere)]
    assert plain[0] == pytest.approx(plain[1], abs=1e-6)
    assert heavy[0] > heavy[1] + 0.01
