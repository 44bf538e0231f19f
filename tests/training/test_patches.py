"""Training patches: reproducible, of the right classes, and made when they are missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")

from training import bank as bank_module
from training.bank import FIRST_SEED, fine_volume, make_bank, volume_path
from training.patches import Bank, Look, fine_patch, numbered_patch


@pytest.fixture(scope="module")
def volume() -> np.ndarray:
    return fine_volume(FIRST_SEED, None)


def test_fine_volume_holds_cord_csf_and_rootlets(volume: np.ndarray) -> None:
    assert volume.dtype == np.uint8
    assert volume.shape[0] == 3
    tissue, thread, painted = volume
    assert {6, 7, 8} <= set(np.unique(tissue))  # CSF, white and grey matter
    assert thread.max() == painted.max() == 255
    # Rootlets are painted at least as thick as they are, and in the CSF only.
    assert (painted > 0).sum() > 100
    assert (tissue[painted > 0] == 6).all()


def test_patch_follows_from_its_number(tmp_path: Path, volume: np.ndarray) -> None:
    bank = Bank(tmp_path, "fine", 2)
    for index in range(2):
        np.save(volume_path(tmp_path, "fine", index), volume)
    first, classes = numbered_patch(bank, (32, 24, 24), 5, 17)
    again, _ = numbered_patch(bank, (32, 24, 24), 5, 17)
    other, _ = numbered_patch(bank, (32, 24, 24), 5, 18)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.shape == classes.shape == (32, 24, 24)
    assert set(np.unique(classes)) <= {0, 1, 2, 3}
    assert abs(first.mean()) < 1e-3
    assert first.std() == pytest.approx(1, abs=1e-3)


def test_classes_lie_where_the_tissue_is(volume: np.ndarray) -> None:
    # A noiseless patch cannot be had, so the mean over many says it: CSF is bright in T2w.
    bright, dark = [], []
    for number in range(12):
        image, classes = fine_patch(volume, (48, 32, 32), np.random.default_rng(number))
        if (classes == 1).any() and (classes == 2).any():
            bright.append(image[classes == 2].mean())
            dark.append(image[classes == 1].mean())
    assert np.median(bright) > np.median(dark)


def test_looks_turn_the_contrast_over_and_thicken_slices(volume: np.ndarray) -> None:
    def patches(look: Look) -> list[tuple[np.ndarray, np.ndarray]]:
        draws = (np.random.default_rng(number) for number in range(6))
        return [fine_patch(volume, (48, 32, 32), rng, look) for rng in draws]

    def csf_over_cord(made: list[tuple[np.ndarray, np.ndarray]]) -> float:
        both = [(i, c) for i, c in made if (c == 1).any() and (c == 2).any()]
        return float(np.median([i[c == 2].mean() - i[c == 1].mean() for i, c in both]))

    def rough(image: np.ndarray, axis: int) -> float:
        return float(np.abs(np.diff(image, axis=axis)).mean())

    plain, never = patches(Look()), patches(Look(inverted=0.0, sliced=0.0))
    for (image, classes), (same, too) in zip(plain, never, strict=True):
        np.testing.assert_array_equal(image, same)
        np.testing.assert_array_equal(classes, too)
    assert csf_over_cord(plain) > 0.3
    assert csf_over_cord(patches(Look(inverted=1.0))) < -0.3
    # Thick slices are smoother across than along them, mostly across x; the truth stays.
    ratio = [[rough(image, 2) / rough(image, 1) for image, _ in made]
             for made in (plain, patches(Look(sliced=1.0)))]  # fmt: skip
    assert np.median(ratio[1]) < 0.95 * np.median(ratio[0])


def test_missing_volume_is_made_and_existing_one_is_kept(
    tmp_path: Path, volume: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def quick(seed: int, template: object) -> np.ndarray:
        made.append(seed)
        return volume

    monkeypatch.setattr(bank_module, "fine_volume", quick)
    bank = Bank(tmp_path, "fine", 1)
    numbered_patch(bank, (16, 16, 16), 0, 0)
    numbered_patch(bank, (16, 16, 16), 0, 1)
    make_bank(tmp_path, "fine", 1, None)
    assert made == [FIRST_SEED]
    assert [path.name for path in tmp_path.iterdir()] == ["fine-00000.npy"]


def test_pam50_gives_cord_and_rootlets(shared_data: Path) -> None:
    from training.pam50 import Pam50

    template = Pam50(shared_data / "pam50")
    assert (fine_volume(FIRST_SEED, template)[2] > 0).sum() > 100
