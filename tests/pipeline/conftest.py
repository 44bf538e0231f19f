"""A neck, and an engine that knows its rootlets in place of the bundled one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sct_rootlets.pipeline import network
from tests.pipeline.knowing_engine import Knowing, KnowingEngine


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch, knowing: Knowing) -> Callable[..., None]:
    """Put a model in place that must not be loaded."""

    def forbid(**kwargs: Any) -> None:
        knowing(**kwargs)

        def load(*args: Any, **kwargs: Any) -> None:
            pytest.fail("the model was loaded before the inputs were checked")

        monkeypatch.setattr(network, "load_engine", load)

    return forbid


@pytest.fixture
def loads(
    monkeypatch: pytest.MonkeyPatch, knowing: Knowing
) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Return with what the model is loaded, each time."""
    engine, calls = knowing(), []

    def load(*args: Any, **kwargs: Any) -> KnowingEngine:
        calls.append((args[1:], kwargs))
        return engine

    monkeypatch.setattr(network, "load_engine", load)
    return calls
