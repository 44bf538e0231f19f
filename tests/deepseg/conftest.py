"""A neck on the disk, and an engine that knows its rootlets."""

from __future__ import annotations

from pathlib import Path

import pytest

from sct_rootlets.deepseg import flow
from tests.pipeline.knowing_engine import Knowing, use_engine
from tests.synthetic import Neck


@pytest.fixture
def paths(neck: Neck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Write the neck into a folder and go there."""
    monkeypatch.chdir(tmp_path)
    neck.write(tmp_path)
    return {name: Path(f"{name}.nii.gz") for name in ("t2", "cord", "rootlets", "discs")}


@pytest.fixture
def knowing(neck: Neck, monkeypatch: pytest.MonkeyPatch) -> Knowing:
    """Put an engine that knows the answer, and its model, in place of the official ones."""
    return lambda **options: use_engine(monkeypatch, neck, **{"cord": False, **options})


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a model is looked for."""

    def located(*args: object) -> None:
        pytest.fail("the model was looked for before the inputs were checked")

    monkeypatch.setattr(flow, "located", located)
