"""sct_rootlets map with regions, a time series and statistic maps; and sct_rootlets group."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tests.cli.conftest import Command
from tests.fmri.planted import plant

MAP = "map -i levels.nii.gz -d bold.nii.gz -o X.nii.gz"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    planted = plant(tmp_path, volumes=6)
    rng = np.random.default_rng(2)
    z = rng.normal(size=planted.grid.shape).astype(np.float32)
    grey = (planted.share.sum(axis=-1) * 0.4).astype(np.float32)
    for name, data in (("z.nii.gz", z), ("gm.nii.gz", grey)):
        nib.save(nib.Nifti1Image(data, planted.grid.affine), tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def header(path: str) -> list[str]:
    return Path(path).read_text().splitlines()[0].split("\t")


def test_a_series_and_a_map(here: Path, command: Command) -> None:
    out = command(f"{MAP} -regions -func bold.nii.gz -stat z.nii.gz -thr 1.5").out
    assert "tsnr_series" in out
    assert "active_mm3" in out
    assert "X_profile.png" in out
    assert header("X_timeseries.tsv")[:5] == ["C3", "C4", "C5", "C6", "C3_left_dorsal"]
    assert len(Path("X_timeseries.tsv").read_text().splitlines()) == 7
    assert "n_active" in header("X_stats.tsv")
    about = json.loads(Path("X_stats.json").read_text())
    assert about["GeneratedBy"][0]["Parameters"]["Threshold"] == 1.5


def test_the_grey_matter_makes_horns(here: Path, command: Command) -> None:
    command(f"{MAP} -gm gm.nii.gz -func bold.nii.gz -standardize psc -v 0")
    names = header("X_timeseries.tsv")
    assert "C5_right_ventral_horn" in names
    assert "C5_right_ventral_white" in names
    values = np.loadtxt("X_timeseries.tsv", skiprows=1)
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-6)


def test_what_is_not_asked_for_is_not_written(here: Path, command: Command) -> None:
    command(MAP, "-v", "0")
    assert not list(here.glob("X_levels*"))
    assert not list(here.glob("X_regions*"))
    assert not list(here.glob("X_profile*"))


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("-func none.nii.gz", 1, "no such file (time series)"),
        ("-func z.nii.gz", 1, "a single volume"),
        ("-stat bold.nii.gz", 1, "has 6 volumes"),
        ("-gm bold.nii.gz", 1, "(grey matter)"),
        ("-func bold.nii.gz -average median", 2, "invalid choice"),
        ("-func bold.nii.gz -thr much", 2, "-thr"),
    ],
)
def test_errors(
    here: Path, refused: Callable[..., None], words: str, status: int, message: str
) -> None:
    refused(f"{MAP} {words}", status, message)


def test_group(here: Path, command: Command) -> None:
    for name in ("a", "b"):
        command(f"{MAP.replace('X.nii.gz', f'{name}.nii.gz')} -func bold.nii.gz -v 0")
    lines = Path("b_levels.tsv").read_text().splitlines()
    Path("b_levels.tsv").write_text("\n".join(line for line in lines if "C6" not in line) + "\n")
    out = command("group -i a_levels.tsv b_levels.tsv -o group.tsv").out
    assert "4 levels and regions of 2 tables" in out
    rows = [line.split("\t") for line in Path("group.tsv").read_text().splitlines()]
    column = dict(zip(rows[0], range(len(rows[0])), strict=True))
    means = {row[column["name"]]: row for row in rows if row[column["measure"]] == "mean"}
    assert (means["C5"][column["n"]], means["C6"][column["n"]]) == ("2", "1")
    assert means["C6"][column["sd"]] == "n/a"
    assert "none.tsv" in command("group -i a_levels.tsv none.tsv -o group.tsv", status=1).err
