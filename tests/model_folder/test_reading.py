"""What is strange about a model folder is said at install and at load, in the same sentence."""

from __future__ import annotations

import contextlib
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sct_rootlets.engines import load_engine
from sct_rootlets.errors import MissingDependencyError, ModelError
from sct_rootlets.model_folder import UnsupportedPlan, read_model_folder
from sct_rootlets.store import install, locate
from sct_rootlets.store.locate import what_to_install
from tests.model_folder.strange import STRANGE, write_strange
from tests.store.tiny import TRAINER, assert_whole, leftovers, pack, write_tiny

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
    """Every value of both files in turn, as every other kind of value."""
    folder = write_tiny(tmp_path / TRAINER)
    counts = {"read": 0, "left to nnU-Net": 0, "refused": 0}
    for name in ("dataset.json", "plans.json"):
        text = (folder / name).read_text()
        for way in list(places(json.loads(text))):
            for other in OTHERS:
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
    assert counts["refused"] > 1000


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
