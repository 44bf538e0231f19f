"""Which folders count as folds, and which of their checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest

from sct_rootlets.checkpoint import converted_files
from sct_rootlets.errors import ModelError
from sct_rootlets.model_folder import read_folds
from tests.unprivileged import unprivileged

FINAL, BEST = "checkpoint_final.pth", "checkpoint_best.pth"
LEFTOVERS = (
    "fold_0_old",
    "fold_0 (copy)",
    "fold_x",
    "fold_00",
    "fold_-1",
    "fold_",
    "Fold_1",
    "fold2",
)


def write(folder: Path, *names: str) -> Path:
    """Make empty files, such as ``fold_0/checkpoint_final.pth``."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


@pytest.mark.parametrize(
    ("there", "used"),
    [
        (["fold_0/" + FINAL], ["fold_0/" + FINAL]),
        (["fold_all/" + FINAL, "fold_all/" + BEST], ["fold_all/" + FINAL]),
        (["fold_all/" + BEST], ["fold_all/" + BEST]),
        # nnU-Net's order, which decides whose trainer counts.
        (
            [f"fold_{n}/{FINAL}" for n in (2, 10, 1, 0)],
            [f"fold_{n}/{FINAL}" for n in (0, 1, 10, 2)],
        ),
        (["fold_0/" + BEST, "fold_1/" + BEST], ["fold_0/" + BEST, "fold_1/" + BEST]),
    ],
)
def test_folds_have_a_number_or_are_all(tmp_path: Path, there: list[str], used: list[str]) -> None:
    folds = read_folds(write(tmp_path, *there))
    assert [path.relative_to(tmp_path).as_posix() for path in folds.used] == used
    assert folds.aside == ()


@pytest.mark.parametrize("name", LEFTOVERS)
def test_what_is_no_fold_is_named_and_left_aside(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path, f"fold_0/{FINAL}", f"{name}/{FINAL}", "folds.txt", "folded/x")
    folds = read_folds(folder)
    assert folds.used == (tmp_path / "fold_0" / FINAL,)
    (told,) = folds.aside
    assert told == f'"{name}" is left aside: folds are fold_all, or fold_ and a number'
    (tmp_path / "fold_0" / FINAL).unlink()
    (tmp_path / "fold_0").rmdir()
    with pytest.raises(ModelError, match=r"has no fold_\* folder; .*is left aside"):
        read_folds(folder)


def test_a_fold_without_a_checkpoint_is_left_aside(tmp_path: Path) -> None:
    folder = write(tmp_path, f"fold_1/{FINAL}", "fold_2/checkpoint_latest.pth", "fold_all/x")
    folds = read_folds(folder)
    assert folds.text == "fold_1 (checkpoint_final)"
    assert folds.aside == tuple(
        f"{name} is left aside: it has no {FINAL} or {BEST}" for name in ("fold_2", "fold_all")
    )


def test_beside_fold_all_the_others_are_left_aside(tmp_path: Path) -> None:
    folds = read_folds(write(tmp_path, f"fold_all/{BEST}", f"fold_0/{FINAL}"))
    assert folds.used == (tmp_path / "fold_all" / BEST,)
    assert folds.aside == (
        "fold_0 is left aside: fold_all, trained on all the data, is used alone",
    )


def test_all_folds_have_one_kind_of_checkpoint(tmp_path: Path) -> None:
    folder = write(tmp_path, f"fold_0/{FINAL}", f"fold_0/{BEST}", f"fold_1/{BEST}")
    folds = read_folds(folder)
    assert folds.text == "fold_0 + fold_1 (checkpoint_best)"
    assert folds.aside == (
        f"{FINAL} of fold_0 is left aside: not every fold has one, as every fold has {BEST}",
    )
    (tmp_path / "fold_0" / BEST).unlink()
    with pytest.raises(ModelError, match=rf"fold_0: {FINAL}; fold_1: {BEST}\).*one kind"):
        read_folds(folder)


@pytest.mark.parametrize("closed", ["model", "model/fold_0"])
def test_a_folder_that_is_closed_is_named(tmp_path: Path, closed: str) -> None:
    write(tmp_path, f"model/fold_0/{FINAL}")
    with unprivileged(tmp_path):
        path = Path(closed)
        path.chmod(0o600)
        try:
            with pytest.raises(ModelError, match=r"cannot be read \(Permission denied"):
                read_folds(Path("model"))
        finally:
            path.chmod(0o700)


def test_what_the_store_made_of_a_checkpoint_stands_for_it(tmp_path: Path) -> None:
    weights, facts = converted_files(tmp_path / "fold_0" / FINAL)
    write(tmp_path, str(weights), "fold_1/" + FINAL)
    assert read_folds(tmp_path).text == "fold_1 (checkpoint_final)"
    facts.touch()
    assert read_folds(tmp_path).text == "fold_0 + fold_1 (checkpoint_final)"
