"""Where the images that results were made of are found."""

from __future__ import annotations

import shutil
from pathlib import Path

from sct_rootlets.report.sources import Locator, sources_of
from tests.report.conftest import touch


def sidecar(*sources: str, **parameters: str) -> dict[str, object]:
    return {"Sources": list(sources), "GeneratedBy": [{"Parameters": parameters}]}


def test_run_names_the_image_and_writes_masks_beside_the_levels(tmp_path: Path) -> None:
    out = tmp_path / "out"
    image = touch(tmp_path / "t2.nii.gz")
    discs = touch(tmp_path / "discs.nii.gz")
    rootlets, cord = touch(out / "t2_rootlets.nii.gz"), touch(out / "t2_seg.nii.gz")
    made = sources_of(
        sidecar("../t2.nii.gz", "../discs.nii.gz", discs="discs.nii.gz"),
        "t2_rootlets.nii.gz", "t2", out, Locator(),
    )  # fmt: skip
    assert (made.image, made.discs, made.rootlets, made.cord) == (image, discs, rootlets, cord)
    assert made.missing == []


def test_levels_name_rootlets_and_cord_and_the_image_lies_beside(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    rootlets = touch(tmp_path / "sub-1_T2w_label-rootlets_dseg.nii.gz")
    cord = touch(tmp_path / "sub-1_T2w_label-SC_seg.nii.gz")
    given = sidecar(f"../{rootlets.name}", f"../{cord.name}")
    made = sources_of(given, rootlets.name, "sub-1_T2w", out, Locator())
    assert (made.image, made.rootlets, made.cord) == (None, rootlets, cord)
    assert made.missing == []  # no image was named
    image = touch(tmp_path / "sub-1_T2w.nii.gz")
    assert sources_of(given, rootlets.name, "sub-1_T2w", out, Locator()).image == image


def test_rootlets_are_not_taken_for_the_image_of_their_name(tmp_path: Path) -> None:
    rootlets = touch(tmp_path / "rootlets.nii.gz")
    touch(tmp_path / "cord.nii.gz")
    given = sidecar("rootlets.nii.gz", "cord.nii.gz")
    made = sources_of(given, rootlets.name, "rootlets", tmp_path, Locator())
    assert made.image is None


def test_images_that_were_moved_are_found_by_name_and_folders_above(tmp_path: Path) -> None:
    results = tmp_path / "results" / "sub-2"
    results.mkdir(parents=True)
    for subject in ("sub-1", "sub-2"):
        touch(tmp_path / "moved" / subject / "anat" / "t2.nii.gz")
    locator = Locator([tmp_path / "moved"])
    found = locator.find("../../data/sub-2/anat/t2.nii.gz", results)
    assert found == tmp_path / "moved" / "sub-2" / "anat" / "t2.nii.gz"
    assert locator.find("../../data/sub-9/t2.nii.gz", results) is None  # either of two
    assert locator.find("t1.nii.gz", results) is None


def test_what_is_missing_and_what_has_changed_is_told(tmp_path: Path) -> None:
    from sct_rootlets.files.hashing import file_sha256

    image = touch(tmp_path / "t2.nii.gz", "grey")
    touch(tmp_path / "t2_rootlets.nii.gz")
    given = sidecar("t2.nii.gz", "t2_seg.nii.gz")
    given["SourceSHA256"] = {"t2.nii.gz": file_sha256(image)}
    made = sources_of(given, "t2_rootlets.nii.gz", "t2", tmp_path, Locator())
    assert made.missing == ["cord mask t2_seg.nii.gz"]
    assert made.changed == []
    shutil.copy(image, tmp_path / "t2_seg.nii.gz")
    image.write_text("other")
    made = sources_of(given, "t2_rootlets.nii.gz", "t2", tmp_path, Locator())
    assert (made.missing, made.changed) == ([], ["image t2.nii.gz"])
