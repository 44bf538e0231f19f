"""Results of a namesake are not replaced: two subjects, one folder for the results."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.cli.main import main
from tests.pipeline.knowing_engine import Knowing
from tests.synthetic import Neck, save_array


@pytest.fixture
def subjects(
    neck: Neck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, knowing: Knowing
) -> Callable[..., int]:
    """Write two subjects whose images share a name; return what runs a command on one."""
    knowing()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCT_ROOTLETS_SCT", "0")
    for k, name in enumerate("ab"):
        Path(name).mkdir()
        grey = np.asarray(neck.image.data) + k
        save_array(Path(name, "t2.nii.gz"), grey, neck.image.grid.affine)
    return lambda command, name, *more: main(
        [command, "-i", f"{name}/t2.nii.gz", "-ofolder", "out", *more]
    )


@pytest.mark.parametrize("command", ["run", "segment"])
def test_the_results_of_a_namesake_are_not_replaced(
    subjects: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    no_figures: None,
    command: str,
) -> None:
    assert subjects(command, "a") == 0
    before = {path: path.read_bytes() for path in Path("out").iterdir()}
    assert subjects(command, "b") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "was made of a/t2.nii.gz, and would be replaced by the result of b/t2.nii.gz" in said
    assert {path: path.read_bytes() for path in Path("out").iterdir()} == before
    assert subjects(command, "a") == 0
    assert subjects(command, "b", "-overwrite", "1") == 0


def test_an_image_that_was_moved_or_copied_is_the_same(
    subjects: Callable[..., int], no_figures: None
) -> None:
    assert subjects("run", "a") == 0
    shutil.copytree("a", "copy")
    assert subjects("run", "copy") == 0
    shutil.rmtree("a")
    shutil.rmtree("copy")
    assert subjects("run", "b") == 0  # nobody knows what it was


def test_levels_of_namesakes_too(
    subjects: Callable[..., int],
    neck: Neck,
    capsys: pytest.CaptureFixture[str],
    no_figures: None,
) -> None:
    for k, name in enumerate("ab"):
        data = np.asarray(neck.rootlets.data)
        moved = np.where(data > 0, data + k, 0).astype(np.uint8)
        save_array(Path(name, "t2_rootlets.nii.gz"), moved, neck.rootlets.grid.affine)
        mask = np.asarray(neck.cord.data).astype(np.uint8)
        save_array(Path(name, "t2_seg.nii.gz"), mask, neck.cord.grid.affine)
    words = [
        f"levels -i {name}/t2_rootlets.nii.gz -s {name}/t2_seg.nii.gz -ofolder out".split()
        for name in "ab"
    ]
    assert [main(words[0]), main(words[0]), main(words[1])] == [0, 0, 2]
    assert "was made of a/t2_rootlets.nii.gz" in " ".join(capsys.readouterr().err.split())
