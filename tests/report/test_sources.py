"""Where results and the images they were made of are found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.report.finding import Found, find
from sct_rootlets.report.sources import Locator, sources_of

HEADER = "level\tspinal_level\tstatus\trostral_mm\n"


def touch(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_folders_and_files_give_each_result_once(tmp_path: Path) -> None:
    plain = touch(tmp_path / "a" / "t2_spinal_levels.tsv", HEADER)
    touch(tmp_path / "a" / "t2_spinal_levels.nii.gz")
    touch(tmp_path / "a" / "t2_spinal_levels.json", '{"levels": []}')
    touch(tmp_path / "a" / "t2_spinal_levels_dseg.tsv", "index\tname\tcolor\n")
    touch(tmp_path / "a" / "t2_spinal_levels_midpoint.nii.gz")
    bids = touch(tmp_path / "b" / "c" / "sub-1_T2w_label-spinallevels.tsv", HEADER)
    touch(tmp_path / "b" / "c" / "sub-1_T2w_label-spinallevels_dseg.nii.gz")
    touch(tmp_path / "b" / "c" / "sub-1_T2w_label-spinallevels_dseg.tsv", "index\tname\tcolor\n")
    own = touch(tmp_path / "mine.tsv", HEADER)
    touch(tmp_path / ".hidden" / "t2_spinal_levels.tsv", HEADER)
    tables = [plain, bids, own]
    assert [found.table for found in find([tmp_path])] == tables
    assert [found.table for found in find([tmp_path, plain, tmp_path / "a"])] == tables
    assert [found.table for found in find([plain.with_suffix(".nii.gz")])] == [plain]
    assert Found(bids).levels.name == "sub-1_T2w_label-spinallevels_dseg.nii.gz"
    assert (Found(plain).name, Found(bids).name) == ("t2", "sub-1_T2w")


def test_a_result_without_its_table_is_found_but_levels_of_an_epi_are_none(
    tmp_path: Path,
) -> None:
    touch(tmp_path / "t2_spinal_levels.nii.gz")
    touch(tmp_path / "bold_spinal_levels.nii.gz")
    touch(tmp_path / "bold_spinal_levels.json", json.dumps({"Coverage": {}}))
    assert [found.name for found in find([tmp_path])] == ["t2"]


@pytest.mark.parametrize("content", ["", "subject\tage\n", "level,spinal_level\n"])
def test_other_files_are_no_results(tmp_path: Path, content: str) -> None:
    other = touch(tmp_path / "notes.tsv", content)
    with pytest.raises(InputError, match="is no result"):
        find([other])
    with pytest.raises(InputError, match="holds no results"):
        find([tmp_path])


def test_a_table_that_was_saved_otherwise_is_found_or_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = touch(tmp_path / "mine.tsv", "\ufeff" + HEADER.replace("\t", ";"))
    other = tmp_path / "other.tsv"
    other.write_text(HEADER, encoding="utf-16")
    assert [found.table for found in find([own, other])] == [own]
    assert "other.tsv: is text in UTF-16" in caplog.text
    with pytest.raises(InputError, match="UTF-16"):
        find([other])


def test_a_path_that_is_not_there_is_a_matter_of_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        find([tmp_path / "nowhere"])


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
