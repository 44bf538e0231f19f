"""sct_rootlets map with regions, a time series and statistic maps; and sct_rootlets group."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from numpy.typing import NDArray

from sct_rootlets.tables import read_sheet
from tests.cli.conftest import Command
from tests.fmri.planted import plant

MAP = "map -i levels.nii.gz -d bold.nii.gz -o X.nii.gz"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    planted = plant(tmp_path, volumes=6)
    rng = np.random.default_rng(2)
    z = rng.normal(size=planted.grid.shape).astype(np.float32)
    grey = (planted.share.sum(axis=-1) * 0.4).astype(np.float32)
    nan = np.where(planted.share.any(axis=-1), np.nan, z).astype(np.float32)
    for name, data in (("z.nii.gz", z), ("gm.nii.gz", grey), ("nan.nii.gz", nan)):
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


def test_maps_of_one_name_are_told_apart_by_their_folders(here: Path, command: Command) -> None:
    for n, name in enumerate(("run1.feat", "run2.feat")):
        Path(name).mkdir()
        z = nib.load("z.nii.gz")
        nib.save(nib.Nifti1Image(z.get_fdata() + n, z.affine), f"{name}/zstat1.nii.gz")
    maps = "run1.feat/zstat1.nii.gz run2.feat/zstat1.nii.gz"
    out = command(f"{MAP} -stat {maps}").out
    assert "run2.feat/zstat1.nii.gz:" in out
    rows = [line.cells for line in read_sheet("X_stats.tsv").lines]
    means = {row["map"]: float(row["mean"]) for row in rows if row["name"] == "C4"}
    assert list(means) == maps.split()
    assert means["run2.feat/zstat1.nii.gz"] == pytest.approx(means["run1.feat/zstat1.nii.gz"] + 1)
    Path("again.nii.gz").symlink_to("z.nii.gz")
    assert "is given twice" in command(f"{MAP} -stat z.nii.gz again.nii.gz", status=2).err


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
        ("-stat nan.nii.gz", 1, "has no finite value within the levels (statistic map)"),
        ("-gm bold.nii.gz", 1, "(grey matter)"),
        ("-func bold.nii.gz -average median", 2, "invalid choice"),
        ("-func bold.nii.gz -thr much", 2, "-thr"),
    ],
)
def test_errors(
    here: Path, refused: Callable[..., None], words: str, status: int, message: str
) -> None:
    refused(f"{MAP} {words}", status, message)


def rewrite(name: str, change: Callable[[NDArray[np.float32]], object]) -> None:
    """Change the voxels of an image, and keep its header."""
    nifti = nib.load(name)
    data = np.asarray(nifti.dataobj).copy()
    change(data)
    nib.save(nib.Nifti1Image(data, nifti.affine, nifti.header), name)


def warnings_of(command: Command, words: str, table: str) -> str:
    """Return the warnings of a command, which also stand beside its table."""
    err = " ".join(command(words).err.split())
    noted = json.loads(Path(table).with_suffix(".json").read_text())["Warnings"]
    assert all(" ".join(warning.split()) in err for warning in noted)
    return " ".join(noted)


def test_header_and_sidecar_of_a_series_are_compared(here: Path, command: Command) -> None:
    Path("bold.json").write_text('{"RepetitionTime": 3.0}')
    said = warnings_of(command, f"{MAP} -func bold.nii.gz", "X_timeseries.tsv")
    assert "the header of bold.nii.gz says 2.5 s between volumes, and bold.json 3 s" in said
    about = json.loads(Path("X_timeseries.json").read_text())
    assert (about["RepetitionTime"], about["SamplingFrequency"]) == (3.0, 0.333333333)
    assert "bold.json" in about["Sources"]
    Path("bold.json").write_text('{"RepetitionTime": 2000}')
    said = warnings_of(command, f"{MAP} -func bold.nii.gz", "X_timeseries.tsv")
    assert "RepetitionTime is 2000 s, which no run has" in said
    assert json.loads(Path("X_timeseries.json").read_text())["RepetitionTime"] == 2.5


def test_a_time_that_no_run_has_is_not_handed_on(here: Path, command: Command) -> None:
    nifti = nib.load("bold.nii.gz")
    nifti.header["pixdim"][4] = 2000
    nib.save(nifti, "bold2.nii.gz")
    said = warnings_of(command, f"{MAP} -func bold2.nii.gz", "X_timeseries.tsv")
    assert "the header of bold2.nii.gz says 2000 s between volumes, which no run has" in said
    assert "RepetitionTime" not in json.loads(Path("X_timeseries.json").read_text())


def test_a_header_without_a_time_has_the_one_that_bids_lets_it_inherit(
    here: Path, command: Command
) -> None:
    nifti = nib.load("bold.nii.gz")
    nifti.header["pixdim"][4] = 0
    Path("sub-1/func").mkdir(parents=True)
    nib.save(nifti, "sub-1/func/sub-1_task-rest_bold.nii.gz")
    Path("task-rest_bold.json").write_text('{"RepetitionTime": 1.5}')
    words = f"{MAP} -func sub-1/func/sub-1_task-rest_bold.nii.gz"
    assert warnings_of(command, words, "X_timeseries.tsv") == ""
    about = json.loads(Path("X_timeseries.json").read_text())
    assert about["RepetitionTime"] == 1.5
    assert "task-rest_bold.json" in about["SourceSHA256"]


def test_volumes_that_hold_nothing_are_named(here: Path, command: Command) -> None:
    def empty(data: NDArray[np.float32]) -> None:
        data[..., 1] = np.nan
        data[..., 3:5] = 0
        data[..., :4, 5] = 0
        data[10, 10, 6, 0] = 1e12

    rewrite("bold.nii.gz", empty)
    said = warnings_of(command, f"{MAP} -func bold.nii.gz", "X_levels.tsv")
    assert "volume 1 of 6 (counted from 0): NaN or infinite in all voxels of the levels" in said
    assert "volumes 3-4 of 6 (counted from 0): 0 in all voxels of the levels" in said
    assert re.search(r"volume 5 of 6 \(counted from 0\): NaN or 0 in up to \d+ of the", said)
    assert "the time series holds extreme values within the levels, such as" in said
    rows = Path("X_timeseries.tsv").read_text().splitlines()[1:]
    assert [row.count("n/a") for row in rows] == [0, 4, 0, 4, 4, 4]
    means = [row.split("\t")[header("X_levels.tsv").index("tsnr")]
             for row in Path("X_levels.tsv").read_text().splitlines()[1:]]  # fmt: skip
    assert min(map(float, means)) > 10, "two volumes, and no zeros among them"


def test_a_map_outside_of_its_coverage(here: Path, command: Command) -> None:
    """Its upper half is 0, a slice of its lower half NaN, a voxel infinite."""
    grid = nib.load("z.nii.gz")

    def cover(data: NDArray[np.float32]) -> None:
        data[..., 6:] = 0
        data[..., 1] = np.nan
        data[10, 10, 3] = np.inf
        data[9, 9, 3] = -1e30

    rewrite("z.nii.gz", cover)
    said = warnings_of(command, f"{MAP} -stat z.nii.gz", "X_stats.tsv")
    assert re.search(r"known in less than 95 % of the volume of C6 \(\d+%\)", said), said
    assert re.search(r"is exactly 0 in a part of C3 \(100%\), C4 \(\d+%\)", said), said
    assert "give the mask of the statistics with -mask" in said
    assert "z.nii.gz holds extreme values within the levels, such as 1e+30" in said
    mask = np.zeros(grid.shape, dtype=np.uint8)
    mask[10, 10, 4] = 1
    nib.save(nib.Nifti1Image(mask, grid.affine), "mask.nii.gz")
    said = warnings_of(command, f"{MAP} -stat z.nii.gz -mask mask.nii.gz", "X_stats.tsv")
    assert "exactly 0" not in said
    assert "one voxel only in" in said


def test_files_stored_in_another_orientation_give_the_same(here: Path, command: Command) -> None:
    """The series, the maps, the masks and the grey matter, each in an orientation of its own."""
    grid = nib.load("z.nii.gz")
    mask = np.zeros(grid.shape, dtype=np.uint8)
    x, y = np.ogrid[-9.5:10, -9.5:10]
    mask[np.hypot(x, y) < 5.5] = 1
    nib.save(nib.Nifti1Image(mask, grid.affine), "seg.nii.gz")
    mask[:10] = 0
    nib.save(nib.Nifti1Image(mask, grid.affine), "mask.nii.gz")
    names = {"bold": "SPL", "z": "PIR", "seg": "LSA", "mask": "ILP", "gm": "ASR"}
    for name, letters in names.items():
        nifti = nib.load(f"{name}.nii.gz")
        turn = ornt_transform(io_orientation(nifti.affine), axcodes2ornt(letters))
        nib.save(nifti.as_reoriented(turn), f"{name}_turned.nii.gz")
    for turned in ("", "_turned"):
        given = " ".join(
            f"{option} {name}{turned}.nii.gz"
            for option, name in zip(("-func", "-stat", "-s", "-mask", "-gm"), names, strict=True)
        )
        command(f"{MAP.replace('X.nii', f'X{turned}.nii')} {given} -thr 1 -v 0")
    for table in ("levels", "timeseries", "stats"):
        one, other = (Path(f"X{name}_{table}.tsv").read_text() for name in ("", "_turned"))
        assert other.replace("z_turned.nii.gz", "z.nii.gz") == one
    one, other = (nib.load(f"X{name}_regions.nii.gz").dataobj for name in ("", "_turned"))
    np.testing.assert_array_equal(one, other)


def test_group(here: Path, command: Command) -> None:
    for name in ("a", "b"):
        command(f"{MAP.replace('X.nii.gz', f'{name}.nii.gz')} -func bold.nii.gz -v 0")
    lines = Path("b_levels.tsv").read_text().splitlines()
    Path("b_levels.tsv").write_text("\n".join(line for line in lines if "C6" not in line) + "\n")
    out = command("group -i a_levels.tsv b_levels.tsv -o group.tsv").out
    assert "4 levels and regions of 2 subjects (2 tables)" in out
    rows = [line.split("\t") for line in Path("group.tsv").read_text().splitlines()]
    column = dict(zip(rows[0], range(len(rows[0])), strict=True))
    means = {row[column["name"]]: row for row in rows if row[column["measure"]] == "mean"}
    assert (means["C5"][column["n"]], means["C6"][column["n"]]) == ("2", "1")
    assert means["C6"][column["sd"]] == "n/a"
    assert "none.tsv" in command("group -i a_levels.tsv none.tsv -o group.tsv", status=1).err
