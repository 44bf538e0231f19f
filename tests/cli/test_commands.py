"""The commands on good inputs: what they write and print."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets import pipeline
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.cli.demo import format_comparison
from sct_rootlets.cli.main import main
from sct_rootlets.image import load_labels
from sct_rootlets.levels.table.columns import COLUMNS
from sct_rootlets.levels.table.reading import read_levels_table
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.metrics import BorderError, BorderErrors
from sct_rootlets.pipeline import network
from sct_rootlets.qc import figure
from tests.pipeline.knowing_engine import KnowingEngine
from tests.synthetic import Neck, make_neck, save_array

pytestmark = pytest.mark.usefixtures("no_figures")

BUNDLED = Path(pipeline.__file__).parents[1] / "models" / "compact"


@pytest.fixture(scope="module")
def neck() -> Neck:
    return make_neck()


@pytest.fixture
def paths(neck: Neck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Write the neck into a folder and go there."""
    monkeypatch.chdir(tmp_path)
    return neck.write(tmp_path)


@pytest.fixture
def knowing(neck: Neck, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put an engine that knows the answer in place of the bundled one."""

    def use(*, identity: bool) -> None:
        model = InstalledModel(
            "knowing", "1.0", Path("nowhere"), "cd" * 32, {}, "LPI", identity, True
        )
        monkeypatch.setattr(network, "located", lambda reference, progress: model)
        monkeypatch.setattr(
            network, "load_engine", lambda *a, **k: KnowingEngine(neck, identity=identity)
        )

    return use


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def level_names(stem: str, extension: str = ".nii.gz") -> set[str]:
    """Return the names of all files of levels."""
    images = {f"{stem}{end}{extension}" for end in ("", "_midpoint", "_rostral", "_caudal")}
    drawn = {f"{stem}.png"} if figure.has_matplotlib() else set()
    return images | drawn | {f"{stem}.tsv", f"{stem}.json", f"{stem}_dseg.tsv"}


def test_run_writes_beside_the_image_and_ends_with_the_fsleyes_line(
    paths: dict[str, Path],
    knowing: Callable[..., None],
    figures: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    knowing(identity=False)
    given = names(Path.cwd())
    assert main(["run", "-i", "t2.nii.gz", "-discs", "discs.nii.gz"]) == 0
    made = names(Path.cwd()) - given
    assert made == {
        *level_names("t2_spinal_levels"),
        "t2_rootlets.json",
        "t2_rootlets.nii.gz",
        "t2_seg.json",
        "t2_seg.nii.gz",
    }
    out, err = capsys.readouterr()
    table = read_levels_table("t2_spinal_levels.tsv")
    row = table.row(SpinalLevel.C5)
    assert row is not None
    line = next(line for line in out.splitlines() if line.startswith("C5"))
    assert f"{row.caudal_mm:.1f}" in line
    assert out.splitlines()[-1] == (
        "fsleyes t2.nii.gz -cm greyscale t2_spinal_levels.nii.gz -cm subcortical -a 50.0 "
        "t2_rootlets.nii.gz -cm subcortical -a 70.0 &"
    )
    for name in made:
        if name != "t2_seg.json" and "levels.json" not in name and "rootlets.json" not in name:
            assert name in out
    assert "Prediction" not in out
    assert "Deriving the levels: done" in err


@pytest.fixture
def no_sct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide an SCT of this machine: its report is tested where SCT is."""
    monkeypatch.setattr("sct_rootlets.sct.installation.find_sct", lambda: None)


def test_run_into_folders_with_quality_control_and_intermediate_files(
    paths: dict[str, Path],
    knowing: Callable[..., None],
    no_sct: None,
    figures: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    knowing(identity=False)
    words = "run -i t2.nii.gz -s cord.nii.gz -c2c3 0,9,65.5 -ofolder a/b -qc qc -r 0 -v 0"
    assert main(words.split()) == 0
    assert names(Path("a/b")) == {
        *level_names("t2_spinal_levels"),
        "t2_centerline.tsv",
        "t2_rootlets-predicted.nii.gz",
        "t2_rootlets.json",
        "t2_rootlets.nii.gz",
    }
    assert names(Path("qc")) == {"t2_spinal_levels.png", "t2_spinal_levels.html"}
    assert capsys.readouterr() == ("", "")
    content = json.loads(Path("a/b/t2_spinal_levels.json").read_text())
    assert content["GeneratedBy"][0]["Parameters"]["c2c3_world_mm"] == [0, 9, 65.5]


def test_run_never_replaces_a_cord_mask_of_somebody_else(
    paths: dict[str, Path], knowing: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    knowing(identity=True)
    mask = paths["cord"].rename("t2_seg.nii.gz")
    before, listing = mask.read_bytes(), names(Path.cwd())
    assert main(["run", "-i", "t2.nii.gz"]) == 2
    assert "-s t2_seg.nii.gz" in capsys.readouterr().err
    assert names(Path.cwd()) == listing
    assert main(["run", "-i", "t2.nii.gz", "-s", "t2_seg.nii.gz"]) == 0
    assert mask.read_bytes() == before


def test_run_twice_replaces_its_own_results(
    paths: dict[str, Path], knowing: Callable[..., None]
) -> None:
    knowing(identity=True)
    assert main(["run", "-i", "t2.nii.gz"]) == 0
    assert main(["run", "-i", "t2.nii.gz"]) == 0


def test_segment_without_a_disc_gives_a_mask_and_says_so(
    paths: dict[str, Path], knowing: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    knowing(identity=False)
    assert main(["segment", "-i", "t2.nii.gz"]) == 0
    assert load_labels("t2_rootlets.nii.gz").labels == [1]
    assert load_labels("t2_seg.nii.gz").labels == [1]
    out = capsys.readouterr().out
    assert "no level identity" in out
    assert "also predicted the cord: t2_seg.nii.gz" in out
    assert json.loads(Path("t2_rootlets.json").read_text())["Labels"] == {"1": "rootlet"}


def test_segment_with_a_disc_numbers(
    neck: Neck, paths: dict[str, Path], knowing: Callable[..., None]
) -> None:
    knowing(identity=False)
    words = "segment -i t2.nii.gz -s cord.nii.gz -discs discs.nii.gz -o new/r.nii.gz"
    assert main(words.split()) == 0
    assert names(Path("new")) == {"r.nii.gz", "r.json"}
    np.testing.assert_array_equal(load_labels("new/r.nii.gz").data, neck.rootlets.data)
    labels = json.loads(Path("new/r.json").read_text())["Labels"]
    assert labels == {"3": "C3", "4": "C4", "5": "C5", "6": "C6"}


def several(paths: dict[str, Path], *names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(paths["image"].read_bytes())


def test_segment_several_images_beside_each_other(
    paths: dict[str, Path], knowing: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    knowing(identity=True)
    several(paths, "a/t2.nii.gz", "b/t2.nii.gz")
    assert main(["segment", "-i", "a/t2.nii.gz", "b/t2.nii.gz", "t2.nii.gz"]) == 0
    ours = {"t2_rootlets.nii.gz", "t2_rootlets.json", "t2_seg.nii.gz", "t2_seg.json"}
    for folder in ("a", "b"):
        assert names(Path(folder)) == {"t2.nii.gz", *ours}
    assert ours < names(Path.cwd())
    content = json.loads(Path("b/t2_rootlets.json").read_text())
    assert content["Sources"] == ["t2.nii.gz"]
    out, err = capsys.readouterr()
    assert "b/t2.nii.gz: b/t2_rootlets.nii.gz, b/t2_seg.nii.gz" in out
    assert out.count("Model: knowing 1.0") == 1
    assert out.count("fsleyes ") == 3
    assert "[1/3]: done" in err
    assert "[3/3]: done" in err


def test_segment_several_images_into_a_folder_with_masks_and_what_lies_between(
    paths: dict[str, Path], knowing: Callable[..., None]
) -> None:
    knowing(identity=True)
    several(paths, "a.nii.gz", "b.nii.gz")
    words = "segment -i a.nii.gz b.nii.gz -s cord.nii.gz cord.nii.gz -ofolder out/new -r 0"
    assert main(words.split()) == 0
    assert names(Path("out/new")) == {
        f"{name}_rootlets{end}"
        for name in "ab"
        for end in (".nii.gz", ".json", "-predicted.nii.gz")
    }
    words = "segment -i a.nii.gz b.nii.gz -o x/1.nii.gz y/2.nii -v 0"
    assert main(words.split()) == 0
    assert names(Path("x")) == {"1.nii.gz", "1.json", "a_seg.nii.gz", "a_seg.json"}
    assert names(Path("y")) == {"2.nii", "2.json", "b_seg.nii.gz", "b_seg.json"}


def test_segment_one_image_into_a_folder(
    paths: dict[str, Path], knowing: Callable[..., None]
) -> None:
    knowing(identity=True)
    assert main(["segment", "-i", "t2.nii.gz", "-s", "cord.nii.gz", "-ofolder", "out"]) == 0
    assert names(Path("out")) == {"t2_rootlets.nii.gz", "t2_rootlets.json"}


def test_a_broken_image_does_not_stop_the_others(
    paths: dict[str, Path], knowing: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    knowing(identity=True)
    several(paths, "a.nii.gz", "c.nii.gz")
    whole = paths["image"].read_bytes()
    Path("b.nii.gz").write_bytes(whole[: len(whole) // 2])  # its header is whole
    words = "segment -i a.nii.gz b.nii.gz missing.nii.gz c.nii.gz -ofolder out"
    assert main(words.split()) == 1
    assert names(Path("out")) == {
        f"{name}{end}"
        for name in ("a_rootlets", "a_seg", "c_rootlets", "c_seg")
        for end in (".nii.gz", ".json")
    }
    err = capsys.readouterr().err
    missing, broken, last = (line for line in err.splitlines() if "sct_rootlets: error: " in line)
    assert "missing.nii.gz: no such file" in missing
    assert "b.nii.gz: is truncated or damaged" in broken
    assert "2 of 4 images could not be segmented: missing.nii.gz, b.nii.gz" in last
    assert "the others are written" in last
    assert err.index("missing.nii.gz") < err.index("Loading the model")


def test_a_mask_of_somebody_else_among_several_stops_all_before_anything_starts(
    paths: dict[str, Path], knowing: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    knowing(identity=True)
    several(paths, "a.nii.gz", "b.nii.gz")
    paths["cord"].rename("b_seg.nii.gz")
    before = names(Path.cwd())
    assert main(["segment", "-i", "a.nii.gz", "b.nii.gz"]) == 2
    assert names(Path.cwd()) == before
    assert "did not make" in capsys.readouterr().err


def test_unknown_voxels_are_said_and_written_down(
    neck: Neck,
    paths: dict[str, Path],
    knowing: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    knowing(identity=True)
    grey = neck.image.data.copy()
    grey[:2, 0, 0] = np.nan
    save_array(Path("t2.nii.gz"), grey, neck.image.grid.affine)
    told = "t2.nii.gz has 2 voxels that are NaN or infinite"
    for words, sidecars in {
        "run -i t2.nii.gz": ("Notes", "t2_rootlets.json"),
        "segment -i t2.nii.gz": ("Notes", "t2_rootlets.json"),
        "run -i t2.nii.gz -ofolder again": ("warnings", "again/t2_spinal_levels.json"),
    }.items():
        assert main(words.split()) == 0
        assert " ".join(capsys.readouterr().err.split()).count(told) == 1
        field, name = sidecars
        assert [text for text in json.loads(Path(name).read_text())[field] if told in text]


def test_a_volume_of_a_series(
    neck: Neck, paths: dict[str, Path], knowing: Callable[..., None]
) -> None:
    knowing(identity=True)
    series = np.stack([np.zeros_like(neck.image.data), neck.image.data], axis=-1)
    save_array(Path("t2.nii.gz"), series, neck.image.grid.affine)
    assert main(["segment", "-i", "t2.nii.gz", "-volume", "0"]) == 1  # constant
    for words, name in {
        "segment -i t2.nii.gz -volume 1": "t2_rootlets.json",
        "run -i t2.nii.gz -volume 1": "t2_spinal_levels.json",
    }.items():
        assert main([*words.split(), "-engine", "torch", "-fast"]) == 0
        parameters = json.loads(Path(name).read_text())["GeneratedBy"][0]["Parameters"]
        assert parameters["volume"] == 1
        assert (parameters["device"], parameters["engine"], parameters["fast"]) == (
            "auto",
            "torch",
            True,
        )
    assert load_labels("t2_rootlets.nii.gz").grid.matches(neck.image.grid)


INTERRUPTED = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell puts behind
from pathlib import Path
from sct_rootlets import pipeline
from sct_rootlets.pipeline import network
from sct_rootlets.cli.main import main
from sct_rootlets.manifest import InstalledModel
from tests.synthetic import make_neck
from tests.pipeline.knowing_engine import KnowingEngine

class Slow(KnowingEngine):
    def predict(self, image, **kwargs):
        if "b.nii.gz" in image.path:
            Path("reached").touch()
            time.sleep(600)
        return super().predict(image, **kwargs)

model = InstalledModel("knowing", "1.0", Path("nowhere"), "cd" * 32, {}, "LPI", True, True)
network.located = lambda reference, progress: model
network.load_engine = lambda *a, **k: Slow(make_neck(), identity=True)
sys.exit(main("segment -i a.nii.gz b.nii.gz c.nii.gz d.nii.gz -ofolder out".split()))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
def test_an_interruption_leaves_whole_files_only(paths: dict[str, Path]) -> None:
    several(paths, *(f"{name}.nii.gz" for name in "abcd"))
    command = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        give_up = time.monotonic() + 120
        while not Path("reached").exists() and command.poll() is None:
            assert time.monotonic() < give_up
            time.sleep(0.05)
        command.send_signal(signal.SIGINT)
        _, err = command.communicate(timeout=60)
    finally:
        command.kill()
    assert command.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    # what was ready is whole, and what was not has left nothing behind
    made = ["a_rootlets.json", "a_rootlets.nii.gz", "a_seg.json", "a_seg.nii.gz"]
    assert sorted(path.name for path in Path("out").iterdir()) == made
    assert load_labels("out/a_rootlets.nii.gz").labels == [3, 4, 5, 6]


@pytest.mark.parametrize("extension", [".nii.gz", ".nii"])
def test_levels_writes_files_of_one_name(
    paths: dict[str, Path], figures: None, extension: str
) -> None:
    words = f"levels -i rootlets.nii.gz -s cord.nii.gz -definition extent -o out/X{extension}"
    assert main(words.split()) == 0
    assert names(Path("out")) == level_names("X", extension)
    content = json.loads(Path("out/X.json").read_text())
    assert content["definition"] == "extent"
    assert content["Sources"] == ["../rootlets.nii.gz", "../cord.nii.gz"]
    header = Path("out/X.tsv").read_text().splitlines()[0].split("\t")
    assert header == list(COLUMNS)


def test_levels_names_its_files_after_the_rootlets(
    paths: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    given = names(Path.cwd())
    assert main(["levels", "-i", "rootlets.nii.gz", "-s", "cord.nii.gz"]) == 0
    assert names(Path.cwd()) - given == level_names("rootlets_spinal_levels")
    out = capsys.readouterr().out
    for name in level_names("rootlets_spinal_levels"):
        assert name in out
    paths["rootlets"].rename("sub-1_T2w_label-rootlets_dseg.nii.gz")
    words = "levels -i sub-1_T2w_label-rootlets_dseg.nii.gz -s cord.nii.gz -ofolder out -r 0"
    assert main(words.split()) == 0
    made = names(Path("out"))
    assert "sub-1_T2w_label-spinallevels_dseg.nii.gz" in made
    assert "sub-1_T2w_label-spinallevels_dseg.tsv" in made
    assert "sub-1_T2w_label-spinallevels.tsv" in made
    assert len(made) == len(level_names("")) + 2


def test_levels_of_a_default_name_replace_only_our_own(
    paths: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    words = "levels -i rootlets.nii.gz -s cord.nii.gz"
    target = Path("rootlets_spinal_levels.nii.gz")
    target.write_text("somebody's")
    assert main(words.split()) == 2
    assert "did not make" in capsys.readouterr().err
    assert target.read_text() == "somebody's"
    target.unlink()
    assert main(words.split()) == 0
    assert main(words.split()) == 0


def test_levels_by_the_published_method_in_the_published_layout(paths: dict[str, Path]) -> None:
    words = (
        "levels -i rootlets.nii.gz -s cord.nii.gz -definition valosek2024 -dilation 2 "
        "-o out/X.nii.gz -ocsv out/published.csv"
    )
    assert main(words.split()) == 0
    lines = [line.split(",") for line in Path("out/published.csv").read_text().splitlines()]
    assert [line[0] for line in lines] == ["spinal_level", "3", "4", "5", "6"]
    parameters = json.loads(Path("out/X.json").read_text())["GeneratedBy"][0]["Parameters"]
    assert (parameters["definition"], parameters["dilation_voxels"]) == ("valosek2024", 2)
    assert parameters["reach_mm"] is None


def test_levels_with_quality_control(paths: dict[str, Path], no_sct: None, figures: None) -> None:
    words = "levels -i rootlets.nii.gz -s cord.nii.gz -discs discs.nii.gz -o X.nii.gz -qc qc -axial"
    assert main(words.split()) == 0
    assert names(Path("qc")) == {"X.png", "X.html"}
    assert Path("qc/X.png").read_bytes() == Path("X.png").read_bytes()
    page = Path("qc/X.html").read_text()
    assert "rootlets.nii.gz" in page
    assert ">C4</td>" in page


def test_levels_without_matplotlib_says_how_to_get_it(
    paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(figure, "has_matplotlib", lambda: False)
    assert main(["levels", "-i", "rootlets.nii.gz", "-s", "cord.nii.gz", "-o", "X.nii.gz"]) == 0
    assert not Path("X.png").exists()
    assert "pip install 'sct_rootlets[qc]'" in capsys.readouterr().out


def test_the_comparison_of_the_demo_is_a_table() -> None:
    c5, c6 = SpinalLevel.C5, SpinalLevel.C6
    errors = BorderErrors(
        (
            BorderError(c5, "rostral", 10.0, 10.5),
            BorderError(c5, "caudal", 25.25, 25.0),
            BorderError(c6, "rostral", 25.25, 25.0),
            BorderError(c6, "caudal", float("nan"), 40.0),
        )
    )
    lines = [line.split() for line in format_comparison(errors).splitlines()]
    assert lines[2] == ["C5", "10.0", "10.5", "-0.5", "25.2", "25.0", "+0.2"]
    assert lines[3] == ["C6", "25.2", "25.0", "+0.2", "n/a", "40.0", "n/a"]


@pytest.mark.slow
@pytest.mark.skipif(not BUNDLED.is_dir(), reason="no bundled model in this checkout")
def test_the_demo_finds_the_borders_of_a_phantom(
    tmp_path: Path, real_figures: None, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    assert main(["demo", "-o", str(tmp_path / "demo")]) == 0
    out = capsys.readouterr().out
    median = float(out.partition("median error ")[2].split()[0])
    assert median <= 1.5
    assert len(list((tmp_path / "demo").glob("*_spinal_levels.png"))) == 1
    assert len(list((tmp_path / "demo").glob("*_spinal_levels.html"))) == 1
