"""File systems that are small or read-only, mounted for one process as no administrator."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.store.tiny import environment


def in_mounted(
    mount: str, words: list[str], store: Path, then: str = "true"
) -> subprocess.CompletedProcess[str]:
    """Run Python with `words` where the shell has mounted something; then the line `then`.

    Its store is `store`, and its exit status is that of Python.
    """
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare, of Linux, to mount a file system with")
    start = ["unshare", "-rm", "sh", "-c"]
    probe = subprocess.run([*start, mount], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"no file system can be mounted in a namespace here ({probe.stderr.strip()})")
    return subprocess.run(
        [*start, f'{mount} && "$0" "$@"; s=$?; {then}; exit $s', sys.executable, *words],
        env=environment(store),
        capture_output=True,
        text=True,
        check=False,
    )


def in_file_system(folder: Path, options: str, action: str) -> tuple[str, str]:
    """Mount a file system with `options` and run a line of Python code that uses `folder`.

    Returns
    -------
    tuple of (str, str)
        The `StoreError` that is said, and what lies in the folder then.
    """
    folder.mkdir()
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
    run = in_mounted(f"mount -t tmpfs -o {options} none '{folder}'", ["-c", script], folder)
    assert run.returncode == 0, run.stderr
    said, left = run.stdout.splitlines()
    return said, left
