"""What contradicts itself, and how outputs are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sct_rootlets.deepseg import Request
from sct_rootlets.deepseg.request import default_device
from sct_rootlets.errors import UsageError
from sct_rootlets.inputs import Landmarks
from sct_rootlets.levels import LevelOptions
from sct_rootlets.postprocess import Steps

ONE, TWO = (Path("a/t2.nii.gz"),), (Path("a/t2.nii.gz"), Path("b/t1.nii"))


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (None, "a/t2_rootlets.nii.gz"),
        ("out", "out.nii.gz"),
        ("out.nii", "out.nii"),
        ("out.nii.gz", "out.nii.gz"),
        ("x/sub-1.v2", "x/sub-1.v2.nii.gz"),
    ],
)
def test_the_name_of_the_rootlets(output: str | None, expected: str) -> None:
    assert Request("rootlets", ONE, output).files(0) == {"rootlets": Path(expected)}


def test_the_names_of_the_levels_follow_the_rootlets() -> None:
    files = Request("rootlets_levels", TWO).files(1)
    assert files["levels"] == Path("b/t1_spinal_levels.nii.gz")
    assert files["cord"] == Path("b/t1_seg.nii.gz")
    files = Request("rootlets_levels", ONE, "out/X.nii").files(0)
    assert files["levels"] == Path("out/X_spinal_levels.nii")
    assert files["cord"] == Path("out/t2_seg.nii.gz")


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (TWO, {"output": "out.nii.gz"}, "-o names one output, and -i has 2 images"),
        (ONE, {"output": "out/"}, "is a folder"),
        (TWO, {"cords": ONE}, "-s has 1 and -i has 2"),
        (TWO, {"landmarks": Landmarks(Path("d.nii.gz"))}, "-discs belongs to one image"),
        (TWO, {"landmarks": Landmarks(pmj=Path("p.nii.gz"))}, "-pmj belongs to one image"),
        (TWO, {"csv": Path("x.csv")}, "-ocsv names one file"),
        (ONE, {"steps": Steps(threshold=0.5)}, "-thr"),
    ],
)
def test_contradictions(images: tuple[Path, ...], options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Request("rootlets_levels", images, **options).check()


def test_what_is_no_contradiction() -> None:
    Request("rootlets", ONE, steps=Steps(threshold=0.5)).check()
    Request("rootlets_levels", TWO, cords=TWO, level_options=LevelOptions("extent")).check()
    Request("rootlets_levels", ONE, steps=Steps(threshold=0.0)).check()


def test_a_gpu_only_where_sct_would_use_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCT_USE_GPU", raising=False)
    assert default_device() == "cpu"
    monkeypatch.setenv("SCT_USE_GPU", "")  # SCT looks whether it is set, not to what
    assert default_device() == "auto"
