"""Processes of their own, forked from a server that has imported what commands import.

A command spends two thirds of a second importing before it looks at its input. Where what it
does is tested, not how it starts, it runs in a process forked from one that has imported all
that already: with arguments, environment, folder, output and exit status of its own.
How it starts is tested in ``tests/cli/test_main.py`` and by everything that installs.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

#: What commands import on their way.
PRELOADED = (
    "torch",
    "safetensors.torch",
    "filelock",
    "requests",
    "fastjsonschema",
    "nibabel",
    "scipy.ndimage",
    "scipy.interpolate",
    "matplotlib.figure",
    "sct_rootlets.cli.main",
    "sct_rootlets.pipeline",
    "sct_rootlets.store.web.download",
    "sct_rootlets.store.archives.unpack",
    "sct_rootlets.store.weights",
)

context = multiprocessing.get_context("forkserver")
# Here, before any test runs: a process has one such server, and whichever test is the first to
# use it starts it for all. What cannot be imported it leaves out.
context.set_forkserver_preload([*PRELOADED, "tests.forked"])


def sct_rootlets(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command ``sct_rootlets`` in a process of its own, in `folder`.

    Warnings to users that Python gives are errors there.
    """
    command = ["sct_rootlets", *words]
    with tempfile.TemporaryDirectory() as heard:
        out, err = Path(heard) / "out", Path(heard) / "err"
        process = context.Process(
            target=_main, args=(command, str(folder), dict(os.environ), str(out), str(err))
        )
        process.start()
        process.join()
        assert process.exitcode is not None
        return subprocess.CompletedProcess(
            command, process.exitcode, out.read_text(), err.read_text()
        )


def _main(command: list[str], folder: str, environment: dict[str, str], out: str, err: str) -> None:
    for path, number in ((out, 1), (err, 2)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = command
    warnings.simplefilter("error", UserWarning)

    from sct_rootlets.cli.main import main

    sys.exit(main())
