"""The command sct_rootlets map."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets.image import save
from sct_rootlets.levels.table.text import to_tsv
from tests.cli.conftest import Command
from tests.fmri.straight import levels_on, slices, table_of

BORDERS = (20.0, 35.0, 48.0)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write levels and a 4D EPI into a folder, and go there."""
    save(levels_on(BORDERS), tmp_path / "t2_spinal_levels.nii.gz")
    (tmp_path / "t2_spinal_levels.tsv").write_text(to_tsv(table_of(BORDERS)))
    grid = slices(5.0, 8, 15.0).grid
    for name in ("bold.nii.gz", "sub-1_task-rest_bold.nii.gz"):
        nib.save(
            nib.Nifti1Image(np.zeros((*grid.shape, 3), np.int16), grid.affine), tmp_path / name
        )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_files_coverage_and_viewer(here: Path, command: Command) -> None:
    given = set(here.iterdir())
    out = command("map -i t2_spinal_levels.nii.gz -d bold.nii.gz -o X.nii.gz -probseg").out
    made = {path.name for path in set(here.iterdir()) - given}
    assert made == {
        "X.nii.gz", "X.json", "X_dseg.tsv", "X_slices.tsv", "X_slices.json", "X_probseg.nii.gz",
        "X_probseg.json",
    }  # fmt: skip
    assert "C3          3     3.00      15.0" in out
    assert "X_probseg.nii.gz" in out
    assert out.rstrip().endswith(
        "fsleyes bold.nii.gz -cm greyscale X.nii.gz -cm subcortical -a 50.0 &"
    )


def test_names_by_default(here: Path, command: Command) -> None:
    command("map -i t2_spinal_levels.nii.gz -d bold.nii.gz -v 0")
    assert (here / "bold_spinal_levels.nii.gz").exists()
    given = "-i t2_spinal_levels.nii.gz -d sub-1_task-rest_bold.nii.gz"
    command(f"map {given} -probseg files -v 0")
    stem = "sub-1_task-rest_space-bold"
    assert (here / f"{stem}_label-spinallevels_dseg.nii.gz").exists()
    assert (here / f"{stem}_label-spinallevels_dseg.tsv").exists()
    assert (here / f"{stem}_label-spinallevels_slices.tsv").exists()
    assert (here / f"{stem}_label-C3_probseg.nii.gz").exists()


def test_transforms_and_which_of_them_to_invert(here: Path, command: Command) -> None:
    moved = nib.load("t2_spinal_levels.nii.gz")
    affine = moved.affine.copy()
    affine[2, 3] += 100
    nib.save(nib.Nifti1Image(np.asarray(moved.dataobj), affine), "high.nii.gz")
    np.savetxt("down.txt", np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, -100], [0, 0, 0, 1.0]]))
    words = "map -i high.nii.gz -d bold.nii.gz -o Y.nii.gz -w down.txt"
    error = command(words, status=2).err
    assert "through their inverse" in error
    assert "-winv" in error
    assert not list(here.glob("Y*")), "nothing is left behind"
    command(f"{words} -winv down.txt")


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("-i none.nii.gz -d bold.nii.gz", 1, "no such file (spinal levels)"),
        ("-i t2_spinal_levels.nii.gz -d none.nii.gz", 1, "no such file (EPI)"),
        ("-i t2_spinal_levels.nii.gz -d bold.nii.gz -w none.nii.gz", 1, "no such file (transform)"),
        ("-i t2_spinal_levels.nii.gz -d bold.nii.gz -w bold.nii.gz", 1, "is no displacement field"),
        ("-i t2_spinal_levels.nii.gz -d bold.nii.gz -o bold.nii.gz", 2, "is an input"),
    ],
)
def test_errors(
    here: Path, refused: Callable[..., None], words: str, status: int, message: str
) -> None:
    refused(f"map {words}", status, message)


def test_an_image_of_somebody_else_is_not_replaced(here: Path, command: Command) -> None:
    (here / "bold_spinal_levels.nii.gz").write_bytes(b"somebody's work")
    assert (
        "was not made by sct_rootlets"
        in command("map -i t2_spinal_levels.nii.gz -d bold.nii.gz", status=2).err
    )
