"""A neck on the disk, and an engine that knows its rootlets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sct_rootlets.cli.main import main
from tests.cli.listing import listing
from tests.synthetic import Neck

#: Called with the words of a command; returns what it printed, `out` and `err`.
Command = Callable[..., Any]


@pytest.fixture
def paths(neck: Neck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Write the neck into a folder and go there."""
    monkeypatch.chdir(tmp_path)
    return neck.write(tmp_path)


@pytest.fixture
def no_sct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide an SCT of this machine: its report is tested where SCT is."""
    monkeypatch.setattr("sct_rootlets.sct.installation.find_sct", lambda: None)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Return what runs a command and checks its exit status."""

    def run(words: str, *more: str, status: int = 0) -> Any:
        try:
            found = main([*words.split(), *more])
        except SystemExit as exited:  # of argparse
            found = int(exited.code or 0)
        said = capsys.readouterr()
        assert found == status, said.err
        return said

    return run


@pytest.fixture
def refused(command: Command) -> Callable[..., None]:
    """Return what runs a command and checks its status, its message, and that nothing changed."""

    def run(words: str, status: int, *told: str) -> None:
        before = listing(Path())
        err = " ".join(command(words, status=status).err.split())
        assert listing(Path()) == before
        assert "Traceback" not in err
        assert "unexpected" not in err
        message = err.partition("sct_rootlets: error: ")[2]
        for text in told:
            assert text in message, err

    return run
