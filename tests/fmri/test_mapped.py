"""Levels on an EPI as files: images, tables, sidecars."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.colours import LEVEL_COLOURS
from sct_rootlets.errors import UsageError
from tests.fmri.straight import mapped

C3, C4 = SpinalLevel.C3, SpinalLevel.C4


def test_what_is_written(folder: Path) -> None:
    result = mapped(folder, cord=folder / "mask.nii.gz")
    target = folder / "out" / "X.nii.gz"
    files = result.write(target, probseg="4d")
    assert {path.name for path in target.parent.iterdir()} == {
        "X.nii.gz", "X.json", "X_dseg.tsv", "X_slices.tsv", "X_slices.json",
        "X_probseg.nii.gz", "X_probseg.json",
    }  # fmt: skip
    labels, shares = nib.load(files["levels"]), nib.load(files["probseg"])
    assert labels.get_data_dtype() == np.uint8
    assert shares.get_data_dtype() == np.float32
    assert shares.shape == (20, 20, 8, 2)
    np.testing.assert_array_equal(np.asarray(shares.dataobj), result.fractions.share)
    # The header of the EPI without its time: sform as it was, volumes that are levels.
    for image in (labels, shares):
        assert int(image.header["sform_code"]) == 4
        assert float(image.header["slice_duration"]) == 0
    assert shares.header.get_zooms() == (1, 1, 5, 1)
    about = json.loads((target.parent / "X.json").read_text())
    assert about["SpatialReference"] == "../sub-1_task-rest_bold.nii.gz"
    assert about["Labels"] == {"3": "C3", "4": "C4"}
    assert about["Coverage"]["C3"]["slices"] == pytest.approx(3, abs=0.05)
    assert about["Borders"]["C4"]["caudal_sd_mm"] == 1
    assert set(about["SourceSHA256"]) == {
        "../levels.nii.gz", "../sub-1_task-rest_bold.nii.gz", "../mask.nii.gz",
    }  # fmt: skip
    volumes = json.loads((target.parent / "X_probseg.json").read_text())
    assert volumes["LabelMap"] == ["C3", "C4"]
    lookup = files["lookup"].read_text().splitlines()
    assert lookup == [
        "index\tname\tcolor",
        f"3\tC3\t{LEVEL_COLOURS[C3]}",
        f"4\tC4\t{LEVEL_COLOURS[C4]}",
    ]
    head, *rows = files["slices"].read_text().splitlines()
    assert head.split("\t")[:3] == ["slice", "level", "fraction"]
    # 15 to 55 mm below the top in slices of 5 mm, counted from below.
    assert [row.split("\t")[:2] for row in rows] == [
        ["1", "C4"], ["2", "C4"], ["3", "C4"], ["4", "C3"], ["5", "C3"], ["6", "C3"],
    ]  # fmt: skip
    assert json.loads(files["slices_json"].read_text())["SliceAxis"] == "k"


def test_one_file_a_level_on_request(folder: Path) -> None:
    result = mapped(folder)
    files = result.write(
        folder / "sub-1_space-bold_label-spinallevels_dseg.nii.gz", probseg="files"
    )
    path = files["probseg_C4"]
    assert path.name == "sub-1_space-bold_label-C4_probseg.nii.gz"
    np.testing.assert_array_equal(nib.load(path).get_fdata(), result.fractions.of(C4))
    assert json.loads((folder / path.name.replace(".nii.gz", ".json")).read_text())["Labels"] == {
        "4": "C4"
    }
    assert "probseg" not in files


def test_inputs_are_not_replaced(folder: Path) -> None:
    with pytest.raises(UsageError, match="is an input"):
        mapped(folder).write(folder / "levels.nii.gz")
