"""A neck on the disk, and an engine that knows its rootlets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.knowing_engine import KnowingEngine, use_engine
from tests.synthetic import Neck, make_neck


@pytest.fixture(scope="session")
def neck() -> Neck:
    return make_neck()


@pytest.fixture
def paths(neck: Neck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Write the neck into a folder and go there."""
    monkeypatch.chdir(tmp_path)
    return neck.write(tmp_path)


@pytest.fixture
def knowing(neck: Neck, monkeypatch: pytest.MonkeyPatch) -> Callable[..., KnowingEngine]:
    """Put an engine that knows the answer in place of the bundled one."""
    return lambda **options: use_engine(monkeypatch, neck, **options)


@pytest.fixture
def no_sct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide an SCT of this machine: its report is tested where SCT is."""
    monkeypatch.setattr("sct_rootlets.sct.installation.find_sct", lambda: None)
