"""A neck, and an engine that knows its rootlets in place of the bundled one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sct_rootlets.manifest import InstalledModel
from sct_rootlets.pipeline import network
from tests.pipeline.knowing_engine import KnowingEngine
from tests.synthetic import Neck, make_neck


@pytest.fixture(scope="session")
def neck() -> Neck:
    return make_neck()


@pytest.fixture
def use_engine(monkeypatch: pytest.MonkeyPatch, neck: Neck) -> Callable[..., KnowingEngine]:
    """Put an engine and its model in place of the bundled ones."""

    def use(*, identity: bool = True, compact: bool = True) -> KnowingEngine:
        engine = KnowingEngine(neck, identity=identity, cord=compact)
        model = InstalledModel(
            "knowing", "1.0", Path("nowhere"), "cd" * 32, {}, "LPI", identity, compact
        )
        monkeypatch.setattr(network, "located", lambda reference, progress: model)
        monkeypatch.setattr(network, "load_engine", lambda *a, **k: engine)
        return engine

    return use


@pytest.fixture
def no_engine(
    monkeypatch: pytest.MonkeyPatch, use_engine: Callable[..., Any]
) -> Callable[..., None]:
    """Put a model in place that must not be loaded."""

    def forbid(**kwargs: Any) -> None:
        use_engine(**kwargs)

        def load(*args: Any, **kwargs: Any) -> None:
            pytest.fail("the model was loaded before the inputs were checked")

        monkeypatch.setattr(network, "load_engine", load)

    return forbid


@pytest.fixture
def loads(
    monkeypatch: pytest.MonkeyPatch, use_engine: Callable[..., KnowingEngine]
) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Return with what the model is loaded, each time."""
    engine, calls = use_engine(), []

    def load(*args: Any, **kwargs: Any) -> KnowingEngine:
        calls.append((args[1:], kwargs))
        return engine

    monkeypatch.setattr(network, "load_engine", load)
    return calls
