"""A real SCT, for the tests that are marked ``sct``: found, or the test is skipped."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from typing import Any

import pytest

from sct_rootlets.sct.installation import SCT_DIR, SctInstallation, find_sct

__all__ = ["in_scts_python", "scts_environment", "the_sct"]

#: As it was when the tests began; every test runs without it.
_GIVEN = os.environ.get(SCT_DIR)


def the_sct() -> SctInstallation:
    """Return the SCT that ``SCT_DIR`` or the PATH leads to, or skip the test."""
    with pytest.MonkeyPatch.context() as patch:
        if _GIVEN is not None:
            patch.setenv(SCT_DIR, _GIVEN)
        found = find_sct()
    if found is None:
        pytest.skip("no Spinal Cord Toolbox: neither SCT_DIR nor the PATH leads to one")
    return found


def scts_environment() -> dict[str, str]:
    """Return the environment for a process of SCT: without what belongs to this one."""
    ours = ("PYTHONPATH", SCT_DIR)
    return {name: value for name, value in os.environ.items() if name not in ours}


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
