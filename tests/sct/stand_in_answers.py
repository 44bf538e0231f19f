"""A stand-in for SCT: its folders, its launchers, and commands that answer with known truth."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sct_rootlets.image import Image, save
from sct_rootlets.sct.installation import SctInstallation, find_sct

COMMANDS = ("sct_deepseg", "sct_label_vertebrae", "sct_detect_pmj")
PROGRAM = Path(__file__).with_name("stand_in_command.py")

#: What `state_of_tasks` asks of ``spinalcordtoolbox.deepseg.models``.
MODELS = """
import json, os
_STATE = json.load(open(os.path.join(os.path.dirname(__file__), "state.json")))
TASKS = {task: {"models": ["model_" + task]} for task in _STATE}
def folder(name): return os.path.join("models", name)
def find_model_folder_paths(path): return [path]
def is_valid(paths): return all(_STATE[os.path.basename(p)[6:]] != "missing" for p in paths)
def is_up_to_date(path): return _STATE[os.path.basename(path)[6:]] == "installed"
"""


@dataclass
class StandIn:
    """A folder like that of SCT, and how its commands behave.

    Attributes
    ----------
    folder : Path
        ``SCT_DIR``.
    truth : Path
        Folder of ``cord.nii.gz``, ``discs.nii.gz`` and ``pmj.nii.gz``, which commands answer with.
    """

    folder: Path
    truth: Path
    monkeypatch: pytest.MonkeyPatch

    def __post_init__(self) -> None:
        package = self.folder / "spinalcordtoolbox"
        (package / "deepseg").mkdir(parents=True)
        for name in ("__init__.py", "deepseg/__init__.py"):
            (package / name).touch()
        (package / "version.txt").write_text("7.4.stand-in\n")
        (package / "deepseg" / "models.py").write_text(MODELS)
        self.tasks(spinalcord="installed", spine="installed")
        self.bin = self.folder / "python" / "envs" / "venv_sct" / "bin"
        self.bin.mkdir(parents=True)
        own = f"exec env PYTHONPATH='{self.folder}' '{sys.executable}'"
        self._launcher("python", f'{own} "$@"')
        # As SCT's launchers do, these start the script as a process of their own.
        for name in COMMANDS:
            line = f"'{sys.executable}' -S '{PROGRAM}' {name} '{self.folder}' '{self.truth}' \"$@\""
            self._launcher(name, line)
        self.monkeypatch.setenv("SCT_DIR", str(self.folder))
        self.monkeypatch.delenv("SCT_ROOTLETS_SCT", raising=False)

    @property
    def sct(self) -> SctInstallation:
        found = find_sct()
        assert found is not None
        assert found.folder == self.folder
        return found

    def tasks(self, **states: str) -> None:
        """Say of each task whether its model is ``installed``, ``missing`` or ``old``."""
        state = self.folder / "spinalcordtoolbox" / "deepseg" / "state.json"
        state.write_text(json.dumps(states))

    def behave(self, **modes: str) -> None:
        """Say how commands behave, by their name: see ``stand_in_command.py``."""
        (self.folder / "modes.json").write_text(json.dumps(modes))

    @property
    def calls(self) -> list[dict[str, Any]]:
        """What was called: ``argv``, ``cwd`` and ``env`` of each command."""
        path = self.folder / "calls.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    @property
    def called(self) -> list[str]:
        """Commands called, with their task."""
        return [" ".join(filter(None, (c["name"], c["task"]))) for c in self.calls]

    def _launcher(self, name: str, line: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)


def write_truth(folder: Path, **images: Image) -> Path:
    folder.mkdir(parents=True)
    for name, image in images.items():
        save(image, folder / f"{name}.nii.gz")
    return folder


def copy_as(source: Path, *targets: Path) -> None:
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def is_running(pid: int) -> bool:
    """Ask /proc, since a process that nobody waits for can be asked for with signals for ever."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # one that has ended, and that nobody has asked about yet
