"""What may be written, and what must never be replaced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sct_rootlets.errors import RootletsError, UsageError
from sct_rootlets.files.guards import require_free
from sct_rootlets.files.names import image_outputs, level_files, levels_target
from sct_rootlets.files.sidecar import sidecar, sidecar_path, to_json


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


def test_new_files_and_our_own_earlier_ones_are_free(tmp_path: Path) -> None:
    levels = tmp_path / "t2_spinal_levels.nii.gz"
    levels.write_text("of an earlier run")
    require_free({"levels": levels, "rootlets": tmp_path / "new" / "t2.nii.gz"})
    assert not (tmp_path / "new").exists()


def test_an_input_is_never_an_output(tmp_path: Path) -> None:
    image = tmp_path / "t2.nii.gz"
    image.write_text("image")
    with pytest.raises(UsageError, match=r"t2\.nii\.gz: is an input"):
        require_free({"rootlets": image}, [image])


def test_an_input_by_another_name_is_still_the_input(tmp_path: Path) -> None:
    image, link = tmp_path / "t2.nii.gz", tmp_path / "link.nii.gz"
    image.write_text("image")
    link.symlink_to(image)
    with pytest.raises(UsageError, match="is an input"):
        require_free({"rootlets": link}, [image])
    twin = tmp_path / "twin.nii.gz"
    os.link(image, twin)
    with pytest.raises(UsageError, match="is an input"):
        require_free({"rootlets": twin}, [os.path.relpath(image)])


def test_a_cord_mask_of_somebody_else_is_kept(tmp_path: Path) -> None:
    mask = tmp_path / "t2_seg.nii.gz"
    mask.write_text("hours of manual work")
    with pytest.raises(UsageError, match=r"-s .*t2_seg\.nii\.gz"):
        require_free({"cord": mask})
    require_free({"levels": mask})  # only the cord mask is protected


def test_a_cord_mask_of_ours_may_be_replaced(tmp_path: Path) -> None:
    mask = tmp_path / "t2_seg.nii.gz"
    mask.write_text("predicted")
    content = sidecar(beside=tmp_path, sources=[], description="Mask.")
    sidecar_path(mask).write_text(to_json(content))
    require_free({"cord": mask})


def test_levels_of_somebody_else_are_kept_where_their_name_was_not_chosen(tmp_path: Path) -> None:
    levels = tmp_path / "t2_spinal_levels.nii.gz"
    levels.write_text("warped from the template by hand")
    with pytest.raises(UsageError, match="did not make"):
        require_free({"levels": levels}, keep=("levels",))
    require_free({"levels": levels})


def test_a_sidecar_of_somebody_else_is_kept(tmp_path: Path) -> None:
    levels = tmp_path / "sub-1_T2w.nii.gz"
    sidecar_path(levels).write_text('{"EchoTime": 0.12}')
    with pytest.raises(UsageError, match=r"sub-1_T2w\.json: is a sidecar that"):
        require_free({"levels": levels})
    content = sidecar(beside=tmp_path, sources=[], description="Levels.")
    sidecar_path(levels).write_text(to_json(content))
    require_free({"levels": levels})


def test_a_folder_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "t2_spinal_levels.nii.gz").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        require_free({"levels": tmp_path / "t2_spinal_levels.nii.gz"})


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(RootletsError, match="is not a folder") as caught:
        require_free({"levels": tmp_path / "out" / "deep" / "t2_spinal_levels.nii.gz"})
    assert caught.value.exit_status == 1


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RootletsError, match="not writable"):
        require_free({"levels": tmp_path / "t2_spinal_levels.nii.gz"})
