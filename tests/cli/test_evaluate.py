"""sct_rootlets evaluate and consensus: what they print, and wrong inputs through the command."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import Command
from tests.evaluation.planted import Planted, plant
from tests.synthetic import save_array


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """Make a folder of good and of wrong inputs; no test may change it."""
    planted = plant(tmp_path_factory.mktemp("inputs"))
    folder, affine = planted.folder, planted.grid.affine
    (folder / "text.nii.gz").write_text("no image\n" * 50)
    (folder / "zero_bytes.nii.gz").write_bytes(b"")
    (folder / "folder.nii.gz").mkdir()
    whole = (folder / "truth.nii.gz").read_bytes()
    (folder / "truncated.nii.gz").write_bytes(whole[: len(whole) // 2])
    labels = planted.labels.astype(np.uint8)
    save_array(folder / "series.nii.gz", np.stack([labels] * 3, axis=-1), affine)
    moved = affine.copy()
    moved[2, 3] += 20
    save_array(folder / "elsewhere.nii.gz", labels, moved)
    grey = (100 + 50 * np.random.default_rng(0).normal(size=labels.shape)).astype(np.float32)
    save_array(folder / "grey.nii.gz", grey, affine)
    save_array(folder / "beyond.nii.gz", np.where(labels == 6, 40, labels), affine)
    (folder / "text.tsv").write_text("of somebody else\n")
    return planted


@pytest.fixture
def here(planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("truth", "same", "shifted", "nameless", "cord", "cropped"):
        shutil.copy(planted.folder / f"{name}.nii.gz", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- evaluate ---------------------------------------------------------------------------


def test_one_image(here: Path, command: Command) -> None:
    out, err = command("evaluate -i shifted.nii.gz -ref truth.nii.gz -s cord.nii.gz")
    assert "Agreement of shifted with the reference" in out
    assert "borders, mm" in out
    assert err == ""
    for name in ("", "_summary", "_images", "_confusion", "_borders"):
        assert f"  metrics{name}.tsv" in out
        assert (here / f"metrics{name}.tsv").stat().st_size > 0
    assert (here / "metrics.png").read_bytes().startswith(b"\x89PNG")
    assert not (here / "metrics_calibration.tsv").exists()


def test_several_go_on_after_a_broken_one_and_exit_with_1(here: Path, command: Command) -> None:
    out, err = command(
        "evaluate -i same.nii.gz cropped.nii.gz shifted.nii.gz -o out/m.tsv -ref",
        *["truth.nii.gz"] * 3,
        status=1,
    )
    assert "2 images (mean ± SD)" in out
    assert "cropped.nii.gz: is not on the grid of" in err
    assert "1 of 3 pairs could not be measured: cropped" in err
    assert "the others are written" in err
    assert "Comparing: done" in err
    text = (here / "out" / "m.tsv").read_text()
    assert "same\tC3" in text
    assert "shifted\tall" in text
    assert "cropped" not in text
    assert "is not on the grid of" in (here / "out" / "m.json").read_text()


def test_what_is_wrong_with_a_single_pair_is_said_once(here: Path, command: Command) -> None:
    err = command("evaluate -i cropped.nii.gz -ref truth.nii.gz", status=1).err
    assert err.count("error:") == 1


def test_rootlets_without_names_are_warned_of(here: Path, command: Command) -> None:
    out, err = command("evaluate -i nameless.nii.gz -ref truth.nii.gz")
    assert "no level identity" in err
    rows = (here / "metrics.tsv").read_text().splitlines()
    assert len(rows) == 2
    assert rows[1].startswith("nameless\tall\t1\t1\t")
    assert not (here / "metrics_confusion.tsv").exists()
    assert "metrics_confusion" not in out


# --- consensus --------------------------------------------------------------------------


def test_three_raters(here: Path, command: Command) -> None:
    pytest.importorskip("SimpleITK")
    out, err = command("consensus -i truth.nii.gz same.nii.gz shifted.nii.gz")
    assert "Consensus of 3 raters (staple)" in out
    assert err == ""
    for name in (".nii.gz", ".json", "_raters.tsv", "_pairs.tsv"):
        assert f"  consensus{name}" in out
        assert (here / f"consensus{name}").stat().st_size > 0


def test_two_raters_and_their_ties(here: Path, command: Command) -> None:
    pytest.importorskip("SimpleITK")
    out, err = command("consensus -i truth.nii.gz shifted.nii.gz -method vote -o v.nii.gz")
    assert "two raters cannot say which" in err
    assert "voxels with a tie were left to the background" in out


# --- what is refused ----------------------------------------------------------------------

WRONG = {
    "absent.nii.gz": "no such file (prediction)",
    "text.nii.gz": "is a text file (prediction)",
    "zero_bytes.nii.gz": "is an empty file of 0 bytes (prediction)",
    "folder.nii.gz": "is a folder",
    "truncated.nii.gz": "",
    "series.nii.gz": "has 4 dimensions",
    "elsewhere.nii.gz": "is not on the grid of truth.nii.gz",
    "cropped.nii.gz": "is not on the grid of truth.nii.gz",
    "grey.nii.gz": "not whole numbers",
    "beyond.nii.gz": "holds the value 40",
}
#: Command line, exit status, and what the message has to say.
REFUSED = [
    *((f"evaluate -i {name} -ref truth.nii.gz", 1, name, told) for name, told in WRONG.items()),
    ("evaluate -i same.nii.gz -ref absent.nii.gz", 1, "no such file (reference)"),
    ("evaluate -i same.nii.gz -ref truth.nii.gz -s absent.nii.gz", 1, "(cord mask)"),
    ("evaluate -i same.nii.gz -ref truth.nii.gz -s elsewhere.nii.gz", 1, "not on the grid of"),
    ("evaluate -i same.nii.gz -ref truth.nii.gz -s same.nii.gz", 2, "which are rootlets"),
    ("evaluate -i same.nii.gz", 2, "required: -ref"),
    (
        "evaluate -i cropped.nii.gz zero_bytes.nii.gz -ref truth.nii.gz truth.nii.gz",
        1,
        "2 of 2 pairs could not be measured",
    ),
    (
        "evaluate -i same.nii.gz same.nii.gz -ref truth.nii.gz truth.nii.gz",
        2,
        "is given twice with the same reference",
    ),
    ("evaluate -i same.nii.gz same.nii.gz -ref truth.nii.gz", 2, "-ref has 1 and -i has 2"),
    ("evaluate -i same.nii.gz -ref truth.nii.gz -s cord.nii.gz cord.nii.gz", 2, "-s has 2"),
    ("evaluate -i same.nii.gz -ref truth.nii.gz -tables text.tsv", 2, "one side only"),
    (
        "evaluate -i same.nii.gz -ref truth.nii.gz -tables text.tsv -ref-tables text.tsv",
        1,
        "no table of levels",
    ),
    ("evaluate -i same.nii.gz -ref truth.nii.gz -o text.tsv", 2, "was not made by sct_rootlets"),
    ("evaluate -i same.nii.gz -ref truth.nii.gz -o same.nii.gz", 2, "does not end in .tsv"),
    ("evaluate -i same.nii.gz -ref truth.nii.gz -definition mine", 2, "invalid choice"),
    ("consensus -i truth.nii.gz", 2, "two raters or more"),
    ("consensus -i truth.nii.gz absent.nii.gz", 1, "no such file (rater)"),
    ("consensus -i truth.nii.gz cropped.nii.gz", 1, "is not on the grid of truth.nii.gz"),
    ("consensus -i truth.nii.gz text.nii.gz", 1, "is a text file (rater)"),
    ("consensus -i truth.nii.gz zero_bytes.nii.gz", 1, "empty file of 0 bytes"),
    ("consensus -i truth.nii.gz series.nii.gz", 1, "has 4 dimensions"),
    ("consensus -i truth.nii.gz same.nii.gz -o same.nii.gz", 2, "is an input"),
    ("consensus -i truth.nii.gz same.nii.gz -o cord.nii.gz", 2, "was not made by sct_rootlets"),
    ("consensus -i truth.nii.gz same.nii.gz -threshold 2", 2, "not a number from 0 to 1"),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case[0])
def test_what_is_refused(
    planted: Planted,
    refused: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    case: tuple[Any, ...],
) -> None:
    if case[0].startswith("consensus"):
        pytest.importorskip("SimpleITK")
    monkeypatch.chdir(planted.folder)
    refused(*case)
