"""A real SCT, for the tests that are marked ``sct``: found, or the test is skipped."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from typing import Any

import pytest

from sct_rootlets.sct.installation import SctInstallation, find_sct

__all__ = ["in_scts_python", "scts_environment", "the_sct"]


def the_sct() -> SctInstallation:
    """Return the SCT of this machine, or skip the test."""
    found = find_sct()
    if found is None:
        pytest.skip("the Spinal Cord Toolbox is not installed")
    return found


def scts_environment() -> dict[str, str]:
    """Return the environment for a process of SCT: without what belongs to this one."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def in_scts_python(code: str, *words: str) -> Any:
    """Run code in SCT's Python; return what it prints in its last line, as JSON."""
    with tempfile.TemporaryDirectory() as folder:  # SCT leaves its own behind on an error
        done = subprocess.run(
            [the_sct().python, "-c", code, *words],
            capture_output=True,
            text=True,
            check=False,
            env={**scts_environment(), "TMPDIR": folder},
        )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])
