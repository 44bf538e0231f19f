"""``sct_rootlets run`` where SCT is installed: a stand-in for it, and an engine that knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sct_rootlets.cli.main import main
from sct_rootlets.image import LabelImage, load_labels
from tests.cli import interrupting
from tests.pipeline.knowing_engine import KnowingEngine, use_engine
from tests.sct.stand_in_answers import StandIn, copy_as, is_running, write_truth
from tests.synthetic import Neck

pytestmark = pytest.mark.usefixtures("no_figures")


@pytest.fixture
def stand_in(
    neck: Neck, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> StandIn:
    folder = tmp_path_factory.mktemp("sct")
    pmj = np.zeros_like(neck.cord.data)
    pmj[16, 20, 98] = 50
    truth = write_truth(
        folder / "truth", cord=neck.cord, discs=neck.discs, pmj=LabelImage(pmj, neck.cord.grid)
    )
    return StandIn(folder, truth, monkeypatch)


@pytest.fixture(autouse=True)
def image(neck: Neck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return neck.write(tmp_path / "given")["image"].rename(tmp_path / "t2.nii.gz")


@pytest.fixture
def use(neck: Neck, monkeypatch: pytest.MonkeyPatch) -> Callable[..., KnowingEngine]:
    """Put an engine that knows the answer in place of the bundled one."""

    return lambda identity=False, cord=True: use_engine(
        monkeypatch, neck, identity=identity, cord=cord
    )


def content(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(Path(name).read_text())
    return parsed


def parameters(name: str = "t2_spinal_levels.json") -> dict[str, Any]:
    found: dict[str, Any] = content(name)["GeneratedBy"][0]["Parameters"]
    return found


def test_an_image_alone_is_enough(
    stand_in: StandIn, use: Callable[..., KnowingEngine], capsys: pytest.CaptureFixture[str]
) -> None:
    engine = use()
    assert main(["run", "-i", "t2.nii.gz"]) == 0
    assert stand_in.called == ["sct_deepseg spinalcord", "sct_deepseg spine", "sct_detect_pmj"]
    assert engine.given_cord is not None
    assert load_labels("t2_spinal_levels.nii.gz").labels[:2] == [3, 4]
    found = parameters()
    assert found["cord"] == "t2_seg.nii.gz"
    assert found["cord_from"] == (
        "SCT 7.4.stand-in: sct_deepseg spinalcord -i t2.nii.gz -o t2_seg.nii.gz"
    )
    assert found["discs_from"].endswith("sct_deepseg spine -i t2.nii.gz -o t2.nii.gz")
    assert found["pmj_from"].endswith(
        "sct_detect_pmj -i t2.nii.gz -c t2 -ofolder sct -o t2_pmj.nii.gz -s t2_seg.nii.gz"
    )
    made = {"t2_seg.nii.gz", "t2_totalspineseg_discs.nii.gz", "t2_pmj.nii.gz"}
    assert made < set(content("t2_spinal_levels.json")["Sources"])
    assert "distance_from_pmj" in Path("t2_spinal_levels.tsv").read_text()
    # no path of this machine is in what travels with the data
    for path in Path().glob("*.json"):
        assert str(Path.cwd()) not in path.read_text()
        assert str(stand_in.folder) not in path.read_text()
    out, err = capsys.readouterr()
    assert f"{stand_in.bin}/sct_deepseg spine -i " in out
    assert "  made t2_totalspineseg_discs.nii.gz" in out
    assert "Disc labels by sct_deepseg: done in" in err
    assert "t2_sct.log" in out


def test_official_rootlets_are_not_predicted_again(
    stand_in: StandIn, use: Callable[..., KnowingEngine], capsys: pytest.CaptureFixture[str]
) -> None:
    """SCT makes what they need: the cord mask, and the discs to check their levels by."""
    engine = use()
    copy_as(Path("given/rootlets.nii.gz"), Path("t2_rootlets.nii.gz"))
    official = Path("t2_rootlets.nii.gz").read_bytes()
    assert main(["run", "-i", "t2.nii.gz"]) == 0
    assert "Rootlets: t2_rootlets.nii.gz (at hand), and not predicted" in capsys.readouterr().out
    assert engine.given_cord is None
    assert stand_in.called == ["sct_deepseg spinalcord", "sct_deepseg spine", "sct_detect_pmj"]
    assert Path("t2_rootlets.nii.gz").read_bytes() == official
    assert parameters()["rootlets_from"] == "at hand"
    assert parameters()["cord_from"].startswith("SCT")


@pytest.mark.parametrize("how", ["option", "variable"])
def test_sct_can_be_left_aside(
    stand_in: StandIn,
    use: Callable[..., KnowingEngine],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    use()
    words = ["run", "-i", "t2.nii.gz", *(["-sct", "0"] if how == "option" else [])]
    if how == "variable":
        monkeypatch.setenv("SCT_ROOTLETS_SCT", "0")
    assert main(words) == 2
    err = capsys.readouterr().err
    assert "-discs" in err
    assert "where SCT is installed" in err
    assert main([*words, "-discs", "given/discs.nii.gz"]) == 0
    assert not any(key.endswith("_from") for key in parameters())
    assert parameters()["cord"] == "predicted by the model"
    assert stand_in.calls == []
    # the mask that was predicted then is ours, and the one of SCT takes its place
    monkeypatch.setenv("SCT_ROOTLETS_SCT", "auto")
    assert main(["run", "-i", "t2.nii.gz"]) == 0
    assert parameters()["cord_from"].startswith("SCT")


def test_only_what_is_not_given_is_made(
    stand_in: StandIn, use: Callable[..., KnowingEngine]
) -> None:
    use()
    given = "run -i t2.nii.gz -s given/cord.nii.gz -c2c3 0,9,65.5 -ofolder out"
    assert main(given.split()) == 0
    assert stand_in.called == ["sct_detect_pmj"]
    assert parameters("out/t2_spinal_levels.json")["discs"] is None
    assert not Path("t2_sct.log").exists()
    assert Path("out/t2_sct.log").exists()


def test_a_mask_for_a_model_that_makes_none(
    stand_in: StandIn, use: Callable[..., KnowingEngine], capsys: pytest.CaptureFixture[str]
) -> None:
    use(identity=True, cord=False)
    assert main(["run", "-i", "t2.nii.gz"]) == 0
    stand_in.behave(**{"sct_deepseg spinalcord": "fail"})
    assert main(["run", "-i", "t2.nii.gz", "-ofolder", "out"]) == 0  # at hand, beside the image
    Path("t2_seg.nii.gz").unlink()
    capsys.readouterr()
    assert main(["run", "-i", "t2.nii.gz", "-ofolder", "out"]) == 2
    err = " ".join(capsys.readouterr().err.split())
    assert "Warning: No cord mask by SCT: sct_deepseg spinalcord failed with exit status 1" in err
    assert "the model knowing predicts no cord mask" in err


def test_discs_that_are_needed_and_cannot_be_made(
    stand_in: StandIn, use: Callable[..., KnowingEngine], capsys: pytest.CaptureFixture[str]
) -> None:
    use()
    stand_in.behave(**{"sct_deepseg spine": "fail", "sct_label_vertebrae": "fail"})
    assert main(["run", "-i", "t2.nii.gz"]) == 2
    err = " ".join(capsys.readouterr().err.split())
    assert "No disc labels by SCT: sct_deepseg spine failed" in err
    assert "finds rootlets and not which spinal level" in err
    assert not Path("t2_spinal_levels.nii.gz").exists()
    use(identity=True)  # with levels of its own it can do without
    assert main(["run", "-i", "t2.nii.gz"]) == 0
    assert parameters()["discs_from"].startswith("none: sct_deepseg spine failed")


def test_what_forbids_a_run_is_found_before_sct_starts(
    stand_in: StandIn, use: Callable[..., KnowingEngine], capsys: pytest.CaptureFixture[str]
) -> None:
    use()
    copy_as(Path("given/cord.nii.gz"), Path("t2_spinal_levels.json"))
    assert main(["run", "-i", "t2.nii.gz"]) == 2
    Path("t2_spinal_levels.json").unlink()
    assert main(["run", "-i", "t2.nii.gz", "-dilation", "2"]) == 2
    assert main(["run", "-i", "missing.nii.gz"]) == 1
    assert main(["run", "-i", "t2.nii.gz", "-pmj", "missing.nii.gz"]) == 1
    assert stand_in.calls == []


def test_manual_files_win_over_the_network_also_without_sct(
    stand_in: StandIn,
    use: Callable[..., KnowingEngine],
    capsys: pytest.CaptureFixture[str],
    image: Path,
) -> None:
    engine = use()
    copy_as(image, Path("data/sub-1/anat/sub-1_T2w.nii.gz"))
    labels = Path("data/derivatives/labels/sub-1/anat")
    copy_as(Path("given/cord.nii.gz"), labels / "sub-1_T2w_label-SC_seg.nii.gz")
    copy_as(Path("given/discs.nii.gz"), labels / "sub-1_T2w_label-discs_dlabel.nii.gz")
    words = "run -i data/sub-1/anat/sub-1_T2w.nii.gz -sct 0 -ofolder out"
    assert main(words.split()) == 0
    assert engine.given_cord is not None
    found = parameters("out/sub-1_T2w_spinal_levels.json")
    assert (found["cord_from"], found["discs_from"]) == ("manual", "manual")
    assert found["cord"] == "sub-1_T2w_label-SC_seg.nii.gz"
    assert not Path("out/sub-1_T2w_seg.nii.gz").exists()
    assert "label-discs_dlabel.nii.gz (manual)" in capsys.readouterr().out


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc what is running")
def test_an_interruption_stops_sct_and_keeps_what_is_whole(stand_in: StandIn) -> None:
    stand_in.behave(**{"sct_deepseg spine": "hang"})
    hanging = stand_in.folder / "hanging.json"
    interrupting.assert_stops(
        "import sys; from sct_rootlets.cli.main import main\n"
        "sys.exit(main(['run', '-i', 't2.nii.gz']))",
        lambda: hanging.exists() and bool(hanging.read_text()),
    )
    for pid in json.loads(hanging.read_text()):
        assert not is_running(pid), "SCT goes on after we were interrupted"
    assert "# interrupted" in Path("t2_sct.log").read_text()
    made = {"t2_seg.nii.gz", "t2_seg.json", "t2_sct.log"}
    assert {path.name for path in Path().iterdir()} == {"given", "t2.nii.gz", *made}
