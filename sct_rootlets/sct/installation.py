"""Where SCT is, which version, and which Python it runs in; found without importing it."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["SCT_DIR", "SctInstallation", "find_sct"]

#: Environment variable in which SCT's installer names the folder of SCT.
SCT_DIR = "SCT_DIR"

_PACKAGE = "spinalcordtoolbox"
#: Where SCT's installer puts its environment, below the folder of SCT.
_ENVIRONMENT = Path("python", "envs", "venv_sct")


@dataclass(frozen=True)
class SctInstallation:
    """An installation of SCT.

    Attributes
    ----------
    folder : Path
        ``SCT_DIR``: the folder that holds the package ``spinalcordtoolbox``.
    version : str
        As its ``version.txt`` has it, or ``"unknown"``.
    python : Path
        Interpreter of its environment.
    found_by : str
        How it was found, for messages.
    """

    folder: Path
    version: str
    python: Path
    found_by: str

    @property
    def is_this_environment(self) -> bool:
        """Whether SCT runs in the environment of this very process."""
        # Of a virtual environment python is a link; its folder tells environments apart.
        return _same_folder(self.python.parent, Path(sys.executable).parent)

    def command(self, name: str) -> Path | None:
        """Return the launcher of one of SCT's commands, or None where it has none."""
        for folder in (self.python.parent, self.folder / "bin"):
            path = folder / name
            if os.access(path, os.X_OK):
                return path
        return None


def find_sct() -> SctInstallation | None:
    """Return the SCT of this machine, or None.

    ``SCT_DIR`` comes first, then the environment of this process, then the ``sct_deepseg``
    that the shell would call. What is named and is no SCT is passed over.
    """
    named = os.environ.get(SCT_DIR, "").strip()
    here = importlib.util.find_spec(_PACKAGE)
    on_path = shutil.which("sct_deepseg")
    if named:
        folder = Path(named).expanduser()
        own = folder / _ENVIRONMENT / "bin" / "python"
        if own.exists():
            return _installation(folder, own, SCT_DIR)
        if here is not None and _holds(folder, here.origin):
            return _installation(folder, Path(sys.executable), SCT_DIR)
        python = _python_of_launcher(shutil.which("sct_deepseg", path=str(folder / "bin")))
        found = _installation(folder, python or _python_of_launcher(on_path), SCT_DIR)
        if found is not None:
            return found
    if here is not None and here.origin is not None:
        folder = Path(here.origin).parent.parent
        return _installation(folder, Path(sys.executable), "the environment of this Python")
    python = _python_of_launcher(on_path)
    package = None if python is None else _package_of(python)
    return None if package is None else _installation(package.parent, python, "the PATH")


def _installation(folder: Path, python: Path | None, found_by: str) -> SctInstallation | None:
    package = folder / _PACKAGE
    if python is None or not python.exists() or not (package / "__init__.py").is_file():
        return None
    try:
        version = (package / "version.txt").read_text(encoding="utf-8").strip()
    except OSError:
        version = ""
    return SctInstallation(folder.absolute(), version or "unknown", python.absolute(), found_by)


def _python_of_launcher(launcher: str | None) -> Path | None:
    """Return the interpreter that a launcher names in its first lines.

    Where the path of an interpreter is too long for ``#!``, pip writes a launcher that is a
    program of the shell first, with the path in quotes after ``exec``.
    """
    if launcher is None:
        return None
    try:
        with open(launcher, encoding="utf-8", errors="replace") as stream:
            head = stream.read(2048)
    except OSError:
        return None
    match = re.match(r"#!\s*(\S*python\S*)", head) or re.search(r"exec' \"?([^\"\s]+)", head)
    return Path(match.group(1)) if match else None


def _package_of(python: Path) -> Path | None:
    """Return the folder of SCT's package by its own Python, which alone knows where it looks."""
    code = f"import importlib.util as u; print(u.find_spec({_PACKAGE!r}).origin)"
    try:
        answer = subprocess.run(
            [python, "-c", code], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return Path(answer.stdout.strip()).parent


def _holds(folder: Path, origin: str | None) -> bool:
    return origin is not None and _same_folder(folder, Path(origin).parent.parent)


def _same_folder(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
