"""Rows of single results: how much of a broken one is shown."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sct_rootlets.report.finding import find
from sct_rootlets.report.sources import Locator
from sct_rootlets.report.subject import Subject, read
from sct_rootlets.report.verdict import Verdict

STEM = "sub-a_T2w"


@pytest.fixture
def result(batch: Path, tmp_path: Path) -> Path:
    """Return a copy of a result as it should be."""
    return shutil.copytree(batch / "sub-a", tmp_path / "sub", ignore=lambda *_: ["notes.tsv"])


def row_of(folder: Path) -> Subject:
    (found,) = find([folder])
    return read(found, "sub/t2", Locator())


def test_a_whole_result_has_levels_pictures_and_facts(result: Path, real_figures: None) -> None:
    row = row_of(result)
    assert row.verdict == Verdict("ok", ())
    assert (row.name, row.measured, row.folder) == (f"{STEM}.nii.gz", 4, "sub")
    assert row.facts["Definition"] == "caudal"
    assert row.facts["Made by"].startswith("sct_rootlets")
    assert "C2/C3" in row.landmarks_mm
    assert row.pictures is not None
    assert row.pictures.bare
    # C3 begins where the population says that C2, which was not seen, ends.
    assert {str(line.row.level) for line in row.lines if line.length} == {"C4", "C5", "C6"}


@pytest.mark.parametrize("what", ["", "_rootlets", "_seg", "_spinal_levels"])
def test_what_is_left_without_an_image_is_drawn(
    result: Path, real_figures: None, what: str
) -> None:
    (result / f"{STEM}{what}.nii.gz").unlink()
    assert row_of(result).pictures is not None


@pytest.mark.parametrize(
    ("what", "damage"),
    [("", "gone"), ("", "text"), ("_rootlets", "cut"), ("_rootlets", "gone"), ("_seg", "text"),
     ("_seg", "gone"), ("_spinal_levels", "cut"), ("_spinal_levels", "gone")],
)  # fmt: skip
def test_a_damaged_image_is_a_sentence(result: Path, what: str, damage: str) -> None:
    path = result / f"{STEM}{what}.nii.gz"
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:200] if damage == "cut" else b"no image")
    row = row_of(result)
    if damage == "gone" and what == "":  # `levels` knows of no image
        assert row.verdict.status == "ok"
        assert row.facts["Image"] == "none was found"
    else:
        assert row.verdict.status == "failed"
        assert f"{STEM}{what}.nii.gz" in " ".join(row.verdict.reasons)
    assert str(result.parent) not in " ".join(row.verdict.reasons)
    assert row.measured == 4
    assert row.pictures is not None


def test_a_damaged_sidecar_or_one_of_another_kind_is_a_row(result: Path) -> None:
    path = result / f"{STEM}_spinal_levels.json"
    content = json.loads(path.read_text())
    path.write_text("{")
    assert row_of(result).verdict.status == "failed"
    path.write_text(json.dumps({**content, "GeneratedBy": "me"}))
    assert row_of(result).verdict.status == "failed"
    path.unlink()
    row = row_of(result)
    assert row.verdict.status == "failed"
    assert f"{STEM}_spinal_levels.json is missing" in row.verdict.reasons


def test_an_unseen_level_between_others_is_flagged(batch: Path) -> None:
    row = row_of(batch / "sub-gap")
    assert row.verdict == Verdict("flagged", ("not seen between others: C5",))
