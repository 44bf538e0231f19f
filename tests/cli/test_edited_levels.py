"""A label image of levels that somebody corrected, beside its older table, in every command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.image import LabelImage, load_labels, save
from sct_rootlets.levels import edited
from sct_rootlets.levels.table.reading import read_levels_table
from sct_rootlets.tables import read_sheet
from tests.cli.conftest import Command
from tests.fmri.straight import slices
from tests.report.conftest import write_result
from tests.synthetic import make_neck, save_array

STEM = "t2_spinal_levels"
SAID = "C4/C5 4.0 mm caudally"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_result(tmp_path_factory.mktemp("edited") / "sub", make_neck()).parent


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a copy of a result, with an EPI."""
    for path in made.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    grid = slices(4.0, 20, 10.0).grid
    save_array(tmp_path / "epi.nii.gz", np.zeros(grid.shape, np.float32), grid.affine)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def correct() -> None:
    """Move C4/C5 by 4 mm caudally in the image."""
    image = load_labels(f"{STEM}.nii.gz", "levels")
    row = read_levels_table(f"{STEM}.tsv").rows
    border = next(one for one in row if one.level.name == "C4")
    assert border.caudal_world is not None
    data = np.array(image.data)
    z = image.grid.world_from_ijk(np.indices(data.shape).reshape(3, -1).T)[:, 2]
    below = border.caudal_world[2] - z.reshape(data.shape)
    data[(data > 0) & (below >= 0) & (below < 4.0)] = 4
    save(LabelImage(data, image.grid, image.header), f"{STEM}.nii.gz")


def lengths(path: str) -> dict[str, float]:
    """Return the lengths, mm, of the levels in a table of perlevel."""
    rows = [line.cells for line in read_sheet(path).lines]
    return {
        row["level"]: float(row["caudal_mm"]) - float(row["rostral_mm"])
        for row in rows
        if row["rostral_mm"] != "n/a"
    }


def test_map_follows_the_image(here: Path, command: Command) -> None:
    words = f"map -i {STEM}.nii.gz -d epi.nii.gz -o X.nii.gz"
    err = command(words).err
    assert "has other borders" not in err
    before = json.loads(Path("X.json").read_text())
    correct()
    assert SAID in " ".join(command(words).err.split())
    after = json.loads(Path("X.json").read_text())
    change = {
        level: after["Coverage"][level]["along_mm"] - before["Coverage"][level]["along_mm"]
        for level in ("C3", "C4", "C5", "C6")
    }
    assert change == pytest.approx({"C3": 0, "C4": 4, "C5": -4, "C6": 0}, abs=0.4)
    assert after["Borders"]["C4"]["caudal_sd_mm"] == 0.5
    assert after["Borders"]["C4"]["flags"] == ["caudal_from_image"]
    assert after["Borders"]["C4"]["rostral_sd_mm"] == before["Borders"]["C4"]["rostral_sd_mm"]
    assert any(SAID in warning for warning in after["Warnings"])


@pytest.mark.parametrize("ending", ["nii.gz", "tsv"])
def test_perlevel_follows_the_image(here: Path, command: Command, ending: str) -> None:
    words = f"perlevel -i t2_seg.nii.gz -levels {STEM}.{ending} -o X.tsv"
    assert "has other borders" not in command(words).err
    before = lengths("X.tsv")
    correct()
    assert SAID in " ".join(command(words).err.split())
    change = {level: mm - before[level] for level, mm in lengths("X.tsv").items()}
    assert change == pytest.approx({"C3": 0, "C4": 4, "C5": -4, "C6": 0}, abs=0.5)
    flags = {line.cells["level"]: line.cells["flags"] for line in read_sheet("X.tsv").lines}
    assert flags["C4"] == "caudal_from_image"


def test_report_shows_the_image(here: Path, command: Command) -> None:
    pytest.importorskip("matplotlib")
    words = f"report -i {here} -o {here}/r.html -jobs 1"
    assert "0 flagged, 1 ok" in command(words).out
    correct()
    assert "1 flagged, 0 ok" in command(words).out
    page = Path("r.html").read_text(encoding="utf-8")
    assert SAID in page
    assert "caudal_from_image" in page


def test_evaluate_compares_the_image(here: Path, command: Command) -> None:
    words = (
        f"evaluate -i t2_rootlets.nii.gz -ref t2_rootlets.nii.gz -s t2_seg.nii.gz "
        f"-tables {STEM}.tsv -ref-tables reference.tsv -o m.tsv"
    )
    for ending in ("tsv", "json"):
        Path(f"reference.{ending}").write_bytes(Path(f"{STEM}.{ending}").read_bytes())
    assert "has other borders" not in command(words).err
    correct()
    assert SAID in " ".join(command(words).err.split())
    errors = [line.cells for line in read_sheet("m_borders.tsv").lines]
    moved = {(row["level"], row["place"]) for row in errors if row["error_mm"] not in ("n/a", "0")}
    assert moved, errors


def test_variability_takes_the_image(here: Path, command: Command) -> None:
    for name in ("sub-1", "sub-2"):
        for ending in ("tsv", "json", "nii.gz"):
            Path(f"{name}_{STEM}.{ending}").write_bytes(Path(f"{STEM}.{ending}").read_bytes())
    words = f"variability -i sub-1_{STEM}.tsv sub-2_{STEM}.tsv -ofolder v -from c2c3"
    assert "has other borders" not in command(words).err
    correct()
    Path(f"sub-2_{STEM}.nii.gz").write_bytes(Path(f"{STEM}.nii.gz").read_bytes())
    said = " ".join(command(words).err.split())
    assert "sub-2_t2_spinal_levels.nii.gz has other borders" in said
    assert "sub-1_t2_spinal_levels.nii.gz has other borders" not in said


@pytest.mark.parametrize("way", ["recorded", "not recorded"])
def test_a_result_as_it_was_written_is_compared_with_nothing(
    here: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """The sha256 in the JSON vouch for it; without them the image is read."""
    if way == "not recorded":
        path = Path(f"{STEM}.json")
        content = json.loads(path.read_text())
        del content["Files"]
        path.write_text(json.dumps(content))
    read: list[str] = []
    monkeypatch.setattr(
        edited, "load_labels", lambda *words: (read.append("x"), load_labels(*words))[1]
    )
    assert edited.table_with_image(f"{STEM}.tsv")[1] == ()
    assert bool(read) == (way == "not recorded")
    correct()
    assert SAID in edited.table_with_image(f"{STEM}.tsv")[1][0]
