"""What ``run`` writes and prints."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.image import load_labels
from sct_rootlets.levels.table.reading import read_levels_table
from tests.cli.conftest import Command
from tests.cli.listing import level_names, names
from tests.pipeline.knowing_engine import Knowing
from tests.synthetic import Neck, save_array

pytestmark = pytest.mark.usefixtures("no_figures", "paths")


def test_run_writes_beside_the_image_and_ends_with_the_fsleyes_line(
    knowing: Knowing, figures: None, command: Command
) -> None:
    knowing(identity=False)
    given = names()
    out, err = command("run -i t2.nii.gz -discs discs.nii.gz")
    made = names() - given
    assert made == {
        *level_names("t2_spinal_levels"),
        "t2_rootlets.json",
        "t2_rootlets.nii.gz",
        "t2_seg.json",
        "t2_seg.nii.gz",
    }
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
    knowing: Knowing, no_sct: None, figures: None, command: Command
) -> None:
    knowing(identity=False)
    words = "run -i t2.nii.gz -s cord.nii.gz -c2c3 0,9,65.5 -ofolder a/b -qc qc -r 0 -v 0"
    assert command(words) == ("", "")
    assert names("a/b") == {
        *level_names("t2_spinal_levels"),
        "t2_centerline.tsv",
        "t2_rootlets-predicted.nii.gz",
        "t2_rootlets.json",
        "t2_rootlets.nii.gz",
    }
    assert names("qc") == {"t2_spinal_levels.png", "t2_spinal_levels.html"}
    content = json.loads(Path("a/b/t2_spinal_levels.json").read_text())
    assert content["GeneratedBy"][0]["Parameters"]["c2c3_world_mm"] == [0, 9, 65.5]


def test_run_never_replaces_a_cord_mask_of_somebody_else(
    paths: dict[str, Path], knowing: Knowing, command: Command
) -> None:
    knowing(identity=True)
    mask = paths["cord"].rename("t2_seg.nii.gz")
    before, listing = mask.read_bytes(), names()
    assert "-s t2_seg.nii.gz" in command("run -i t2.nii.gz", status=2).err
    assert names() == listing
    command("run -i t2.nii.gz -s t2_seg.nii.gz")
    assert mask.read_bytes() == before


def test_run_twice_replaces_its_own_results(knowing: Knowing, command: Command) -> None:
    knowing(identity=True)
    command("run -i t2.nii.gz")
    command("run -i t2.nii.gz")


def test_unknown_voxels_are_said_and_written_down(
    neck: Neck, knowing: Knowing, command: Command
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
        assert " ".join(command(words).err.split()).count(told) == 1
        field, name = sidecars
        assert [text for text in json.loads(Path(name).read_text())[field] if told in text]


def test_a_volume_of_a_series(neck: Neck, knowing: Knowing, command: Command) -> None:
    knowing(identity=True)
    series = np.stack([np.zeros_like(neck.image.data), neck.image.data], axis=-1)
    save_array(Path("t2.nii.gz"), series, neck.image.grid.affine)
    command("segment -i t2.nii.gz -volume 0", status=1)  # constant
    for words, name in {
        "segment -i t2.nii.gz -volume 1": "t2_rootlets.json",
        "run -i t2.nii.gz -volume 1": "t2_spinal_levels.json",
    }.items():
        command(words, "-engine", "torch", "-fast")
        parameters = json.loads(Path(name).read_text())["GeneratedBy"][0]["Parameters"]
        assert parameters["volume"] == 1
        assert (parameters["device"], parameters["engine"], parameters["fast"]) == (
            "auto",
            "torch",
            True,
        )
    assert load_labels("t2_rootlets.nii.gz").grid.matches(neck.image.grid)
