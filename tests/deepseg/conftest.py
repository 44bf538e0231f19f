"""A neck on the disk, and an engine that knows its rootlets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sct_rootlets.deepseg import flow
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.pipeline import network
from tests.pipeline.knowing_engine import KnowingEngine
from tests.synthetic import Neck, make_neck

LEVELS = {value: f"level {value}" for value in (3, 4, 5, 6)}


@pytest.fixture(scope="session")
def neck() -> Neck:
    return make_neck()


@pytest.fixture
def paths(neck: Neck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Write the neck into a folder and go there."""
    monkeypatch.chdir(tmp_path)
    neck.write(tmp_path)
    return {name: Path(f"{name}.nii.gz") for name in ("t2", "cord", "rootlets", "discs")}


@pytest.fixture
def knowing(neck: Neck, monkeypatch: pytest.MonkeyPatch) -> Callable[..., KnowingEngine]:
    """Put an engine that knows the answer, and its model, in place of the official ones."""

    def use(*, identity: bool = True, cord: bool = False) -> KnowingEngine:
        engine = KnowingEngine(neck, identity=identity, cord=cord)
        labels = LEVELS if identity else {1: "rootlet"}
        model = InstalledModel(
            "knowing", "1.0", Path("nowhere"), "cd" * 32, labels, "LPI", identity, cord
        )
        monkeypatch.setattr(flow, "located", lambda choice, say, progress: model)
        monkeypatch.setattr(network, "load_engine", lambda *a, **k: engine)
        return engine

    return use


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a model is looked for."""

    def located(*args: object) -> None:
        pytest.fail("the model was looked for before the inputs were checked")

    monkeypatch.setattr(flow, "located", located)
