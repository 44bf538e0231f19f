"""Rootlets that somebody made or corrected: ``run`` uses them and predicts nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.image import load_labels
from sct_rootlets.levels.table.reading import read_levels_table
from sct_rootlets.pipeline import network
from tests.cli.conftest import Command
from tests.pipeline.knowing_engine import Knowing
from tests.synthetic import save_array

pytestmark = pytest.mark.usefixtures("no_figures", "paths", "no_sct", "away")

RUN = "run -i t2.nii.gz"


@pytest.fixture
def away(paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Put rootlets and cord of the neck where nobody looks for them."""
    monkeypatch.setattr("sct_rootlets.sct.missing_inputs.find_sct", lambda: None)
    Path("truth").mkdir()
    for what in ("rootlets", "cord"):
        paths[what].rename(Path("truth", paths[what].name))


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a model is looked for."""
    monkeypatch.setattr(network, "located", lambda *_: pytest.fail("a model was looked for"))


def moved(path: str | Path, target: str | Path, levels: int = 1) -> bytes:
    """Write rootlets whose levels lie that much more caudally; return what was written."""
    image = nib.load(path)
    data = np.asarray(image.dataobj).astype(np.int16)
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    save_array(target, np.where(data > 0, data + levels, 0).astype(np.uint8), image.affine)
    return target.read_bytes()


def parameters(path: str = "t2_spinal_levels.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(path).read_text())["GeneratedBy"][0]["Parameters"]
    return found


def measured(path: str = "t2_spinal_levels.tsv") -> set[SpinalLevel]:
    return {row.level for row in read_levels_table(path).rows if row.status == "measured"}


def listing() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}


@pytest.mark.usefixtures("no_model")
def test_official_rootlets_beside_the_image_are_used_without_a_model(command: Command) -> None:
    """As ``sct_deepseg rootlets`` and ``sct_deepseg spinalcord`` leave them."""
    official = moved("truth/rootlets.nii.gz", "t2_rootlets.nii.gz")
    shutil.copy("truth/cord.nii.gz", "t2_seg.nii.gz")
    before = listing()
    out = command(RUN).out
    assert "Rootlets: t2_rootlets.nii.gz (at hand), and not predicted" in out
    assert "Model:" not in out
    assert "t2_rootlets.nii.gz -cm subcortical" in out.splitlines()[-1]
    assert Path("t2_rootlets.nii.gz").read_bytes() == official
    assert {path: path.read_bytes() for path in before} == before
    assert not Path("t2_rootlets.json").exists()
    assert measured() >= {SpinalLevel.C5, SpinalLevel.C6, SpinalLevel.C7}
    assert parameters()["rootlets"] == "t2_rootlets.nii.gz"
    assert parameters()["rootlets_from"] == "at hand"
    content = json.loads(Path("t2_spinal_levels.json").read_text())
    assert content["Sources"][:3] == ["t2.nii.gz", "t2_rootlets.nii.gz", "t2_seg.nii.gz"]
    assert set(content["SourceSHA256"]) == set(content["Sources"])
    assert "Model" not in content["GeneratedBy"][0]
    command(RUN)  # and again


def test_rootlets_of_ours_that_were_corrected_are_used(
    knowing: Knowing, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    knowing()
    command(RUN)
    assert "not predicted" not in command(RUN).out  # they are as they were written
    assert SpinalLevel.C7 not in measured()
    corrected = moved("t2_rootlets.nii.gz", "t2_rootlets.nii.gz")  # its sidecar stays
    mask = Path("t2_seg.nii.gz").read_bytes()
    monkeypatch.setattr(network, "located", lambda *_: pytest.fail("a model was looked for"))
    for _ in range(2):
        assert "Rootlets: t2_rootlets.nii.gz (at hand), and not predicted" in command(RUN).out
        assert Path("t2_rootlets.nii.gz").read_bytes() == corrected
        assert Path("t2_seg.nii.gz").read_bytes() == mask
        assert SpinalLevel.C7 in measured()


def test_in_the_folder_of_the_results_too(knowing: Knowing, command: Command) -> None:
    knowing()
    command(f"{RUN} -ofolder out")
    corrected = moved("out/t2_rootlets.nii.gz", "out/t2_rootlets.nii.gz")
    assert "out/t2_rootlets.nii.gz (at hand)" in command(f"{RUN} -ofolder out").out
    assert Path("out/t2_rootlets.nii.gz").read_bytes() == corrected
    assert SpinalLevel.C7 in measured("out/t2_spinal_levels.tsv")


@pytest.mark.usefixtures("no_model")
def test_manual_rootlets_of_a_dataset_are_used(command: Command) -> None:
    image = Path("data/sub-01/anat/sub-01_T2w.nii.gz")
    labels = Path("data/derivatives/labels/sub-01/anat")
    image.parent.mkdir(parents=True)
    shutil.copy("t2.nii.gz", image)
    moved("truth/rootlets.nii.gz", labels / "sub-01_T2w_label-rootlets_dseg.nii.gz")
    shutil.copy("truth/cord.nii.gz", labels / "sub-01_T2w_label-SC_seg.nii.gz")
    before = listing()
    out = command(f"run -i {image} -ofolder out").out
    assert "sub-01_T2w_label-rootlets_dseg.nii.gz (manual), and not predicted" in out
    assert {path: path.read_bytes() for path in before} == before
    assert parameters("out/sub-01_T2w_spinal_levels.json")["rootlets_from"] == "manual"
    assert not Path("out/sub-01_T2w_rootlets.nii.gz").exists()
    assert SpinalLevel.C7 in measured("out/sub-01_T2w_spinal_levels.tsv")


def test_without_a_cord_mask_the_model_makes_that_alone(knowing: Knowing, command: Command) -> None:
    knowing()
    official = moved("truth/rootlets.nii.gz", "t2_rootlets.nii.gz")
    command(f"{RUN} -r 0")
    assert Path("t2_rootlets.nii.gz").read_bytes() == official
    assert not Path("t2_rootlets.json").exists()
    assert not Path("t2_rootlets-predicted.nii.gz").exists()
    truth = load_labels("truth/cord.nii.gz").data
    np.testing.assert_array_equal(load_labels("t2_seg.nii.gz").data, truth)
    assert SpinalLevel.C7 in measured()


def test_predict_1_predicts_all_the_same_and_replaces_only_when_told(
    knowing: Knowing, command: Command, refused: Callable[..., None]
) -> None:
    knowing()
    official = moved("truth/rootlets.nii.gz", "t2_rootlets.nii.gz")
    refused(f"{RUN} -predict 1", 2, "t2_rootlets.nii.gz", "was not made by sct_rootlets")
    assert Path("t2_rootlets.nii.gz").read_bytes() == official
    command(f"{RUN} -predict 1 -ofolder out")
    assert SpinalLevel.C7 not in measured("out/t2_spinal_levels.tsv")
    # What may be replaced is used all the same, unless it is to be predicted.
    command(f"{RUN} -overwrite 1")
    assert Path("t2_rootlets.nii.gz").read_bytes() == official
    command(f"{RUN} -predict 1 -overwrite 1")
    assert Path("t2_rootlets.nii.gz").read_bytes() != official


@pytest.mark.usefixtures("no_model")
def test_rootlets_that_are_given_come_first(command: Command, refused: Callable[..., None]) -> None:
    moved("truth/rootlets.nii.gz", "t2_rootlets.nii.gz")
    words = f"{RUN} -s truth/cord.nii.gz -rootlets truth/rootlets.nii.gz"
    assert "Rootlets: truth/rootlets.nii.gz (given)" in command(words).out
    assert SpinalLevel.C7 not in measured()
    assert "rootlets_from" not in parameters()
    refused(f"{words} -predict 1", 2, "-rootlets gives what -predict 1 would predict")


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize("kind", ["other grid", "empty", "damaged", "dangling", "no levels"])
def test_rootlets_that_cannot_be_used_are_an_error_and_not_passed_over(
    refused: Callable[..., None], kind: str
) -> None:
    image = nib.load("truth/rootlets.nii.gz")
    data = np.asarray(image.dataobj).astype(np.uint8)
    target = Path("t2_rootlets.nii.gz")
    told, status = "", 1
    if kind == "other grid":
        save_array(target, data[:, :, 3:], image.affine)
        told = "is not on the grid"
    elif kind == "empty":
        save_array(target, 0 * data, image.affine)
    elif kind == "damaged":
        target.write_bytes(Path("truth/rootlets.nii.gz").read_bytes()[:200])
    elif kind == "dangling":
        target.symlink_to(".git/annex/objects/aa")
        told = "is a link to a file that is not there"
    else:
        save_array(target, (data > 0).astype(np.uint8), image.affine)
        told, status = "has the value 1 throughout", 2
    refused(f"{RUN} -s truth/cord.nii.gz", status, "t2_rootlets.nii.gz", told)


@pytest.mark.usefixtures("no_model")
def test_rootlets_without_levels_are_numbered_by_discs(command: Command) -> None:
    image = nib.load("truth/rootlets.nii.gz")
    data = (np.asarray(image.dataobj) > 0).astype(np.uint8)
    turned = nib.Nifti1Image(data, image.affine).as_reoriented([[2, -1], [0, 1], [1, -1]])
    nib.save(turned, "t2_rootlets.nii.gz")
    before = Path("t2_rootlets.nii.gz").read_bytes()
    command(f"{RUN} -s truth/cord.nii.gz -discs discs.nii.gz")
    assert SpinalLevel.C4 in measured()
    assert Path("t2_rootlets.nii.gz").read_bytes() == before


@pytest.mark.usefixtures("no_model")
def test_the_report_knows_image_and_rootlets_again(figures: None, command: Command) -> None:
    shutil.copy("truth/rootlets.nii.gz", "t2_rootlets.nii.gz")
    shutil.copy("truth/cord.nii.gz", "t2_seg.nii.gz")
    command(f"{RUN} -discs discs.nii.gz -ofolder out")
    assert "0 failed, 0 flagged, 1 ok" in command("report -i out -o page.html -jobs 1").out
    assert "t2.nii.gz" in Path("page.html").read_text(encoding="utf-8")
    moved("t2_rootlets.nii.gz", "t2_rootlets.nii.gz")
    command("report -i out -o page.html -jobs 1 -overwrite 1")
    page = Path("page.html").read_text(encoding="utf-8")
    assert "changed since the levels were derived: rootlets t2_rootlets.nii.gz" in page
