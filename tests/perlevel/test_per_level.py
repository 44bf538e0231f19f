"""Measures per level of real data and of a synthetic neck, and their files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets import perlevel, pipeline
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.cli.main import main
from sct_rootlets.errors import UsageError
from sct_rootlets.image import load_labels, load_mask, save
from tests.synthetic import Neck, make_neck, save_array

LEVELS = "levels.tsv"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a neck, its levels and maps of it."""
    folder = tmp_path_factory.mktemp("perlevel")
    neck: Neck = make_neck()
    neck.write(folder)
    pipeline.levels(neck.rootlets, neck.cord).write(folder / "levels.nii.gz")
    grid = neck.cord.grid
    z = grid.world_from_ijk(np.indices(grid.shape).reshape(3, -1).T)[:, 2].reshape(grid.shape)
    ramp = np.where(neck.cord.data > 0, 99.5 - z, np.nan).astype(np.float32)
    save_array(folder / "ramp.nii.gz", ramp, grid.affine)
    coarse = np.diag([4.0, 4.0, 4.0, 1.0])
    coarse[:2, 3] = -16
    save_array(folder / "fa.nii.gz", np.full((9, 9, 25), 0.6, np.float32), coarse)
    left = (np.arange(33) < 16)[:, None, None] & (neck.cord.data > 0)
    save_array(folder / "left.nii.gz", left.astype(np.uint8), grid.affine)
    far = grid.affine.copy()
    far[0, 3] += 300
    save_array(folder / "far.nii.gz", (neck.cord.data > 0).astype(np.uint8), far)
    half = np.where(99.5 - z < 40, 1.0, np.nan).astype(np.float32)
    save_array(folder / "half.nii.gz", half, grid.affine)
    spm = nib.Nifti1Image(np.full((9, 9, 25), 4, np.uint8), coarse)
    spm.set_qform(coarse, 1)
    coarse[2, 3] = 15
    spm.set_sform(coarse, 2)
    nib.save(spm, folder / "spm.nii.gz")
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for path in made.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def few_planes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut the cord every 4 mm, for tests of files."""
    monkeypatch.setattr("sct_rootlets.perlevel.sections.STEP_MM", 4.0)


def rows_of(path: str, delimiter: str = "\t") -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter=delimiter))


def test_the_command_writes_a_row_a_level(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = f"perlevel -i cord.nii.gz -levels {LEVELS} -m ramp.nii.gz fa.nii.gz"
    assert main(words.split()) == 0
    rows = {row["level"]: row for row in rows_of("cord_perlevel.tsv")}
    table = {row["level"]: row for row in rows_of(LEVELS)}
    assert list(rows) == list(table)
    for name in ("C4", "C5", "C6"):
        row, known = rows[name], table[name]
        assert row["spinal_level"] == known["spinal_level"]
        assert row["fname"] == "cord.nii.gz"
        for column in ("status", "slice_start", "slice_end"):
            assert row[column] == known[column]
        borders = [float(known[f"{end}_mm"]) for end in ("rostral", "caudal")]
        assert float(row["rostral_mm"]) == pytest.approx(borders[0], abs=1e-3)
        assert float(row["SUM(length)"]) == pytest.approx(borders[1] - borders[0], abs=1e-3)
        assert float(row["coverage"]) == 1.0
        # 49 voxels a slice.
        assert float(row["MEAN(area)"]) == pytest.approx(49.0, rel=0.01)
        assert float(row["SUM(volume)"]) == pytest.approx(49 * (borders[1] - borders[0]), rel=0.01)
        # The ramp is the position along the cord.
        assert float(row["MEAN(ramp)"]) == pytest.approx(sum(borders) / 2, abs=0.2)
        spread = np.hypot(float(known["rostral_sd_mm"]), float(known["caudal_sd_mm"])) / 2
        assert 0.3 * spread < float(row["BORDER_SD(ramp)"]) < 2 * spread
        assert float(row["MEAN(fa)"]) == pytest.approx(0.6)
    unseen = next(name for name, row in table.items() if row["status"] == "unseen")
    assert rows[unseen]["MEAN(area)"] == rows[unseen]["coverage"] == "n/a"
    assert rows[unseen]["n_planes"] == "0"
    out = capsys.readouterr().out
    assert "area mm²" in out
    assert "cord_perlevel.json" in out
    described = json.loads(Path("cord_perlevel.json").read_text())
    assert list(described["Columns"]) == list(rows["C4"])
    assert described["Sources"] == ["cord.nii.gz", LEVELS, "ramp.nii.gz", "fa.nii.gz"]
    assert len(described["SourceSHA256"]) == 4


def test_an_image_of_levels_gives_what_its_table_gives(here: Path) -> None:
    by_table = perlevel.measure("cord.nii.gz", LEVELS).table.rows
    by_image = {
        row.level: row for row in perlevel.measure("cord.nii.gz", "levels.nii.gz").table.rows
    }
    compared = 0
    for row in by_table:
        if row.n_planes and not row.flags:
            other = by_image[row.level]
            assert other.shapes["area"].mean == pytest.approx(row.shapes["area"].mean, rel=0.01)
            assert other.length_mm == pytest.approx(row.length_mm, abs=1.0)
            compared += 1
    assert compared >= 2


def test_of_a_soft_mask_the_cord_is_what_is_filled_to_a_half(here: Path) -> None:
    """It is 0.55 above C5 and 0.45 below C5: there is no cord for the course and the slices."""
    cord = load_labels("cord.nii.gz")
    rows = {row.level.name: row for row in perlevel.measure("cord.nii.gz", LEVELS).table.rows}
    ends = [rows["C5"].borders.rostral_mm, rows["C5"].borders.caudal_mm]
    s = 99.5 - cord.grid.world_from_ijk(np.argwhere(cord.data))[:, 2]
    share = np.select([s < ends[0], s > ends[1]], [0.55, 0.45], 1.0)
    for name, values in {"soft": share, "hard": share > 0.5}.items():
        data = np.zeros(cord.grid.shape, dtype=np.float32)
        data[np.asarray(cord.data) > 0] = values
        save_array(here / f"{name}.nii.gz", data, cord.grid.affine)
    soft, hard = (perlevel.measure(f"{name}.nii.gz", LEVELS).table for name in ("soft", "hard"))
    assert soft.slices == hard.slices
    for one, other in zip(soft.rows, hard.rows, strict=True):
        assert one.borders == other.borders
    by_level = {row.level.name: ends for row, ends in zip(soft.rows, soft.slices, strict=True)}
    assert by_level["C4"] is not None
    assert by_level["C6"] is None


def test_levels_are_chosen_by_name_and_a_csv_is_commas(here: Path, few_planes: None) -> None:
    words = f"perlevel -i cord.nii.gz -levels {LEVELS} -level C5:C6 -o out/csa.csv -v 0"
    assert main(words.split()) == 0
    rows = rows_of("out/csa.csv", ",")
    assert [row["level"] for row in rows] == ["C5", "C6"]
    assert main(f"perlevel -i cord.nii.gz -levels {LEVELS} -level T12".split()) == 1
    with pytest.raises(SystemExit) as stop:
        main(f"perlevel -i cord.nii.gz -levels {LEVELS} -level C6:C5".split())
    assert stop.value.code == 2


def test_regions_and_what_is_not_known_of_a_map(here: Path) -> None:
    whole = perlevel.measure("cord.nii.gz", LEVELS, maps=["half.nii.gz"])
    assert any("half.nii.gz is known in less than 95 % of the volume of" in w
               for w in whole.warnings)  # fmt: skip
    c5 = next(row for row in whole.table.rows if row.level is SpinalLevel.C5)
    left = perlevel.measure("cord.nii.gz", LEVELS, maps=["ramp.nii.gz"], region="left.nii.gz")
    half = next(row for row in left.table.rows if row.level is SpinalLevel.C5)
    assert half.maps["ramp"].volume_mm3 == pytest.approx(20 / 49 * c5.volume_mm3, rel=0.01)
    assert half.volume_mm3 == c5.volume_mm3


def test_zeros_of_a_map_are_said_where_they_enter_a_mean(
    here: Path, few_planes: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slab that ends within C5: 0, NaN or infinite beyond; and no values anywhere."""
    grid = load_labels("cord.nii.gz").grid
    z = grid.world_from_ijk(np.indices(grid.shape).reshape(3, -1).T)[:, 2].reshape(grid.shape)
    slab = z > 54.5
    for name, outside in {"zero": 0, "unknown": np.nan, "infinite": -np.inf}.items():
        data = np.where(slab, 0.6, outside).astype(np.float32)
        save_array(here / f"{name}.nii.gz", data, grid.affine)
    words = f"perlevel -i cord.nii.gz -levels {LEVELS} -m zero.nii.gz unknown.nii.gz "
    assert main([*words.split(), "infinite.nii.gz"]) == 0
    err = " ".join(capsys.readouterr().err.split())
    noted = json.loads(Path("cord_perlevel.json").read_text())["warnings"]
    assert all(warning in err for warning in noted)
    zero, unknown, infinite = noted
    rows = {row["level"]: row for row in rows_of("cord_perlevel.tsv")}
    assert "zero.nii.gz is exactly 0 in a part of" in zero
    assert "give a mask of what was measured with -mask, or make them NaN" in zero
    for name, row in rows.items():
        whole = float(row["SUM(volume)"])
        if whole == 0:
            continue
        known = 0.0 if row["VOLUME(unknown)"] == "n/a" else float(row["VOLUME(unknown)"]) / whole
        share = f"{name} ({1 - known:.0%})"
        assert (share in zero) == (known < 0.95), share
        assert (f"{name} ({known:.0%})" in unknown) == (known < 0.95)
        assert row["VOLUME(infinite)"] == row["VOLUME(unknown)"]
    assert unknown.replace("unknown", "infinite") == infinite.replace("unknown", "infinite")


def test_one_voxel_that_makes_a_mean_is_said(here: Path, few_planes: None) -> None:
    nifti = nib.load("ramp.nii.gz")
    data = np.asarray(nifti.dataobj).copy()
    data[16, 16, 50] = 1e30
    nib.save(nib.Nifti1Image(data, nifti.affine), "spike.nii.gz")
    found = perlevel.measure("cord.nii.gz", LEVELS, maps=["spike.nii.gz"])
    assert "spike.nii.gz holds extreme values within the levels, such as 1e+30" in found.warnings[0]


def test_a_map_that_is_stored_in_another_orientation(here: Path) -> None:
    nifti = nib.load("ramp.nii.gz")
    turned = nifti.as_reoriented(nib.orientations.axcodes2ornt("SPL"))
    nib.save(turned, "turned.nii.gz")
    one, other = (
        perlevel.measure("cord.nii.gz", LEVELS, maps=[name]).table.rows
        for name in ("ramp.nii.gz", "turned.nii.gz")
    )
    assert [row.maps["ramp"] for row in one] == [row.maps["turned"] for row in other]


def test_one_voxel_is_no_mean(here: Path, few_planes: None) -> None:
    affine = np.diag([20.0, 20.0, 20.0, 1.0])
    save_array(here / "thick.nii.gz", np.ones((2, 2, 6), np.float32), affine)
    found = perlevel.measure("cord.nii.gz", LEVELS, maps=["thick.nii.gz"])
    assert "thick.nii.gz has one voxel only in C" in found.warnings[0]


def test_rows_are_appended_to_a_table_of_the_same_kind_only(here: Path, few_planes: None) -> None:
    base = f"perlevel -i cord.nii.gz -levels {LEVELS} -o all.tsv -v 0".split()
    for _ in range(2):
        assert main([*base, "-append", "1"]) == 0
    rows = rows_of("all.tsv")
    assert [row["level"] for row in rows].count("C5") == 2
    assert (
        "Sources" not in json.loads(Path("all.json").read_text())
        or not json.loads(Path("all.json").read_text())["Sources"]
    )
    before = Path("all.tsv").read_bytes()
    assert main([*base, "-append", "1", "-m", "ramp.nii.gz"]) == 2  # other columns
    with pytest.raises(UsageError, match="other parameters"):
        perlevel.measure("cord.nii.gz", LEVELS, method="bin").write("all.tsv", append=True)
    assert Path("all.tsv").read_bytes() == before
    assert main(base) == 2  # it has rows of several runs
    assert main([*base, "-append", "1", "-overwrite", "1"]) == 2
    assert Path("all.tsv").read_bytes() == before
    assert main([*base, "-overwrite", "1"]) == 0
    assert main(base) == 0  # a result of an earlier run is replaced
    assert [row["level"] for row in rows_of("all.tsv")].count("C5") == 1


def test_nothing_of_another_kind_is_replaced(here: Path, few_planes: None) -> None:
    base = f"perlevel -i cord.nii.gz -levels {LEVELS} -v 0 -o".split()
    known = {path: path.read_bytes() for path in here.iterdir()}
    assert main([*base, LEVELS]) == 2  # an input
    assert main([*base, "levels.csv"]) == 2  # levels.json is of the levels
    (here / "csa.csv").write_text("Timestamp,SCT Version,Filename\n")
    assert main([*base, "csa.csv"]) == 2
    assert main([*base, "csa.csv", "-append", "1"]) == 2
    assert {path: path.read_bytes() for path in here.iterdir() if path.name != "csa.csv"} == known


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("-i far.nii.gz", 1, "away from the cord"),
        ("-i missing.nii.gz", 1, "no such file (cord mask)"),
        ("-levels missing.tsv", 1, "cannot be read"),
        ("-levels levels_dseg.tsv", 1, "no table of levels"),
        ("-levels levels_midpoint.nii.gz", 1, "single voxels"),
        ("-levels far.nii.gz", 1, "no level on the cord"),
        ("-m far.nii.gz", 1, "no finite value within"),
        ("-m spm.nii.gz", 1, "spm.nii.gz: has a qform and an sform that differ by up to 15 mm"),
        ("-m ramp.nii.gz -mask spm.nii.gz", 1, "spm.nii.gz: has a qform and an sform"),
        ("-levels spm.nii.gz", 1, "spm.nii.gz: has a qform and an sform"),
        ("-m ramp.nii.gz -mask far.nii.gz", 1, "no voxel within"),
        ("-m ramp.nii.gz -erode 9", 2, "nothing is left"),
        ("-m ramp.nii.gz ramp.nii.gz", 2, "two maps are named ramp"),
        ("-m area.nii.gz", 2, "a map and a measure of the cord are named area"),
        ("-mask left.nii.gz", 2, "are for maps"),
    ],
)
def test_wrong_inputs_are_said_and_nothing_is_written(
    here: Path,
    few_planes: None,
    capsys: pytest.CaptureFixture[str],
    words: str,
    status: int,
    message: str,
) -> None:
    given = {"-i": "cord.nii.gz", "-levels": LEVELS}
    known = {path.name for path in here.iterdir()}
    for option, value in given.items():
        words = words if option in words.split() else f"{option} {value} {words}"
    assert main(["perlevel", *words.split()]) == status
    error = capsys.readouterr().err
    assert message in error.replace("\n", " ")
    assert "Traceback" not in error
    assert {path.name for path in here.iterdir()} == known


@pytest.mark.slow
def test_pam50_has_the_area_of_its_voxels(shared_data: Path, tmp_path: Path) -> None:
    """The template's own spinal levels, by voxels; the cord there is straight."""
    cord, levels = (tmp_path / f"PAM50_{name}.nii.gz" for name in ("cord", "spinal_levels"))
    for path in (cord, levels):  # what is around the cord is most of it
        nib.load(shared_data / "pam50" / path.name).slicer[50:91, 50:91].to_filename(path)
    labels, mask = load_labels(levels).data, load_mask(cord).data > 0
    compared = 0
    for row in perlevel.measure(cord, levels).table.rows:
        here = mask & (labels == row.level.value)
        slices = np.flatnonzero(here.any(axis=(0, 1)))
        if row.level > SpinalLevel.S2:
            continue
        by_voxels = here.sum() * 0.125 / (len(slices) * 0.5)
        assert row.shapes["area"].mean == pytest.approx(by_voxels, rel=0.01), row.level
        assert row.length_mm == pytest.approx(len(slices) * 0.5, abs=0.3), row.level
        compared += 1
    assert compared == 27


def test_a_map_of_thick_slices_in_another_grid(shared_data: Path, tmp_path: Path) -> None:
    """A real MT image of five slices, read where the levels of the T2w image lie."""
    folder = shared_data / "subject_t2"
    names = ("t2_seg-deepseg_rootlets", "t2_seg-manual")
    rootlets, cord = (load_labels(folder / f"{name}.nii.gz") for name in names)
    pipeline.levels(rootlets, cord).write(tmp_path / "levels.nii.gz")
    save(cord, tmp_path / "seg.nii.gz")
    result = perlevel.measure(
        tmp_path / "seg.nii.gz",
        tmp_path / "levels.tsv",
        maps=[shared_data / "mt" / "mt1.nii.gz", folder / "t2.nii.gz"],
    )
    rows = {row.level.name: row for row in result.table.rows}
    image = load_labels(folder / "t2_seg-manual.nii.gz").grid
    assert image.matches(cord.grid)
    for name in ("C4", "C5", "C6"):
        assert 250 < rows[name].maps["mt1"].mean < 400
        assert rows[name].maps["mt1"].volume_mm3 == pytest.approx(rows[name].region_mm3)
        # As sct_extract_metric -method wa has it: C4 248.6, C5 269.4, C6 290.2.
    wanted = {"C4": 248.6, "C5": 269.4, "C6": 290.2}
    for name, value in wanted.items():
        assert rows[name].maps["t2"].mean == pytest.approx(value, rel=0.01)
