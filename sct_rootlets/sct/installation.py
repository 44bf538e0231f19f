"""Where SCT is, which version, and which Python it runs in; found without importing it."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sct_rootlets.errors import MissingDependencyError

__all__ = ["SCT_DIR", "SctInstallation", "find_sct", "require_sct", "run_python"]

#: Environment variable in which SCT's installer names the folder of SCT.
SCT_DIR = "SCT_DIR"

_PACKAGE = "spinalcordtoolbox"
#: Where SCT's installer puts its environment, below the folder of SCT.
_ENVIRONMENT = Path("python", "envs", "venv_sct")
_PYTHONS = (Path("bin", "python"), Path("python.exe"))  # the second one on Windows

_LAUNCHER = "sct_deepseg"
#: ``exec`` of a launcher that is a program of the shell first, its path quoted or not.
_EXEC = re.compile(r"""exec' +(?:"([^"$]+)"|'([^'$]+)'|([^\s"'$]+))""")


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

    def command(self, name: str) -> Path | None:
        """Return the launcher of one of SCT's commands, or None where it has none."""
        for folder in (self.python.parent, self.folder / "bin"):
            path = folder / name
            if os.access(path, os.X_OK):
                return path
        return None


def run_python(
    python: Path,
    *words: str | os.PathLike[str],
    timeout_s: float,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run SCT's Python to its end, with nothing to read; what :func:`subprocess.run` raises."""
    return subprocess.run(
        [python, *words],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout_s,
    )


def find_sct() -> SctInstallation | None:
    """Return the SCT of this machine, or None.

    ``SCT_DIR`` comes first, then the environment of this process, then the ``sct_deepseg``
    that the shell would call. What is named and is no SCT is passed over.
    """
    named = os.environ.get(SCT_DIR, "").strip()
    found = _named(Path(named).expanduser()) if named else None
    return found or _here() or _on_path()


def require_sct() -> SctInstallation:
    """Return the SCT of this machine, as :func:`find_sct`.

    Raises
    ------
    MissingDependencyError
        If there is none.
    """
    found = find_sct()
    if found is None:
        raise MissingDependencyError(
            "no Spinal Cord Toolbox (SCT) was found",
            remedy=f"Set {SCT_DIR} to its folder, or have its commands on the PATH",
        )
    return found


def _named(folder: Path) -> SctInstallation | None:
    """Return the SCT in a folder, with the Python that imports it from there."""
    for name in _PYTHONS:
        found = _installation(folder, folder / _ENVIRONMENT / name, SCT_DIR)
        if found is not None:
            return found
    here = _here()
    if here is not None and _same_folder(here.folder, folder):
        return replace(here, found_by=SCT_DIR)
    own = shutil.which(_LAUNCHER, path=str(folder / "bin"))
    for launcher in (own, shutil.which(_LAUNCHER)):
        python = _python_of_launcher(launcher)
        # The launcher on the PATH may be that of another SCT.
        package = None if python is None else _package_of(python)
        if package is not None and _same_folder(package.parent, folder):
            return _installation(folder, python, SCT_DIR)
    return None


def _here() -> SctInstallation | None:
    """Return the SCT that this Python imports."""
    try:
        spec = importlib.util.find_spec(_PACKAGE)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:  # a folder of that name is no package
        return None
    folder = Path(spec.origin).parent.parent
    return _installation(folder, Path(sys.executable), "the environment of this Python")


def _on_path() -> SctInstallation | None:
    """Return the SCT whose launcher the shell would call."""
    python = _python_of_launcher(shutil.which(_LAUNCHER))
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

    Where the path of an interpreter is too long for ``#!``, or has a space in it, installers
    write a launcher that is a program of the shell first, with the path after ``exec``.
    """
    if launcher is None:
        return None
    try:
        with open(launcher, encoding="utf-8", errors="replace") as stream:
            head = stream.read(4096)
    except OSError:
        return None
    words = head.splitlines()[0].removeprefix("#!").split() if head.startswith("#!") else []
    if words and Path(words[0]).name == "env":
        found = [shutil.which(word) for word in words[1:] if "python" in word]
        return Path(found[0]) if found and found[0] else None
    if words and "python" in Path(words[0]).name:
        return Path(words[0])
    match = _EXEC.search(head)
    return None if match is None else Path(next(group for group in match.groups() if group))


def _package_of(python: Path) -> Path | None:
    """Return the folder of SCT's package by its own Python, which alone knows where it looks."""
    code = (
        "import sys, importlib.util as u; sys.path[:] = [f for f in sys.path if f]; "
        f"print('\\n' + u.find_spec({_PACKAGE!r}).origin)"
    )
    try:
        answer = run_python(python, "-c", code, timeout_s=60)
        answer.check_returncode()
    except (OSError, subprocess.SubprocessError):
        return None
    return Path(answer.stdout.strip().splitlines()[-1]).parent


def _same_folder(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
