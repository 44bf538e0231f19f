"""What the options of ``sct_rootlets levels`` say, through to the files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.cli.main import main
from sct_rootlets.image import LabelImage, load_labels, save
from sct_rootlets.levels import LevelTable
from sct_rootlets.levels.table.reading import read_levels_table
from tests.synthetic import make_neck

pytestmark = pytest.mark.usefixtures("no_figures")


@pytest.fixture
def neck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a neck, its cord labelled with vertebral levels, and go there."""
    monkeypatch.chdir(tmp_path)
    made = make_neck()
    made.write(tmp_path)
    # Discs C2/C3 to C5/C6 lie 34, 50, 66 and 82 mm below the top.
    below_top = np.arange(100)[::-1]
    values = 2 + sum((below_top >= mm).astype(np.int32) for mm in (34, 50, 66, 82))
    save(made.cord.with_data(made.cord.data * values), tmp_path / "labelled.nii.gz")
    data = made.rootlets.data
    save(made.rootlets.with_data(np.where(data > 0, data + 1, 0)), tmp_path / "raised.nii.gz")
    return tmp_path


def levels(words: str) -> tuple[LevelTable, dict, LabelImage]:
    """Run the command; return table, JSON and label image."""
    assert main(f"levels {words} -o X.nii.gz".split()) == 0
    content = json.loads(Path("X.json").read_text())
    return read_levels_table("X.tsv"), content, load_labels("X.nii.gz")


@pytest.mark.parametrize("vertebrae", ["-discs discs.nii.gz", "-vertfile labelled.nii.gz"])
def test_vertebrae_fill_their_columns(neck: Path, vertebrae: str) -> None:
    table, _, _ = levels(f"-i rootlets.nii.gz -s cord.nii.gz {vertebrae}")
    row = table.row(SpinalLevel.C5)
    # C5 lies in the vertebra C4 of this neck, 50 to 66 mm below the top.
    assert str(row.vertebral.midpoint.vertebra) == "C4"
    assert 0 < row.vertebral.midpoint.fraction < 1
    assert row.caudal_sd_mm > 0


@pytest.mark.parametrize("vertebrae", ["-discs discs.nii.gz", "-vertfile labelled.nii.gz"])
def test_without_rootlets_levels_are_predicted(neck: Path, vertebrae: str) -> None:
    table, content, painted = levels(f"-s cord.nii.gz {vertebrae}")
    assert {row.status for row in table.rows} == {"predicted"}
    assert table.fname is None
    seen, _, _ = levels(f"-i rootlets.nii.gz -s cord.nii.gz {vertebrae}")
    c5, measured = table.row(SpinalLevel.C5), seen.row(SpinalLevel.C5)
    assert abs(c5.midpoint_mm - measured.midpoint_mm) < 3 * c5.midpoint_sd_mm
    assert c5.caudal_sd_mm > measured.caudal_sd_mm
    assert 5 in painted.labels
    assert content["rejected"] == []


def test_the_last_level_is_the_one_asked_for(neck: Path) -> None:
    table, _, _ = levels("-i rootlets.nii.gz -s cord.nii.gz -discs discs.nii.gz -extend T12")
    assert [row.level for row in table.rows] == list(SpinalLevel)[:20]
    assert table.row(SpinalLevel.T12).status == "extrapolated"
    spreads = [table.row(SpinalLevel(value)).caudal_sd_mm for value in range(9, 21)]
    assert spreads == sorted(spreads)


def test_a_wrong_numbering_is_warned_of_and_put_right(neck: Path) -> None:
    given = "-i raised.nii.gz -s cord.nii.gz -vertfile labelled.nii.gz"
    as_they_are, content, _ = levels(given)
    assert any("numbering" in warning for warning in content["warnings"])
    assert content["identity"]["best_shift"] == -1
    assert as_they_are.row(SpinalLevel.C7).status == "measured"
    renumbered, content, _ = levels(f"{given} -renumber")
    right, _, _ = levels("-i rootlets.nii.gz -s cord.nii.gz -vertfile labelled.nii.gz")
    for row, known in zip(renumbered.rows, right.rows, strict=True):
        assert row.status == known.status
        assert row.caudal_mm == pytest.approx(known.caudal_mm)
        assert ("renumbered" in row.flags) == (row.status == "measured")
    assert content["GeneratedBy"][0]["Parameters"]["renumber"] is True


def test_borders_in_the_middle_of_the_gaps(neck: Path) -> None:
    table, content, _ = levels("-i rootlets.nii.gz -s cord.nii.gz -definition midgap")
    assert content["definition"] == "midgap"
    c4, c5 = table.row(SpinalLevel.C4), table.row(SpinalLevel.C5)
    assert c4.caudal_mm == c5.rostral_mm
    # The zones end near 47.5 mm and begin at 52 mm.
    assert c4.caudal_mm == pytest.approx(50, abs=1.5)
