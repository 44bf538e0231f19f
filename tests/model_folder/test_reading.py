"""What is strange about a model folder is said at install and at load, in the same sentence."""

from __future__ import annotations

import contextlib
import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets.cli.main import main
from sct_rootlets.engines import load_engine
from sct_rootlets.errors import MissingDependencyError, ModelError
from sct_rootlets.model_folder import UnsupportedPlan, read_model_folder
from sct_rootlets.store import install, locate
from sct_rootlets.store.locate import what_to_install
from tests.model_folder.strange import STRANGE, Change, change_json, write_strange
from tests.store.tiny import TRAINER, assert_whole, leftovers, pack, write_tiny
from tests.synthetic import RAS_1MM, save_array

pytest.importorskip("nnunetv2")
pytest.importorskip("openvino")

ENGINES = ("nnunet", "openvino", "torch", "auto")


def problems_of(folder: Path) -> Iterator[str]:
    """Yield what each engine says of a model, and then the store, of its folder and archive."""
    for engine in ENGINES:
        with pytest.raises(ModelError) as caught:
            load_engine(locate(folder), "cpu", 1, engine=engine)
        yield caught.value.problem
    with pytest.raises(ModelError) as caught:
        what_to_install(str(folder))
    yield caught.value.problem
    with pytest.raises(ModelError) as caught:
        install(pack(folder.parent, folder.parents[1] / "strange.zip"))
    assert assert_whole() == leftovers() == []
    yield caught.value.problem


@pytest.mark.parametrize("name", STRANGE)
def test_what_no_engine_runs_is_refused_at_install_and_at_load(tmp_path: Path, name: str) -> None:
    change, sentence = STRANGE[name]
    first, *others, installed = problems_of(write_strange(tmp_path / "model" / TRAINER, change))
    assert others == [first] * 4
    assert installed.endswith(first)
    assert re.search(sentence, first), first
    assert len(first) < 400


def _compact(**changes: Any) -> Change:
    return lambda dataset, plans, plan: dataset["sct_rootlets"].update(changes)


def _turned(dataset: dict[str, Any], plans: dict[str, Any], plan: dict[str, Any]) -> None:
    plans.update(transpose_forward=[1, 2, 0], transpose_backward=[2, 0, 1])


#: What a stage of a compact model may not be, though nnU-Net runs most of it.
STRANGE_STAGES: dict[str, tuple[Change, str]] = {
    "threshold": (_compact(rootlet_threshold="high"), "without a probability"),
    "threshold of 2": (_compact(rootlet_threshold=2), "without a probability"),
    "no object": (lambda dataset, plans, plan: dataset.update(sct_rootlets=[]), "without a prob"),
    "levels": (
        lambda dataset, plans, plan: dataset["labels"].update(lvl2=dataset["labels"].pop("csf")),
        "no classes cord and rootlet",
    ),
    "no cord": (
        lambda dataset, plans, plan: dataset["labels"].update(it=dataset["labels"].pop("cord")),
        "no classes cord and rootlet",
    ),
    "turned": (_turned, "is no stage of a compact model"),
    "normalisation": (
        lambda dataset, plans, plan: plan.update(normalization_schemes=["RGBTo01Normalization"]),
        "is no stage of a compact model: its normalisation RGBTo01Normalization",
    ),
    "spacing": (lambda dataset, plans, plan: plan.update(spacing=[0, 1, 1]), "the spacing"),
}


@pytest.mark.parametrize("name", STRANGE_STAGES)
@pytest.mark.parametrize("stage", ["3d_fullres", "3d_lowres"])
def test_a_strange_stage_of_a_compact_model_is_refused(
    tmp_path: Path, name: str, stage: str
) -> None:
    change, sentence = STRANGE_STAGES[name]
    for each in ("3d_fullres", "3d_lowres"):
        folder = write_tiny(
            tmp_path / "model" / f"nnUNetTrainer__nnUNetPlans__{each}",
            labels={"background": 0, "cord": 1, "csf": 2, "rootlet": 3},
            dataset_json_extra={"sct_rootlets": {}},
        )
        if each == stage:
            change_json(folder, change)
    with pytest.raises(ModelError, match=sentence):
        install(pack(tmp_path / "model", tmp_path / "strange.zip"))
    for engine in ENGINES[1:]:
        with pytest.raises(ModelError, match=sentence):
            load_engine(locate(tmp_path / "model"), "cpu", 1, engine=engine)


@pytest.fixture
def said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return what runs a command on a small image and returns what it printed."""
    data = np.random.default_rng(2).normal(100, 20, (24, 24, 24)).astype(np.float32)
    save_array(tmp_path / "t2.nii.gz", data, RAS_1MM)

    def run(words: str, status: int) -> str:
        found = main(words.replace("IMAGE", str(tmp_path / "t2.nii.gz")).split())
        assert found == status
        printed = " ".join("".join(capsys.readouterr()).split())
        assert "unexpected" not in printed
        assert "Traceback" not in printed
        return printed

    return run


@pytest.mark.parametrize(
    "name", ["preprocessor", "spacing of null", "two channels", "vertebrae", "cascade", "circle"]
)
def test_the_commands_say_it(tmp_path: Path, said: Callable[..., str], name: str) -> None:
    change, sentence = STRANGE[name]
    folder = write_strange(tmp_path / "model" / TRAINER, change)
    archive = pack(folder.parent, tmp_path / "strange.zip")
    assert re.search(sentence, said(f"models install {archive}", 1))
    segment = f"segment -i IMAGE -o {tmp_path}/out.nii.gz -model"
    for engine in ENGINES:
        assert re.search(sentence, said(f"{segment} {folder} -engine {engine}", 1))
    assert re.search(sentence, said(f"{segment} {archive}", 1))
    assert assert_whole() == []
    assert not (tmp_path / "out.nii.gz").exists()


def test_a_model_with_a_byte_order_mark_runs(tmp_path: Path, said: Callable[..., str]) -> None:
    folder = write_tiny(tmp_path / "model" / TRAINER)
    for path in folder.glob("*.json"):
        path.write_text(path.read_text(), encoding="utf-8-sig")
    archive = pack(folder.parent, tmp_path / "marked.zip")
    assert "installed and whole" in said(f"models install {archive}", 0)
    for engine in ENGINES[:3]:
        said(f"segment -i IMAGE -o {tmp_path}/{engine}.nii.gz -model {folder} -engine {engine}", 0)


@pytest.mark.parametrize("left", ["fold_0_old", "fold_0_(copy)", "fold_1"])
def test_what_is_left_aside_changes_nothing(
    tmp_path: Path, said: Callable[..., str], left: str
) -> None:
    """Through the commands, against the same model with nothing strange about it."""
    whole = write_tiny(tmp_path / "whole" / TRAINER, fold=0)
    strange = write_tiny(tmp_path / "strange" / TRAINER, fold=0)
    write_tiny(strange, seed=5, fold=left.removeprefix("fold_"))
    if left == "fold_1":
        path = strange / left / "checkpoint_final.pth"
        path.rename(path.with_name("checkpoint_latest.pth"))
    archive = pack(strange.parent, tmp_path / "strange.zip")
    assert left in said(f"models install {archive}", 0)
    answers = []
    for model, engine in [(whole, "torch"), *((strange, each) for each in ENGINES[:3])]:
        target = tmp_path / f"{engine}.nii.gz"
        told = said(f"segment -i IMAGE -o {target} -model {model} -engine {engine}", 0)
        assert (left in told and "is left aside" in told) == (model == strange)
        answers.append(nib.load(target).get_fdata())
        sidecar = json.loads((tmp_path / f"{engine}.json").read_text())
        used = sidecar["GeneratedBy"][0]["Model"]["Checkpoints"]
        assert used == [f"{TRAINER}/fold_0/checkpoint_final.pth"]
    assert len(np.unique(answers[0])) > 1
    for answer in answers[1:]:
        assert (answer == answers[0]).mean() > 0.999


#: Values that stand where others are expected.
OTHERS: list[Any] = [
    None, True, -1, 0, 1, 3, 1e30, 0.5, 10**39, float("nan"), float("inf"), "", "x", "3d_fullres",
    [], {}, [None], [[1]], {"0": 0}, [0, 1, 2], [1, 2, 0], ["x"], {"background": 0}, [1.0] * 3,
]  # fmt: skip


def places(content: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each value, but the content itself."""
    inside = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in inside:
        yield (*way, key)
        if isinstance(value, (dict, list)):
            yield from places(value, (*way, key))


def put(content: Any, way: tuple[Any, ...], value: Any) -> None:
    for key in way[:-1]:
        content = content[key]
    content[way[-1]] = value


def test_whatever_stands_there_is_read_or_refused(tmp_path: Path) -> None:
    """Every value of both files in turn, as several other kinds of value."""
    chance = random.Random(8)
    folder = write_tiny(tmp_path / TRAINER)
    counts = {"read": 0, "left to nnU-Net": 0, "refused": 0}
    for name in ("dataset.json", "plans.json"):
        text = (folder / name).read_text()
        for way in list(places(json.loads(text))):
            for other in chance.sample(OTHERS, 8):
                content = json.loads(text)
                put(content, way, other)
                (folder / name).write_text(json.dumps(content))
                told = ""
                try:
                    model = read_model_folder(folder)
                    model.meanings()
                    model.plan("3d_fullres")
                    counts["read"] += 1
                except UnsupportedPlan:
                    counts["left to nnU-Net"] += 1
                except ModelError as error:
                    counts["refused"] += 1
                    told = error.problem
                assert len(told) < 500
        (folder / name).write_text(text)
    assert min(counts.values()) > 0, counts
    assert counts["refused"] > 500


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize("seed", range(6))
def test_what_is_read_is_loaded_or_refused(tmp_path: Path, seed: int) -> None:
    """Several values at a time; no engine meets an exception that is none of ours."""
    chance = random.Random(seed)
    folder = write_tiny(tmp_path / TRAINER)
    text = (folder / "plans.json").read_text()
    ways = [way for way in places(json.loads(text)) if "architecture" in way or len(way) == 1]
    for _ in range(4):
        content = json.loads(text)
        put(content, chance.choice(ways), chance.choice(OTHERS))
        (folder / "plans.json").write_text(json.dumps(content))
        for engine in ENGINES[:3]:
            with contextlib.suppress(ModelError, MissingDependencyError):
                load_engine(locate(folder), "cpu", 1, engine=engine)
