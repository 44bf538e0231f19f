"""What ``levels`` writes and prints, and what its options say, through to the files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.image import LabelImage, load_labels, save
from sct_rootlets.levels import LevelTable
from sct_rootlets.levels.table.columns import COLUMNS
from sct_rootlets.levels.table.reading import read_levels_table
from sct_rootlets.qc import figure
from tests.cli.conftest import Command
from tests.cli.listing import level_names, names
from tests.synthetic import Neck

pytestmark = pytest.mark.usefixtures("no_figures", "paths")


@pytest.mark.parametrize("extension", [".nii.gz", ".nii"])
def test_levels_writes_files_of_one_name(figures: None, extension: str, command: Command) -> None:
    command(f"levels -i rootlets.nii.gz -s cord.nii.gz -definition extent -o out/X{extension}")
    assert names("out") == level_names("X", extension)
    content = json.loads(Path("out/X.json").read_text())
    assert content["definition"] == "extent"
    assert content["Sources"] == ["../rootlets.nii.gz", "../cord.nii.gz"]
    header = Path("out/X.tsv").read_text().splitlines()[0].split("\t")
    assert header == list(COLUMNS)


def test_levels_names_its_files_after_the_rootlets(
    paths: dict[str, Path], command: Command
) -> None:
    given = names()
    out = command("levels -i rootlets.nii.gz -s cord.nii.gz").out
    assert names() - given == level_names("rootlets_spinal_levels")
    for name in level_names("rootlets_spinal_levels"):
        assert name in out
    paths["rootlets"].rename("sub-1_T2w_label-rootlets_dseg.nii.gz")
    command("levels -i sub-1_T2w_label-rootlets_dseg.nii.gz -s cord.nii.gz -ofolder out -r 0")
    made = names("out")
    assert "sub-1_T2w_label-spinallevels_dseg.nii.gz" in made
    assert "sub-1_T2w_label-spinallevels_dseg.tsv" in made
    assert "sub-1_T2w_label-spinallevels.tsv" in made
    assert len(made) == len(level_names("")) + 2


def test_levels_of_a_default_name_replace_only_our_own(command: Command) -> None:
    words = "levels -i rootlets.nii.gz -s cord.nii.gz"
    target = Path("rootlets_spinal_levels.nii.gz")
    target.write_text("somebody's")
    assert "was not made by sct_rootlets" in command(words, status=2).err
    assert target.read_text() == "somebody's"
    target.unlink()
    command(words)
    command(words)


def test_levels_by_the_published_method_in_the_published_layout(command: Command) -> None:
    command(
        "levels -i rootlets.nii.gz -s cord.nii.gz -definition valosek2024 -dilation 2 "
        "-o out/X.nii.gz -ocsv out/published.csv"
    )
    lines = [line.split(",") for line in Path("out/published.csv").read_text().splitlines()]
    assert [line[0] for line in lines] == ["spinal_level", "3", "4", "5", "6"]
    parameters = json.loads(Path("out/X.json").read_text())["GeneratedBy"][0]["Parameters"]
    assert (parameters["definition"], parameters["dilation_voxels"]) == ("valosek2024", 2)
    assert parameters["reach_mm"] is None


def test_levels_without_matplotlib_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.setattr(figure, "has_matplotlib", lambda: False)
    out = command("levels -i rootlets.nii.gz -s cord.nii.gz -o X.nii.gz").out
    assert not Path("X.png").exists()
    assert "pip install 'sct_rootlets[qc]'" in out


@pytest.fixture
def vertebrae_too(neck: Neck, paths: dict[str, Path]) -> None:
    """Write the cord labelled with vertebral levels, and rootlets that are one level wrong."""
    # Discs C2/C3 to C5/C6 lie 34, 50, 66 and 82 mm below the top.
    below_top = np.arange(100)[::-1]
    values = 2 + sum((below_top >= mm).astype(np.int32) for mm in (34, 50, 66, 82))
    save(neck.cord.with_data(neck.cord.data * values), Path("labelled.nii.gz"))
    data = neck.rootlets.data
    save(neck.rootlets.with_data(np.where(data > 0, data + 1, 0)), Path("raised.nii.gz"))


Levels = Callable[[str], tuple[LevelTable, dict, LabelImage]]


@pytest.fixture
def levels(vertebrae_too: None, command: Command) -> Levels:
    """Return what runs the command, and returns table, JSON and label image."""

    def run(words: str) -> tuple[LevelTable, dict, LabelImage]:
        command(f"levels {words} -o X.nii.gz")
        content = json.loads(Path("X.json").read_text())
        return read_levels_table("X.tsv"), content, load_labels("X.nii.gz")

    return run


@pytest.mark.parametrize("vertebrae", ["-discs discs.nii.gz", "-vertfile labelled.nii.gz"])
def test_vertebrae_fill_their_columns(levels: Levels, vertebrae: str) -> None:
    table, _, _ = levels(f"-i rootlets.nii.gz -s cord.nii.gz {vertebrae}")
    row = table.row(SpinalLevel.C5)
    # C5 lies in the vertebra C4 of this neck, 50 to 66 mm below the top.
    assert str(row.vertebral.midpoint.vertebra) == "C4"
    assert 0 < row.vertebral.midpoint.fraction < 1
    assert row.caudal_sd_mm > 0


@pytest.mark.parametrize("vertebrae", ["-discs discs.nii.gz", "-vertfile labelled.nii.gz"])
def test_without_rootlets_levels_are_predicted(levels: Levels, vertebrae: str) -> None:
    table, content, painted = levels(f"-s cord.nii.gz {vertebrae}")
    assert {row.status for row in table.rows} == {"predicted"}
    assert table.fname is None
    seen, _, _ = levels(f"-i rootlets.nii.gz -s cord.nii.gz {vertebrae}")
    c5, measured = table.row(SpinalLevel.C5), seen.row(SpinalLevel.C5)
    assert abs(c5.midpoint_mm - measured.midpoint_mm) < 3 * c5.midpoint_sd_mm
    assert c5.caudal_sd_mm > measured.caudal_sd_mm
    assert 5 in painted.labels
    assert content["rejected"] == []


def test_the_last_level_is_the_one_asked_for(levels: Levels) -> None:
    table, _, _ = levels("-i rootlets.nii.gz -s cord.nii.gz -discs discs.nii.gz -extend T12")
    assert [row.level for row in table.rows] == list(SpinalLevel)[:20]
    assert table.row(SpinalLevel.T12).status == "extrapolated"
    spreads = [table.row(SpinalLevel(value)).caudal_sd_mm for value in range(9, 21)]
    assert spreads == sorted(spreads)


def test_a_wrong_numbering_is_warned_of_and_put_right(levels: Levels) -> None:
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


def test_borders_in_the_middle_of_the_gaps(levels: Levels) -> None:
    table, content, _ = levels("-i rootlets.nii.gz -s cord.nii.gz -definition midgap")
    assert content["definition"] == "midgap"
    c4, c5 = table.row(SpinalLevel.C4), table.row(SpinalLevel.C5)
    assert c4.caudal_mm == c5.rostral_mm
    # The zones end near 47.5 mm and begin at 52 mm.
    assert c4.caudal_mm == pytest.approx(50, abs=1.5)
