"""What ``sct_rootlets sct status`` shows, as data and as text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sct_rootlets.sct.enabling import Environment, HookState, ask, install_commands, why_no_task
from sct_rootlets.sct.installation import SctInstallation, find_sct
from sct_rootlets.sct.task import TASK
from sct_rootlets.sct.task_entries import default_model, installed_folder

__all__ = ["Status", "format_status", "status"]


@dataclass(frozen=True)
class Status:
    """SCT on this machine, and our part in it.

    Attributes
    ----------
    sct : SctInstallation or None
    environment : Environment or None
        None where there is no SCT.
    missing : str
        Why SCT does not have our task although the hook is there; empty where it has it.
    model : str
        Name and version of the task's model.
    model_folder : Path or None
        Where it is installed; None where it is not.
    """

    sct: SctInstallation | None
    environment: Environment | None
    missing: str
    model: str
    model_folder: Path | None

    @property
    def next_steps(self) -> list[str]:
        """Commands to type, in this order, until the task can be used."""
        if self.sct is None or self.environment is None:
            return []
        steps = []
        if not self.environment.version or self.environment.problem:
            steps += install_commands(self.sct)
        elif self.environment.hook is not HookState.ENABLED:
            steps += install_commands(self.sct)[1:]
        if self.model_folder is None:
            steps.append(f"sct_rootlets models install {self.model}")
        return steps or [f"sct_deepseg {TASK} -h"]


def status() -> Status:
    """Look for SCT and ask its Python.

    Raises
    ------
    RootletsError
        If there is an SCT whose Python does not work.
    """
    sct = find_sct()
    environment = None if sct is None else ask(sct)
    missing = ""
    if sct is not None and environment is not None and environment.hook is not HookState.DISABLED:
        missing = why_no_task(sct)
    model = default_model()
    folder = installed_folder(model, None if sct is None else sct.folder)
    return Status(sct, environment, missing, model.reference, folder)


def format_status(found: Status) -> str:
    """Return it as text, one fact a line."""
    model = "not installed" if found.model_folder is None else str(found.model_folder)
    if found.sct is None or found.environment is None:
        lines = [
            "SCT           not found: not by SCT_DIR, in the environment of this Python, or by "
            "the PATH",
            f"model         {found.model}: {model}",
        ]
        return "\n".join(lines)
    sct, there = found.sct, found.environment
    package = f"{there.version} in {there.folder}" if there.version else "not installed there"
    if there.problem:
        package += f", which cannot be imported ({there.problem})"
    hook = there.hook.value
    if there.hook is not HookState.DISABLED:
        hook += f" ({there.hook_file})"
    task = "no" if there.hook is HookState.DISABLED or found.missing else "yes"
    if found.missing:
        task += f": {found.missing}"
    lines = [
        f"SCT           {sct.version} in {sct.folder} (found by {sct.found_by})",
        f"its Python    {sct.python}",
        f"sct_rootlets  {package}",
        f"hook          {hook}",
        f"task          {TASK} in sct_deepseg: {task}",
        f"model         {found.model}: {model}",
        "",
        "Next, type:",
        *(f"  {step}" for step in found.next_steps),
    ]
    return "\n".join(lines)
