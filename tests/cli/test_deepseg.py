"""The command line of ``sct_deepseg rootlets``, and what comes of it."""

from __future__ import annotations

import argparse
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets import deepseg
from sct_rootlets.cli.main import get_parser
from sct_rootlets.deepseg import tasks
from sct_rootlets.image import load_labels
from sct_rootlets.pipeline import LevelOptions, Settings
from sct_rootlets.result import LevelsResult
from tests.cli.conftest import Command
from tests.cli.listing import names
from tests.pipeline.knowing_engine import Knowing
from tests.scts import in_scts_python, scts_environment, the_sct
from tests.store.server import Server
from tests.store.tiny import REPOSITORY, TRAINER, sha256_of, write_tiny
from tests.synthetic import Neck

#: The options of ``sct_deepseg rootlets`` in SCT 7.4: number of words, type, choices, default.
GRAMMAR: dict[str, list[Any]] = {
    "-i": ["+", None, None, None],
    "-o": [None, None, None, None],
    "-install": [0, None, None, False],
    "-custom-url": ["+", None, None, None],
    "-thr": [None, "float", None, None],
    "-largest": [None, "int", [0, 1], 0],
    "-fill-holes": [None, "int", [0, 1], 0],
    "-remove-small": ["+", None, None, None],
    "-test-time-aug": [0, None, None, False],
    "-qc": [None, None, None, None],
    "-qc-dataset": [None, None, None, None],
    "-qc-subject": [None, None, None, None],
    "-qc-plane": [None, None, ["Axial", "Sagittal"], "Axial"],
    "-qc-seg": [None, None, None, None],
    "-h": [0, None, None, "==SUPPRESS=="],
    "--help": [0, None, None, "==SUPPRESS=="],
    "-v": [None, "int", [0, 1, 2], 1],
    "-profile-time": ["?", None, None, None],
    "-trace-memory": ["?", None, None, None],
    "-r": [None, "int", [0, 1], 1],
}


def grammar_of(parser: argparse.ArgumentParser) -> dict[str, list[Any]]:
    """Return it; of SCT's parser in SCT's Python, which is given this source."""
    found: dict[str, list[Any]] = {}
    for action in parser._actions:
        kind = action.type.__name__ if action.type in (int, float) else None
        choices = None if action.choices is None else list(action.choices)
        required = [action.required] if action.required else []
        for option in action.option_strings:
            found[option] = [action.nargs, kind, choices, action.default, *required]
    return found


_GRAMMAR_OF_SCT = f"""
import json
from typing import Any
from spinalcordtoolbox.scripts.sct_deepseg import get_parser
{inspect.getsource(grammar_of).replace("argparse.ArgumentParser", "object")}
print()
print(json.dumps(grammar_of(get_parser("rootlets"))))
"""


def grammar(task: str) -> dict[str, list[Any]]:
    found: argparse.ArgumentParser = get_parser()
    for word in ("deepseg", task):
        (nested,) = (a for a in found._actions if isinstance(a, argparse._SubParsersAction))
        found = nested.choices[word]
    return grammar_of(found)


@pytest.mark.parametrize("task", ["rootlets", "rootlets_levels"])
def test_every_option_of_sct_is_there_as_sct_has_it(task: str) -> None:
    ours = grammar(task)
    assert {option: ours.get(option) for option in GRAMMAR} == GRAMMAR
    assert not any(len(found) > 4 for found in ours.values())  # nothing that SCT does not ask for


def test_the_page_has_every_option() -> None:
    page = (REPOSITORY / "docs" / "deepseg.md").read_text(encoding="utf-8")
    table = page.partition("## Option by option")[2].partition("## Where")[0]
    rows = " ".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
    named = {word.strip("`,").split()[0] for word in rows.split() if word.startswith("`")}
    assert named == set(grammar("rootlets_levels")) - {"--help"} | {"-task", "-task-details"}


@pytest.mark.sct
def test_scts_options_are_those_that_were_written_down() -> None:
    """If this fails SCT has moved: the difference says which option, and how."""
    assert in_scts_python(_GRAMMAR_OF_SCT) == GRAMMAR


def test_options_reach_the_request(
    paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    asked: list[deepseg.Request] = []

    def run(request: deepseg.Request, **more: Any) -> list[Any]:
        asked.append(request)
        return []

    monkeypatch.setattr(deepseg, "run", run)
    words = "deepseg rootlets -i a.nii b.nii -thr 0.5 -largest 1 -fill-holes 1 -remove-small 2 3vox"
    words += " -test-time-aug -qc qc -qc-dataset D -qc-subject S -qc-plane Sagittal -qc-seg s.nii"
    words += " -r 0 -engine torch -threads 2 -fast -volume 1 -offline -model rootlets"
    command(words, "-v", "0")
    (request,) = asked
    assert request.images == (Path("a.nii"), Path("b.nii"))
    assert request.steps.parameters == {
        "threshold": 0.5,
        "largest": True,
        "fill_holes": True,
        "remove_small": "2 3vox",
    }
    assert request.qc == deepseg.QualityControl(Path("qc"), "D", "S")
    assert request.settings == Settings("cpu", 2, "torch", fast=True, mirror=True)
    assert (request.volume, request.keep_intermediate) == (1, True)
    assert (request.model.reference, request.model.offline) == ("rootlets", True)
    words = "deepseg rootlets_levels -i a.nii -s c.nii -discs d.nii -definition extent -ocsv x.csv"
    command(words, "-device", "cuda:1")
    request = asked[-1]
    assert request.cords == (Path("c.nii"),)
    assert request.landmarks.discs == Path("d.nii")
    assert request.level_options == LevelOptions("extent")
    assert (request.csv, request.settings) == (Path("x.csv"), Settings("cuda:1"))
    assert request.model.reference == ""


def test_levels_print_their_table_and_name_the_command_without_folders(
    paths: dict[str, Path], knowing: Knowing, command: Command
) -> None:
    knowing(cord=False)
    out = command(f"deepseg rootlets_levels -i {paths['image']} -s cord.nii.gz").out
    maker = json.loads(Path("t2_rootlets.json").read_text())["GeneratedBy"][0]
    typed = "sct_rootlets deepseg rootlets_levels -i t2.nii.gz -s cord.nii.gz"
    assert maker["Name"] == f"sct_rootlets: {typed}"
    assert "Model: knowing 1.0" in out
    assert any(line.startswith("C5") for line in out.splitlines())
    assert "t2_spinal_levels.tsv" in out
    assert out.splitlines()[-1].startswith("fsleyes t2.nii.gz -cm greyscale t2_spinal_levels")


def test_what_fails_after_the_segmentation_gives_status_1_and_says_what_is_written(
    paths: dict[str, Path], knowing: Knowing, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    knowing()

    def broken(*args: object) -> None:
        raise RuntimeError("no display")

    monkeypatch.setattr(LevelsResult, "stage_qc", broken)
    out, err = command("deepseg rootlets_levels -i t2.nii.gz -qc qc", status=1)
    assert "t2_rootlets.nii.gz" in out
    assert "no display" in err
    assert "the segmentation is written, and the quality control of t2.nii.gz failed" in err
    assert {"t2_rootlets.nii.gz", "t2_spinal_levels.nii.gz"} <= names()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "a task is missing"),
        ("rootlets", "neither -install nor an image"),
        ("rootlets -i a.nii.gz b.nii.gz -o out.nii.gz", "-o names one output"),
        ("rootlets -i t2.nii.gz -remove-small 5cm", "'5cm' is not a size"),
        ("rootlets -install -custom-url a b", "gives 2 addresses"),
        ("rootlets_levels -i t2.nii.gz -thr 0.5", "-thr"),
    ],
)
def test_a_wrong_command_line_gives_status_2(
    words: str, message: str, paths: dict[str, Path], refused: Callable[..., None]
) -> None:
    refused(f"deepseg {words}", 2, message)


@pytest.mark.parametrize("words", ["-largest 2", "-v 3", "-qc-plane Coronal", "-thr x", "-nothing"])
def test_what_sct_refuses_is_refused_with_the_usage_of_the_task(
    words: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCT_ROOTLETS_CALLED_AS", "sct_deepseg")
    err = command(f"deepseg rootlets_levels -i t2.nii.gz {words}", status=2).err
    assert err.startswith("usage: sct_deepseg rootlets_levels [-i ")
    assert "Type 'sct_deepseg rootlets_levels -h'" in err


@pytest.mark.parametrize(
    ("called_as", "name"),
    [("sct_deepseg", "sct_deepseg"), ("", "sct_rootlets deepseg"), ("x", "sct_rootlets deepseg")],
)
def test_the_old_syntax_is_explained(
    called_as: str, name: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCT_ROOTLETS_CALLED_AS", called_as)
    out = command("deepseg -task rootlets -i t2.nii.gz").out
    assert f"> {name} rootlets ...\n" in out


@pytest.mark.parametrize("words", ["-h", "-task-details"])
def test_the_tasks_are_listed_with_their_model_and_whether_it_is_there(
    words: str, command: Command, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "MODEL", "tiny")
    monkeypatch.setenv("SCT_ROOTLETS_MANIFEST", str(manifest))
    before = command(f"deepseg {words}").out
    for task in deepseg.TASKS:
        assert task in before
    assert before.count("tiny@1") == 2
    assert "tiny@1 is installed and whole" in command("deepseg rootlets -install").out
    after = " ".join(command(f"deepseg {words}").out.split())
    assert after != " ".join(before.split())
    assert "tiny@1 yes" in after or "INSTALLED: yes" in after


def test_a_custom_model_from_install_to_sidecar(
    paths: dict[str, Path], archives: dict[str, Path], server: Server, command: Command
) -> None:
    """With the real store and a real network, which knows the levels 1 to 3."""
    pytest.importorskip("nnunetv2")
    address = server.add("/model.zip", archives["3"].read_bytes())
    out, err = command(f"deepseg rootlets -install -custom-url {address}")
    assert "is used from now on" in out
    assert sha256_of(archives["3"]) in err.replace("\n  ", "")
    out = command("deepseg rootlets -i t2.nii.gz -engine nnunet").out
    assert f"Using the custom model from {address}." in out
    maker = json.loads(Path("t2_rootlets.json").read_text())["GeneratedBy"][0]
    assert maker["ModelURL"] == address
    assert maker["Model"]["Name"] == "url-model"
    assert load_labels("t2_rootlets.nii.gz", allow_empty=True).grid.shape == (33, 33, 100)


def test_options_without_effect_are_said(
    paths: dict[str, Path], knowing: Knowing, command: Command
) -> None:
    knowing(cord=False)
    words = "deepseg rootlets -i t2.nii.gz -profile-time -custom-url https://a.org/m.zip -largest 1"
    err = " ".join(command(words).err.split())
    assert "-profile-time measures SCT" in err
    assert "-custom-url has an effect with -install only" in err
    assert "-largest has kept one object" in err
    assert len(load_labels("t2_rootlets.nii.gz").labels) == 1


_SCT_WITH_MODEL = """
import sys
from spinalcordtoolbox.deepseg import models
path = sys.argv.pop(1)
models.MODELS[path] = models.MODELS[models.TASKS["rootlets"]["models"][0]]
models.TASKS["rootlets"]["models"] = [path]
from spinalcordtoolbox.scripts import sct_deepseg
sct_deepseg.main(sys.argv[1:])
"""


@pytest.mark.sct
@pytest.mark.slow
def test_names_fields_and_voxels_are_those_of_the_real_sct_deepseg(
    neck: Neck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same model, a random one, and the same words; the reference engine."""
    pytest.importorskip("nnunetv2")
    model = tmp_path / "model"
    write_tiny(model / TRAINER)
    source = {"model_name": str(model), "model_urls": "https://a.org/m.zip", "custom": True}
    (model / "source.json").write_text(json.dumps(source))
    made: dict[str, dict[str, Any]] = {}
    words = ["rootlets", "-i", "t2.nii.gz", "-largest", "1", "-remove-small", "3vox"]
    ours = [sys.executable, "-m", "sct_rootlets", "deepseg", *words]
    ours += ["-model", str(model), "-engine", "nnunet", "-threads", "1"]
    theirs = [str(the_sct().python), "-c", _SCT_WITH_MODEL, str(model), *words]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    for who, command, env in (
        ("sct", theirs, scts_environment()),
        ("ours", ours, environment),
    ):
        folder = tmp_path / who
        neck.write(folder)
        before = set(folder.iterdir())
        done = subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        new = {path.name for path in set(folder.iterdir()) - before}
        sidecar = json.loads((folder / "t2_rootlets.json").read_text())
        image = nib.load(folder / "t2_rootlets.nii.gz")
        made[who] = {"new": new, "maker": sidecar["GeneratedBy"][0], "image": image}
    assert made["ours"]["new"] == made["sct"]["new"] == {"t2_rootlets.nii.gz", "t2_rootlets.json"}
    assert set(made["sct"]["maker"]) <= set(made["ours"]["maker"])
    assert made["ours"]["maker"]["ModelURL"] == made["sct"]["maker"]["ModelURL"]
    one, other = (np.asarray(made[who]["image"].dataobj) for who in ("sct", "ours"))
    assert one.shape == other.shape
    np.testing.assert_allclose(made["ours"]["image"].affine, made["sct"]["image"].affine)
    # A random network has voxels where two classes are nearly equal; SCT predicts twice.
    assert (one != other).mean() < 0.001
    assert (one > 0).sum() > 0
