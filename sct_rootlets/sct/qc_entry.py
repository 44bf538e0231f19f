"""Adds one entry to SCT's QC report: a script for SCT's own Python, run by its path.

It imports the standard library and SCT, and nothing of this package, which need not be
installed in SCT's environment. Its one argument is a JSON object: ``background`` and
``overlay``, the paths of two PNG files, and ``entry``, what ``create_qc_entry`` takes. SCT makes
folders, lock, list and page, as for its own commands. The last line that it prints is a JSON
object with ``index``, the page; whatever SCT prints goes to the standard error.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from pathlib import Path

__all__ = ["main"]


def main(argument: str) -> None:
    """Add the entry that `argument` describes, and print where the page is."""
    asked = json.loads(argument)
    entry = asked["entry"]
    folder = Path(entry["path_qc"])
    with contextlib.redirect_stdout(sys.stderr):
        from spinalcordtoolbox.reports.qc2 import create_qc_entry

        paths = {name: Path(entry.pop(name)) for name in ("path_input", "path_qc")}
        with create_qc_entry(**paths, **entry) as images:
            shutil.copyfile(asked["background"], images["path_background_img"])
            shutil.copyfile(asked["overlay"], images["path_overlay_img"])
    print(json.dumps({"index": str(folder / "index.html")}))  # noqa: T201 - its answer


if __name__ == "__main__":
    # Python looks for modules beside a script first, and those beside this one have names that
    # others may have too.
    _HERE = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [place for place in sys.path if os.path.abspath(place) != _HERE]
    main(sys.argv[1])
