"""Which files are results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.report.finding import Found, find
from tests.report.conftest import touch

HEADER = "level\tspinal_level\tstatus\trostral_mm\n"


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


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is empty"),
        ("subject\tage\n", "is no result"),
        ("level,spinal_level\n", "is no result"),
        ("version https://git-lfs.github.com/spec/v1\n", "is a pointer of Git LFS"),
    ],
)
def test_other_files_are_no_results(tmp_path: Path, content: str, problem: str) -> None:
    other = touch(tmp_path / "notes.tsv", content)
    with pytest.raises(InputError, match=problem):
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
