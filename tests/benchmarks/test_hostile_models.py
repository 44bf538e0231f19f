"""A few of the hostile models; the benchmark has all of them, and every engine."""

from __future__ import annotations

import collections
from pathlib import Path

import pytest

from benchmarks import hostile_models
from benchmarks.hostile_folders import models
from tests.store.tiny import TRAINER, write_tiny

MODELS = {(kind, name): spoil for kind, name, spoil in models()}

#: What ``models install`` does with it; no engine loads it.
FEW = {
    ("code in a pickle", "os.system"): "refused",
    ("small checkpoint", "a key"): "refused",
    ("small checkpoint", "40 axes"): "refused",
    ("network", "60 stages"): "refused",
    ("network", "8000 features"): "read",  # it is not built at the install
    ("network", "Upsample as the activation"): "refused",
    ("plans.json", "a chain of 10^4 configurations"): "refused",
    ("plans.json", "a number of 10^6 digits"): "refused",
    ("dataset.json", "a label of 5000 digits"): "refused",
    ("dataset.json", "a level of 5000 digits"): "refused",
    ("files", "code beside that plans.json has torch run"): "refused",
    ("converted weights", "a header of open brackets"): "read",  # the install makes them anew
}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("good") / TRAINER)


@pytest.mark.parametrize(("kind", "name"), FEW)
def test_each_is_refused_within_the_bounds(kind, name, good, tmp_path):
    folder = hostile_models.spoilt(good, MODELS[kind, name], tmp_path)
    archive = hostile_models.packed(folder, tmp_path / "model.zip")
    assert archive is not None
    for what, model, outcome in (
        ("install", archive, FEW[kind, name]),
        ("torch", folder, "refused"),
    ):
        found = hostile_models.tried(what, model, tmp_path)
        assert found.outcome == outcome, (what, found)
        assert found.memory_bytes < hostile_models.MOST_BYTES
        assert len(found.said) < 2000
    assert not (tmp_path / "ran").exists()


def test_a_good_model_is_taken(good, tmp_path):
    folder = hostile_models.spoilt(good, lambda *_: None, tmp_path)
    archive = hostile_models.packed(folder, tmp_path / "model.zip")
    assert archive is not None
    for what, model in (("install", archive), ("torch", folder)):
        assert hostile_models.tried(what, model, tmp_path).outcome == "read"


def test_there_are_more_than_two_hundred():
    kinds = collections.Counter(kind for kind, _, _ in models())
    assert sum(kinds.values()) == len(MODELS) > 200
    assert min(kinds.values()) >= 8
