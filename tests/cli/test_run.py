"""What ``run`` writes and prints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.cli.main import main
from sct_rootlets.image import load_labels
from sct_rootlets.levels.table.reading import read_levels_table
from tests.cli.listing import level_names, names
from tests.synthetic import Neck, save_array

pytestmark = pytest.mark.usefixtures("no_figures")


def test_run_writes_beside_the_image_and_ends_with_the_fsleyes_line(
    paths: dict[str, Path],
    knowing: Callable[..., object],
    figures: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    knowing(identity=False)
    given = names()
    assert main(["run", "-i", "t2.nii.gz", "-discs", "discs.nii.gz"]) == 0
    made = names() - given
    assert made == {
        *level_names("t2_spinal_levels"),
        "t2_rootlets.json",
        "t2_rootlets.nii.gz",
        "t2_seg.json",
        "t2_seg.nii.gz",
    }
    out, err = capsys.readouterr()
    table = read_levels_table("t2_spinal_levels.tsv")
    row = table.row(SpinalLevel.C5)
    assert row is not None
    line = next(line for line in out.splitlines() if line.startswith("C5"))
    assert f"{row.caudal_mm:.1f}" in line
    assert out.splitlines()[-1] == (
        "fsleyes t2.nii.gz -cm greyscale t2_spinal_levels.nii.gz -cm subcortical -a 50.0 "
        "t2_rootlets.nii.gz -cm subcortical -a 70.0 &"
    )
    for name in made:
        if name != "t2_seg.json" and "levels.json" not in name and "rootlets.json" not in name:
            assert name in out
    assert "Prediction" not in out
    assert "Deriving the levels: done" in err


def test_run_into_folders_with_quality_control_and_intermediate_files(
    paths: dict[str, Path],
    knowing: Callable[..., object],
    no_sct: None,
    figures: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    knowing(identity=False)
    words = "run -i t2.nii.gz -s cord.nii.gz -c2c3 0,9,65.5 -ofolder a/b -qc qc -r 0 -v 0"
    assert main(words.split()) == 0
    assert names("a/b") == {
        *level_names("t2_spinal_levels"),
        "t2_centerline.tsv",
        "t2_rootlets-predicted.nii.gz",
        "t2_rootlets.json",
        "t2_rootlets.nii.gz",
    }
    assert names("qc") == {"t2_spinal_levels.png", "t2_spinal_levels.html"}
    assert capsys.readouterr() == ("", "")
    content = json.loads(Path("a/b/t2_spinal_levels.json").read_text())
    assert content["GeneratedBy"][0]["Parameters"]["c2c3_world_mm"] == [0, 9, 65.5]


def test_run_never_replaces_a_cord_mask_of_somebody_else(
    paths: dict[str, Path], knowing: Callable[..., object], capsys: pytest.CaptureFixture[str]
) -> None:
    knowing(identity=True)
    mask = paths["cord"].rename("t2_seg.nii.gz")
    before, listing = mask.read_bytes(), names()
    assert main(["run", "-i", "t2.nii.gz"]) == 2
    assert "-s t2_seg.nii.gz" in capsys.readouterr().err
    assert names() == listing
    assert main(["run", "-i", "t2.nii.gz", "-s", "t2_seg.nii.gz"]) == 0
    assert mask.read_bytes() == before


def test_run_twice_replaces_its_own_results(
    paths: dict[str, Path], knowing: Callable[..., object]
) -> None:
    knowing(identity=True)
    assert main(["run", "-i", "t2.nii.gz"]) == 0
    assert main(["run", "-i", "t2.nii.gz"]) == 0


def test_unknown_voxels_are_said_and_written_down(
    neck: Neck,
    paths: dict[str, Path],
    knowing: Callable[..., object],
    capsys: pytest.CaptureFixture[str],
) -> None:
    knowing(identity=True)
    grey = neck.image.data.copy()
    grey[:2, 0, 0] = np.nan
    save_array(Path("t2.nii.gz"), grey, neck.image.grid.affine)
    told = "t2.nii.gz has 2 voxels that are NaN or infinite"
    for words, sidecars in {
        "run -i t2.nii.gz": ("Notes", "t2_rootlets.json"),
        "segment -i t2.nii.gz": ("Notes", "t2_rootlets.json"),
        "run -i t2.nii.gz -ofolder again": ("warnings", "again/t2_spinal_levels.json"),
    }.items():
        assert main(words.split()) == 0
        assert " ".join(capsys.readouterr().err.split()).count(told) == 1
        field, name = sidecars
        assert [text for text in json.loads(Path(name).read_text())[field] if told in text]


def test_a_volume_of_a_series(
    neck: Neck, paths: dict[str, Path], knowing: Callable[..., object]
) -> None:
    knowing(identity=True)
    series = np.stack([np.zeros_like(neck.image.data), neck.image.data], axis=-1)
    save_array(Path("t2.nii.gz"), series, neck.image.grid.affine)
    assert main(["segment", "-i", "t2.nii.gz", "-volume", "0"]) == 1  # constant
    for words, name in {
        "segment -i t2.nii.gz -volume 1": "t2_rootlets.json",
        "run -i t2.nii.gz -volume 1": "t2_spinal_levels.json",
    }.items():
        assert main([*words.split(), "-engine", "torch", "-fast"]) == 0
        parameters = json.loads(Path(name).read_text())["GeneratedBy"][0]["Parameters"]
        assert parameters["volume"] == 1
        assert (parameters["device"], parameters["engine"], parameters["fast"]) == (
            "auto",
            "torch",
            True,
        )
    assert load_labels("t2_rootlets.nii.gz").grid.matches(neck.image.grid)
