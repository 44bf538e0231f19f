"""A scratch Python environment that sees the packages of others and writes into none of them."""

from __future__ import annotations

import json
import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path

__all__ = ["ScratchEnvironment", "make_environment"]

_PLACES = "import json, sysconfig; print(json.dumps(sorted({sysconfig.get_path(k) for k in K})))"


class ScratchEnvironment:
    """A virtual environment without pip.

    Attributes
    ----------
    folder : Path
    python : Path
    purelib : Path
        Its own site-packages.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"
        (self.purelib,) = (folder / "lib").glob("python3*/site-packages")

    def add_script(self, name: str, text: str) -> Path:
        """Write a program of this environment's Python into its ``bin``."""
        path = self.folder / "bin" / name
        path.write_text(f"#!{self.python}\n{text}", encoding="utf-8")
        path.chmod(0o755)
        return path


def make_environment(
    folder: Path, packages: Sequence[Path] = (), *, of: Path | None = None
) -> ScratchEnvironment:
    """Make an environment that finds the packages of `of`, and those below `packages`.

    Parameters
    ----------
    folder : Path
        It must not exist.
    packages : sequence of Path
        Folders that hold packages, looked at after those of `of`; their ``.pth`` files
        are not read.
    of : Path, optional
        Python of another environment, whose packages come first, also those under
        development.
    """
    if of is None:
        venv.EnvBuilder(symlinks=True).create(folder)
    else:
        subprocess.run([of, "-m", "venv", "--without-pip", folder], check=True, timeout=120)
    made = ScratchEnvironment(folder)
    lines = []
    if of is not None:
        code = _PLACES.replace("K", "('purelib', 'platlib')")
        done = subprocess.run([of, "-c", code], capture_output=True, check=True, timeout=120)
        places = json.loads(done.stdout)
        lines.append("import site; " + "; ".join(f"site.addsitedir({p!r})" for p in places))
    lines += [str(each) for each in packages]
    # Read before every file of a name that a package would choose.
    (made.purelib / "__0_packages.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return made
