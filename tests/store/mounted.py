"""File systems that are small or read-only, mounted for one process as no administrator."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sct_rootlets


def in_file_system(folder: Path, options: str, action: str) -> tuple[str, str]:
    """Mount a file system with `options` and run a line of Python code that uses `folder`.

    Returns
    -------
    tuple of (str, str)
        The `StoreError` that is said, and what lies in the folder then.
    """
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare, of Linux, to mount a file system with")
    folder.mkdir()
    mount = f"mount -t tmpfs -o {options} none '{folder}'"
    probe = subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip("this machine lets no user mount a file system (unshare -rm)")
    script = f"""
from pathlib import Path
from sct_rootlets.errors import StoreError
folder = Path({str(folder)!r})
try:
    {action}
except StoreError as error:
    print(error)
print(sorted(path.name for path in folder.iterdir()))
"""
    run = subprocess.run(
        ["unshare", "-rm", "sh", "-c", f'{mount} && exec "$0" -c "$1"', sys.executable, script],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(sct_rootlets.__file__).parents[1])},
    )
    assert run.returncode == 0, run.stderr
    said, left = run.stdout.splitlines()
    return said, left
