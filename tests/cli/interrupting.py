"""Programs that are interrupted at a moment of the test's choosing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from tests.sct.stand_in import REPOSITORY

#: Interruptions are ignored in what a shell puts behind.
HEEDS = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"


def assert_stops(program: str, has_reached: Callable[[], bool]) -> None:
    """Interrupt Python's `program`, which runs a command, once it `has_reached` its place."""
    command = subprocess.Popen(
        [sys.executable, "-c", HEEDS + program],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        give_up = time.monotonic() + 120
        while not has_reached():
            assert time.monotonic() < give_up
            assert command.poll() is None, command.communicate()
            time.sleep(0.05)
        command.send_signal(signal.SIGINT)
        _, err = command.communicate(timeout=60)
    finally:
        command.kill()
    assert command.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
