"""What the files of a result are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from sct_rootlets.files.names import image_outputs, level_files, levels_target


def test_the_files_of_an_image() -> None:
    files = image_outputs("t2", Path("out"), cord=True)
    assert {what: path.as_posix() for what, path in files.items()} == {
        "rootlets": "out/t2_rootlets.nii.gz",
        "cord": "out/t2_seg.nii.gz",
        "levels": "out/t2_spinal_levels.nii.gz",
    }
    assert "cord" not in image_outputs("t2", Path("out"), cord=False)


def test_the_files_of_levels() -> None:
    files = level_files(Path("out/X.nii"))
    assert {what: path.as_posix() for what, path in files.items()} == {
        "levels": "out/X.nii",
        "table": "out/X.tsv",
        "json": "out/X.json",
        "lookup": "out/X_dseg.tsv",
        "midpoint": "out/X_midpoint.nii",
        "rostral": "out/X_rostral.nii",
        "caudal": "out/X_caudal.nii",
        "figure": "out/X.png",
    }
    bids = level_files(Path("sub-1_label-spinallevels_dseg.nii.gz"))
    assert len(set(bids.values())) == len(bids)
    assert bids["lookup"].name == "sub-1_label-spinallevels_dseg.tsv"
    assert bids["json"].name == "sub-1_label-spinallevels_dseg.json"
    assert bids["midpoint"].name == "sub-1_label-spinallevels_midpoint.nii.gz"


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("in/t2_rootlets.nii.gz", "in/t2_spinal_levels.nii.gz"),
        ("t2.nii", "t2_spinal_levels.nii"),
        ("t2_seg.nii.gz", "t2_spinal_levels.nii.gz"),
        ("sub-1_T2w_rootlets.nii.gz", "sub-1_T2w_spinal_levels.nii.gz"),
        ("sub-1_T2w_label-rootlet.nii.gz", "sub-1_T2w_spinal_levels.nii.gz"),
        (
            "sub-1_ses-2_T2w_label-rootlets_dseg.nii.gz",
            "sub-1_ses-2_T2w_label-spinallevels_dseg.nii.gz",
        ),
        ("sub-1_T2w_label-SC_seg.nii.gz", "sub-1_T2w_label-spinallevels_dseg.nii.gz"),
        ("rootlets.nii.gz", "rootlets_spinal_levels.nii.gz"),
    ],
)
def test_the_name_of_levels_follows_that_of_the_rootlets(source: str, target: str) -> None:
    assert levels_target(source).as_posix() == target
    assert levels_target(source, Path("out")) == Path("out") / Path(target).name
