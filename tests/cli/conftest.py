"""A neck on the disk, and an engine that knows its rootlets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sct_rootlets.cli.main import main
from tests.cli.listing import listing
from tests.pipeline.knowing_engine import KnowingEngine, use_engine
from tests.synthetic import Neck


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


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Return what runs a command and checks its status, its message, and that nothing changed."""

    def run(command: str, status: int, *told: str) -> None:
        before = listing(Path())
        try:
            found = main(command.split())
        except SystemExit as exited:  # of argparse
            found = int(exited.code or 0)
        err = " ".join(capsys.readouterr().err.split())
        assert found == status, err
        assert listing(Path()) == before
        assert "Traceback" not in err
        assert "unexpected" not in err
        message = err.partition("sct_rootlets: error: ")[2]
        for text in told:
            assert text in message, err

    return run
