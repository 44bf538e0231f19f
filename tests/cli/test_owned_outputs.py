"""Every command where files at the names of its outputs belong to somebody, or were edited."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets import pipeline
from sct_rootlets.cli.main import COMMANDS, get_parser
from sct_rootlets.files.standing import Standing, not_ours, standing
from tests.cli.conftest import Command
from tests.cli.listing import listing
from tests.pipeline.knowing_engine import Knowing
from tests.synthetic import Neck
from tests.unprivileged import unprivileged

SMALL = "-spacing 3 -fov 24,30,60"
#: Words by what they write, with everything that a command can write.
WRITING = {
    "run": "run -i t2.nii.gz -predict 1 -discs discs.nii.gz -ofolder out -ocsv csv/t2.csv -qc qc "
    "-r 0",
    "segment": "segment -i t2.nii.gz -ofolder out -r 0",
    "segment several": "segment -i t2.nii.gz again.nii.gz -ofolder out -r 0",
    "levels": "levels -i rootlets.nii.gz -s cord.nii.gz -o out/X.nii.gz -ocsv Y.csv -qc qc -r 0",
    "deepseg rootlets": "deepseg rootlets -i t2.nii.gz -o out/t2_rootlets -qc qc -r 0",
    "deepseg levels": "deepseg rootlets_levels -i t2.nii.gz -s cord.nii.gz -o out/r.nii.gz "
    "-ocsv out/r.csv -qc qc -r 0",
    "perlevel": "perlevel -i cord.nii.gz -levels known/levels.tsv -o out/cord.tsv",
    "map": "map -i known/levels.nii.gz -d bold.nii.gz -o out/bold.nii.gz -probseg files -regions "
    "-func bold.nii.gz -stat bold_mean.nii.gz",
    "map 4d": "map -i known/levels.nii.gz -d bold.nii.gz -o out/bold_dseg.nii.gz -probseg",
    "group": "group -i known/bold_levels.tsv known/again_levels.tsv -o out/group.tsv",
    "evaluate": "evaluate -i rootlets.nii.gz -ref reference.nii.gz -s cord.nii.gz -o out/m.tsv",
    "consensus": "consensus -i rootlets.nii.gz reference.nii.gz -o out/c.nii.gz",
    "variability": "variability -i {tables} -participants study/participants.tsv -by site "
    "-resamples 200 -ofolder out",
    "simulate": "variability -simulate 3x2x1 -ofolder out",
    "report": "report -i known -o out/report.html -jobs 1",
    "export": "export -i known/levels.nii.gz -ofolder out",
    "phantom": f"phantom -o out -seed 7 {SMALL}",
}
FOLDERS = ("out", "csv", "qc")


@pytest.fixture(scope="module")
def inputs(neck: Neck, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write all that the commands read; no test may change it."""
    from sct_rootlets.cli.main import main

    folder = tmp_path_factory.mktemp("inputs")
    paths = neck.write(folder)
    for name in ("again.nii.gz", "reference.nii.gz"):
        shutil.copy(paths["image" if name == "again.nii.gz" else "rootlets"], folder / name)
    grid = neck.cord.grid
    affine = grid.affine.copy()
    affine[2, 2] = 5.0
    rng = np.random.default_rng(3)
    series = rng.normal(100, 5, (*grid.shape[:2], 20, 4)).astype(np.float32)
    nib.save(nib.Nifti1Image(series, affine), folder / "bold.nii.gz")
    nib.save(nib.Nifti1Image(series.mean(axis=-1), affine), folder / "bold_mean.nii.gz")
    pipeline.levels(neck.rootlets, neck.cord).write(folder / "known" / "levels.nii.gz")
    for words in (
        "map -i {0}/known/levels.nii.gz -d {0}/bold.nii.gz -o {0}/known/bold.nii.gz "
        "-func {0}/bold.nii.gz -v 0",
        "variability -simulate 2x2x1 -ofolder {0}/study -v 0",
    ):
        assert main(words.format(folder).split()) == 0
    shutil.copy(folder / "known" / "bold_levels.tsv", folder / "known" / "again_levels.tsv")
    return folder


@pytest.fixture
def here(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, knowing: Knowing, no_sct: None
) -> Path:
    """Go to a copy of the inputs, where an engine knows what is in the image."""
    folder = tmp_path / "here"
    shutil.copytree(inputs, folder)
    monkeypatch.chdir(folder)
    knowing(identity=True)
    # Figures of a study, which take seconds, are drawn in its own tests.
    drawn = {"levels.png": b"PNG", "bland_altman_site.svg": b"<svg/>"}
    monkeypatch.setattr("sct_rootlets.variability.figures.draw", lambda found: drawn)
    return folder


@pytest.fixture
def words(request: pytest.FixtureRequest, here: Path) -> str:
    """Return the words of a command on what is here."""
    if request.param == "consensus":
        pytest.importorskip("SimpleITK")
    tables = " ".join(sorted(map(str, Path("study").glob("sub-*/*/*/*.tsv"))))
    return f"{WRITING[request.param].format(tables=tables)} -v 1"


def written() -> list[Path]:
    """Return all files in the folders that commands write to."""
    return sorted(
        path
        for place in FOLDERS
        for path in Path(place).rglob("*")
        if path.is_file() and not path.name.startswith(".")
    ) + [path for path in (Path("Y.csv"),) if path.exists()]


def edit(path: Path) -> None:
    """Change a file as somebody might who corrects it."""
    if path.suffix == ".json":
        content = json.loads(path.read_text())
        path.write_text(json.dumps({**content, "CorrectedBy": "me"}))
    else:
        path.write_bytes(path.read_bytes() + b"\n")


@pytest.fixture
def all_named(monkeypatch: pytest.MonkeyPatch, command: Command) -> Callable[..., None]:
    """Return what runs a command and checks that it names all files, says why, and does nothing."""
    monkeypatch.setattr("sct_rootlets.files.guards._NAMED", 1000)

    def late(*_: object) -> None:
        raise AssertionError("found out once the results were there")

    def check(words: str, files: list[Path], why: str) -> None:
        before = listing(Path())
        with monkeypatch.context() as patch:
            patch.setattr("sct_rootlets.files.results.refusal", late)
            err = " ".join(command(words, status=2).err.split())
        assert listing(Path()) == before
        # Whether there will be a cord mask is known after the model, which may be downloaded.
        if words.startswith("segment"):
            files = [path for path in files if "_seg." not in path.name]
        missing = [path for path in files if not re.search(f"{path.name}:? {why}", err)]
        assert not missing, err
        assert err.count(why) == len(files)
        assert "-overwrite 1" in err

    return check


@pytest.mark.parametrize("words", WRITING, indirect=True)
def test_what_is_not_as_we_wrote_it_is_kept_until_somebody_says_otherwise(
    words: str, here: Path, command: Command, all_named: Callable[..., None]
) -> None:
    command(words)
    files = written()
    # With all of their records they are known, wherever they lie.
    assert files
    assert not not_ours(files)
    command(words)  # what is as it was is replaced without a question
    assert written() == files
    for path in files:
        edit(path)
    all_named(words, files, Standing.CHANGED.value)
    command(f"{words} -overwrite 1")
    assert written() == files
    assert not not_ours(files)
    for path in files:
        path.write_text("an official or manual result")
    all_named(words, files, Standing.FOREIGN.value)


def test_every_command_that_writes_can_be_told_to_overwrite() -> None:
    parser = get_parser()
    commands = next(a.choices for a in parser._actions if a.dest == "command")
    tasks = next(a.choices for a in commands["deepseg"]._actions if a.dest == "task")
    of_models = next(a.choices for a in commands["models"]._actions if a.dest == "models_command")
    exporting = {"models export": of_models["export"]}
    reading = {"models", "sct", "deepseg"}
    assert len(commands) == len(COMMANDS)
    for name, one in {**commands, **tasks, **exporting}.items():
        options = {option for action in one._actions for option in action.option_strings}
        assert ("-overwrite" in options) == (name not in reading), name


def test_the_rootlets_of_sct_deepseg_stay(here: Path, command: Command) -> None:
    # It writes the same name, and a sidecar of its own.
    shutil.copy("rootlets.nii.gz", "t2_rootlets.nii.gz")
    Path("t2_rootlets.json").write_text(
        json.dumps({"GeneratedBy": [{"Name": "spinalcordtoolbox: sct_deepseg rootlets"}]})
    )
    before = listing(Path())
    for words in (
        "run -i t2.nii.gz -predict 1",
        "segment -i t2.nii.gz",
        "deepseg rootlets -i t2.nii.gz",
    ):
        err = " ".join(command(words, status=2).err.split())
        assert "t2_rootlets.nii.gz was not made by sct_rootlets" in err
        assert "t2_rootlets.json was not made by sct_rootlets" in err
        assert listing(Path()) == before
    command("segment -i t2.nii.gz -overwrite 1")
    assert standing("t2_rootlets.nii.gz") is Standing.OURS


def test_a_corrected_mask_that_keeps_its_sidecar_stays(here: Path, command: Command) -> None:
    command("run -i t2.nii.gz -ofolder out")
    mask = nib.load("out/t2_seg.nii.gz")
    data = np.asarray(mask.dataobj).copy()
    data[16, 16, 50] = 0
    nib.save(nib.Nifti1Image(data, mask.affine, mask.header), "out/t2_seg.nii.gz")
    before = listing(Path())
    err = " ".join(command("run -i t2.nii.gz -ofolder out", status=2).err.split())
    assert "out/t2_seg.nii.gz: was changed since sct_rootlets wrote it" in err
    assert "Use the cord mask with -s out/t2_seg.nii.gz" in err
    assert listing(Path()) == before
    command("run -i t2.nii.gz -s out/t2_seg.nii.gz -ofolder out")
    assert standing("out/t2_seg.nii.gz") is Standing.CHANGED


def test_results_of_a_version_without_records_are_asked_about(here: Path, command: Command) -> None:
    command("run -i t2.nii.gz -ofolder out")
    for path in Path("out").glob("*.json"):
        content = json.loads(path.read_text())
        del content["Files"]
        path.write_text(json.dumps(content))
    err = " ".join(command("run -i t2.nii.gz -ofolder out", status=2).err.split())
    assert err.count("was made by an earlier version of sct_rootlets") == 12
    command("run -i t2.nii.gz -ofolder out -overwrite 1")


def test_what_other_options_wrote_before_is_still_known(here: Path, command: Command) -> None:
    base = "run -i t2.nii.gz -ofolder out"
    command(f"{base} -r 0 -ocsv t2.csv")
    command(base)
    content = json.loads(Path("out/t2_spinal_levels.json").read_text())
    assert set(content["EarlierFiles"]) == {"../t2.csv", "t2_centerline.tsv"}
    command(f"{base} -r 0 -ocsv t2.csv")
    edit(Path("out/t2_centerline.tsv"))
    command(base)
    assert "t2_centerline.tsv: was changed" in command(f"{base} -r 0", status=2).err


def test_a_table_of_levels_is_no_table_of_measures(here: Path, command: Command) -> None:
    before = listing(Path())
    words = "perlevel -i cord.nii.gz -levels known/levels.nii.gz -o known/levels"
    err = " ".join(command(f"{words}.csv", status=2).err.split())
    assert "known/levels.json: belongs to another result of sct_rootlets" in err
    assert listing(Path()) == before


def test_a_protected_file_is_asked_about(here: Path, command: Command) -> None:
    command("export -i known/levels.nii.gz -to fsleyes -ofolder out")
    Path("out/levels.lut").chmod(0o444)
    words = "export -i known/levels.nii.gz -to fsleyes -ofolder out"
    assert "levels.lut: is write-protected" in " ".join(command(words, status=2).err.split())
    command(f"{words} -overwrite 1")
    command(words)


def test_a_home_folder_is_found_without_a_shell(
    here: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "home").mkdir()
    monkeypatch.setenv("HOME", str(here / "home"))
    for words, made in {
        "export -i ~/../known/levels.nii.gz -to fsleyes -ofolder ~/luts": "luts/levels.lut",
        "deepseg rootlets -i t2.nii.gz -o ~/r": "r.nii.gz",
        "levels -i rootlets.nii.gz -s cord.nii.gz -o ~/X.nii.gz -qc ~/qc": "qc/X.html",
    }.items():
        command(words)
        assert Path("home", made).exists()
    err = command("export -i known/levels.nii.gz -ofolder ~nobody-of-this-name/x", status=2).err
    assert "there is no such home folder" in err
    assert not list(Path().glob("~*"))


@pytest.mark.parametrize("option", ["-ofolder", "-ocsv", "-qc"])
def test_every_place_is_looked_at_before_the_work(
    option: str, here: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_: object, **__: object) -> None:
        raise AssertionError("the model is loaded")

    monkeypatch.setattr("sct_rootlets.pipeline.network.load_engine", late)
    Path("closed").mkdir()
    Path("taken").write_text("a file")
    long = "x" * 300
    end = "/a.csv" if option == "-ocsv" else ""
    for place, told in {
        "taken": "is not a folder",
        "taken/deep": "is not a folder",
        long: "File name too long",
        "closed": "is not writable",
        "closed/new": "is not writable",
    }.items():
        with unprivileged(here):
            os.chmod("closed", 0o500)
            try:
                err = command(f"run -i t2.nii.gz -ofolder out {option} {place}{end}", status=1).err
            finally:
                os.chmod("closed", 0o700)
        assert told in " ".join(err.split())
        assert not Path("out").exists()
