"""Masks of phantoms are seeded, varied as their recipe says, and know their truth."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import mask_cache, phantom_masks
from benchmarks.deform import bent, resized
from benchmarks.phantom_masks import Masks, Recipe, make, rendered
from sct_rootlets.anatomy import ROOTLET_LEVELS, SpinalLevel
from sct_rootlets.image import LabelImage
from sct_rootlets.phantom import random_anatomy, true_levels

#: A phantom whose C3 was taken away, in a cropped view.
MISSING = 4


@pytest.fixture(scope="module")
def missing() -> Masks:
    return make(MISSING)


@pytest.fixture(scope="module")
def plain() -> Masks:
    return rendered(2, 1.2)


def test_one_seed_makes_one_phantom(missing: Masks) -> None:
    again = make(MISSING)
    assert again.recipe == missing.recipe
    np.testing.assert_array_equal(again.rootlets.data, missing.rootlets.data)
    np.testing.assert_array_equal(again.cord.data, missing.cord.data)


def test_a_missing_level_has_no_voxel(missing: Masks) -> None:
    assert missing.recipe.missing == ("C3",)
    assert missing.recipe.case == "missing"
    assert SpinalLevel.C3.value not in missing.rootlets.labels
    assert SpinalLevel.C4.value in missing.rootlets.labels


def test_disturbances_change_what_they_say(plain: Masks) -> None:
    """Every kind occurs, and only voxels of the levels named change."""
    seen = set()
    parts = 10 * np.asarray(plain.rootlets.data) + 1
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rootlets, gone, mislabelled = phantom_masks._disturbed(rng, plain.rootlets, parts)
        before, after = np.asarray(plain.rootlets.data), np.asarray(rootlets.data)
        changed = before != after
        if gone:
            assert {str(SpinalLevel(v)) for v in np.unique(before[changed])} == set(gone)
            assert not after[changed].any()
        for text in mislabelled:
            *_, level, _, other = text.split()
            if changed.any():  # the cells drawn may hold none
                assert np.unique(before[changed]).tolist() == [SpinalLevel[level].value]
                assert np.unique(after[changed]).tolist() == [SpinalLevel[other].value]
        if not gone and not mislabelled:
            assert not changed.any()
        seen.add((bool(gone), mislabelled[0].split()[0] if mislabelled else ""))
    assert seen == {(True, ""), (False, ""), (False, "a"), (False, "part")}


def test_truth_is_that_of_the_anatomy(plain: Masks) -> None:
    for row in true_levels(random_anatomy(2)).rows:
        assert plain.extents_mm[row.level] == (row.extent_rostral_mm, row.extent_caudal_mm)
    assert tuple(plain.extents_mm) == ROOTLET_LEVELS
    ends = [mm for pair in plain.extents_mm.values() for mm in pair]
    assert np.diff(ends[::2]).min() > 5, "levels follow each other"


def test_projection_on_the_true_centerline(plain: Masks) -> None:
    at = np.array([30.0, 77.7, 140.0])
    world = np.stack([np.interp(at, plain.axis_s_mm, c) for c in plain.axis_world.T], axis=1)
    np.testing.assert_allclose(plain.along(world), at, atol=1e-3)
    tangent = np.stack(
        [np.interp(at + 0.5, plain.axis_s_mm, c) for c in plain.axis_world.T], axis=1
    )
    aside = np.cross(tangent - world, [0.0, 1.0, 0.0])
    np.testing.assert_allclose(plain.along(world + 4 * aside), at, atol=0.15)


def test_the_view_holds_what_the_recipe_shows(plain: Masks) -> None:
    low, high = plain.recipe.shown_mm
    assert plain.in_view(low + 10)
    assert plain.in_view(high - 10)
    assert not plain.in_view(low - 5)
    assert not plain.in_view(high + 5)
    for level in ROOTLET_LEVELS:
        assert all(plain.in_view(mm) for mm in plain.extents_mm[level])
    mask = np.asarray(plain.rootlets.data) > 0
    assert np.isin(np.unique(plain.rootlets.data[mask]), range(2, 10)).all()


def test_all_lengths_are_resized() -> None:
    anatomy = random_anatomy(5)
    larger = resized(anatomy, 1.1)
    for before, after in zip(true_levels(anatomy).rows, true_levels(larger).rows, strict=True):
        # The reach and the painted thickness do not grow along.
        assert after.extent_rostral_mm == pytest.approx(1.1 * before.extent_rostral_mm, abs=0.3)
        assert after.extent_caudal_mm == pytest.approx(1.1 * before.extent_caudal_mm, abs=0.9)
    steps = np.linalg.norm(np.diff(larger.xyz_world, axis=0), axis=1)
    np.testing.assert_allclose(steps, np.diff(larger.s_mm), rtol=1e-2)
    assert resized(anatomy, 1.0) is anatomy


@pytest.mark.parametrize("degrees", [-15.0, 15.0])
def test_bending_turns_the_ends_and_keeps_the_length(degrees: float) -> None:
    anatomy = random_anatomy(6)
    turned = bent(anatomy, degrees)

    def pitch(a: np.ndarray, s: float) -> float:
        steps = np.gradient(a, anatomy.s_mm, axis=0)[np.argmin(np.abs(anatomy.s_mm - s))]
        return float(np.degrees(np.arctan2(steps[1], -steps[2])))

    for s, expected in ((5.0, degrees), (95.0, 0.0), (185.0, -degrees)):
        change = pitch(turned.xyz_world, s) - pitch(anatomy.xyz_world, s)
        assert change == pytest.approx(expected, abs=0.3)
    steps = np.linalg.norm(np.diff(turned.xyz_world, axis=0), axis=1)
    np.testing.assert_allclose(steps, np.diff(anatomy.s_mm), rtol=1e-3)


def test_masks_survive_the_cache(
    plain: Masks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def counted(seed: int) -> Masks:
        made.append(seed)
        return plain

    monkeypatch.setattr(mask_cache, "make", counted)
    mask_cache.load_or_make(2, tmp_path)
    again = mask_cache.load_or_make(2, tmp_path)
    assert made == [2]
    assert again.recipe == plain.recipe
    assert again.extents_mm == plain.extents_mm
    for name in ("rootlets", "cord"):
        stored: LabelImage = getattr(again, name)
        np.testing.assert_array_equal(stored.data, getattr(plain, name).data)
        np.testing.assert_array_equal(stored.grid.affine, plain.cord.grid.affine)
    np.testing.assert_array_equal(again.axis_world, plain.axis_world)
    np.testing.assert_array_equal(again.discs_world[3], plain.discs_world[3])


def test_a_recipe_says_its_case() -> None:
    recipe = Recipe(0, (0.8, 0.8, 0.8), "RPI", 0.0, 0.0, 1.0, (0.0, 180.0), False)
    assert (recipe.case, recipe.voxels) == ("whole", "0.8")
    assert replace(recipe, spacing_mm=(0.5, 0.5, 3.0), cropped=True).voxels == "0.5x0.5x3"
    assert replace(recipe, cropped=True, missing=("C5",)).case == "missing"
    lists = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(recipe).items()}
    assert Recipe.from_json(lists) == recipe
