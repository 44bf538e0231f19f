"""Our files in the hands of SCT's own commands, where SCT is installed."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets import perlevel
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.cli.main import main
from sct_rootlets.image import load_labels, save
from sct_rootlets.levels import LevelTable
from sct_rootlets.levels.table.reading import read_levels_table
from sct_rootlets.phantom import Phantom
from sct_rootlets.sct.installation import SctInstallation
from tests.sct.rules import slices_by_table, slices_of_levels
from tests.scts import scts_environment

pytestmark = pytest.mark.sct

Run = Callable[..., str]


def start(sct: SctInstallation, words: tuple[object, ...], folder: Path) -> subprocess.Popen[str]:
    """Start a command of SCT, with its temporary files in `folder`."""
    program = sct.command(str(words[0]))
    if program is None:
        pytest.skip(f"this SCT has no {words[0]}")
    environment = {**scts_environment(), "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [str(program), *map(str, words[1:])],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # a launcher starts the command in a process of its own
    )


@pytest.fixture
def run(real_sct: SctInstallation, tmp_path: Path) -> Run:
    """Return what runs a command of SCT and returns what it printed."""

    def call(*words: object, fails: bool = False) -> str:
        process = start(real_sct, words, tmp_path)
        text, _ = process.communicate(timeout=300)
        assert (process.returncode != 0) == fails, text
        return text

    return call


@pytest.fixture(params=["phantom", "subject"])
def case(
    request: pytest.FixtureRequest,
    phantom_small: Phantom,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """Write image, cord and rootlets of a phantom or of the subject, go there, and name them."""
    monkeypatch.chdir(tmp_path)
    if request.param == "phantom":
        save(phantom_small.cord, "seg.nii.gz")
        save(phantom_small.rootlets, "rootlets.nii.gz")
        save(phantom_small.image, "t2.nii.gz")
        return "phantom"
    folder = request.getfixturevalue("shared_data") / "subject_t2"
    names = {"t2": "t2", "t2_seg-manual": "seg", "t2_seg-deepseg_rootlets": "rootlets"}
    for source, name in names.items():
        (tmp_path / f"{name}.nii.gz").write_bytes((folder / f"{source}.nii.gz").read_bytes())
    return "subject"


def derive(*more: str) -> LevelTable:
    words = ["-i", "rootlets.nii.gz", "-s", "seg.nii.gz", "-o", "levels.nii.gz", "-v", "0"]
    assert main(["levels", *words, *more]) == 0
    return read_levels_table("levels.tsv")


def read_rows(path: str) -> dict[int, dict[str, str]]:
    """Return the rows of SCT's table by the level that it names."""
    with open(path, newline="") as stream:
        return {int(row["VertLevel"]): row for row in csv.DictReader(stream)}


def slices_of(row: dict[str, str]) -> list[int]:
    """Return the slices of a row, which SCT writes as 3:7;9."""
    found: list[int] = []
    for part in row["Slice (I->S)"].split(";"):
        first, _, last = part.partition(":")
        found += range(int(first), int(last or first) + 1)
    return found


def span(table: LevelTable) -> str:
    values = sorted(slices_by_table(table))
    return f"{values[0]}:{values[-1]}"


@pytest.mark.parametrize("axial", [True, False])
def test_process_segmentation_takes_levels_as_vertfile(case: str, run: Run, axial: bool) -> None:
    table = derive(*(["-axial"] if axial else []))
    run("sct_process_segmentation", "-i", "seg.nii.gz", "-vertfile", "levels.nii.gz",
        "-vert", span(table), "-perlevel", 1, "-o", "csa.csv")  # fmt: skip
    found = {level: slices_of(row) for level, row in read_rows("csa.csv").items()}
    assert found == slices_of_levels(load_labels("levels.nii.gz"))  # the rule, as restated
    wanted = slices_by_table(table)
    if axial:
        assert found == wanted
    assert set(found) == set(wanted)
    assert all(set(wanted[level]) <= set(found[level]) for level in wanted)


def test_our_areas_and_diameters_are_those_of_sct(case: str, run: Run) -> None:
    """Its axial slices, corrected by the cosine, against our planes."""
    table = derive("-axial")
    run("sct_process_segmentation", "-i", "seg.nii.gz", "-vertfile", "levels.nii.gz",
        "-vert", span(table), "-perlevel", 1, "-o", "csa.csv")  # fmt: skip
    theirs = read_rows("csa.csv")
    compared = 0
    for row in perlevel.measure("seg.nii.gz", "levels.tsv").table.rows:
        if row.n_planes == 0 or "partly_covered" in row.flags:
            continue
        other = theirs[row.level.value]
        for name in ("area", "diameter_AP", "diameter_RL", "solidity"):
            ours = row.shapes[name].mean
            assert ours == pytest.approx(float(other[f"MEAN({name})"]), rel=0.03), name
        assert row.length_mm == pytest.approx(float(other["SUM(length)"]), abs=2.0)
        compared += 1
    assert compared >= 3


def test_extract_metric_takes_levels_as_vertfile(case: str, run: Run) -> None:
    table = derive("-axial")
    run("sct_extract_metric", "-i", "t2.nii.gz", "-f", "seg.nii.gz", "-vertfile", "levels.nii.gz",
        "-vert", span(table), "-perlevel", 1, "-method", "wa", "-o", "t2.csv")  # fmt: skip
    theirs = read_rows("t2.csv")
    assert {level: slices_of(row) for level, row in theirs.items()} == slices_by_table(table)
    for row in perlevel.measure("seg.nii.gz", "levels.tsv", maps=["t2.nii.gz"]).table.rows:
        if row.coverage is not None and row.coverage > 0.95:
            other = float(theirs[row.level.value]["WA()"])
            assert row.maps["t2"].mean == pytest.approx(other, rel=0.02)


def test_label_utils_read_points_rootlets_and_levels(case: str, run: Run) -> None:
    table = derive()
    shown = run("sct_label_utils", "-i", "levels_midpoint.nii.gz", "-display")
    points = load_labels("levels_midpoint.nii.gz")
    for value in points.labels:
        place = ",".join(str(n) for n in np.argwhere(points.data == value)[0])
        assert f"Position=({place}) -- Value= {value}" in shown
    run("sct_label_utils", "-i", "rootlets.nii.gz", "-cubic-to-point", "-o", "centres.nii.gz")
    assert load_labels("centres.nii.gz").labels == load_labels("rootlets.nii.gz").labels
    run("sct_label_utils", "-i", "levels.nii.gz", "-vert-body", 0, "-o", "bodies.nii.gz")
    # What SCT finds at the middle of a painted level is our midpoint, within a voxel or two.
    bodies = load_labels("bodies.nii.gz")
    whole = [row.level.value for row in table.rows if row.status == "measured" and not row.flags]
    for value in set(whole) & set(points.labels):
        apart = bodies.points_world(value)[0] - points.points_world(value)[0]
        assert np.linalg.norm(apart) <= 2.5
    run("sct_label_utils", "-i", "levels_midpoint.nii.gz", "-keep", "4,5", "-o", "kept.nii.gz")
    assert load_labels("kept.nii.gz").labels == [4, 5]


def test_qc_shows_levels_with_the_names_it_is_given(case: str, run: Run, tmp_path: Path) -> None:
    derive()
    names = tmp_path / "spinal.json"
    names.write_text(json.dumps({str(level.value): level.name for level in SpinalLevel}))
    run("sct_qc", "-i", "t2.nii.gz", "-s", "levels.nii.gz", "-p", "sct_label_vertebrae",
        "-custom-labels", names, "-qc", "qc")  # fmt: skip
    run("sct_qc", "-i", "t2.nii.gz", "-s", "levels_midpoint.nii.gz", "-p", "sct_label_utils",
        "-qc", "qc")  # fmt: skip
    entries = [json.loads(path.read_text()) for path in (tmp_path / "qc").rglob("qc_*.json")]
    assert {entry["command"] for entry in entries} == {"sct_label_vertebrae", "sct_label_utils"}
    assert len(list((tmp_path / "qc").rglob("overlay_img.png"))) == 2


@pytest.fixture(scope="module")
def template(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return PAM50 as far as it is at hand; its cord stands for the image, which is not."""
    folder = tmp_path_factory.mktemp("PAM50")
    (folder / "template").mkdir()
    files = {1: "t2", 3: "cord", 14: "spinal_midpoint", 16: "rootlets", 17: "rootlets_midpoint"}
    lines = ["# Keyword=IndivLabels (Please DO NOT change this line)", "# ID, name, file"]
    for number, name in files.items():
        source = shared_data / "pam50" / f"PAM50_{'cord' if name == 't2' else name}.nii.gz"
        (folder / "template" / f"PAM50_{name}.nii.gz").write_bytes(source.read_bytes())
        lines.append(f"{number}, {name}, PAM50_{name}.nii.gz")
    (folder / "template" / "info_label.txt").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.parametrize(
    ("option", "file"),
    [("-lspinal", "levels_midpoint.nii.gz"), ("-lrootlet", "rootlets.nii.gz")],
)
def test_register_to_template_accepts_our_landmarks(
    case: str, real_sct: SctInstallation, template: Path, option: str, file: str, tmp_path: Path
) -> None:
    """Up to where it begins to straighten: its checks of the labels lie before."""
    derive()
    words = ("sct_register_to_template", "-i", "t2.nii.gz", "-s", "seg.nii.gz", option, file,
             "-t", template, "-c", "t2", "-ofolder", "out")  # fmt: skip
    process = start(real_sct, words, tmp_path)
    assert process.stdout is not None
    seen, deadline = "", time.monotonic() + 240
    try:
        for line in process.stdout:
            seen += line
            if "Straighten the spinal cord" in line or time.monotonic() > deadline:
                break
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert "Check if provided labels are available in the template" in seen
    assert "Straighten the spinal cord" in seen, seen
    assert "ERROR" not in seen
    assert "Only one label is present" not in seen


def test_register_to_template_refuses_rootlets_of_c1(case: str, run: Run, template: Path) -> None:
    """Its help says that they are ignored. docs/perlevel.md says how to remove them."""
    rootlets = load_labels("rootlets.nii.gz")
    save(rootlets.with_data(np.where(rootlets.data == 3, 1, rootlets.data)), "c1.nii.gz")
    words = ("sct_register_to_template", "-i", "t2.nii.gz", "-s", "seg.nii.gz",
             "-t", template, "-c", "t2", "-ofolder", "out", "-lrootlet")  # fmt: skip
    assert "Wrong labels provided: 1" in run(*words, "c1.nii.gz", fails=True)
    # Not with sct_label_utils: it removes, and keeps, one voxel of a label.
    run("sct_maths", "-i", "c1.nii.gz", "-thr", 2, "-uthr", 9, "-o", "without.nii.gz")
    without = load_labels("without.nii.gz")
    np.testing.assert_array_equal(without.data, np.where(rootlets.data == 3, 0, rootlets.data))
